"""Job files, and outcome lines read as strictly as a user's own program would."""

import hashlib
import json
from collections import Counter

STATUSES = {"accepted", "rejected", "deferred", "unsent", "unknown", "invalid", "expired",
            "skipped"}
STAGES = {"local", "connect", "greeting", "ehlo", "starttls", "tls", "auth", "mail", "rcpt",
          "data", "eod"}


def line_of(job):
    return json.dumps(job, ensure_ascii=False).encode("utf-8")


def write_jobs(path, jobs):
    """Writes one line for each job; a job that is octets already is written as it is."""
    with open(path, "wb") as file:
        for job in jobs:
            file.write((job if isinstance(job, bytes) else line_of(job)) + b"\n")
    return path


def simple_content(job_id, body="Hello.\r\n"):
    """A finished message that names its job in an X-Id line."""
    return (f"X-Id: {job_id}\r\nFrom: sender@example.com\r\nTo: recipient@example.net\r\n"
            f"Date: Fri, 20 Nov 2026 21:11:00 +0000\r\nMessage-ID: <{job_id}@example.com>\r\n"
            f"Subject: {job_id}\r\n\r\n{body}")


def simple_job(job_id, recipients=("recipient@example.net",), sender="sender@example.com",
               body="Hello.\r\n"):
    return {"id": job_id, "envelope": {"from": sender, "to": list(recipients)},
            "raw": simple_content(job_id, body)}


def simple_jobs(count, prefix="job", **more):
    return [simple_job(f"{prefix}-{number}", **more) for number in range(count)]


def numbered_body(number, size=2000):
    """A body that no other number has, so that a mix-up of two messages cannot go unseen."""
    seed = hashlib.sha256(str(number).encode()).hexdigest()
    line = f"{number} {seed}\r\n"
    body = (line * (size // len(line) + 1))[:size - 2]
    # A line end that is cut in two would leave a lone CR.
    return (body[:-1] + "." if body.endswith("\r") else body) + "\r\n"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def read_outcomes(path):
    """All lines of an outcome file; every one has to be a whole and valid line of the contract."""
    return parse_outcomes(path.read_bytes() if path.exists() else b"")


def parse_outcomes(octets):
    if octets and not octets.endswith(b"\n"):
        raise AssertionError(f"the last outcome line has no end: {octets[-200:]!r}")
    return [_parse_outcome(line) for line in octets.split(b"\n")[:-1]]


def _parse_outcome(line):
    outcome = json.loads(line.decode("utf-8"), object_pairs_hook=_without_duplicates)
    for field in ("id", "rcpt", "status", "stage", "ts"):
        if field not in outcome:
            raise AssertionError(f"an outcome line without {field}: {line!r}")
    if outcome["status"] not in STATUSES or outcome["stage"] not in STAGES:
        raise AssertionError(f"words that the contract does not have: {line!r}")
    if outcome["status"] == "accepted" and outcome.get("code", 0) // 100 != 2:
        raise AssertionError(f"accepted without a 2xx reply: {line!r}")
    return outcome


def _without_duplicates(pairs):
    names = Counter(name for name, _ in pairs)
    if max(names.values(), default=0) > 1:
        raise AssertionError(f"a field stands twice in an outcome line: {pairs!r}")
    return dict(pairs)


def recipients_of(jobs):
    """(id, recipient) for each recipient of each job that has an envelope."""
    return Counter((job["id"], recipient) for job in jobs for recipient in job["envelope"]["to"])
