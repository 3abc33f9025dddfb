"""What is wrong after a round of the crash test: outcome lines against the sink's record.

Nothing here runs a program, so that verdict_test.py can show that each kind of harm is seen.
"""

from collections import Counter

from plan import ACCEPTED, DEFERRED, INVALID, REJECTED
from support.fates import TRIED_AGAIN, afterthoughts, last_words

UNKNOWN = "unknown"
# A transaction that was in flight makes all its recipients unknown, the refused ones, too.
LAST_WORDS = {ACCEPTED: {ACCEPTED, UNKNOWN}, REJECTED: {REJECTED, UNKNOWN},
              DEFERRED: {DEFERRED, UNKNOWN}, INVALID: {INVALID}}


def differences(plan, outcomes, record, kills):
    """All that breaks the promise, as a list of texts."""
    return [*_in_outcomes(plan, outcomes),
            *_in_record(plan, last_words(outcomes), record, kills)]


def _in_outcomes(plan, outcomes):
    tried_again = TRIED_AGAIN | ({UNKNOWN} if plan.resends else set())
    yield from afterthoughts(outcomes, tried_again)
    words = last_words(outcomes)
    # After a run that was not killed nobody is in flight.
    never_last = {UNKNOWN} if plan.resends else set()
    for key, fate in plan.fates.items():
        if key not in words:
            yield f"{key}: no outcome line"
        elif words[key] not in LAST_WORDS[fate] - never_last:
            yield f"{key}: {words[key]} in the end, and it should be {fate}"
    unreadable = 0
    for key, status in words.items():
        if key in plan.fates:
            continue
        if key[1] is None and status == INVALID:
            unreadable += 1
        else:
            yield f"{key}: an outcome line of nobody's: {status}"
    if unreadable != plan.unreadable:
        yield f"{unreadable} unreadable lines, and there are {plan.unreadable}"


def _in_record(plan, words, record, kills):
    copies = Counter()
    composed = {}  # what was sent first, since the program makes it
    for message in record:
        job_id = message["x_id"]
        copies.update((job_id, recipient) for recipient in message["to"])
        if job_id in plan.newsletters:
            first = composed.setdefault((job_id, *message["to"]), message["sha256"])
            if message["sha256"] != first:
                yield f"{job_id}: {message['to']} was sent another message than before"
        elif message["sha256"] != plan.digests.get(job_id):
            yield f"{job_id}: the content is not that of the job"
    for key in copies:
        if key not in plan.fates:
            yield f"{key}: was sent, and is in no job"
    for key in plan.fates:
        least, most = _copies_of(words.get(key), plan.resends, kills)
        if not least <= copies[key] <= most:
            yield f"{key}: {words.get(key)}, and the server took it {copies[key]} times"


def _copies_of(status, resends, kills):
    """How many copies the server may have."""
    if status == ACCEPTED:
        # At each kill one copy can have been in flight, which is sent again.
        return 1, 1 + (kills if resends else 0)
    return 0, 1 if status == UNKNOWN else 0
