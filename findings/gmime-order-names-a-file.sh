#!/usr/bin/env bash
# GMime and Python's email name an attachment by the order of its parameters.
#
# Packages: libgmime-3.0-0 3.2.13+dfsg-2 (by gir1.2-gmime-3.0 of the same version) and
# libpython3.11-stdlib 3.11.2-6+deb12u6 of Debian 12; mailparser 3.14.2 from npm beside them.
# Seen on 2026-11-30.
#
# What they do: of a Content-Disposition that has both `filename="plain.txt"`, for readers that know
# ASCII only, and `filename*` (RFC 2231) with the real name, each takes the one that stands in
# front: the euro sign's name in one order, plain.txt in the other. mailparser takes the real name
# in either.
#
# What one would expect: "The ordering of parameters is not significant" (RFC 2045 5.1), and where
# both stand, the one that was written for the reader's better knowledge (RFC 6266 4.3 says so for
# HTTP: recipients pick filename* and ignore filename).
#
# So: whoever writes both is misread by some whatever the order; `filename*` alone is read by all.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

npm_package mailparser@3.14.2
debian_packages gir1.2-gmime-3.0=3.2.13+dfsg-2 libgmime-3.0-0=3.2.13+dfsg-2 python3-gi \
  libpython3.11-stdlib=3.11.2-6+deb12u6 python3.11-minimal=3.11.2-6+deb12u6

declare -A dispositions=(
  [name_first]="filename=\"plain.txt\"; filename*=UTF-8''%E2%82%AC.txt"
  [star_first]="filename*=UTF-8''%E2%82%AC.txt; filename=\"plain.txt\""
  [star_alone]="filename*=UTF-8''%E2%82%AC.txt"
)
for which in "${!dispositions[@]}"; do
  printf '%s\r\n' 'From: a@example.com' 'MIME-Version: 1.0' \
    'Content-Type: multipart/mixed; boundary=b' '' --b 'Content-Type: text/plain' '' text --b \
    'Content-Type: application/octet-stream' \
    "Content-Disposition: attachment; ${dispositions[$which]}" '' data --b-- \
    >"$finding_folder/$which.eml"
done

cat >"$finding_folder/gmime.py" <<'PYTHON'
import sys
import gi
gi.require_version("GMime", "3.0")
from gi.repository import GMime
GMime.init()
for name in sys.argv[1:]:
    stream = GMime.StreamFile.open(name, "r")
    message = GMime.Parser.new_with_stream(stream).construct_message(None)
    print("GMime", message.get_mime_part().get_part(1).get_filename())
PYTHON
cat >"$finding_folder/python.py" <<'PYTHON'
import email
import email.policy
import sys
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        message = email.message_from_binary_file(file, policy=email.policy.default)
    print("Python", list(message.iter_parts())[1].get_filename())
PYTHON
cat >"$finding_folder/mailparser.js" <<'JAVASCRIPT'
const fs = require('fs');
const { simpleParser } = require('mailparser');
(async () => {
  for (const name of process.argv.slice(2)) {
    const mail = await simpleParser(fs.readFileSync(name));
    console.log('mailparser', mail.attachments[0].filename);
  }
})();
JAVASCRIPT
cd "$finding_folder"
messages=(name_first.eml star_first.eml star_alone.eml)
seen=$(export LC_ALL=C.UTF-8
  in_layer /usr/bin/python3.11 "$finding_folder/gmime.py" "${messages[@]/#/$finding_folder/}"
  in_layer /usr/bin/python3.11 "$finding_folder/python.py" "${messages[@]/#/$finding_folder/}"
  node mailparser.js "${messages[@]}")
printf 'with filename in front, with filename* in front, with that alone:\n%s\n' "$seen"
expected='GMime plain.txt
GMime €.txt
GMime €.txt
Python plain.txt
Python €.txt
Python €.txt
mailparser €.txt
mailparser €.txt
mailparser €.txt'
[[ $seen == "$expected" ]] || exit 1
