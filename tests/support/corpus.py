"""Messages that are hard to carry unchanged, and what a server has to end up with."""

import base64
import functools
from dataclasses import dataclass

RAW, RAW_BASE64, RAW_FILE = "raw", "raw_base64", "raw_file"
MIB = 1 << 20


@dataclass(frozen=True)
class Message:
    """A finished message without its X-Id line, which marks each copy of it that is sent."""

    name: str
    head: bytes
    body: bytes
    forms: tuple = (RAW, RAW_BASE64, RAW_FILE)

    def content(self, x_id):
        """The message as it is given to ringpost."""
        newline = b"\r\n" if b"\r\n" in self.head else b"\n"
        return b"X-Id: " + x_id.encode() + newline + self.head + newline + self.body

    def expected(self, x_id):
        """The message as the server has to have it: CRLF throughout, and one at its end."""
        return canonical(self.content(x_id))


def canonical(content):
    """Lines ended by CRLF, the last one too: all that SMTP can carry (RFC 5321 4.1.1.4)."""
    if b"\r\n" not in content:
        content = content.replace(b"\n", b"\r\n")
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def head_of(name):
    return ("From: sender@example.com\r\nTo: recipient@example.net\r\n"
            "Date: Fri, 20 Nov 2026 21:11:00 +0000\r\n"
            f"Message-ID: <{name}@example.com>\r\nSubject: corpus: {name}\r\n").encode()


def message(name, body, **more):
    return Message(name, head_of(name), body, **more)


def sized(name, size):
    """A message with a body of exactly `size` octets, none of whose lines equals another one."""
    line = b"%07d abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ .\r\n"
    length = len(line % 0)
    body = b"".join(line % number for number in range(size // length + 1))
    return message(name, body[:size - 2] + b"\r\n")


@functools.lru_cache(maxsize=None)
def small():
    """Everything but the big ones."""
    binary = (RAW_BASE64, RAW_FILE)
    one_kind = b"Subject: corpus: lone newlines\nFrom: sender@example.com\n"
    return (
        message("plain", b"Hello.\r\n"),
        message("leading-dots", b".\r\n..\r\n...\r\n.a\r\n..b\r\nc.\r\n .d\r\n.\r\nend\r\n"),
        message("one-dot", b".\r\n"),
        message("one-dot-without-newline", b"."),
        message("no-final-newline", b"The last line has no end."),
        message("ends-with-newline-and-dot", b"text\r\n."),
        message("end-of-data-inside", b"before\r\n.\r\nMAIL FROM:<evil@example.com>\r\n"
                b"RCPT TO:<victim@example.net>\r\nDATA\r\nsmuggled\r\n.\r\nafter\r\n"),
        message("double-newline-and-dot", b"\r\n\r\n.\r\nRSET\r\n\r\n.\r\n\r\n"),
        message("dots-only", b"".join(b"." * count + b"\r\n" for count in range(1, 200))),
        # Three octets a line, so that every place of a dot meets every edge of a buffer.
        message("dots-at-every-edge", b".\r\n" * 60_000),
        message("latin-1", "Grüße, façon, señor\r\n".encode("latin-1") * 40, forms=binary),
        message("every-octet", bytes(octet for octet in range(1, 256) if octet not in b"\r\n")
                + b"\r\n", forms=binary),
        message("utf-8", "Grüße, 你好, привет, 🙂\r\n".encode() * 40),
        message("lines-of-900", b"".join(b"%04d" % n + b"x" * 896 + b"\r\n" for n in range(50))),
        message("lines-of-998", b"".join(b"%04d" % n + b"." * 994 + b"\r\n" for n in range(50))),
        message("dot-and-997", b"." + b"y" * 997 + b"\r\n." + b"z" * 997 + b"\r\n"),
        message("empty-body", b""),
        message("blank-lines", b"\r\n" * 30),
        message("white-space", b" \r\n\t\r\n  trailing  \r\n\ttab\t\r\n \r\n"),
        message("from-line", b"From somebody Fri Nov 20 21:11:00 2026\r\n>From here on\r\n"),
        message("json-escapes", b"\"quoted\" \\back\\slash\\ /slash/ \\u0041 \\n \\r\\n\x7f\r\n"),
        Message("lone-newlines", one_kind, b"first\n.\n..second\n\nlast\n"),
        Message("lone-newlines-open", one_kind, b"first\n.second\nlast"),
    )


@functools.lru_cache(maxsize=None)
def one_mebibyte():
    return sized("1-mib", MIB)


@functools.lru_cache(maxsize=None)
def twenty_five_mebibytes():
    return sized("25-mib", 25 * MIB)


@dataclass(frozen=True)
class Copy:
    """One message in one form, as one job; its id stands in the X-Id line of its content."""

    message: Message
    form: str

    @property
    def x_id(self):
        return f"{self.message.name}/{self.form}"

    @property
    def expected(self):
        return self.message.expected(self.x_id)

    def job(self, folder, sender="sender@example.com", recipients=("recipient@example.net",)):
        """The job, with its content inline or in a file below `folder`."""
        job = {"id": self.x_id, "envelope": {"from": sender, "to": list(recipients)}}
        content = self.message.content(self.x_id)
        if self.form == RAW:
            job["raw"] = content.decode("utf-8")
        elif self.form == RAW_BASE64:
            job["raw_base64"] = base64.b64encode(content).decode("ascii")
        else:
            path = folder / f"{self.message.name}.eml"
            path.write_bytes(content)
            job["raw_file"] = str(path)
        return job


def copies(messages, forms=(RAW, RAW_BASE64, RAW_FILE)):
    """Every message in each of the forms that can hold it."""
    return [Copy(one, form) for one in messages for form in one.forms if form in forms]


def everything():
    """The whole corpus: the small ones in each form, 1 MiB in each, 25 MiB from a file."""
    return copies(small() + (one_mebibyte(),)) + copies((twenty_five_mebibytes(),), (RAW_FILE,))
