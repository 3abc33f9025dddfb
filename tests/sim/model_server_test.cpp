// The model server does what its oddities say: the promise is held against it.
#include "tests/support/model_server.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost::test;

namespace {

// The codes of the replies so far; of one with several lines the last.
std::vector<int> codes(ModelServer& server) {
  std::vector<int> found;
  std::string& said = server.output();
  for (std::size_t at = 0; at < said.size(); at = said.find('\n', at) + 1) {
    if (said[at + 3] != '-') {
      found.push_back(std::stoi(said.substr(at, 3)));
    }
  }
  said.clear();
  return found;
}

// With EHLO and its reply behind it.
struct Greeted {
  explicit Greeted(const ModelOddities& odd, ModelServerOptions options = {})
      : server(
            [&] {
              options.odd = odd;
              options.chunking = true;
              return options;
            }(),
            1) {
    server.receive("EHLO c.example\r\n");
    server.output().clear();
  }
  std::vector<int> say(std::string_view octets) {
    server.receive(octets);
    return codes(server);
  }
  ModelServer server;
};

using Codes = std::vector<int>;
constexpr std::string_view envelope = "MAIL FROM:<j0@a.example>\r\nRCPT TO:<r0.j0@b.example>\r\n";

}  // namespace

TEST_CASE("model server: commands that come together") {
  const auto group = [](Packets packets) {
    ModelOddities odd;
    odd.packets = packets;
    Greeted greeted(odd);
    Codes all = greeted.say(std::string(envelope) + "DATA\r\n");
    all.push_back(greeted.server.ended() ? 1 : 0);
    return all;
  };
  CHECK(group(Packets::obeyed) == Codes{250, 250, 354, 0});
  CHECK(group(Packets::last_only) == Codes{503, 0});
  CHECK(group(Packets::first_only) == Codes{250, 0});
  CHECK(group(Packets::refused) == Codes{554, 0});
  CHECK(group(Packets::ends) == Codes{500, 1});
  CHECK(group(Packets::closes) == Codes{1});
}

TEST_CASE("model server: commands that come with the final dot") {
  const auto behind = [](BehindDot behind_dot) {
    ModelOddities odd;
    odd.behind_dot = behind_dot;
    Greeted greeted(odd);
    CHECK(greeted.say(std::string(envelope) + "DATA\r\n") == Codes{250, 250, 354});
    Codes all = greeted.say("Hello\r\n.\r\nRSET\r\nNOOP\r\n");
    all.push_back(static_cast<int>(greeted.server.taken().size()));
    const Codes later = greeted.say("NOOP\r\n");
    all.insert(all.end(), later.begin(), later.end());
    return all;
  };
  CHECK(behind(BehindDot::obeyed) == Codes{250, 250, 250, 1, 250});
  CHECK(behind(BehindDot::refused) == Codes{250, 503, 503, 1, 250});
  CHECK(behind(BehindDot::dropped) == Codes{250, 1, 250});
  CHECK(behind(BehindDot::ends) == Codes{500, 0});
}

TEST_CASE("model server: BDAT that is not what was announced") {
  const auto chunk = [](Bdat bdat) {
    ModelOddities odd;
    odd.bdat = bdat;
    Greeted greeted(odd);
    CHECK(greeted.say(envelope) == Codes{250, 250});
    Codes all = greeted.say("BDAT 9 LAST\r\nHi\r\nyou\r\nNOOP\r\n");
    all.push_back(static_cast<int>(greeted.server.taken().size()));
    CHECK(greeted.server.ended() == (bdat == Bdat::closes));
    CHECK(greeted.server.complaint() == "");
    return all;
  };
  CHECK(chunk(Bdat::obeyed) == Codes{250, 250, 1});
  CHECK(chunk(Bdat::unknown) == Codes{500, 500, 500, 250, 0});
  CHECK(chunk(Bdat::hangs) == Codes{0});
  CHECK(chunk(Bdat::hangs_behind) == Codes{0});
  CHECK(chunk(Bdat::closes) == Codes{0});
}

TEST_CASE("model server: a message in two chunks is one") {
  Greeted greeted({});
  CHECK(greeted.say(envelope) == Codes{250, 250});
  CHECK(greeted.say("BDAT 4\r\nHi\r\nBDAT 0 LAST\r\n") == Codes{250, 250});
  REQUIRE(greeted.server.taken().size() == 1);
  CHECK(greeted.server.taken()[0].content == "Hi\r\n");
}

TEST_CASE("model server: a refused BDAT, its chunk and its transaction") {
  const auto refused = [](bool keeps_chunk, bool resets) {
    ModelOddities odd;
    odd.keeps_refused_chunk = keeps_chunk;
    odd.refused_chunk_resets = resets;
    Greeted greeted(odd);
    CHECK(greeted.say("MAIL FROM:<j0@a.example>\r\n") == Codes{250});
    return greeted.say("BDAT 9 LAST\r\nHi\r\nyou\r\nMAIL FROM:<j1@a.example>\r\n");
  };
  CHECK(refused(false, false) == Codes{503, 503});
  CHECK(refused(false, true) == Codes{554, 250});
  CHECK(refused(true, false) == Codes{503, 500, 500, 503});
}

