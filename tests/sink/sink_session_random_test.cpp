// Clients that make no sense: whatever they send, and however it is cut, the session answers the
// same and its books agree with what was accepted.
#include <random>

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include "engine/server/server_session.h"
#include "tests/sink/support.h"

using namespace ringpost;
using namespace ringpost::sink;
using namespace ringpost::sink::test;

namespace {

// A walk through these comes by most states; garbage comes by the rest.
const std::vector<std::string> fragments = {
    "EHLO x\r\n",
    "HELO x\r\n",
    "RSET\r\n",
    "NOOP\r\n",
    "MAIL FROM:<a@b> SIZE=12\r\n",
    "MAIL FROM:<a@b>\r\n",
    "MAIL FROM:<reject-mail@b>\r\n",
    "RCPT TO:<c@d>\r\n",
    "RCPT TO:<reject@d>\r\n",
    "RCPT TO:<defer-data@d>\r\n",
    "DATA\r\n",
    "Subject: x\r\n\r\n..\r\n.\r\n",
    ".\r\n",
    ".\n",
    "x\r.\r\n",
    "BDAT 2\r\nx\r",
    "BDAT 0 LAST\r\n",
    "BDAT 12 LAST\r\n0123456789\r\n",
    "BDAT 9 LAST\r\n\n",
    "AUTH PLAIN AHJpbmdwb3N0AHJpbmdwb3N0\r\n",
    "AUTH LOGIN\r\n",
    "cmluZ3Bvc3Q=\r\n",
    "*\r\n",
    "STARTTLS\r\n",
    "HELP\n",
    "VRFY x\r\n",
    "\xFF\xC3\xB6 ",
};

std::string random_flight(std::mt19937& random) {
  std::string flight;
  const std::size_t count = 1 + random() % 12;
  for (std::size_t i = 0; i < count; ++i) {
    flight += fragments[random() % fragments.size()];
    if (random() % 20 == 0) {
      flight += static_cast<char>(random() % 256);
    }
    if (random() % 40 == 0) {
      flight.append(random() % 1500, 'x');
    }
    if (random() % 600 == 0) {
      flight.append(13'000, 'y');
    }
  }
  return flight;
}

Dialogue random_dialogue(std::mt19937& random) {
  Dialogue dialogue;
  dialogue.options.strict_close = random() % 4 == 0;
  dialogue.options.extensions.pipelining = random() % 8 != 0;
  dialogue.options.extensions.chunking = random() % 8 != 0;
  dialogue.options.size_max = random() % 8 == 0 ? 10 : 10'000;
  dialogue.policy.auth_required = random() % 4 == 0;
  dialogue.exchanges.push_back({"EHLO client.example\r\n", {}});
  const std::size_t flights = 1 + random() % 6;
  for (std::size_t i = 0; i < flights; ++i) {
    dialogue.exchanges.push_back({random_flight(random), {}});
  }
  return dialogue;
}

void require_books_to_agree(const Played& played) {
  std::uint64_t bytes = 0;
  for (const TakenMessage& message : played.messages) {
    REQUIRE(message.bytes == message.content.size());
    REQUIRE_FALSE(message.recipients.empty());
    REQUIRE(message.content.find('\0') == std::string::npos);
    bytes += message.bytes;
  }
  REQUIRE(played.tally[Count::messages_accepted] == played.messages.size());
  REQUIRE(played.tally[Count::content_bytes] == bytes);
  std::size_t queued_count = 0;
  for (const std::string& heard : played.heard) {
    for (std::size_t at = heard.find("queued as"); at != std::string::npos;
         at = heard.find("queued as", at + 1)) {
      ++queued_count;
    }
  }
  REQUIRE(queued_count == played.messages.size());
}

}  // namespace

TEST_CASE("random: any cut of any input gives the same replies, counts and messages") {
  std::mt19937 random(Catch::getSeed());
  for (int round = 0; round < 400; ++round) {
    INFO("round " << round);
    const Dialogue dialogue = random_dialogue(random);
    const Played whole = play(dialogue);
    require_books_to_agree(whole);
    for (const std::size_t piece_bytes : {1u, 2u, 3u, 7u, 64u, 100u}) {
      INFO("pieces of " << piece_bytes);
      require_same(whole, play(dialogue, [piece_bytes](Bytes octets, const auto& take) {
                     for (std::size_t at = 0; at < octets.size(); at += piece_bytes) {
                       take(octets.substr(at, piece_bytes));
                     }
                   }));
    }
  }
}
