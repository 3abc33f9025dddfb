# Reads the messages of a folder with MIME-tools; one JSON line each (their form: reading.py).
# Addresses are those of Mail::Address, on which MIME-tools stands.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Encode qw(decode);
use JSON::PP;
use Mail::Address;
use MIME::Parser;
use MIME::WordDecoder;

my $parser = MIME::Parser->new;
$parser->output_to_core(1);
$parser->tmp_to_core(1);
$parser->extract_nested_messages(1);

sub field {
  my ($entity, $name) = @_;
  my $value = $entity->head->get($name);
  return undef unless defined $value;
  $value =~ s/\r?\n(?=[ \t])//g;
  $value =~ s/\r?\n\z//;
  return $value;
}

sub decoded { return defined $_[0] ? mime_to_perl_string($_[0]) : undef }

sub pairs {
  my ($entity, $name) = @_;
  my $value = field($entity, $name) // return [];
  return [map { my $phrase = decoded($_->phrase) // '';
                $phrase =~ s/^"(.*)"$/$1/s and $phrase =~ s/\\(.)/$1/gs;
                [$phrase, $_->address] }
          Mail::Address->parse($value)];
}

sub structure {
  my ($entity) = @_;
  my $type = lc $entity->mime_type;
  return $type unless $type =~ /^multipart/;
  return $type . '(' . join(',', map { structure($_) } $entity->parts) . ')';
}

sub leaves {
  my ($entity) = @_;
  return lc($entity->mime_type) =~ /^multipart/ ? map { leaves($_) } $entity->parts : $entity;
}

sub octets { return $_[0]->bodyhandle ? $_[0]->bodyhandle->as_string : '' }

sub reading {
  my ($content) = @_;
  my $message = $parser->parse_data($content);
  my (%texts, @attachments);
  for my $part (leaves($message)) {
    my $type = lc $part->mime_type;
    if (!defined field($part, 'Content-Disposition')) {
      $texts{$type} = decode('UTF-8', octets($part), Encode::FB_CROAK);
      next;
    }
    my $inner;
    if ($type eq 'message/rfc822') {
      my $within = $part->parts(0);
      $inner = [decoded(field($within, 'Subject')), decode('UTF-8', octets($within))];
    }
    my $cid = field($part, 'Content-ID');
    $cid =~ s/^<|>$//g if defined $cid;
    push @attachments,
      {name => $part->head->recommended_filename, type => $type, cid => $cid,
       inner => $inner, sha256 => sha256_hex($inner ? '' : octets($part))};
  }
  return {subject => decoded(field($message, 'Subject')), from => pairs($message, 'From'),
          reply_to => pairs($message, 'Reply-To'), to => pairs($message, 'To'),
          cc => pairs($message, 'Cc'), message_id => field($message, 'Message-ID'),
          references => field($message, 'References'),
          unsubscribe => field($message, 'List-Unsubscribe'),
          note => decoded(field($message, 'X-Note')), structure => structure($message),
          text => $texts{'text/plain'}, html => $texts{'text/html'}, attachments => \@attachments};
}

for my $path (sort glob("$ARGV[0]/*.eml")) {
  open my $file, '<:raw', $path or die $path;
  my $content = do { local $/; <$file> };
  my $reading = eval { reading($content) } // {error => "$@"};
  $reading->{file} = (split m{/}, $path)[-1];
  print JSON::PP->new->ascii->encode($reading), "\n";
}
