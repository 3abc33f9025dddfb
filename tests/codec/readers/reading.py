"""What the readers in Python have in common, and the form of a reading for all.

A reader is given a folder and writes one line of JSON for each of its `*.eml`, by name: `file`,
`subject`, `from`, `reply_to`, `to`, `cc` (lists of a name and an address), `message_id`,
`references`, `unsubscribe`, `note` (of X-Note), `structure` as in `multipart/mixed(text/plain)`,
`text` and `html`, which are the parts without a disposition, and `attachments`, which are those
with one; or `error`. What its library does not tell it leaves out.
"""

import hashlib
import json
import sys


def outline(content_type, children):
    """`multipart/mixed(text/plain,image/png)`."""
    return content_type + (f"({','.join(children)})" if children else "")


def attachment(name, content_type, octets, content_id, inner=None):
    return {"name": name, "type": content_type, "sha256": hashlib.sha256(octets).hexdigest(),
            "cid": content_id.strip("<>") if content_id else None, "inner": inner}


def emit(folder, read):
    for path in sorted(folder.glob("*.eml")):
        try:
            reading = read(path.read_bytes())
        except Exception as error:  # pylint: disable=broad-exception-caught
            reading = {"error": repr(error)}
        sys.stdout.write(json.dumps({"file": path.name, **reading}) + "\n")
