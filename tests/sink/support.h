// Plays whole dialogues to a server session, cut into pieces at any place.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/server/server_session.h"
#include "tools/sink/sink_observer.h"
#include "tools/sink/sink_options.h"

namespace ringpost::sink::test {

using server::is_end;
using server::Next;
using server::ReplyQueue;
using server::ServerOptions;
using server::ServerSession;
using server::SessionPolicy;

// As a sink has them.
[[nodiscard]] inline ServerOptions sink_session_options() { return SinkOptions().session; }

// What the client sends in one go, and all that it reads before it goes on.
struct Exchange {
  std::string says;
  std::string hears;
};

// What it hears when nothing is wrong.
inline const std::string mail_ok = "250 2.1.0 Ok\r\n";
inline const std::string rcpt_ok = "250 2.1.5 Ok\r\n";
inline const std::string go_ahead = "354 Go ahead, and end with a lone dot\r\n";
inline const std::string ok = "250 2.0.0 Ok\r\n";
[[nodiscard]] inline std::string queued(int message = 1) {
  return "250 2.0.0 Ok: queued as 7-" + std::to_string(message) + "\r\n";
}

// An accepted message, as an observer saw it.
struct TakenMessage {
  std::string sender;
  std::string recipients;  // with a LF behind each
  std::string content;
  std::string user;
  std::string tls_version;
  std::uint64_t bytes = 0;
  bool chunked = false;
};

class CollectingObserver final : public MessageObserver {
 public:
  void content(Bytes octets) override { content_.append(octets); }
  void accepted(const AcceptedMessage& message) override;
  void discarded() override {
    content_.clear();
    ++discarded_count;
  }

  std::vector<TakenMessage> messages;
  int discarded_count = 0;

 private:
  std::string content_;
};

// A session as a sink has it, of number 7 unless told otherwise.
class SinkSession {
 public:
  explicit SinkSession(const ServerOptions& options, SessionPolicy policy = {},
                       const FaultOptions& faults = {}, MessageObserver* messages = nullptr);

  Tally tally;
  ReplyQueue replies;

 private:
  const ServerOptions options_;
  const FaultOptions faults_;
  const AccountOptions account_;
  SinkAccounts accounts_;
  const server::ServerSetup setup_;
  SinkObserver observer_;

 public:
  ServerSession session;
};

struct Dialogue {
  ServerOptions options = sink_session_options();
  SessionPolicy policy{.starttls = false, .auth_in_clear = true, .auth_required = false};
  std::string tls_version{};  // not empty: TLS was there from the start
  std::vector<Exchange> exchanges{};
  FaultOptions faults{};
};

struct Played {
  std::vector<std::string> heard;  // by exchange; the greeting is not in it
  std::vector<TakenMessage> messages;
  Tally tally;
  Next next = Next::receive;
  bool has_quit = false;
};

// Cuts the octets of an exchange: calls the second argument for each piece.
using Cut = std::function<void(Bytes, const std::function<void(Bytes)>&)>;

[[nodiscard]] Played play(const Dialogue& dialogue, const Cut& cut);
[[nodiscard]] Played play(const Dialogue& dialogue);

// Replies, counts and messages are the same.
void require_same(const Played& whole, const Played& other);

// Plays it whole, octet by octet, and with each exchange cut once at every place; requires that the
// replies are the expected ones and that nothing depends on the cut. Returns the whole one.
Played require_dialogue(const Dialogue& dialogue);

}  // namespace ringpost::sink::test
