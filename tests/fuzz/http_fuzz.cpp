// tools/serve/http: however the octets of a client are cut, he is told the same, and the same jobs
// are taken; each message that was taken is told of once; whatever was lent of the budget is back
// in the end.
//
// Input: an octet for the size of the parts, one for how many messages there is room for, then what
// the client says.
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/fuzz/fuzz_input.h"
#include "tests/tools/serve/http/http_support.h"

using namespace ringpost;

namespace {

struct Heard {
  std::string answers;
  std::vector<std::string> ids;  // of messages that were taken

  bool operator==(const Heard&) const = default;
};

// Everything is said, then everything is decided, as long as either does anything.
Heard hear(const std::string& octets, std::size_t part, std::size_t room) {
  Heard heard;
  http::ByteBudget budget;
  {
    http::HeldClient client;
    client.setup.exchange.budget = &budget;
    client.taker.most = room;
    client.say(octets, part);
    // Each round at least one message is decided, and each has taken some octets.
    for (std::size_t rounds = 0; rounds <= octets.size() && client.taker.size() > 0; ++rounds) {
      while (client.taker.size() > 0) {
        heard.ids.push_back(client.taker.message(0).id);
        client.taker.decide(Status::accepted, 250, "ok");
      }
      client.pump();
      client.wait(http::room_look_every);
      client.go_on_saying();
    }
    if (client.unsaid.empty()) {
      client.end();
    }
    heard.answers = client.heard;
  }
  RP_ASSERT(budget.left() == http::bytes_waiting_max);
  return heard;
}

// In chunks an answer may come in others: their sizes are no part of what is said.
std::string without_sizes(const std::string& answers) {
  std::string kept;
  for (std::size_t at = 0; at < answers.size();) {
    const std::size_t end = std::min(answers.find("\r\n", at), answers.size());
    const Bytes line = Bytes(answers).substr(at, end - at);
    const bool is_size =
        line.size() <= 8 && line.find_first_not_of("0123456789abcdef") == Bytes::npos;
    if (!is_size) {
      kept += line;
    }
    at = std::min(end + 2, answers.size());
  }
  return kept;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const std::size_t part = 1 + input.octet();
  const std::size_t room = 1 + input.octet();
  const std::string octets = fuzz::own_copy(input.rest());
  Heard whole = hear(octets, http::read_bytes, room);
  Heard parts = hear(octets, part, room);
  RP_ASSERT(whole.ids == parts.ids);
  RP_ASSERT(without_sizes(whole.answers) == without_sizes(parts.answers));
  return 0;
}
