"""Reads the messages of a folder with GMime; one JSON line each (their form: reading.py).

Runs under the distribution's Python, which has its introspection.
"""

import sys
from pathlib import Path

import gi

gi.require_version("GMime", "3.0")
from gi.repository import GMime  # noqa: E402

from reading import attachment, emit, outline  # noqa: E402


def pairs(message, kind):
    addresses = message.get_addresses(kind)
    found = []
    for index in range(addresses.length() if addresses else 0):
        one = addresses.get_address(index)
        if isinstance(one, GMime.InternetAddressMailbox):
            found.append([one.get_name() or "", one.get_addr()])
    return found


def content_type(part):
    return part.get_content_type().get_mime_type().lower()


def structure(part):
    children = []
    if isinstance(part, GMime.Multipart):
        children = [part.get_part(index) for index in range(part.get_count())]
    return outline(content_type(part), [structure(child) for child in children])


def leaves(part):
    if isinstance(part, GMime.Multipart):
        for index in range(part.get_count()):
            yield from leaves(part.get_part(index))
    else:
        yield part


def octets_of(part):
    stream = GMime.StreamMem.new()
    part.get_content().write_to_stream(stream)
    return bytes(stream.get_byte_array())


def parse(content):
    stream = GMime.StreamMem.new_with_buffer(content)
    return GMime.Parser.new_with_stream(stream).construct_message(None)


def header(message, name):
    value = message.get_header(name)
    return None if value is None else value.strip()


def read(content):
    message = parse(content)
    texts = {}
    attachments = []
    for part in leaves(message.get_mime_part()):
        if part.get_content_disposition() is None:
            texts[content_type(part)] = octets_of(part).decode()
            continue
        inner = None
        name = None
        octets = b""
        if isinstance(part, GMime.MessagePart):
            within = part.get_message()
            inner = [within.get_subject(), octets_of(within.get_mime_part()).decode()]
            name = part.get_content_disposition().get_parameter("filename")
        else:
            name = part.get_filename()
            octets = octets_of(part)
        content_id = part.get_content_id()
        attachments.append(attachment(name, content_type(part), octets, content_id, inner))
    return {"subject": message.get_subject(), "from": pairs(message, GMime.AddressType.FROM),
            "reply_to": pairs(message, GMime.AddressType.REPLY_TO),
            "to": pairs(message, GMime.AddressType.TO), "cc": pairs(message, GMime.AddressType.CC),
            "message_id": f"<{message.get_message_id()}>",
            "references": header(message, "References"),
            "unsubscribe": header(message, "List-Unsubscribe"), "note": header(message, "X-Note"),
            "structure": structure(message.get_mime_part()), "text": texts.get("text/plain"),
            "html": texts.get("text/html"), "attachments": attachments}


if __name__ == "__main__":
    GMime.init()
    emit(Path(sys.argv[1]), read)
