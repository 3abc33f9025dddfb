"""What a provider takes of one account, held in every window, by all runs together.

Goal: nobody gets more than the rate of any second, minute, hour or day, whoever sends, however
many do, and however a run before has ended. Method: what the sink has accepted, by its own record.
"""

import json
import os
import signal
import unittest
from collections import Counter
from datetime import datetime

from support.jobs import simple_job, simple_jobs
from support.sink import SinkTest
from support.workspace import wait_until


def moments(record):
    return sorted(datetime.fromisoformat(line["ts"].replace("Z", "+00:00")).timestamp()
                  for line in record)


class RateTest(SinkTest):

    def counted(self, run):
        return Counter(outcome["status"] for outcome in run.outcomes)

    def test_no_second_has_more_than_its_rate(self):
        sink = self.sink("--latency", "20ms")
        run = self.send(simple_jobs(70), sink.endpoint(), "--rate", "20/s", "--connections", "10")
        self.assertEqual(self.counted(run), {"accepted": 70})
        taken = moments(sink.stop().record)
        # The server notes a message behind the moment in which it has counted it.
        slack = 0.02
        for first, later in zip(taken, taken[20:]):
            self.assertGreater(later - first, 1 - slack)
        self.assertGreater(taken[-1] - taken[0], 49 / 20 - slack)

    def test_the_first_second_of_a_far_server_has_no_more_either(self):
        # First messages of sessions take several round trips, and all arrive together.
        for latency, rate, count in (("100ms", 50, 110), ("20ms", 14, 31)):
            with self.subTest(latency=latency):
                sink = self.sink("--latency", latency)
                run = self.send(simple_jobs(count), sink.endpoint(), "--rate", f"{rate}/s",
                                "--connections", "10", "--state", "none")
                self.assertEqual(self.counted(run), {"accepted": count})
                taken = moments(sink.stop().record)
                for first, later in zip(taken, taken[rate:]):
                    self.assertGreater(later - first, 0.98)

    def test_the_run_says_that_its_rate_held_it_back(self):
        sink = self.sink()
        run = self.send(simple_jobs(40), sink.endpoint(), "--rate", "20/s", "--state", "none",
                        "--summary", "json")
        self.assertEqual(self.counted(run), {"accepted": 40})
        endpoint, = json.loads(run.stdout)["summary"]["endpoints"]
        self.assertEqual(max(endpoint["held_back_by"], key=endpoint["held_back_by"].get), "rate")
        run = self.send(simple_jobs(40), sink.endpoint(), "--rate", "20/s", "--state", "none")
        self.assertIn("held back by rate", run.stdout.decode())

    def test_damage_is_said_to_who_wants_errors_alone(self):
        sink = self.sink()
        limits = ("--rate", "40/d", "--deadline", "6s", "--state", "state", "-q")
        first = self.send(simple_jobs(30, "first"), sink.endpoint(), *limits)
        self.assertEqual(self.counted(first), {"accepted": 30})
        file, = (self.folder / "state").iterdir()
        with open(file, "r+b") as state:
            state.write(bytes(8))
        second = self.send(simple_jobs(30, "second"), sink.endpoint(), *limits)
        self.assertEqual(self.counted(second), {"accepted": 10, "expired": 20})
        self.assert_says(second, "set aside", "counts go on")

    def test_a_file_that_is_emptied_in_mid_run_is_written_anew(self):
        sink = self.sink("--latency", "20ms")
        limits = ("--rate", "60/d", "--state", "state")
        run = self.start_send(simple_jobs(40), sink.endpoint(), *limits, "--deadline", "30s",
                              "--pipeline", "off", "--connections", "1")
        wait_until(lambda: len(sink.record()) >= 10, "some are accepted")
        file, = (self.folder / "state").iterdir()
        os.truncate(file, 0)
        self.assertEqual(self.counted(self.finish(run)), {"accepted": 40})
        later = self.send(simple_jobs(40, "later"), sink.endpoint(), *limits, "--deadline", "6s")
        self.assertEqual(self.counted(later), {"accepted": 20, "expired": 20})

    def test_nothing_else_is_written_to_the_file(self):
        sink = self.sink()
        limits = ("--rate", "40/d", "--state", "state", "--deadline", "6s")
        self.assertEqual(self.counted(self.send(simple_jobs(9), sink.endpoint(), *limits)),
                         {"accepted": 9})
        file, = (self.folder / "state").iterdir()
        os.link(file, self.folder / "hard")
        before = file.read_bytes()
        for flag in ("--errors", "--journal"):
            for name in (f"state/{file.name}", "hard"):
                with self.subTest(flag=flag, name=name):
                    run = self.send(simple_jobs(9), sink.endpoint(), *limits, flag, name)
                    self.assert_exit(run, 2)
                    self.assert_says(run, "same file", "state file")
        file.unlink()
        run = self.send(simple_jobs(9), sink.endpoint(), *limits, "--errors", f"state/{file.name}")
        self.assert_exit(run, 2)
        self.assertEqual((self.folder / "hard").read_bytes(), before)
        self.assertEqual(list((self.folder / "state").iterdir()), [])

    def test_a_dry_run_makes_no_folder(self):
        sink = self.sink()
        self.send(simple_jobs(3), sink.endpoint(), "--rate", "40/d", "--dry-run")
        self.assertFalse((self.folder / ".local").exists())

    def test_two_endpoints_of_one_account_share_a_rate(self):
        sink = self.sink(listeners=("starttls", "tls"))
        for state in ("state", "none"):
            with self.subTest(state=state):
                run = self.send(simple_jobs(60, state), sink.endpoint(),
                                "-e", sink.endpoint("tls"),
                                "--rate", "40/d", "--deadline", "6s", "--state", state)
                self.assertEqual(self.counted(run), {"accepted": 40, "expired": 20},
                                 run.describe())

    def test_a_day_is_one_for_all_runs(self):
        sink = self.sink()
        limits = ("--rate", "40/d", "--deadline", "6s")
        first = self.send(simple_jobs(30, "first"), sink.endpoint(), *limits)
        self.assertEqual(self.counted(first), {"accepted": 30})
        second = self.send(simple_jobs(30, "second"), sink.endpoint(), *limits)
        self.assertEqual(self.counted(second), {"accepted": 10, "expired": 20})
        self.assert_exit(second, 5)
        self.assert_says(second, "rate is used up")
        # Another user has an account of his own, and so has who counts for himself.
        third = self.send(simple_jobs(30, "third"), sink.endpoint(), *limits, "--state", "none")
        self.assertEqual(self.counted(third), {"accepted": 30})
        files = list((self.folder / ".local/state/ringpost").iterdir())
        self.assertEqual(len(files), 1, files)
        self.assertEqual(files[0].stat().st_mode & 0o777, 0o600)

    def test_two_processes_have_one_rate(self):
        sink = self.sink("--latency", "5ms")
        programs = []
        for name in ("one", "other"):
            folder = self.folder / name
            folder.mkdir()
            programs.append(self.start_send(
                simple_jobs(60, name), sink.endpoint(), "--rate", "80/d", "--deadline", "10s",
                "--state", str(self.folder / "state"), folder=folder))
        sums = sum((self.counted(self.finish(program)) for program in programs), Counter())
        self.assertEqual(sums, {"accepted": 80, "expired": 40})
        self.assertEqual(len(sink.stop().record), 80)

    def test_recipients_are_counted_in_transactions(self):
        sink = self.sink()
        jobs = [simple_job(f"job-{number}", tuple(f"reader-{number}-{i}@example.net"
                                                  for i in range(10))) for number in range(4)]
        run = self.send(jobs, sink.endpoint(), "--rate", "25 recipients/d,3/h", "--deadline", "6s",
                        "--pipeline", "off")
        self.assertEqual(self.counted(run), {"accepted": 10, "expired": 30})
        sink = self.sink()
        run = self.send(jobs, sink.endpoint(), "--rate", "25 recipients/d", "--deadline", "6s",
                        "--state", "none")
        self.assertEqual(self.counted(run), {"accepted": 20, "expired": 20})

    def test_a_job_of_more_recipients_than_a_rate_has_goes_in_parts(self):
        sink = self.sink()
        job = simple_job("large", tuple(f"reader-{i}@example.net" for i in range(30)))
        run = self.send([job], sink.endpoint(), "--rate", "10 recipients/s")
        self.assertEqual(self.counted(run), {"accepted": 30})
        record = sink.stop().record
        self.assertEqual([len(line["to"]) for line in record], [10, 10, 10])
        self.assertGreater(moments(record)[-1] - moments(record)[0], 1.9)

    def test_a_killed_run_has_counted_all_that_it_sent(self):
        sink = self.sink("--latency", "20ms")
        limits = ("--rate", "60/d", "--connections", "2")
        killed = self.start_send(simple_jobs(60, "killed"), sink.endpoint(), *limits,
                                 "--pipeline", "off", "--deadline", "60s")
        wait_until(lambda: len(sink.record()) >= 15, "some are accepted")
        killed.signal(signal.SIGKILL)
        killed.wait(60)
        run = self.send(simple_jobs(60, "later"), sink.endpoint(), *limits, "--deadline", "6s")
        accepted = self.counted(run)["accepted"]
        total = len(sink.stop().record)
        self.assertLessEqual(total, 60)
        # What was in flight counts, though nobody knows whether it was taken.
        self.assertGreaterEqual(total, 58)
        self.assertGreater(accepted, 20)

    def test_a_folder_that_cannot_be_had(self):
        sink = self.sink()
        (self.folder / "file").write_text("in the way\n", encoding="ascii")
        jobs = simple_jobs(3)
        chosen = self.send(jobs, sink.endpoint(), "--rate", "9/s", "--state", "file/state")
        self.assert_exit(chosen, 2)
        self.assert_says(chosen, "file/state")
        usual = self.send(jobs, sink.endpoint(), "--rate", "9/s", XDG_STATE_HOME="file")
        self.assert_all_accepted(usual, jobs)
        self.assert_says(usual, "file/ringpost", "--state")

    def test_what_an_unknown_rate_counts_is_one_of_two(self):
        for wrong in ("octets", "Messages", ""):
            with self.subTest(rate_counts=wrong):
                name = self.configure(host="localhost", rate_counts=wrong)
                run = self.send(simple_jobs(1), name)
                self.assert_exit(run, 2)
                self.assert_says(run, "rate_counts", "is neither messages nor recipients")

    def test_a_list_in_a_file(self):
        sink = self.sink()
        name = self.configuration(sink, rate=["1000/s", "40/d"])
        run = self.send(simple_jobs(50), name, "--deadline", "6s")
        self.assertEqual(self.counted(run), {"accepted": 40, "expired": 10})


if __name__ == "__main__":
    unittest.main()