TEST_CASE("model server: a refused transaction stays open, and takes the next one's message") {
  Greeted greeted({});
  CHECK(greeted.say("MAIL FROM:<j0@a.example>\r\nDATA\r\n") == Codes{250, 503});
  CHECK(greeted.say("MAIL FROM:<j1@a.example>\r\nRCPT TO:<r0.j1@b.example>\r\nDATA\r\n") ==
        Codes{503, 250, 354});
  CHECK(greeted.say("Hi\r\n.\r\n") == Codes{250});
  REQUIRE(greeted.server.taken().size() == 1);
  CHECK(greeted.server.taken()[0].sender == "j0@a.example");
}

TEST_CASE("model server: one message too many in a session") {
  const auto second = [](MessageLimit limit) {
    ModelOddities odd;
    odd.message_limit = limit;
    ModelServerOptions options;
    options.messages_max = 1;
    Greeted greeted(odd, options);
    CHECK(greeted.say(std::string(envelope) + "BDAT 4 LAST\r\nHi\r\n") == Codes{250, 250, 250});
    Codes all = greeted.say("MAIL FROM:<j1@a.example>\r\nMAIL FROM:<j1@a.example>\r\n");
    all.push_back(greeted.server.ended() ? 1 : 0);
    return all;
  };
  CHECK(second(MessageLimit::goodbye) == Codes{421, 1});
  CHECK(second(MessageLimit::closes) == Codes{1});
  CHECK(second(MessageLimit::open) == Codes{421, 421, 0});
  CHECK(second(MessageLimit::refused) == Codes{452, 452, 0});
  CHECK(second(MessageLimit::later) == Codes{451, 451, 0});
}

TEST_CASE("model server: one recipient too many in a transaction") {
  const auto second = [](Overflow overflow) {
    ModelOddities odd;
    odd.overflow = overflow;
    ModelServerOptions options;
    options.recipients_max = 1;
    Greeted greeted(odd, options);
    Codes all =
        greeted.say(std::string(envelope) + "RCPT TO:<r1.j0@b.example>\r\nBDAT 4 LAST\r\nHi\r\n");
    CHECK(greeted.server.refusals().empty());
    return all;
  };
  CHECK(second(Overflow::said_552) == Codes{250, 250, 552, 250});
  CHECK(second(Overflow::said_431) == Codes{250, 250, 431, 250});
  CHECK(second(Overflow::at_the_end) == Codes{250, 250, 250, 554});
}

TEST_CASE("model server: errors and idle RSETs end the session, and are nobody's refusal") {
  ModelOddities odd;
  odd.errors_max = 2;
  ModelServerOptions options;
  options.refusal_chance = 100;
  Greeted greeted(odd, options);
  const Codes all = greeted.say(
      "MAIL FROM:<j0@a.example>\r\nMAIL FROM:<j1@a.example>\r\nMAIL FROM:<j2@a.example>\r\n");
  REQUIRE(all.size() == 3);
  CHECK(all[2] == 421);
  CHECK(greeted.server.ended());
  CHECK(greeted.server.refusals().size() == 2);

  odd.errors_max = 0;
  odd.idle_resets_max = 2;
  Greeted idle(odd);
  CHECK(idle.say("RSET\r\nRSET\r\nRSET\r\n") == Codes{250, 250, 554});
  CHECK(idle.server.ended());
}

TEST_CASE("model server: an account over all sessions") {
  ModelAccount account;
  ModelOddities odd;
  odd.quota = 1;
  odd.login_refused = 2;
  ModelServerOptions options;
  options.account = &account;
  Greeted first(odd, options);
  CHECK(first.say("AUTH PLAIN AGEAYg==\r\n") == Codes{235});
  CHECK(first.say(std::string(envelope) + "BDAT 4 LAST\r\nHi\r\n") == Codes{250, 250, 250});
  Greeted second(odd, options);
  CHECK(second.say("AUTH PLAIN AGEAYg==\r\nAUTH PLAIN AGEAYg==\r\n") == Codes{535, 235});
  CHECK(second.say("MAIL FROM:<j1@a.example>\r\n") == Codes{550});
  CHECK(second.server.refusals().empty());
}

TEST_CASE("model server: every way is chosen by some seed") {
  std::uint64_t seen[7] = {};
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const ModelOddities odd = random_oddities(seed);
    CHECK(odd == random_oddities(seed));
    const auto mark = [&](std::size_t kind, auto value) {
      seen[kind] |= std::uint64_t{1} << static_cast<unsigned>(value);
    };
    mark(0, odd.status);
    mark(1, odd.words);
    mark(2, odd.packets);
    mark(3, odd.behind_dot);
    mark(4, odd.bdat);
    mark(5, odd.message_limit);
    mark(6, odd.overflow);
  }
  constexpr std::uint64_t all[7] = {0b111, 0b111, 0b111111, 0b1111, 0b11111, 0b11111, 0b1111};
  CHECK(std::equal(std::begin(seen), std::end(seen), std::begin(all)));
}
