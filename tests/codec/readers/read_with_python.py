"""Reads the messages of a folder with Python's email package.

One JSON line each; their form: reading.py.
"""

import email
import email.policy
import sys
from pathlib import Path

from reading import attachment, emit, outline


def pairs(message, name):
    return [[one.display_name, one.addr_spec] for header in message.get_all(name, [])
            for one in header.addresses]


def structure(part):
    children = list(part.iter_parts()) if part.get_content_maintype() == "multipart" else []
    return outline(part.get_content_type(), [structure(child) for child in children])


def first_text(message, subtype):
    body = message.get_body(preferencelist=(subtype,))
    return None if body is None else body.get_content()


def read(content):
    message = email.message_from_bytes(content, policy=email.policy.default)
    attachments = []
    for part in message.walk():
        disposition = part.get_content_disposition()
        if disposition is None or part.is_multipart() and disposition != "attachment":
            continue
        inner = None
        if part.get_content_type() == "message/rfc822":
            within = part.get_payload(0)
            inner = [within["Subject"], within.get_content()]
        octets = part.get_payload(decode=True) if inner is None else b""
        attachments.append(attachment(part.get_filename(), part.get_content_type(), octets,
                                      part["Content-ID"], inner))
    return {"subject": message["Subject"], "from": pairs(message, "From"),
            "reply_to": pairs(message, "Reply-To"), "to": pairs(message, "To"),
            "cc": pairs(message, "Cc"), "message_id": message["Message-ID"],
            "references": message["References"], "unsubscribe": message["List-Unsubscribe"],
            "note": message["X-Note"], "structure": structure(message),
            "text": first_text(message, "plain"), "html": first_text(message, "html"),
            "attachments": attachments}


if __name__ == "__main__":
    emit(Path(sys.argv[1]), read)
