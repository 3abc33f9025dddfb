// Who is left out: suppressed addresses, and those that occur twice.
#include "engine/run/recipient_lists.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/journal/journal_record.h"
#include "tests/support/temporary_folder.h"

namespace ringpost::run {

namespace {

using ringpost::test::TemporaryFolder;
using Texts = std::vector<std::string>;

// Reasons of those who are left out of a message to these, "-" for the others.
Texts reasons(RecipientLists& lists, const Texts& addresses, std::uint64_t line,
              std::vector<PriorFate> fates = {}, std::uint32_t source = 0) {
  Message message;
  message.origin.line = line;
  message.origin.ordinal = codec::job_ordinal(source, static_cast<std::uint32_t>(line));
  for (const std::string& address : addresses) {
    message.recipients.add(address);
  }
  std::vector<LeftOut> left_out;
  REQUIRE(lists.leave_out(message, fates, left_out));
  Texts found(addresses.size(), "-");
  for (const LeftOut& one : left_out) {
    CHECK(fates.at(one.recipient) == PriorFate::left_out);
    found[one.recipient] = one.reason;
  }
  return found;
}

std::unique_ptr<RecipientLists> lists_of(const Texts& suppression, Repeats repeats,
                                         Texts files = {"a.csv"}) {
  auto lists = RecipientLists::open(suppression, repeats, std::move(files));
  REQUIRE(lists);
  return std::move(*lists);
}

}  // namespace

TEST_CASE("address set: what was added is found with its place, in sixteen octets an address") {
  AddressSet set(1'000'000);
  std::mt19937_64 random(17);
  std::vector<std::uint64_t> keys;
  for (std::uint32_t i = 0; i < 300'000; ++i) {
    keys.push_back(random());
    REQUIRE(set.add(keys.back(), i).what == AddressSet::Added::added);
    if (i == 100'000 || i == 299'999) {
      CHECK(set.bytes() <= 16 * set.size() + 50'000);
    }
  }
  CHECK(set.size() == keys.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    const AddressSet::Addition again = set.add(keys[i], 1);
    CHECK((again.what == AddressSet::Added::known && again.place == i));
    CHECK(set.find(keys[i]) == i);
  }
  CHECK_FALSE(set.find(random()));
  CHECK(set.put(keys[5], 77) == AddressSet::Added::known);
  CHECK(set.find(keys[5]) == 77);
}

TEST_CASE("address set: a hash of nothing but zeroes is one like others, and there is a bound") {
  AddressSet set(2);
  CHECK_FALSE(set.find(0));
  CHECK(set.add(0, 5).what == AddressSet::Added::added);
  CHECK(set.find(0) == 5);
  CHECK(set.add(~std::uint64_t{0}, 6).what == AddressSet::Added::added);
  CHECK(set.add(17, 7).what == AddressSet::Added::full);
  CHECK(set.add(0, 8).what == AddressSet::Added::known);
}

TEST_CASE("address set: what is only counted takes eleven octets an address") {
  AddressSet set(300'000);
  CHECK(set.counted().known == 0);
  std::mt19937_64 random(17);
  std::vector<std::uint64_t> keys;
  for (std::uint32_t i = 0; i < 300'000; ++i) {
    keys.push_back(i == 0 ? 0 : random());
    set.count(keys.back());
    if (i % 100 == 7) {
      set.count(keys[i / 2]);  // long ago, or a moment ago
    }
  }
  CHECK(set.counted().known == 3000);
  CHECK_FALSE(set.counted().was_full);
  CHECK(set.size() == keys.size());
  CHECK(set.bytes() <= 11 * set.size() + 80'000);
  set.count(random());
  set.count(keys[9]);
  CHECK(set.counted().was_full);
  CHECK(set.counted().known == 3001);
  CHECK(set.size() == keys.size());
}

TEST_CASE("recipient lists: of equal addresses the first is sent to, whatever their case") {
  const auto lists = lists_of({}, Repeats::left_out);
  CHECK(reasons(*lists, {"Ann@Example.com"}, 2) == Texts{"-"});
  CHECK(reasons(*lists, {"bob@example.com", "ann@EXAMPLE.COM", "bob@example.com"}, 9) ==
        Texts{"-", "duplicate of line 2", "duplicate of line 9"});
  CHECK(lists->repeated() == 2);
}

TEST_CASE("recipient lists: with several files the place has its file") {
  const auto lists = lists_of({}, Repeats::left_out, {"a.csv", "b.csv", "c.csv"});
  CHECK(reasons(*lists, {"ann@example.com"}, 7, {}, 2) == Texts{"-"});
  CHECK(reasons(*lists, {"ann@example.com"}, 8, {}, 0) == Texts{"duplicate of c.csv:7"});
  CHECK(reasons(*lists, {"bob@example.com"}, std::uint64_t{1} << 40, {}, 0) == Texts{"-"});
  CHECK(reasons(*lists, {"bob@example.com"}, 8, {}, 0) == Texts{"duplicate of an earlier line"});
}

TEST_CASE("recipient lists: whom an earlier run has told counts, and is not told again") {
  const auto lists = lists_of({}, Repeats::left_out);
  CHECK(reasons(*lists, {"ann@example.com"}, 2, {PriorFate::has_it}) == Texts{"-"});
  CHECK(reasons(*lists, {"ann@example.com"}, 3, {PriorFate::done}) == Texts{"-"});
  CHECK(reasons(*lists, {"ann@example.com"}, 4) == Texts{"duplicate of line 2"});
}

TEST_CASE("recipient lists: where nobody asks for more, what repeats is counted") {
  const auto lists = lists_of({}, Repeats::counted);
  CHECK(reasons(*lists, {"ann@example.com"}, 2) == Texts{"-"});
  CHECK(reasons(*lists, {"ann@example.com"}, 3) == Texts{"-"});
  CHECK(lists->repeated() == 1);
  CHECK(lists->has_counted_all());
}

TEST_CASE("recipient lists: suppression files are lists, tables or outcomes") {
  const TemporaryFolder folder;
  const std::string list =
      folder.write("list.txt", "# who left\nann@example.com\n\n*@Gone.example\r\nnonsense\n");
  const std::string table = folder.write("table.csv", "id;E-Mail\n1;Bob@example.com\n");
  const std::string outcomes =
      folder.write("outcomes.jsonl",
                   "{\"id\":\"1\",\"rcpt\":\"carl@example.com\",\"status\":\"rejected\"}\n"
                   "{\"id\":\"2\",\"rcpt\":\"dora@example.com\",\"status\":\"accepted\"}\n"
                   "{\"email\":\"eve@example.com\"}\n\"frank@example.com\"\n");
  const auto lists = lists_of({list, table, outcomes}, Repeats::sent);
  CHECK(reasons(*lists,
                {"ANN@example.com", "x@gone.example", "x@sub.gone.example", "bob@example.com",
                 "carl@example.com", "dora@example.com", "eve@example.com", "frank@example.com"},
                1) == Texts{"suppressed: " + list + ":2", "suppressed: " + list + ":4", "-",
                            "suppressed: " + table + ":2", "suppressed: " + outcomes + ":1", "-",
                            "suppressed: " + outcomes + ":3", "suppressed: " + outcomes + ":4"});
  CHECK(reasons(*lists, {"ann@example.com"}, 1, {PriorFate::in_doubt}) == Texts{"-"});
  REQUIRE(lists->warnings().size() == 1);
  CHECK(lists->warnings()[0].find("1 line is no address, the first " + list + ":5") !=
        std::string::npos);
}

TEST_CASE("recipient lists: a suppression file that is none ends it") {
  const TemporaryFolder folder;
  const auto opened =
      RecipientLists::open({folder.write("a.txt", "some words\n")}, Repeats::sent, {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("has an address or *@domain a line") != std::string::npos);
  CHECK_FALSE(RecipientLists::open({folder.path("none")}, Repeats::sent, {}));
}

}  // namespace ringpost::run
