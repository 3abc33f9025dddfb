// Which port of an endpoint is used, where it has several.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/address_book.h"
#include "engine/protocol/close_reason.h"
#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::engine {

// How a session ended before it was let in, where another port may do better; and everything else,
// which is no matter of ports.
enum class PortEnd : std::uint8_t {
  not_connected,  // refused, unreachable, or no answer at any address
  not_greeted,    // connected, and silence, an end without a word, or no SMTP
  no_tls,         // TLS failed before a certificate was judged
  no_starttls,    // not announced, or refused
  other,          // what the server said, and what its certificate is
};
// `certificate_was_judged`: where TLS failed, whether that was about the certificate.
[[nodiscard]] PortEnd port_end_of(const protocol::CloseReason& reason, bool certificate_was_judged);
// Whether it may be otherwise at another port of the same host. A server that speaks says the same
// at each of them, and a certificate that is wrong is wrong.
[[nodiscard]] constexpr bool another_port_may_help(PortEnd end) { return end != PortEnd::other; }
// A clause that goes on with "on 587".
[[nodiscard]] std::string_view text_of(PortEnd end);

// The ports are tried in their order, all of them once a round; the first one that lets a session
// in stays for the run, but for long trouble. Pure; told the time.
class PortChoice {
 public:
  enum class Next : std::uint8_t {
    stay,     // this port, after whatever pause is due
    another,  // current() is another one now: at once
    round,    // all have been tried: the first one again, after a pause
  };

  // At least one.
  explicit PortChoice(std::vector<PortOption> ports);

  [[nodiscard]] const PortOption& current() const { return ports_[current_]; }
  // Whether another one is next where nothing comes of this one: nobody waits long for it.
  [[nodiscard]] bool has_next() const;

  // A session at one of its addresses was not let in.
  void failed(PortEnd end);
  // None of its addresses let one in; what their servers said.
  [[nodiscard]] Next ended(AddressBook::Answer answer, Instant now);
  // What those of all ports of the round said that ended() has finished.
  [[nodiscard]] AddressBook::Answer answer_of_round() const { return answer_of_last_round_; }
  // A session was let in. What to tell of that: once, and where it is not what was wanted first.
  [[nodiscard]] std::optional<std::string> served();

  struct PassedOver {
    std::uint16_t port = 0;
    PortEnd end = PortEnd::other;
  };
  // The others that were tried in vain before this one served; empty as long as none has.
  [[nodiscard]] std::vector<PassedOver> passed_over() const;
  // All that nothing came of, behind a round in vain:
  // "no connection came about on 587, 2525; no TLS came about on 465".
  [[nodiscard]] std::string explanation() const;

 private:
  [[nodiscard]] Next move_on();

  std::vector<PortOption> ports_;
  std::vector<std::optional<PortEnd>> ends_;  // of each port, the latest
  std::vector<bool> is_tried_;                // in this round
  std::size_t current_ = 0;
  std::size_t told_ = 0;           // the one that users believe in
  bool is_settled_ = false;        // it has served
  bool has_spoken_ = false;        // somebody at the current one has, since it is tried
  Instant trouble_since_ = never;  // nothing came about on the settled one
  AddressBook::Answer answer_ = AddressBook::Answer::none;  // of this round, so far
  AddressBook::Answer answer_of_last_round_ = AddressBook::Answer::none;
};

}  // namespace ringpost::engine
