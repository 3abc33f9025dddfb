#!/usr/bin/env bash
# ruby-mail puts the pieces of a long parameter together in the order of their numbers as text.
#
# Package: ruby-mail 2.7.1+dfsg1-2 of Debian 12. Seen on 2026-11-30.
#
# What it does: a file name in eleven or more pieces (`filename*0=`, `filename*1=`, ...
# `filename*10=`; RFC 2231 3) comes out with the eleventh behind the second. Ten are right.
#
# What one would expect: "the numbers [...] are sequential, starting at 0" and say the order (RFC
# 2231 3), whatever order the pieces stand in; the number after 9 is 10.
#
# So: a name that needs more than ten pieces is better written as one long piece.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

debian_packages ruby-mail=2.7.1+dfsg1-2
cat >"$finding_folder/read.rb" <<'RUBY'
require 'mail'
[10, 12].each do |count|
  letters = ('a'..'z').first(count)
  pieces = letters.each_with_index.map { |letter, number| "filename*#{number}=\"#{letter}\"" }
  message = Mail.new(["From: a@example.com", "MIME-Version: 1.0",
                      "Content-Type: application/octet-stream",
                      "Content-Disposition: attachment;\r\n " + pieces.join(";\r\n "), "", "data",
                      ""].join("\r\n"))
  puts "#{count} pieces, #{letters.join}: #{message.filename}"
end
RUBY
seen=$(in_layer /usr/bin/ruby "$finding_folder/read.rb")
printf '%s\n' "$seen"
expected='10 pieces, abcdefghij: abcdefghij
12 pieces, abcdefghijkl: abklcdefghij'
[[ $seen == "$expected" ]] || exit 1
