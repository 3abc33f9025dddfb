"""Runs against sinks that play providers, and how near they came to the limits, by their counts.

quota_test.py does it for seconds; `tools/dev quotas` runs this file for minutes, side by side: from
a cold start, with no setting but the preset, the name and where the sink is. $RINGPOST_SINK is
another program for the sinks, so that two builds have the same judge.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from support.jobs import line_of, simple_job
from support.program import PASSWORD, RunningProgram, environment_of
from support.sink import Sink

LATENCY = "50ms"
# What a rate may be searched for, and no figure is taken of.
COLD_SECONDS = 10
FOLLOWING_SECONDS = 40  # at most in which a change is looked at
WINDOW_SECONDS = 5  # over which a rate is looked at that has changed
NEAR = 0.05  # of what is accepted: so near to a new level it has been followed
NEAR_OF_WHAT_COMES = 0.1  # trials of a higher rate come and are refused


@dataclass(frozen=True)
class Account:
    """A provider's account, and how it is sent to."""

    name: str
    profile: str
    a_second: float  # messages: what is allowed, or, without a rate, what there is to send
    username: str = ""
    rate: str = ""  # a limit of the sink that no preset knows
    quiet: tuple = ()  # from that second on nothing comes to be sent, for so many
    changes: tuple = ()  # (second, limit, messages a second from then on)

    @property
    def has_rate(self):
        """Else the sender is given so many messages a second, and nothing else holds it back."""
        return bool(self.rate) or self.profile == "m365"

    def limit_flags(self):
        flags = ["--limit", f"rate={self.rate}"] if self.rate else []
        for second, limit, _ in self.changes:
            flags += ["--change", f"{second}s:{limit}"]
        restated = self.rate or ("30/m" if self.profile == "m365" else "")
        # From here on it is counted anew, and the search is not.
        if restated and not self.changes:
            flags += ["--change", f"{COLD_SECONDS}s:rate={restated}"]
        return flags


SES = {"profile": "ses", "username": "AKIAIOSFODNN7EXAMPLE"}
JUDGED = (
    Account("ses-14", a_second=14, rate="14 recipients/s", **SES),
    Account("ses-70", a_second=70, rate="70 recipients/s", **SES),
    Account("ses-500", a_second=500, rate="500 recipients/s", **SES),
    Account("mailersend", "mailersend", 40, "MS_quota@example.com"),
    Account("m365", "m365", 0.5, "quota@example.com"),
    Account("sparkpost", "sparkpost", 20, quiet=(20, 65)),
    Account("sendgrid", "sendgrid", 100),
)
# The provider changes its mind, and changes it back.
MOVING = (
    Account("rate halved", a_second=70, rate="70 recipients/s", changes=(
        (20, "rate=35 recipients/s", 35), (50, "rate=70 recipients/s", 70)), **SES),
    # A message takes four round trips there, so two connections carry ten of 14 a second.
    Account("two connections", a_second=14, rate="14 recipients/s", changes=(
        (20, "connections=2", 9), (50, "connections=none", 14)), **SES),
    Account("a minute of 454", a_second=70, rate="70 recipients/s", changes=(
        (20, "454 for 60s", 0), (80, "connections=none", 70)), **SES),
)


