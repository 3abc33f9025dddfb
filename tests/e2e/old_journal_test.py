"""Journals that programs of today's users have begun: read, gone on with, and repaired.

tests/queue/journals has them: real runs of the last programs that began journals of version 1 and
of version 2, killed with SIGKILL. Of the six jobs in two files the first of each file was accepted,
as was one recipient of the second job, whose other one was refused for the moment; the third was in
flight; the fifth was put off at its end of data, for which only version 2 has a record; and the
sixth was never tried. `version-N.sent.json` is what the same old program sent when it went on.
"""

import json
import pathlib
import shutil
import unittest

from support.jobs import read_outcomes
from support.program import OUTCOMES, ProgramTest
from support.scripted_server import ScriptedServer, any_messages, in_clear

KEPT = pathlib.Path(__file__).parents[1] / "queue" / "journals"
FILES = ("jobs.jsonl", "more.jsonl")
JOURNAL = "run.journal"
# Of a record, in front of its payload.
HEAD_BYTES = 9


def record_begins(octets):
    """Where each record begins."""
    place = 8
    while place < len(octets):
        yield place
        place += HEAD_BYTES + int.from_bytes(octets[place:place + 4], "little")


class OldJournalTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.server = ScriptedServer([*in_clear(), any_messages], cleanup=self.addCleanup)

    def take(self, version):
        for name in FILES:
            shutil.copy(KEPT / name, self.folder / name)
        (self.folder / JOURNAL).write_bytes((KEPT / f"version-{version}.journal").read_bytes())
        shutil.copy(KEPT / f"version-{version}.outcomes.jsonl", self.folder / OUTCOMES)

    def resume(self, *flags, files=FILES):
        return self.run_program("send", *files, "-e", self.server.endpoint(tls="none"), "-o",
                                OUTCOMES, "--journal", JOURNAL, "--resume", "--connections", "2",
                                "--pipeline", "off", *flags)

    def history(self):
        run = self.run_program("journal", "ls", "--json", JOURNAL)
        return json.loads(run.stdout)

    def last_words(self):
        """The last status of each recipient."""
        words = {}
        for outcome in read_outcomes(self.folder / OUTCOMES):
            words[outcome["rcpt"]] = outcome["status"]
        return words

    def contents_of_old_program(self, version):
        kept = json.loads((KEPT / f"version-{version}.sent.json").read_text())
        return sorted(message["content"] for message in kept)

    def test_is_read(self):
        for version, in_flight, put_off in ((1, [2, 4], 0), (2, [2], 1)):
            self.take(version)
            known = self.history()
            self.assertEqual(known["version"], version)
            self.assertTrue(known["whole"])
            self.assertEqual(known["jobs_in_flight"], in_flight)
            self.assertEqual(known["recipients"]["put_off"], put_off)
            self.assertEqual(known["recipients"]["accepted"], 3)
            self.assertEqual([front["source"] for front in known["sources"]], [0])

    def test_is_gone_on_with_and_sends_what_the_old_program_sent(self):
        for version in (1, 2):
            with self.subTest(version=version):
                self.take(version)
                before = (self.folder / JOURNAL).read_bytes()
                already = len(self.server.messages)
                run = self.resume()
                self.assert_exit(run, 6)  # somebody is unknown
                sent = [content.decode() for content in self.server.messages[already:]]
                self.assertEqual(sorted(sent), self.contents_of_old_program(version))
                after = (self.folder / JOURNAL).read_bytes()
                self.assertTrue(after.startswith(before))
                self.assertEqual(self.history()["version"], version)
                words = self.last_words()
                self.assertEqual(len(words), 7)
                unknown = {to for to, status in words.items() if status == "unknown"}
                not_put_off = {"defer-2@example.net"} if version == 1 else set()
                self.assertEqual(unknown, {"held@example.net"} | not_put_off)
                told = {status for to, status in words.items() if to not in unknown}
                self.assertEqual(told, {"accepted"})
                ids = {outcome["id"] for outcome in read_outcomes(self.folder / OUTCOMES)}
                self.assertEqual(len(ids), 6)  # as the old program made them out of the lines
                self.assert_exit(self.resume(), 0)
                self.assertEqual(len(self.server.messages) - already, len(sent))

    def test_a_changed_job_file_is_refused(self):
        self.take(2)
        path = self.folder / FILES[1]
        path.write_bytes(path.read_bytes().replace(b"Never tried", b"Never trieD"))
        before = (self.folder / JOURNAL).read_bytes()
        run = self.resume()
        self.assert_exit(run, 2)
        self.assertIn("it has changed since the journal was begun", run.stderr)
        self.assertEqual((self.folder / JOURNAL).read_bytes(), before)
        self.assertEqual(self.server.messages, [])

    def test_damage_is_repaired_and_nobody_is_sent_to_twice(self):
        """Each record behind the run's is damaged in its turn."""
        for version in (1, 2):
            whole = (KEPT / f"version-{version}.journal").read_bytes()
            begins = list(record_begins(whole))
            for begin in begins[2:-1]:
                with self.subTest(version=version, begin=begin):
                    self.take(version)
                    damaged = bytearray(whole)
                    damaged[begin + HEAD_BYTES + 3] ^= 1
                    (self.folder / JOURNAL).write_bytes(damaged)
                    already = len(self.server.messages)
                    self.assert_exit(self.resume(), 11)
                    self.assertEqual(len(self.server.messages), already)
                    self.assert_exit(self.resume("--repair"), 6)
                    known = self.history()
                    self.assertTrue(known["whole"])
                    self.assertEqual(known["version"], version)
                    # Whoever was not known any more is in doubt, in both files.
                    self.assertGreaterEqual(known["doubtful_below"], 4096)
                    sent = "".join(content.decode() for content in self.server.messages[already:])
                    for subject in ("Subject: No id\r\n", "Subject: In flight",
                                    "Subject: Of the second file", "Subject: Never tried"):
                        self.assertNotIn(subject, sent)
                    self.assert_exit(self.resume(), 0)

    def test_a_new_journal_counts_in_each_file(self):
        """And knows the jobs of both when it goes on."""
        self.take(2)
        (self.folder / JOURNAL).unlink()
        (self.folder / OUTCOMES).unlink()
        run = self.run_program("send", *FILES, "-e", self.server.endpoint(tls="none"), "-o",
                               OUTCOMES, "--journal", JOURNAL)
        self.assert_exit(run, 0)
        known = self.history()
        self.assertEqual(known["version"], 3)
        self.assertEqual([(front["source"], front["jobs_end"]) for front in known["sources"]],
                         [(0, 3), (1, 3)])
        count = len(self.server.messages)
        self.assertEqual(count, 6)
        self.assert_exit(self.resume(), 0)
        self.assertEqual(len(self.server.messages), count)
        self.assertEqual(set(self.last_words().values()), {"accepted"})


if __name__ == "__main__":
    unittest.main()
