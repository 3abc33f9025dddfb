#include "queue/journal_outcomes.h"

#include <array>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/queue/journal_support.h"
#include "tests/support/temporary_folder.h"

namespace ringpost::queue {

using namespace test_journal;

namespace {

std::vector<std::string> last_outcomes(const std::string& path) {
  std::vector<std::string> lines;
  CHECK(for_each_last_outcome(path, [&lines](const codec::JournalOutcome& outcome) {
    lines.emplace_back(outcome.line);
    return true;
  }));
  return lines;
}

std::vector<std::string> all_outcomes(const std::string& path, std::size_t run_index) {
  std::vector<std::string> lines;
  CHECK(for_each_outcome(path, run_index, [&lines](const codec::JournalOutcome& outcome) {
    lines.emplace_back(outcome.line);
    return true;
  }));
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("journal outcomes: of each recipient the last one, of those in flight none") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  const auto journal = create(path);
  REQUIRE(journal->append_run(some_run()));
  append_outcome(*journal, 0, Status::accepted, 0, 1, "0 accepted\n");
  append_outcome(*journal, 1, Status::deferred, 0, 1, "1 deferred\n");
  append_outcome(*journal, 2, Status::unsent, 0, 1, "2 unsent\n");
  append_outcome(*journal, 3, Status::deferred, 0, 2, "3.0 deferred\n");
  append_outcome(*journal, 3, Status::accepted, 1, 2, "3.1 accepted\n");
  append_outcome(*journal, 4, Status::deferred, 0, 1, "4 deferred\n");
  REQUIRE(journal->append_run(some_run(2)));
  append_intent(*journal, 1);
  append_outcome(*journal, 1, Status::deferred, 0, 1, "1 deferred again\n");
  append_outcome(*journal, 2, Status::unsent, 0, 1, "2 unsent again\n");
  append_intent(*journal, 3);
  append_outcome(*journal, 3, Status::rejected, 0, 2, "3.0 rejected\n");
  append_intent(*journal, 4);
  REQUIRE(journal->append_run(some_run(3)));
  append_intent(*journal, 1);
  append_outcome(*journal, 1, Status::accepted, 0, 1, "1 accepted\n");

  CHECK(last_outcomes(path) == Lines{"0 accepted\n", "3.1 accepted\n", "2 unsent again\n",
                                     "3.0 rejected\n", "1 accepted\n"});
  CHECK(all_outcomes(path, 0).size() == 10);
  CHECK(all_outcomes(path, 1) ==
        Lines{"1 deferred again\n", "2 unsent again\n", "3.0 rejected\n", "1 accepted\n"});
  CHECK(all_outcomes(path, 2) == Lines{"1 accepted\n"});
  CHECK(all_outcomes(path, 3).empty());
  int taken = 0;
  CHECK(for_each_outcome(path, 0, [&taken](const codec::JournalOutcome&) { return ++taken < 3; }));
  CHECK(taken == 3);
}

TEST_CASE("journal outcomes: of whoever was put off, none, until there is a later one") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  const auto journal = create(path);
  REQUIRE(journal->append_run(some_run()));
  append_intent(*journal, 0);
  append_put_off(*journal, 0);
  append_outcome(*journal, 1, Status::deferred, 0, 1, "1 deferred\n");
  append_intent(*journal, 1);
  append_put_off(*journal, 1);
  append_intent(*journal, 2);
  append_put_off(*journal, 2);
  append_outcome(*journal, 2, Status::deferred, 0, 1, "2 deferred\n");
  CHECK(last_outcomes(path) == Lines{"2 deferred\n"});
  CHECK(all_outcomes(path, 0) == Lines{"1 deferred\n", "2 deferred\n"});
}

TEST_CASE("journal outcomes: what damage has put in doubt is not the last word") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  {
    const auto journal = create(path);
    REQUIRE(journal->append_run(some_run()));
    append_outcome(*journal, 0, Status::accepted, 0, 1, "0 accepted\n");
    append_outcome(*journal, 1, Status::deferred, 0, 1, "1 deferred\n");
    append_outcome(*journal, 2, Status::deferred, 0, 1, "2 deferred\n");
    append_outcome(*journal, 9, Status::accepted, 0, 1, "lost\n");
    append_outcome(*journal, 3, Status::deferred, 0, 1, "3 deferred\n");
  }
  std::string octets = folder.read("journal");
  octets[octets.find("lost")] = 'L';
  folder.write("journal", octets);
  {
    const ResumedJournal resumed = resume(path, true);
    append_outcome(*resumed.journal, 1, Status::unknown, 0, 1, "1 unknown\n");
  }
  CHECK(last_outcomes(path) == Lines{"0 accepted\n", "3 deferred\n", "1 unknown\n"});
}

TEST_CASE("journal outcomes: what damage has put in doubt takes no later word away") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  {
    const auto journal = create(path);
    REQUIRE(journal->append_run(some_run()));
    append_outcome(*journal, 1, Status::deferred, 0, 1, "1 deferred\n");
    append_outcome(*journal, 9, Status::accepted, 0, 1, "lost\n");
    append_outcome(*journal, 3, Status::accepted, 0, 1, "3 accepted\n");
  }
  std::string octets = folder.read("journal");
  octets[octets.find("lost")] = 'L';
  folder.write("journal", octets);
  {
    const ResumedJournal resumed = resume(path, true);
    append_outcome(*resumed.journal, 1, Status::unsent, 0, 1, "1 unsent\n");
    append_intent(*resumed.journal, 1);
    append_outcome(*resumed.journal, 1, Status::accepted, 0, 1, "1 accepted\n");
  }
  CHECK(last_outcomes(path) == Lines{"3 accepted\n", "1 accepted\n"});
}

TEST_CASE("journal outcomes: a recipient twice in one record is superseded once") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  const auto journal = create(path);
  REQUIRE(journal->append_run(some_run()));
  append_outcome(*journal, 1, Status::deferred, 0, 1, "1 deferred\n");
  const codec::JournalIntent intent{1, hash_of(1), 0, 1};
  const std::array<codec::JournalIntent, 2> twice{intent, intent};
  REQUIRE(journal->append_intents(twice));
  append_outcome(*journal, 1, Status::accepted, 0, 1, "1 accepted\n");
  CHECK(last_outcomes(path) == Lines{"1 accepted\n"});
}

}  // namespace ringpost::queue