@dataclass
class Judgement:
    """What came of a run."""

    account: Account
    limits: dict  # of the sink's summary
    statuses: dict  # recipients, by the sender's own count
    exit_code: int
    stderr: str
    was_stopped: bool  # with jobs left, which did not fail

    def share(self):
        """Of what was allowed behind the cold start, in whole seconds; None: it ended too soon."""
        accepted = self.limits["accepted_by_second"][COLD_SECONDS:-1]
        seconds = len(accepted)
        if self.account.quiet:
            first, length = self.account.quiet
            seconds -= max(0, min(len(accepted) + COLD_SECONDS, first + length)
                           - max(first, COLD_SECONDS))
        return sum(accepted) / (self.account.a_second * seconds) if seconds > 0 else None

    def over(self):
        """The most that came over a rate in any window behind the cold start."""
        changed = [rate for rate in self.limits["rates"] if rate["from_s"] > 0]
        unchanged = [rate for rate in self.limits["rates"]
                     if not any(one["unit"] == rate["unit"] for one in changed)]
        return max((rate["over"] for rate in changed or unchanged), default=0)

    def refused(self):
        """How often, for each limit that refused anything."""
        counts = {name: self.limits[name]["refused"]
                  for name in ("connections", "messages", "recipients", "bytes", "idle", "age")}
        counts["rates"] = sum(rate["refused"] for rate in self.limits["rates"])
        counts["outage"] = self.limits["refused_for_outage"]
        return {name: count for name, count in counts.items() if count}

    def failed(self):
        """Recipients that were not accepted, by status."""
        left = ("accepted", "unsent") if self.was_stopped else ("accepted",)
        return {status: count for status, count in self.statuses.items()
                if count and status not in left}

    def followed_after(self, index):
        """Seconds from a change until what is accepted, and what comes, keep to the new level;
        None: not before the next change, or the end."""
        changes = self.account.changes
        begin, _, level = changes[index]
        accepted = self.limits["accepted_by_second"]
        came = self.limits["came_by_second"]
        # The end of a run has no more to send.
        end = min([begin + FOLLOWING_SECONDS, len(accepted) - 1,
                   *(second for second, _, _ in changes[index + 1:index + 2])])

        def is_near(second):
            window = slice(second, second + WINDOW_SECONDS)
            mean = sum(accepted[window]) / WINDOW_SECONDS
            mean_come = sum(came[window]) / WINDOW_SECONDS
            slack = 1 / WINDOW_SECONDS  # a message more or less is none of its doing
            most = level * (1 + NEAR_OF_WHAT_COMES) + max(slack, 0.01 * self.account.a_second)
            is_capped = "connections=" in changes[index][1] and level < self.account.a_second
            return mean >= level * (1 - NEAR) - slack and (is_capped or mean_come <= most)

        near = [is_near(second) for second in range(begin, end - WINDOW_SECONDS + 1)]
        # From then on for good.
        for second in range(len(near)):
            if all(near[second:]):
                return second
        return None


class Feed(threading.Thread):
    """Gives jobs to a sender: as fast as it takes them, or so many a second."""

    def __init__(self, account, count, pipe):
        super().__init__(daemon=True)
        self.account, self.count, self.pipe = account, count, pipe

    def run(self):
        begin = time.monotonic()
        try:
            for number in range(self.count):
                if not self.account.has_rate:
                    due = begin + self.due(number) - time.monotonic()
                    if due > 0:
                        self.pipe.flush()
                        time.sleep(due)
                self.pipe.write(line_of(simple_job(f"job-{number}")) + b"\n")
            self.pipe.close()
        except BrokenPipeError:
            pass  # the sender has ended

    def due(self, number):
        second = number / self.account.a_second
        quiet = self.account.quiet
        return second + quiet[1] if quiet and second >= quiet[0] else second


