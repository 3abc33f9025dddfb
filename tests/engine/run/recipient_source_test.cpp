// Messages out of rows and a template.
#include "engine/run/recipient_source.h"

#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/journal/journal_record.h"
#include "engine/run/job_selection.h"
#include "engine/run/retry_planner.h"
#include "tests/support/temporary_folder.h"

namespace ringpost::run {

namespace {

using ringpost::test::TemporaryFolder;
using Texts = std::vector<std::string>;

codec::MessageTemplatePtr compiled(const std::string& text, std::uint64_t identity = 1) {
  codec::TemplateDefinition definition;
  definition.from = "Shop <shop@example.com>";
  definition.subject = "For {{name|default:\"you\"}}";
  definition.text = text;
  auto made = codec::MessageTemplate::compile(std::move(definition), {}, {identity, 2});
  REQUIRE(made);
  return std::move(*made);
}

Result<std::unique_ptr<RecipientSource>, std::string> opened(const Texts& files,
                                                             RecipientSourceOptions options) {
  auto input = JobInput::open(files, -1, {.rows = RowOptions{}});
  REQUIRE(input);
  return RecipientSource::open(std::move(*input), files, std::move(options));
}

std::unique_ptr<RecipientSource> source_of(const std::string& file, const std::string& text,
                                           std::uint64_t identity = 1) {
  auto source = opened({file}, {.message = compiled(text, identity), .hashes_lines = true});
  REQUIRE(source);
  return std::move(*source);
}

// "ID RECIPIENT" of each message, or why there is none.
Texts pulled(JobSource& source) {
  Texts found;
  Message message;
  while (true) {
    message.clear();
    switch (source.pull(message, 0)) {
      case JobSource::Pull::message:
        found.push_back(message.id + " " + std::string(message.recipients[0]));
        break;
      case JobSource::Pull::nothing:
        break;
      case JobSource::Pull::refused:
      case JobSource::Pull::trouble:
        found.emplace_back(source.words(0));
        break;
      case JobSource::Pull::end:
        return found;
    }
  }
}

}  // namespace

TEST_CASE("recipient source: a row is a message, and one that is none has its place and reason") {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("a.csv",
                   "email,name,id,city\nann@x.example,Ann,1,Rome\nnobody,Bob,2,Oslo\n"
                   "carl@x.example,\"Carl\nC.\",3,\nd@x.example,D,4,Bonn,surplus\n");
  const auto source = source_of(file, "Hi from {{city}}\n");
  const Texts found = pulled(*source);
  REQUIRE(found.size() == 4);
  CHECK(found[0] == "1 ann@x.example");
  CHECK(found[1].starts_with(file + ":3: email: \"nobody\": "));
  CHECK(found[2].starts_with(file + ":4: "));
  CHECK(found[3] == file + ":6: the row has 5 fields, and the header has 4");
}

TEST_CASE("recipient source: ordinals are places of rows, hashes are of row and template") {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("a.csv", "email,name\nann@x.example,\"A\nB\"\n\nbob@x.example,\n");
  const auto first = source_of(file, "Hi\n");
  const auto same = source_of(file, "Hi\n");
  const auto other = source_of(file, "Hi\n", 2);
  Message message;
  Message again;
  Message different;
  REQUIRE(first->pull(message, 0) == JobSource::Pull::refused);  // a name of two lines
  message.clear();
  REQUIRE(first->pull(message, 0) == JobSource::Pull::message);
  for (auto [source, into] : {std::pair{same.get(), &again}, {other.get(), &different}}) {
    REQUIRE(source->pull(*into, 0) == JobSource::Pull::refused);
    into->clear();
    REQUIRE(source->pull(*into, 0) == JobSource::Pull::message);
  }
  CHECK(message.origin.ordinal == codec::job_ordinal(0, 1));
  CHECK(message.origin.line == 5);
  CHECK(message.origin.line_hash == again.origin.line_hash);
  CHECK(message.content.text() == again.content.text());
  CHECK(message.origin.line_hash != different.origin.line_hash);
  CHECK(message.id.size() == 32);
  CHECK(message.id == again.id);
}

TEST_CASE("recipient source: what the template asks for and no column has is said at once") {
  const TemporaryFolder folder;
  const std::string file = folder.write("a.csv", "email,first_name\nann@x.example,Ann\n");
  const auto message =
      compiled("Hi {{frist_name}} {{city}} {{email}} {{id}} {{x|default:\"y\"}}\n");
  const auto missing = opened({file}, {.message = message});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().starts_with(
      file +
      ":1: the template asks for \"frist_name\" (did you mean \"first_name\"?), \"city\", "
      "of which there is no column; the columns are: email, first_name."));
  CHECK(opened({file}, {.message = message, .may_lack_values = true}));
  codec::MergeData shared;
  shared.add(codec::MergeData::root, "city", codec::MergeData::Kind::string, "Rome");
  shared.add(codec::MergeData::root, "frist_name", codec::MergeData::Kind::string, "A");
  CHECK(opened({file}, {.message = message, .shared = shared}));
  CHECK_FALSE(opened({folder.write("b.csv", "")}, {.message = message}));
}

