// Goal: a line is as many messages as it has recipients, wherever reading stops, and templates are
// known below their lines, whoever reads first. Method: job files and the messages that come of
// them, on one thread; several readers take turns, and on threads.
#include "engine/run/line_source.h"

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "codec/journal/journal_record.h"
#include "tests/support/temporary_folder.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

using ringpost::test::TemporaryFolder;
using Pull = JobSource::Pull;

LineSource source_of(const std::vector<std::string>& files, const LineBlocksOptions& blocks = {},
                     const LineSourceOptions& options = {}) {
  auto input = JobInput::open(files, -1, blocks);
  REQUIRE(input);
  return LineSource(std::move(*input), options);
}

Instant in_a_minute() { return std::chrono::steady_clock::now() + std::chrono::minutes(1); }

std::string newsletter(const std::string& id, std::size_t recipients,
                       const std::string& more = R"("text":"Hello {{email}}")") {
  std::string line = fmt::format(R"({{"id":"{}",)", id);
  line += more.find("template") == std::string::npos ? R"("from":"news@a.example",)" : "";
  line += more + R"(,"recipients":[)";
  for (std::size_t i = 0; i < recipients; ++i) {
    line += fmt::format(R"({}"r{}@b.example")", i > 0 ? "," : "", i);
  }
  return line + "]}\n";
}

std::string definition(const std::string& name, const std::string& text = "Hello {{email}}") {
  return fmt::format(R"({{"define":"{}","from":"news@a.example","text":"{}"}})", name, text) + "\n";
}

// "id recipient ordinal+first of how many", or what stopped it.
std::string pulled(LineSource& source, std::size_t reader = 0) {
  Message message;
  switch (source.pull(message, reader)) {
    case Pull::message:
      return fmt::format("{} {} {}+{}/{}", message.id, message.recipients[0],
                         message.origin.ordinal, message.origin.first_recipient,
                         message.origin.job_recipients);
    case Pull::refused:
      return fmt::format("{} refused {}", message.origin.ordinal, source.words(reader));
    case Pull::nothing:
      return "nothing";
    case Pull::trouble:
      return "trouble";
    case Pull::end:
      return "end";
  }
  return {};
}

