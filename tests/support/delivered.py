"""What a server did with the messages it took, in one form for all servers, and what is wrong."""

import re
from collections import Counter
from dataclasses import dataclass

DATA, BDAT = "DATA", "BDAT"


@dataclass(frozen=True)
class Delivered:
    """One recipient's copy of a message, as the server has it."""

    sender: str
    recipient: str
    content: bytes  # without the traces
    newline: bytes = b"\n"  # what the server ends its lines with
    traces: bytes = b""  # what it has put in front

    @property
    def x_id(self):
        head = self.content.partition(self.newline * 2)[0]
        found = re.search(rb"^X-Id: ([^\r\n]*)\r?$", head, re.M)
        return found.group(1).decode() if found else None


def expectation(jobs, contents):
    """{(id, recipient): (sender, content)} of jobs that are accepted whole."""
    return {(job["id"], recipient): (job["envelope"]["from"], contents[job["id"]])
            for job in jobs for recipient in job["envelope"]["to"]}


def differences(delivered, expected):
    """What is wrong with what was delivered, as a list of texts.

    `expected` has the (sender, content) of each (X-Id, recipient), content with CRLF."""
    copies = Counter((one.x_id, one.recipient) for one in delivered)
    found = [f"{key}: {count} copies" for key, count in copies.items()
             if count != 1 or key not in expected]
    found += [f"{key}: not delivered" for key in expected if key not in copies]
    for one in delivered:
        sender, content = expected.get((one.x_id, one.recipient), (None, None))
        if content is None:
            continue
        if one.content != content.replace(b"\r\n", one.newline):
            found.append(f"{one.x_id}: the content differs")
        if one.sender != sender:
            found.append(f"{one.x_id}: the sender is {one.sender}, not {sender}")
    return found
