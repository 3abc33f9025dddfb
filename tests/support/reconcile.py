"""Outcome lines of one or several runs against what the server says it took, id by id.

Nothing here runs a program, so that reconcile_test.py can show that each kind of harm is seen.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from support.fates import TRIED_AGAIN, afterthoughts, last_words, words_of

ACCEPTED, UNKNOWN = "accepted", "unknown"


@dataclass
class Books:
    """What was found; `differences` are texts, and empty when both sides tell the same story."""

    last: Counter = field(default_factory=Counter)  # recipients by the status of their last line
    taken: int = 0  # recipients that the server took, copies counted
    taken_unknown: int = 0  # of them, those of attempts whose outcome was `unknown`
    resent: int = 0  # recipients sent to again after `unknown`, each time
    copies: int = 0  # recipients that the server took more than once
    differences: list = field(default_factory=list)

    def describe(self):
        counts = ", ".join(f"{count} {status}" for status, count in sorted(self.last.items()))
        return (f"{counts}; the server took {self.taken}, {self.taken_unknown} of them unknown to "
                f"the client; {self.resent} resent, {self.copies} taken twice or more")


def reconcile(recipients, outcomes, record, digests=None, resends=False):
    """The books of all runs together.

    recipients: (id, recipient) for each recipient of the jobs; outcomes: lines in their order;
    record: the server's, with a queue id for each message; digests: SHA-256 of contents that are
    known, by id; resends: whether `unknown` was followed by another attempt."""
    books = Books(last=Counter(last_words(outcomes).values()))
    books.differences += afterthoughts(outcomes, TRIED_AGAIN | ({UNKNOWN} if resends else set()))
    words = words_of(outcomes)
    _check_lines(books, recipients, words)
    copies = _check_record(books, recipients, record, digests or {})
    _check_queue_ids(books, outcomes, record)
    for key in recipients:
        _check_copies(books, key, words.get(key, []), copies[key])
    if books.taken != _accepted(outcomes) + books.taken_unknown:
        books.differences.append(
            f"the server took {books.taken}, and {_accepted(outcomes)} accepted and "
            f"{books.taken_unknown} unknown are not as many")
    return books


def _accepted(outcomes):
    return sum(outcome["status"] == ACCEPTED for outcome in outcomes)


def _check_lines(books, recipients, words):
    for key in recipients:
        if key not in words:
            books.differences.append(f"{key}: no outcome line")
    for key in words:
        if key not in recipients:
            books.differences.append(f"{key}: an outcome line of nobody's")


def _check_record(books, recipients, record, digests):
    """How often the server took each (id, recipient); all copies of a message are the same."""
    copies = Counter()
    seen = defaultdict(set)
    for message in record:
        job_id = message["x_id"]
        copies.update((job_id, recipient) for recipient in message["to"])
        seen[job_id].add(message["sha256"])
    for job_id, found in seen.items():
        if len(found) > 1:
            books.differences.append(f"{job_id}: {len(found)} different contents were taken")
        if found != {digests.get(job_id, next(iter(found)))}:
            books.differences.append(f"{job_id}: the content is not that of the job")
    for key in copies:
        if key not in recipients:
            books.differences.append(f"{key}: was taken, and is in no job")
    books.taken = copies.total()
    books.copies = sum(count > 1 for count in copies.values())
    return copies


def _check_queue_ids(books, outcomes, record):
    """The reply that made a recipient `accepted` was the one to this very message."""
    taken = {message["queue_id"]: message for message in record}
    for outcome in outcomes:
        if outcome["status"] != ACCEPTED:
            continue
        message = taken.get(outcome.get("queue_id"))
        if message is None:
            books.differences.append(
                f"{outcome['id']} {outcome['rcpt']}: accepted as {outcome.get('queue_id')}, which "
                f"the server never said: {outcome.get('code')} {outcome.get('text')}")
        elif message["x_id"] != outcome["id"] or outcome["rcpt"] not in message["to"]:
            books.differences.append(
                f"{outcome['id']} {outcome['rcpt']}: accepted as {outcome['queue_id']}, which is "
                f"{message['x_id']} to {message['to']}")


def _check_copies(books, key, words, copies):
    accepted, unknown = words.count(ACCEPTED), words.count(UNKNOWN)
    books.taken_unknown += max(0, copies - accepted)
    books.resent += sum(word == UNKNOWN for word in words[:-1])
    if not accepted <= copies <= accepted + unknown:
        books.differences.append(
            f"{key}: {' then '.join(words) or 'nothing'}, and the server took it {copies} times")
