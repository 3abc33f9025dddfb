// Journals that a crash, a power cut or a disk has harmed.
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "queue/journal.h"
#include "tests/queue/journal_support.h"
#include "tests/support/temporary_folder.h"
#include <ringpost/limits.h>

namespace ringpost::queue {

using namespace test_journal;

namespace {

// A journal as octets, and where each of its appends ends.
struct Sample {
  std::string octets;
  std::vector<std::size_t> ends;
};

// Jobs 0 accepted, 1 in flight, 2 deferred, 3 deferred and in flight again, 4 with two recipients:
// accepted and rejected; and the end of the run.
Sample make_sample(const test::TemporaryFolder& folder,
                   Durability durability = Durability::process) {
  Sample sample;
  const std::string name = durability == Durability::power ? "power" : "process";
  const auto journal = create(folder.path(name), durability);
  const auto note = [&] { sample.ends.push_back(journal->bytes()); };
  note();
  REQUIRE(journal->append_run(some_run()));
  note();
  for (const std::uint64_t ordinal : {0U, 1U, 2U, 3U}) {
    append_intent(*journal, ordinal);
    note();
  }
  append_intent(*journal, 4, 0, 2);
  note();
  append_outcome(*journal, 0, Status::accepted);
  note();
  append_outcome(*journal, 2, Status::deferred);
  note();
  append_outcome(*journal, 3, Status::unsent);
  note();
  append_intent(*journal, 3);
  note();
  append_outcome(*journal, 4, Status::accepted, 0, 2);
  note();
  append_outcome(*journal, 4, Status::rejected, 1, 2);
  note();
  REQUIRE(journal->append_end({.ended_us = 9, .exit_code = 6}));
  note();
  sample.octets = folder.read(name);
  REQUIRE(sample.octets.size() == sample.ends.back());
  return sample;
}

// What the first appends of a sample say of job and recipient. By hand, and not by the code that is
// tested.
RecipientHistory expected(std::size_t appends, std::uint64_t ordinal, std::size_t recipient) {
  using enum RecipientHistory;
  const auto after = [appends](std::size_t count, RecipientHistory then, RecipientHistory before) {
    return appends >= count ? then : before;
  };
  switch (ordinal) {
    case 0:
      return after(8, final, after(3, in_flight, none));
    case 1:
      return after(4, in_flight, none);
    case 2:
      return after(9, again, after(5, in_flight, none));
    case 3:
      return after(11, in_flight, after(10, again, after(6, in_flight, none)));
    default:
      return after(recipient == 0 ? 12 : 13, final, after(7, in_flight, none));
  }
}

void check_history(const JournalHistory& history, std::size_t appends) {
  for (std::uint64_t ordinal = 0; ordinal < 5; ++ordinal) {
    for (std::size_t recipient = 0; recipient < (ordinal == 4 ? 2U : 1U); ++recipient) {
      INFO("after " << appends << " appends, job " << ordinal << ", recipient " << recipient);
      CHECK(history.of(ordinal).of(recipient) == expected(appends, ordinal, recipient));
    }
  }
}

std::size_t appends_within(const Sample& sample, std::size_t octets) {
  std::size_t count = 0;
  while (count < sample.ends.size() && sample.ends[count] <= octets) {
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("journal: cut at any octet, it knows all that was whole") {
  const Durability durability = GENERATE(Durability::process, Durability::power);
  const test::TemporaryFolder folder;
  const Sample sample = make_sample(folder, durability);
  for (std::size_t length = sample.ends.front(); length <= sample.octets.size(); ++length) {
    const std::string path = folder.write("cut", Bytes(sample.octets).substr(0, length));
    const std::size_t appends = appends_within(sample, length);
    INFO("cut to " << length << " octets");
    {
      const ResumedJournal resumed = resume(path);
      check_history(resumed.history, appends);
      // A record `synced` may stand whole in front of the torn one.
      CHECK(resumed.cut_offset >= sample.ends[appends - 1]);
      CHECK(resumed.cut_offset + resumed.cut_bytes == length);
      CHECK(folder.read("cut") == Bytes(sample.octets).substr(0, resumed.cut_offset));
      append_outcome(*resumed.journal, 1, Status::unknown);
    }
    const ResumedJournal again = resume(path);
    CHECK(again.cut_bytes == 0);
    CHECK(again.history.of(1).status(0) == Status::unknown);
  }
}

TEST_CASE("journal: cut within its header, there is nothing to resume") {
  const test::TemporaryFolder folder;
  const Sample sample = make_sample(folder);
  for (std::size_t length = 0; length < sample.ends.front(); ++length) {
    const std::string path = folder.write("cut", Bytes(sample.octets).substr(0, length));
    CHECK_FALSE(Journal::resume(path, Durability::process, false));
    CHECK_FALSE(Journal::resume(path, Durability::process, true));
    CHECK(folder.read("cut").size() == length);
  }
}

TEST_CASE("journal: any octet that changed in the middle is found, named, and nothing is touched") {
  const Durability durability = GENERATE(Durability::process, Durability::power);
  const test::TemporaryFolder folder;
  const Sample sample = make_sample(folder, durability);
  // What is in the last append looks as a torn end does; with records `synced`, so does what had
  // not been followed by one when it was written.
  const std::size_t last = *(sample.ends.end() - (durability == Durability::power ? 3 : 2));
  for (std::size_t place = 0; place < last; ++place) {
    const int flip = 1 << (place % 8);
    std::string octets = sample.octets;
    octets[place] = static_cast<char>(octets[place] ^ flip);
    const std::string path = folder.write("flipped", octets);
    INFO("octet " << place << " ^ " << flip);
    const auto resumed = Journal::resume(path, Durability::process, false);
    REQUIRE_FALSE(resumed);
    CHECK(folder.read("flipped") == octets);
    if (place >= sample.ends.front()) {
      CHECK(resumed.error().message.find("--repair") != std::string::npos);
      const auto reading = read_journal(path);
      REQUIRE(reading);
      REQUIRE(reading->history.damages().size() == 1);
      const JournalDamage& damage = reading->history.damages().front();
      CHECK(damage.offset <= place);
      CHECK(damage.offset + damage.bytes > place);
    } else {
      CHECK_FALSE(Journal::resume(path, Durability::process, true));
      CHECK(folder.read("flipped") == octets);
    }
  }
}

TEST_CASE("journal: a repair sends nobody whose fate may be in the lost part") {
  const test::TemporaryFolder folder;
  const Sample sample = make_sample(folder);
  const std::size_t last = *(sample.ends.end() - 2);
  for (std::size_t place = sample.ends.front(); place < last; ++place) {
    std::string octets = sample.octets;
    octets[place] = static_cast<char>(octets[place] ^ 0x20);
    const std::string path = folder.write("flipped", octets);
    INFO("octet " << place);
    std::string repaired;
    {
      const ResumedJournal resumed = resume(path, true);
      const JournalHistory& history = resumed.history;
      for (std::uint64_t ordinal = 0; ordinal < 5; ++ordinal) {
        for (std::size_t recipient = 0; recipient < (ordinal == 4 ? 2U : 1U); ++recipient) {
          const RecipientHistory undamaged = expected(13, ordinal, recipient);
          const RecipientHistory found = history.of(ordinal).of(recipient);
          INFO("job " << ordinal << ", recipient " << recipient);
          // Never less careful than what the whole journal says.
          CHECK((found == undamaged || found == RecipientHistory::in_flight));
        }
      }
      CHECK(history.damages().empty());
      CHECK(history.repaired().size() == 1);
      // And jobs that only the lost part may have known are in doubt, those far behind are not.
      CHECK(history.of(5).of(0) == RecipientHistory::in_flight);
      CHECK_FALSE(history.of(5).is_untouched());
      CHECK(history.of(5 + limits::jobs_in_flight_max).is_untouched());
      repaired = folder.read("flipped");
      CHECK(repaired.substr(0, octets.size()) == octets);
      append_outcome(*resumed.journal, 5, Status::unknown);
      append_outcome(*resumed.journal, 6, Status::unsent);
    }
    // Accepted once, it is no obstacle any more; what is said later counts.
    const ResumedJournal again = resume(path);
    CHECK(again.history.of(5).of(0) == RecipientHistory::final);
    CHECK(again.history.of(6).of(0) == RecipientHistory::again);
    CHECK(again.history.of(7).of(0) == RecipientHistory::in_flight);
  }
}

TEST_CASE("journal: garbage behind the last record is cut, whatever it is") {
  const test::TemporaryFolder folder;
  const Sample sample = make_sample(folder);
  const std::string garbage =
      GENERATE(std::string(5000, '\0'), std::string(300, '\xff'), std::string("{\"id\":\"x\"}\n"),
               std::string("\x05\0\0\0\0\0\0\0\x03\0", 10), std::string("\1\0\0\0", 4));
  const std::string path = folder.write("journal", sample.octets + garbage);
  const ResumedJournal resumed = resume(path);
  CHECK(resumed.cut_offset == sample.octets.size());
  CHECK(resumed.cut_bytes == garbage.size());
  check_history(resumed.history, sample.ends.size());
}

// What a power cut leaves of two batches that were not on the disk yet: the second one, and a hole
// where the first one should be.
TEST_CASE("journal: a hole in what was never synced is a torn end; in what was, it is damage") {
  const test::TemporaryFolder folder;
  const Sample sample = make_sample(folder, Durability::power);
  // Batches of threads that append at once note the same offset, so the second has no record of its
  // own that says the first had been synced.
  const std::size_t begin = sample.ends[6];
  std::string first;
  CHECK(codec::append_journal_outcome(first, {0, hash_of(0), 0, 1, Status::accepted, "{}\n"}));
  std::string second;
  CHECK(codec::append_journal_outcome(second, {1, hash_of(1), 0, 1, Status::accepted, "{}\n"}));
  const std::string hole(first.size(), '\0');
  const std::string before = sample.octets.substr(0, begin);
  {
    const ResumedJournal resumed = resume(folder.write("torn", before + hole + second));
    CHECK(resumed.cut_offset == begin);
    CHECK(resumed.cut_bytes == hole.size() + second.size());
    CHECK(resumed.history.of(0).of(0) == RecipientHistory::in_flight);
    CHECK(resumed.history.of(1).of(0) == RecipientHistory::in_flight);
  }
  std::string synced;
  codec::append_journal_synced(synced, {begin + first.size()});
  const std::string path = folder.write("damaged", before + hole + synced + second);
  CHECK_FALSE(Journal::resume(path, Durability::power, false));
  // The same hole in a run that never waited for the disk: nothing tells.
  const Sample process = make_sample(folder, Durability::process);
  const std::string other = process.octets.substr(0, process.ends[6]) + hole + second;
  CHECK_FALSE(Journal::resume(folder.write("process", other), Durability::process, false));
}

// What says that the first stretch had been on the disk may itself stand behind the second, and
// goes with it.
TEST_CASE("journal: what a repair has accepted stays damage when a torn end is cut behind it") {
  const test::TemporaryFolder folder;
  const Sample sample = make_sample(folder, Durability::power);
  const std::size_t begin = sample.ends[6];
  std::string outcome;
  CHECK(codec::append_journal_outcome(outcome, {0, hash_of(0), 0, 1, Status::accepted, "{}\n"}));
  const std::string hole(outcome.size(), '\0');
  std::string synced;
  codec::append_journal_synced(synced, {begin + hole.size()});
  const std::size_t torn_at = begin + hole.size() + outcome.size();
  const std::string path =
      folder.write("journal", sample.octets.substr(0, begin) + hole + outcome + hole + synced);
  CHECK_FALSE(Journal::resume(path, Durability::power, false));
  {
    const ResumedJournal resumed = resume(path, true);
    CHECK(resumed.cut_offset == torn_at);
    append_outcome(*resumed.journal, 3, Status::accepted, 0, 1, "{}\n");
  }
  const ResumedJournal again = resume(path);
  CHECK(again.cut_bytes == 0);
  CHECK(again.history.of(0).status(0) == Status::accepted);
  CHECK(again.history.of(3).status(0) == Status::accepted);
}

TEST_CASE("journal: a file with more holes than a journal can have is an error, in little time") {
  const test::TemporaryFolder folder;
  const Sample sample = make_sample(folder);
  std::string octets = sample.octets;
  for (std::size_t count = 0; count <= limits::journal_damages_max; ++count) {
    octets += "damage";
    codec::append_journal_end(octets, {0, 0});
  }
  const std::string path = folder.write("journal", octets);
  CHECK_FALSE(read_journal(path));
  CHECK_FALSE(Journal::resume(path, Durability::process, true));
}

}  // namespace ringpost::queue
