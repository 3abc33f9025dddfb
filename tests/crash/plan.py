"""What one round of the crash test does, all of it made from a seed."""

import math
import random
from dataclasses import dataclass

from support.jobs import line_of, numbered_body, sha256, simple_content

JOBS = range(2000, 5001)
LARGE_JOBS = 4
LARGE_BYTES = 100_000
# A line of a message each for so many.
NEWSLETTER_CHANCE = 0.01
NEWSLETTER_RECIPIENTS = (1, 60)
KILLS_MAX = 8
# From a start that has hardly begun to a run that is nearly over.
KILL_SECONDS = (0.005, 1.5)
LATENCIES_MS = (0, 1, 2, 5)
# What all waiting for replies may come to in a round, so that slow ways go with short latencies.
WAITING_SECONDS_MAX = 6
# What the sink lets become of a recipient who is asked for it once.
ACCEPTED, REJECTED, DEFERRED, INVALID = "accepted", "rejected", "deferred", "invalid"


@dataclass(frozen=True)
class Plan:
    seed: int
    lines: list  # of the job file
    fates: dict  # (id, recipient) -> what becomes of him when nothing comes in between
    digests: dict  # id -> SHA-256 of its content
    newsletters: frozenset  # ids of lines that are a message for each of their recipients
    unreadable: int  # lines of which no recipient can be read
    flags: list
    resends: bool  # what was in flight is sent again
    from_stdin: bool
    latency_ms: int
    kills: list  # seconds that a run lives before it is killed

    def describe(self):
        way = " ".join(self.flags) + (" from stdin" if self.from_stdin else "")
        return f"{len(self.fates)} recipients, latency {self.latency_ms} ms, {way}"


def make_plan(seed):
    rng = random.Random(seed)
    count = rng.choice(JOBS)
    draft = _Draft(rng, count)
    flags, pipelined, connections = _way(rng)
    resends = rng.random() < 0.25
    flags += ["--on-unknown", "resend" if resends else "hold"]
    return Plan(seed=seed, lines=draft.lines, fates=draft.fates, digests=draft.digests,
                newsletters=frozenset(draft.newsletters), unreadable=draft.unreadable,
                flags=flags, resends=resends, from_stdin=rng.random() < 0.2,
                latency_ms=_latency(rng, count, pipelined, connections),
                kills=[_log_uniform(rng, *KILL_SECONDS) for _ in range(rng.randint(1, KILLS_MAX))])


def _way(rng):
    """Flags; whether commands go out ahead of replies; the number of connections."""
    connections = rng.randint(1, 8)
    # One attempt: who is put off is `deferred` at once.
    flags = ["--max-attempts", "1", "--connections", str(connections)]
    pipelined = rng.random() < 0.6
    if not pipelined:
        flags += ["--pipeline", "off"]
    if rng.random() < 0.5:
        flags += ["--chunking", "off"]
    if rng.random() < 0.3:
        # Jobs of three recipients become two transactions each.
        flags += ["--max-recipients", "2"]
    # One session in lock-step would wait for the disk at each of some thousand messages.
    if rng.random() < 0.25 and (pipelined or connections > 2):
        flags += ["--durability", "power"]
    return flags, pipelined, connections


def _latency(rng, count, pipelined, connections):
    turns = 2 if pipelined else 6  # of a job
    return rng.choice([latency for latency in LATENCIES_MS
                       if count * turns * latency / 1000 / connections <= WAITING_SECONDS_MAX])


def _log_uniform(rng, least, most):
    return math.exp(rng.uniform(math.log(least), math.log(most)))


class _Draft:
    """A job file in the making."""

    def __init__(self, rng, count):
        self.rng = rng
        self.lines = []
        self.fates = {}
        self.digests = {}
        self.newsletters = set()
        self.unreadable = 0
        large = set(rng.sample(range(count), LARGE_JOBS))
        self.lines.append(line_of({"define": "weekly", "from": "sender@example.com",
                                   "subject": "Number {{number}}", "text": "Hello {{email}}\n"}))
        for number in range(count):
            if rng.random() < NEWSLETTER_CHANCE:
                self._add_newsletter(number)
                continue
            self._add(number, LARGE_BYTES if number in large else rng.randrange(60, 3000))
            if rng.random() < 0.005:
                self.lines.append(b"")  # which is no job, and has no number

    def _add(self, number, body_bytes):
        job_id = f"job-{number}"
        fate = self.rng.choices(["by recipient", REJECTED, DEFERRED, INVALID, "unreadable"],
                                [95, 1, 1, 2, 1])[0]
        content = simple_content(job_id, numbered_body(number, body_bytes))
        if fate == "by recipient":
            fates = self._recipients(number)
        elif fate == INVALID:
            fates = {recipient: INVALID for recipient in self._recipients(number)}
        else:
            # The content of the one transaction is refused or put off, for both recipients.
            special = "reject-data" if fate == REJECTED else "defer-data"
            fates = {f"{special}@example.net": fate, f"r{number}@example.net": fate}
        job = {"id": job_id, "envelope": {"from": "sender@example.com", "to": list(fates)},
               "raw": content}
        if fate == "unreadable":
            self.lines.append(line_of(job)[:len(job_id) + 12])
            self.unreadable += 1
            return
        if fate == INVALID:
            job["rawr"] = "no such field"
        self.lines.append(line_of(job))
        self.fates.update(((job_id, recipient), one) for recipient, one in fates.items())
        self.digests[job_id] = sha256(content.encode())

    def _add_newsletter(self, number):
        job_id = f"job-{number}"
        job = {"id": job_id, "headers": {"X-Id": job_id}, "recipients": []}
        if self.rng.random() < 0.5:
            job["template"] = "weekly"
        else:
            job.update({"from": "sender@example.com", "text": "Hello {{email}}, {{number}}\n"})
        for place in range(self.rng.randint(*NEWSLETTER_RECIPIENTS)):
            name, fate = self.rng.choices(
                [("to", ACCEPTED), ("reject", REJECTED), ("defer", DEFERRED),
                 ("invalid", INVALID)], [91, 3, 3, 3])[0]
            address = f"{name}-{number}-{place}@example.net"
            # Subject and text cannot be filled in without a number.
            merge = {} if fate == INVALID else {"number": place}
            job["recipients"].append({"email": address, "merge": merge})
            self.fates[job_id, address] = fate
        self.newsletters.add(job_id)
        self.lines.append(line_of(job))

    def _recipients(self, number):
        found = {}
        for place in range(self.rng.randint(1, 3)):
            name, fate = self.rng.choices(
                [("to", ACCEPTED), ("reject", REJECTED), ("defer", DEFERRED)], [94, 3, 3])[0]
            found[f"{name}-{number}-{place}@example.net"] = fate
        return found
