// What became of one recipient of one job. Users store these words: they are only ever added to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <ringpost/base.h>

namespace ringpost {

// See docs/CONTRACT.md section 3 for the promise behind each word.
enum class Status : std::uint8_t {
  accepted,  // a 2xx to this very message's end of data was read
  rejected,  // 5xx for this recipient or message
  deferred,  // 4xx, and no attempt is left
  unsent,    // its end of data was never handed to the kernel: safe to send again
  unknown,   // end of data was handed over and no reply was read: it may have been accepted
  invalid,   // refused before any byte of it was sent
  expired,   // over age, with the last reply
  skipped,   // left out on purpose
};
inline constexpr std::size_t status_count = 8;

// How far the message had come when its fate was decided.
enum class Stage : std::uint8_t {
  local,
  connect,
  greeting,
  ehlo,
  starttls,
  tls,
  auth,
  mail,
  rcpt,
  data,
  eod,
};
inline constexpr std::size_t stage_count = 11;

// An enhanced status code (RFC 3463). All zero means that the server gave none.
struct EnhancedStatus {
  std::uint8_t status_class = 0;  // 2, 4 or 5
  std::uint16_t subject = 0;
  std::uint16_t detail = 0;

  [[nodiscard]] bool present() const { return status_class != 0; }
  bool operator==(const EnhancedStatus&) const = default;
};

// The fate of a recipient. A plain value; strings keep their capacity when a job is reused.
struct Outcome {
  Status status = Status::unsent;
  Stage stage = Stage::local;
  std::uint16_t code = 0;  // the server's own number; 0 when no reply decided it
  EnhancedStatus enhanced;
  std::string text;  // the server's own words, as received, without codes; lines joined by a space
  std::string reason;    // our words, when no reply says it all; for people
  std::string queue_id;  // what the server called the message, when it said
  std::uint32_t attempts = 0;
  std::int64_t timestamp_us = 0;  // Unix time of the decision
  // Milliseconds of waiting for a session, of the transaction, and of both.
  float queue_ms = 0;
  float submit_ms = 0;
  float total_ms = 0;
  std::uint32_t endpoint = 0;  // index into the engine's endpoints
  std::string peer;            // address and port of the server, empty when none was reached

  RINGPOST_API void clear();
};

// The contract's words.
[[nodiscard]] RINGPOST_API std::string_view name_of(Status status);
[[nodiscard]] RINGPOST_API std::string_view name_of(Stage stage);

}  // namespace ringpost
