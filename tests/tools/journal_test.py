"""`ringpost journal`, on journals that were made by hand from the description of their octets."""

import fcntl
import json
import os
import unittest

from support import journal
from support.program import ProgramTest

FILES = ("jobs.jsonl", 1000, 0x0123456789abcdef), ("-", 2**64 - 1, 0)
BEGIN = journal.MAGIC + journal.header(*FILES) + journal.run()
# One of each fate, and one that was sent again.
WHOLE = (BEGIN + journal.intents(0, 1, 2, 3) + journal.outcome(0, "accepted") +
         journal.outcome(1, "deferred") + journal.outcome(2, "rejected") + journal.end(6) +
         journal.run(2, outcomes_bytes=99, power=True) + journal.synced(len(BEGIN)) +
         journal.intents(1) + journal.outcome(1, "accepted"))
LAST_LINES = [journal.line(0, "accepted"), journal.line(2, "rejected"),
              journal.line(1, "accepted")]
ALL_LINES = [journal.line(0, "accepted"), journal.line(1, "deferred"),
             journal.line(2, "rejected"), journal.line(1, "accepted")]


class Journal(ProgramTest):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "run.journal"

    def journal(self, octets, action, *flags, code=0):
        self.path.write_bytes(octets)
        run = self.run_program("journal", action, "run.journal", *flags)
        self.assert_exit(run, code)
        self.assertEqual(self.path.read_bytes(), octets, "reading has changed it")
        return run

    def test_ls_tells_people_what_became_of_it(self):
        shown = self.journal(WHOLE, "ls").stdout.decode()
        for words in ("jobs from jobs.jsonl, 1000 octets\n", "jobs from standard input\n",
                      "run 1: 2026-11-18T", "ringpost 1.2.3, durability process, 3 outcomes to",
                      "with exit code 6\n", "durability power, 1 outcome to",
                      "no end was noted\n", "in flight: job 3 "):
            self.assertIn(words, shown)
        self.assertRegex(shown, r"(?m)^accepted +2$")
        self.assertRegex(shown, r"(?m)^rejected +1$")
        self.assertRegex(shown, r"(?m)^in flight +1 ")
        self.assertNotIn("deferred", shown)

    def test_ls_tells_programs_the_same(self):
        shown = json.loads(self.journal(WHOLE, "ls", "--json").stdout)
        self.assertEqual(shown["files"], [
            {"path": "jobs.jsonl", "bytes": 1000, "sample": "0123456789abcdef"}, {"path": "-"}])
        self.assertEqual(shown["bytes"], len(WHOLE))
        self.assertTrue(shown["whole"])
        self.assertEqual([run["outcome_lines"] for run in shown["runs"]], [3, 1])
        self.assertEqual(shown["runs"][0]["exit_code"], 6)
        self.assertNotIn("exit_code", shown["runs"][1])
        self.assertEqual(shown["runs"][1]["outcomes_bytes_before"], 99)
        self.assertEqual(shown["runs"][0]["outcome_bytes"],
                         sum(map(len, ALL_LINES[:3])))
        self.assertEqual({name: count for name, count in shown["recipients"].items() if count},
                         {"accepted": 2, "rejected": 1, "in_flight": 1})
        self.assertEqual(shown["jobs_in_flight"], [3])

    def test_export_prints_the_last_word_or_all(self):
        run = self.journal(WHOLE, "export")
        self.assertEqual(run.stdout.splitlines(keepends=True), LAST_LINES)
        self.assertIn("1 more in flight", run.stderr)
        run = self.journal(WHOLE, "export", "--all")
        self.assertEqual(run.stdout.splitlines(keepends=True), ALL_LINES)

    def test_verify_finds_a_whole_one_whole(self):
        run = self.journal(WHOLE, "verify")
        self.assertEqual(run.stdout.decode(), f"run.journal: whole: {len(WHOLE)} octets, 2 runs, "
                                              "4 outcomes, 1 in flight\n")

    def test_whoever_was_put_off_is_counted_apart(self):
        octets = WHOLE + journal.intents(4, 5) + journal.put_off(4)
        shown = self.journal(octets, "ls").stdout.decode()
        self.assertRegex(shown, r"(?m)^put off +1 .*a resume sends them$")
        self.assertIn("in flight: jobs 3 of jobs.jsonl, 5 of jobs.jsonl ", shown)
        known = json.loads(self.journal(octets, "ls", "--json").stdout)
        self.assertEqual(known["recipients"]["put_off"], 1)
        self.assertEqual(known["recipients"]["in_flight"], 2)
        self.assertIn("2 in flight, 1 put off\n", self.journal(octets, "verify").stdout.decode())
        self.assertIn("1 more wait for another attempt", self.journal(octets, "export").stderr)

    def test_a_journal_of_an_older_version_is_as_good(self):
        for version in (1, 2):
            octets = WHOLE.replace(journal.header(*FILES), journal.header(*FILES, version=version))
            self.assertNotEqual(octets, WHOLE)
            for more in (b"", journal.intents(4) + journal.put_off(4)):
                self.assertIn("whole", self.journal(octets + more, "verify").stdout.decode())
            known = json.loads(self.journal(octets, "ls", "--json").stdout)
            self.assertEqual(known["version"], version)
        self.journal(journal.MAGIC + journal.header(*FILES, version=4), "verify", code=11)

    def test_jobs_of_several_files_are_told_apart(self):
        third = 2 << 32
        octets = journal.MAGIC + journal.header(*FILES, ("more.jsonl", 7, 7)) + journal.run()
        octets += journal.intents(3, third, third | 3)
        shown = self.journal(octets, "ls").stdout.decode()
        self.assertIn("in flight: jobs 3 of jobs.jsonl, 0 of more.jsonl, 3 of more.jsonl (", shown)
        known = json.loads(self.journal(octets, "ls", "--json").stdout)
        self.assertEqual(known["jobs_in_flight"], [3, 0, 3])
        self.assertEqual([(job["source"], job["ordinal"])
                          for job in known["jobs_in_flight_by_source"]], [(0, 3), (2, 0), (2, 3)])
        self.assertEqual(known["jobs_end"], 8)
        self.assertEqual([(front["source"], front["jobs_end"]) for front in known["sources"]],
                         [(0, 4), (2, 4)])
        older = octets.replace(journal.header(*FILES, ("more.jsonl", 7, 7)),
                               journal.header(*FILES, ("more.jsonl", 7, 7), version=2))
        self.assertNotEqual(older, octets)
        self.journal(older, "verify", code=0)  # a torn end: no record of it is one
        self.assertIn("torn", self.journal(older, "verify").stdout.decode())

    def test_a_job_file_whose_size_cannot_be_known(self):
        octets = journal.MAGIC + journal.header(("jobs.fifo", 2**64 - 1, 0))
        self.assertIn("jobs from jobs.fifo, of no size that can be known\n",
                      self.journal(octets, "ls").stdout.decode())
        self.assertEqual(json.loads(self.journal(octets, "ls", "--json").stdout)["files"],
                         [{"path": "jobs.fifo"}])

    def test_a_torn_end_is_told_and_is_no_fault(self):
        torn = WHOLE + journal.end()[:-1]
        for action in ("ls", "verify"):
            shown = self.journal(torn, action).stdout.decode()
            self.assertIn(f"torn from octet {len(WHOLE)} on, 17 octets", shown)
        self.assertEqual(self.journal(torn, "export").stdout, b"".join(LAST_LINES))

    def test_damage_is_told_with_its_place_and_its_kind(self):
        begin = WHOLE.index(journal.outcome(2, "rejected"))
        size = len(journal.outcome(2, "rejected"))
        damaged = bytearray(WHOLE)
        damaged[begin + 40] ^= 1
        damaged = bytes(damaged)
        told = f"damaged from octet {begin} on, {size} octets: the checksum"
        self.assertIn(told, self.journal(damaged, "verify", code=11).stdout.decode())
        self.assertIn(told, self.journal(damaged, "ls", code=11).stdout.decode())
        self.assertFalse(json.loads(self.journal(damaged, "ls", "--json", code=11).stdout)["whole"])
        run = self.journal(damaged, "export", code=11)
        self.assertEqual(run.stdout.splitlines(keepends=True), [LAST_LINES[0], LAST_LINES[2]])
        self.assertIn("may be missing", run.stderr)
        mended = damaged + journal.repair(begin, size, *[4100] * len(FILES))
        shown = self.journal(mended, "verify").stdout.decode()
        self.assertIn("accepted as such", shown)
        self.assertIn("jobs below 4100", shown)

    def test_what_is_no_journal_is_told(self):
        for octets in (b"", b"RPJ", b"{\"id\":1}\n" * 10):
            self.assertIn("run.journal: ", self.journal(octets, "verify", code=11).stderr)
        self.assertIn("header", self.journal(journal.MAGIC, "verify", code=11).stdout.decode())
        run = self.run_program("journal", "ls", "none.journal")
        self.assert_exit(run, 11)
        self.assertIn("none.journal: No such file", run.stderr)
        self.assert_exit(self.run_program("journal"), 2)
        self.assert_exit(self.run_program("journal", "ls"), 2)

    def test_whoever_writes_it_is_named(self):
        self.path.write_bytes(WHOLE)
        with open(self.path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            shown = self.run_program("journal", "ls", "run.journal").stdout.decode()
            self.assertIn(f"process {os.getpid()} writes it now\n", shown)
        shown = self.run_program("journal", "ls", "run.journal").stdout.decode()
        self.assertNotIn("writes it now", shown)

    def test_names_in_it_steer_no_terminal(self):
        evil = journal.MAGIC + journal.header(("a\x1b[2J\nb", 1, 2)) + journal.run(
            outcomes="\x1b[31m")
        self.assertNotIn(b"\x1b", self.journal(evil, "ls").stdout)
        shown = self.journal(evil, "ls", "--json").stdout
        self.assertNotIn(b"\x1b", shown)
        self.assertEqual(json.loads(shown)["files"][0]["path"], "a\x1b[2J\nb")


if __name__ == "__main__":
    unittest.main()
