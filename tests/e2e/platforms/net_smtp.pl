# Perl's Net::SMTP: PORT COUNT. Prints how many were accepted.
use strict;
use warnings;
use Net::SMTP;

my ($port, $count) = @ARGV;
my $accepted = 0;
my $smtp = Net::SMTP->new('127.0.0.1', Port => $port, Hello => 'platform.example') or die "$@";
for my $number (0 .. $count - 1) {
    $smtp->mail('news@example.com');
    $smtp->to("reader$number\@example.net");
    $smtp->data();
    $smtp->datasend("Message-ID: <perl-$number\@example.com>\nSubject: x\n\n.Hello\n");
    $accepted += $smtp->dataend() ? 1 : 0;
}
$smtp->quit();
print "$accepted\n";