std::vector<std::string> all_of(LineSource& source) {
  std::vector<std::string> found;
  do {
    found.push_back(pulled(source));
  } while (found.back() != "end");
  return found;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("line source: a line with recipients is one job of as many messages") {
  const TemporaryFolder folder;
  const std::string jobs = folder.write("jobs", newsletter("a", 3) + "\n" + newsletter("b", 1));
  LineSource source = source_of({jobs});
  CHECK(all_of(source) == std::vector<std::string>{"a r0@b.example 0+0/3", "a r1@b.example 0+1/3",
                                                   "a r2@b.example 0+2/3", "b r0@b.example 1+0/1",
                                                   "end"});
  CHECK_FALSE(source.unread(in_a_minute()));
}

TEST_CASE("line source: all messages of a line have its hash") {
  const TemporaryFolder folder;
  LineSourceOptions options;
  options.hashes_lines = true;
  LineSource source =
      source_of({folder.write("jobs", newsletter("a", 2) + newsletter("b", 1))}, {}, options);
  std::vector<std::uint64_t> hashes;
  for (Message message; source.pull(message, 0) != Pull::end; message.clear()) {
    hashes.push_back(message.origin.line_hash);
  }
  REQUIRE(hashes.size() == 3);
  CHECK(hashes[0] != 0);
  CHECK(hashes[0] == hashes[1]);
  CHECK(hashes[0] != hashes[2]);
}

TEST_CASE("line source: a line that is stopped in its middle is unread from there on") {
  const TemporaryFolder folder;
  const std::string jobs =
      folder.write("jobs", newsletter("a", 3) + newsletter("b", 5) + newsletter("c", 1));
  LineSource source = source_of({jobs});
  for (int i = 0; i < 5; ++i) {
    static_cast<void>(pulled(source));
  }
  CHECK_FALSE(source.may_wait(0));
  CHECK_FALSE(source.has_in_hand(0));
  const auto unread = source.unread(in_a_minute());
  REQUIRE(unread);
  CHECK(unread->count == 2);
  CHECK(unread->from == jobs + ":2, recipient 3");
  CHECK(unread->are_in_one_piece);
}

TEST_CASE("line source: a message that is put back counts as unread") {
  const TemporaryFolder folder;
  const std::string jobs = folder.write("jobs", newsletter("a", 3) + newsletter("b", 1));
  const auto unread_behind = [&](int messages) {
    LineSource source = source_of({jobs});
    for (int i = 0; i < messages; ++i) {
      static_cast<void>(pulled(source));
    }
    source.put_back(0);
    return *source.unread(in_a_minute());
  };
  CHECK(unread_behind(1).from == jobs + ":1");
  CHECK(unread_behind(2).from == jobs + ":1, recipient 2");
  CHECK(unread_behind(3).from == jobs + ":1, recipient 3");
  CHECK(unread_behind(3).count == 2);
  CHECK(unread_behind(4).from == jobs + ":2");
  CHECK(unread_behind(4).count == 1);
}

TEST_CASE("line source: several readers come to the end of what they have, but for long lists") {
  const TemporaryFolder folder;
  const std::string jobs =
      folder.write("jobs", newsletter("a", 3) + newsletter("b", limits::lines_in_hand_max + 3) +
                               newsletter("c", 2));
  LineSource source = source_of({jobs}, {.readers = 2, .lines_max = 1});
  CHECK(has(pulled(source, 0), "a r0"));
  CHECK(has(pulled(source, 1), "b r0"));
  CHECK(source.has_in_hand(0));
  CHECK_FALSE(source.has_in_hand(1));
  static_cast<void>(pulled(source, 1));
  CHECK(source.has_in_hand(1) == false);
  static_cast<void>(pulled(source, 1));
  CHECK(source.has_in_hand(1));
  while (source.has_in_hand(0)) {
    CHECK(has(pulled(source, 0), "a r"));
  }
  const auto unread = source.unread(in_a_minute());
  REQUIRE(unread);
  CHECK(unread->count == 2);
  CHECK(unread->from == jobs + ":2, recipient 4");
}

TEST_CASE("line source: a definition is no message, and is known below its line") {
  const TemporaryFolder folder;
  const std::string use = newsletter("x", 1, R"("template":"weekly")");
  const std::string first = folder.write("first", use + definition("weekly") + use);
  const std::string second =
      folder.write("second", use + newsletter("y", 1, R"("template":"wekly")"));
  LineSource source = source_of({first, second});
  const auto found = all_of(source);
  REQUIRE(found.size() == 6);
  CHECK(has(found[0], first + ":1: template: \"weekly\" is defined below (" + first + ":2)"));
  CHECK(found[1] == "nothing");
  CHECK(found[2] == "x r0@b.example 2+0/1");
  CHECK(found[3] == fmt::format("x r0@b.example {}+0/1", codec::job_ordinal(1, 0)));
  CHECK(has(found[4], "no line above defines \"wekly\"; did you mean \"weekly\"?"));
}

TEST_CASE("line source: a definition that cannot be used is one outcome, and its jobs say why") {
  const TemporaryFolder folder;
  const std::string jobs = folder.write(
      "jobs", definition("bad", "{{#open}}") + newsletter("x", 2, R"("template":"bad")") +
                  definition("good") + definition("good") + definition("bad") +
                  newsletter("y", 1, R"("template":"good")") + R"({"define":1})" + "\n");
  LineSource source = source_of({jobs});
  const auto found = all_of(source);
  REQUIRE(found.size() == 9);
  CHECK(has(found[0], "0 refused " + jobs + ":1: text: "));
  CHECK(has(found[1],
            "1 refused " + jobs + ":2: template: \"bad\" (" + jobs + ":1) cannot be used: text: "));
  CHECK(has(found[2], "1 refused"));
  CHECK(found[3] == "nothing");
  CHECK(has(found[4], jobs + ":4: define: \"good\" is defined already (" + jobs + ":3)"));
  CHECK(has(found[5], "define: \"bad\" is defined already"));
  CHECK(has(found[6], "y r0@b.example"));
  CHECK(has(found[7], jobs + ":7: define: must be a string"));
}

TEST_CASE("line source: a run has so many templates and no more") {
  const TemporaryFolder folder;
  std::string lines;
  for (std::size_t i = 0; i <= limits::templates_max; ++i) {
    lines += definition(fmt::format("t{}", i));
  }
  LineSource source = source_of({folder.write("jobs", lines)});
  const auto found = all_of(source);
  REQUIRE(found.size() == limits::templates_max + 2);
  CHECK(found[limits::templates_max - 1] == "nothing");
  CHECK(has(found[limits::templates_max], "is one too many"));
}

TEST_CASE("line source: a job without content uses the template of the run, where it has one") {
  const TemporaryFolder folder;
  const std::string jobs = folder.write("jobs", R"({"id":"x","recipients":["a@b.example"]})"
                                                "\n");
  LineSource none = source_of({jobs});
  CHECK(has(pulled(none), "--template"));
  const std::string line = R"({"define":"d","from":"news@a.example","text":"Hi"})";
  const std::string padded = line + std::string(codec::JobReader::padding_bytes, ' ');
  codec::DefinitionNote note;
  auto made =
      codec::JobReader({}).read_definition(Bytes(padded).substr(0, line.size()), {"t", 1, 0}, note);
  REQUIRE(made);
  LineSourceOptions options;
  options.default_template = *made;
  LineSource one = source_of({jobs}, {}, options);
  CHECK(pulled(one) == "x a@b.example 0+0/1");
}

// Whoever has a block below a definition finds it, however the readers take turns.
TEST_CASE("line source: readers on threads know every template above their lines") {
  const TemporaryFolder folder;
  constexpr std::size_t templates = 50;
  constexpr std::size_t jobs_each = 20;
  std::string lines;
  for (std::size_t i = 0; i < templates; ++i) {
    lines += definition(fmt::format("t{}", i));
    for (std::size_t job = 0; job < jobs_each; ++job) {
      lines += newsletter("x", 3, fmt::format(R"("template":"t{}")", i));
    }
  }
  LineSource source = source_of({folder.write("jobs", lines)}, {.readers = 3, .lines_max = 2});
  std::mutex mutex;
  std::map<std::pair<std::uint64_t, std::uint32_t>, int> found;
  std::vector<std::string> refused;
  const auto read = [&](std::size_t reader) {
    for (Message message;; message.clear()) {
      const Pull pull = source.pull(message, reader);
      const std::lock_guard lock(mutex);
      if (pull == Pull::end) {
        return;
      }
      if (pull == Pull::message) {
        ++found[{message.origin.ordinal, message.origin.first_recipient}];
      } else if (pull != Pull::nothing) {
        refused.emplace_back(source.words(reader));
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t reader = 0; reader < 3; ++reader) {
    threads.emplace_back(read, reader);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(refused.empty());
  CHECK(found.size() == templates * jobs_each * 3);
  for (const auto& [place, count] : found) {
    CHECK(count == 1);
  }
}

}  // namespace ringpost::run