class Run:
    """A sink that plays the account's provider, and a sender that knows its preset."""

    def __init__(self, account, seconds, folder, cleanup):
        if seconds < 2 * sum(account.quiet):
            account = replace(account, quiet=())
        self.account = account
        self.folder = folder / account.name.replace(" ", "-")
        self.folder.mkdir()
        self.sink = Sink(self.folder, "--profile", account.profile, "--latency", LATENCY,
                         *account.limit_flags(), cleanup=cleanup, user=None, record=False)
        self.write_endpoint()
        quiet = account.quiet[1] if account.quiet else 0
        self.seconds_max = seconds * (1 if account.changes else 1.5) + 10
        self.was_stopped = False
        self.program = RunningProgram(
            self.folder, ["send", "-", "--endpoint", account.profile, "--errors", "errors.jsonl",
                          "--summary", "json", "--progress", "none"],
            environment_of(self.folder, RINGPOST_PASSWORD=PASSWORD), stdin=subprocess.PIPE)
        cleanup(self.program.stop)
        self.feed = Feed(account, max(1, round(account.a_second * (seconds - quiet))),
                         self.program.process.stdin)
        self.feed.start()

    def write_endpoint(self):
        """Nothing is said that the preset says, but where its server is."""
        place = {"preset": self.account.profile, "host": "localhost",
                 "ports": [f"{self.sink.ports['starttls']} starttls"],
                 "ca_file": str(self.sink.certificate)}
        if self.account.username:
            place["username"] = self.account.username
        lines = [f"{key} = {json.dumps(value)}" for key, value in place.items()]
        (self.folder / "ringpost.toml").write_text(
            "\n".join([f"[endpoint.{self.account.profile}]", *lines, ""]), encoding="utf-8")

    def stop_late(self, begin):
        """Who cannot keep up is asked to end, so that what it did is judged."""
        while self.program.is_alive() and time.monotonic() < begin + self.seconds_max:
            time.sleep(0.05)
        if self.program.is_alive():
            self.was_stopped = True
            self.program.signal(signal.SIGINT)

    def judge(self):
        run = self.program.wait(120)
        summary = json.loads(run.stdout)["summary"] if run.stdout else {"recipients": {}}
        report = self.sink.stop()
        return Judgement(self.account, report.summary["limits"], summary["recipients"],
                         run.exit_code, run.stderr, self.was_stopped)


def run_side_by_side(accounts, seconds, folder, cleanup):
    """All accounts at the same time, each for so many seconds; their judgements, in order."""
    begin = time.monotonic()
    runs = [Run(account, seconds, folder, cleanup) for account in accounts]
    for run in runs:
        run.stop_late(begin)
    return [run.judge() for run in runs]


def text_of(counts):
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "-"


def print_judged(judgements):
    print(f"{'account':<13} {'allowed':>9} {'share':>8} {'over':>7} {'logins':>6} {'conns':>5}  "
          "failed; refused by the sink")
    for one in judgements:
        share = one.share()
        allowed = f"{one.account.a_second:g}/s" + ("" if one.account.has_rate else "*")
        stopped = "; not done in time" if one.was_stopped else ""
        print(f"{one.account.name:<13} {allowed:>9} "
              f"{'-' if share is None else f'{share * 100:.1f} %':>8} "
              f"{one.over() * 100:>5.1f} % {one.limits['logins_refused']:>6} "
              f"{one.limits['connections_peak']:>5}  {text_of(one.failed())}; "
              f"{text_of(one.refused())}{stopped}")
    print(f"Share and over are of what follows the first {COLD_SECONDS} s. * no rate: so much was "
          "there to be sent", flush=True)


def print_moving(judgements):
    for one in judgements:
        for index, (second, limit, level) in enumerate(one.account.changes):
            after = one.followed_after(index)
            print(f"{one.account.name:<16} {second:>3} s: {limit:<22} {level:>3}/s "
                  + ("not followed" if after is None else f"followed after {after} s"))
        print(f"{'':<16} failed {text_of(one.failed())}; refused {text_of(one.refused())}; "
              f"{one.limits['logins_refused']} logins refused", flush=True)


def main():
    parser = argparse.ArgumentParser(
        prog="tools/dev quotas",
        description="Sends to sinks that play providers, from a cold start and with nothing but "
                    "the preset, and says how near to the limits that came.")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--profile", action="append", metavar="NAME", choices=[
        *{account.profile: None for account in JUDGED}, *(account.name for account in JUDGED)],
        help="only this one: a preset, or ses-14, ses-70, ses-500; repeatable")
    parser.add_argument("--no-changes", action="store_true",
                        help="leave out the providers that change their minds")
    arguments = parser.parse_args()
    wanted = [account for account in JUDGED if not arguments.profile
              or {account.name, account.profile} & set(arguments.profile)]
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="quotas-") as folder:
        print_judged(run_side_by_side(wanted, arguments.minutes * 60, Path(folder),
                                      stack.callback))
        if not arguments.profile and not arguments.no_changes:
            print()
            print_moving(run_side_by_side(MOVING, 110, Path(folder), stack.callback))
    return 0


if __name__ == "__main__":
    sys.exit(main())
