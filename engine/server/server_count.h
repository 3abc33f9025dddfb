// What a server counts: its traffic, and everything a client did that the RFCs forbid.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringpost::server {

enum class Count : std::uint8_t {
  sessions,            // connections accepted
  sessions_refused,    // of them, turned away because too many were open
  sessions_lost,       // of them, ended by the client without QUIT
  sessions_timed_out,  // of them, ended by us because the client was silent
  tls_sessions,        // handshakes completed
  tls_resumed,         // of them, with a ticket
  tls_failed,          // handshakes and streams that broke
  auth_succeeded,
  auth_failed,
  commands,         // lines taken as commands, refused ones included
  senders_refused,  // MAIL answered 4xx or 5xx because of the address
  recipients_accepted,
  recipients_refused,   // RCPT answered 5xx because of the address
  recipients_deferred,  // RCPT answered 4xx because of the address
  messages_accepted,    // end of data answered 250
  messages_refused,     // end of data answered 5xx
  messages_deferred,    // end of data answered 4xx
  content_bytes,        // of accepted messages, dot-stuffing taken off
  sessions_reset,       // ended by a fault, with a reset
  messages_ahead,       // MAIL came while the end of data before it was not answered
};
inline constexpr std::size_t count_count = 20;

// Everything here is the client's mistake, counted once an occurrence whatever the reply was.
enum class Violation : std::uint8_t {
  bare_lf,                    // RFC 5321 2.3.8: lines end with CRLF only
  bare_cr,                    // RFC 5321 2.3.8
  nul,                        // RFC 5321 4.5.2, RFC 5322 2.2
  long_command_line,          // RFC 5321 4.5.3.1.4 and the extensions' increments
  long_content_line,          // RFC 5321 4.5.3.1.6
  stuffing,                   // RFC 5321 4.5.2: a line began with a single dot
  pipelining,                 // RFC 2920 3.1: sent before a reply that had to be awaited
  sequence,                   // RFC 5321 4.1.4: a command where it can never be right
  syntax,                     // not the grammar of RFC 5321 4.1.2, or not a command
  unannounced,                // RFC 5321 2.2.1: command or parameter of an extension not offered
  undeclared_8bit,            // RFC 6152: 8-bit content without BODY=8BITMIME
  undeclared_utf8,            // RFC 6531 3.4: non-ASCII address without SMTPUTF8
  size_mismatch,              // RFC 1870 3: SIZE= is not what came
  plaintext_behind_starttls,  // RFC 3207 4: octets before the handshake
  unauthenticated,            // RFC 6409 4.3: MAIL without AUTH, and none was tried
  unread_replies,             // RFC 2920 3.1: went on sending and never read
};
inline constexpr std::size_t violation_count = 16;

// Words of the summary; they are only ever added to.
[[nodiscard]] std::string_view name_of(Count count);
[[nodiscard]] std::string_view name_of(Violation violation);

// Plain numbers, that many sessions of one thread add to. No calls: a message is counted a dozen
// times.
struct ServerCounts {
  std::array<std::uint64_t, count_count> counts{};
  std::array<std::uint64_t, violation_count> violations{};

  void add(Count count, std::uint64_t amount = 1) {
    counts[static_cast<std::size_t>(count)] += amount;
  }
  void add(Violation violation, std::uint64_t amount = 1) {
    violations[static_cast<std::size_t>(violation)] += amount;
  }
  [[nodiscard]] std::uint64_t operator[](Count count) const {
    return counts[static_cast<std::size_t>(count)];
  }
  [[nodiscard]] std::uint64_t operator[](Violation violation) const {
    return violations[static_cast<std::size_t>(violation)];
  }
  [[nodiscard]] std::uint64_t violations_total() const;
};

}  // namespace ringpost::server