TEST_CASE("job selection: the first, those with an id, and some by chance") {
  const TemporaryFolder folder;
  std::string rows = "email,id\n";
  for (int i = 0; i < 100; ++i) {
    rows += std::to_string(i) + "@x.example," + std::to_string(i) + "\n";
  }
  const std::string file = folder.write("a.csv", rows);
  const auto selected = [&](const JobSelectionOptions& options) {
    const auto source = source_of(file, "Hi\n");
    JobSelection selection(*source, options);
    return pulled(selection);
  };
  CHECK(selected({.limit = 2}) == Texts{"0 0@x.example", "1 1@x.example"});
  CHECK(selected({.only = "17"}) == Texts{"17 17@x.example"});
  for (const std::uint64_t wanted : {1U, 10U, 99U, 100U, 500U}) {
    const JobSelectionOptions options{.sample = JobSample{wanted, 100, 5}};
    const Texts sample = selected(options);
    CHECK(sample.size() == std::min<std::uint64_t>(wanted, 100));
    CHECK(sample == selected(options));
  }
  CHECK(selected({.sample = JobSample{10, 100, 5}}) != selected({.sample = JobSample{10, 100, 6}}));
  codec::Mailbox me;
  me.address = "me@y.example";
  CHECK(selected({.limit = 1, .only = "5", .instead = {me}}) == Texts{"5 me@y.example"});
}

TEST_CASE("retry planner: the last outcome decides, and others are told nothing") {
  const TemporaryFolder folder;
  const std::string outcomes = folder.write(
      "outcomes.jsonl",
      "{\"id\":\"1\",\"rcpt\":\"a@x.example\",\"status\":\"deferred\"}\n"
      "{\"id\":\"1\",\"rcpt\":\"b@x.example\",\"status\":\"unsent\"}\n"
      "{\"id\":\"1\",\"rcpt\":\"c@x.example\",\"status\":\"accepted\"}\n"
      "{\"id\":\"2\",\"rcpt\":\"a@x.example\",\"status\":\"deferred\"}\n"
      "{\"id\":\"2\",\"rcpt\":\"a@x.example\",\"status\":\"accepted\"}\n"
      "{\"id\":\"3\",\"rcpt\":\"a@x.example\",\"status\":\"accepted\"}\n"
      "{\"id\":\"3\",\"rcpt\":\"a@x.example\",\"status\":\"deferred\",\"final\":false}\n");
  auto planner = RetryPlanner::open({outcomes});
  REQUIRE(planner);
  CHECK((*planner)->size() == 2);
  const auto plan = [&](const std::string& id, const Texts& to, std::vector<PriorFate>& fates) {
    Message message;
    message.id = id;
    for (const std::string& address : to) {
      message.recipients.add(address);
    }
    const auto planned = (*planner)->plan(message, fates);
    REQUIRE(planned);
    return *planned;
  };
  std::vector<PriorFate> fates;
  CHECK(plan("1", {"A@x.example", "c@x.example", "b@x.example"}, fates) == Planner::Plan::send);
  CHECK(fates == std::vector{PriorFate::none, PriorFate::done, PriorFate::none});
  for (const std::string id : {"2", "3", "4"}) {
    fates.clear();
    CHECK(plan(id, {"a@x.example"}, fates) == Planner::Plan::skip);
  }
  CHECK_FALSE(RetryPlanner::open({folder.write("bad.jsonl", "{\"id\":\"1\"}\n")}));
}

}  // namespace ringpost::run
