# Reads the messages of a folder with Email::MIME; one JSON line each (their form: reading.py).
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Email::MIME;
use Encode qw(decode);
use JSON::PP;

sub pairs {
  my ($message, $name) = @_;
  my $header = $message->header_as_obj($name) or return [];
  return [map { [$_->phrase // '', $_->address] } $header->addresses];
}

sub content_type { return lc((split /;/, $_[0]->content_type // 'text/plain')[0]) }

sub structure {
  my ($part) = @_;
  my $type = content_type($part);
  return $type unless $type =~ /^multipart/;
  return $type . '(' . join(',', map { structure($_) } $part->subparts) . ')';
}

sub leaves {
  my ($part) = @_;
  return content_type($part) =~ /^multipart/ ? map { leaves($_) } $part->subparts : $part;
}

sub reading {
  my ($content) = @_;
  my $message = Email::MIME->new($content);
  my (%texts, @attachments);
  for my $part (leaves($message)) {
    if (!defined $part->header('Content-Disposition')) {
      $texts{content_type($part)} = $part->body_str;
      next;
    }
    my $inner;
    if (content_type($part) eq 'message/rfc822') {
      my $within = Email::MIME->new($part->body_raw);
      $inner = [$within->header_str('Subject'), $within->body_str];
    }
    my $cid = $part->header('Content-ID');
    $cid =~ s/^<|>$//g if defined $cid;
    push @attachments,
      {name => $part->filename, type => content_type($part), cid => $cid, inner => $inner,
       sha256 => sha256_hex($inner ? '' : $part->body)};
  }
  return {subject => scalar $message->header_str('Subject'), from => pairs($message, 'From'),
          reply_to => pairs($message, 'Reply-To'), to => pairs($message, 'To'),
          cc => pairs($message, 'Cc'), message_id => scalar $message->header('Message-ID'),
          references => scalar $message->header('References'),
          unsubscribe => scalar $message->header('List-Unsubscribe'),
          note => scalar $message->header_str('X-Note'), structure => structure($message),
          text => $texts{'text/plain'}, html => $texts{'text/html'}, attachments => \@attachments};
}

for my $path (sort glob("$ARGV[0]/*.eml")) {
  open my $file, '<:raw', $path or die $path;
  my $content = do { local $/; <$file> };
  my $reading = eval { reading($content) } // {error => "$@"};
  $reading->{file} = (split m{/}, $path)[-1];
  print JSON::PP->new->ascii->encode($reading), "\n";
}
