// Finds the end of a message's content, takes dot-stuffing off and notes what is wrong with it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/server/octet_masks.h"
#include "engine/server/server_observer.h"
#include <ringpost/base.h>

namespace ringpost::server {

// Of the content without dot-stuffing.
struct ContentFacts {
  std::uint64_t bytes = 0;    // RFC 1870 3: with every CRLF, without the terminating dot
  std::uint64_t bare_lf = 0;  // LF without CR
  std::uint64_t bare_cr = 0;  // CR without LF
  std::uint64_t nul = 0;
  std::uint64_t long_lines = 0;      // more than 998 octets and CRLF
  std::uint64_t unstuffed_dots = 0;  // lines of more than a dot that began with one single dot
  bool eight_bit = false;

  [[nodiscard]] bool is_text() const { return bare_lf == 0 && bare_cr == 0 && nul == 0; }
};

// How the end of data is told.
enum class Framing : std::uint8_t {
  dot,      // DATA: a line with nothing but a dot (RFC 5321 4.5.2)
  counted,  // BDAT: whoever calls feed() knows (RFC 3030 2)
};

// One message at a time; begin() makes it ready for the next. Any split of the octets over calls of
// feed() gives the same facts and the same content. Keeps no octet, allocates nothing.
class ContentScan {
 public:
  void begin(Framing framing);

  // Looks at octets up to the end of data and returns how many it took: all of them, unless
  // ended(). Content without stuffing goes to `observer`, when there is one.
  std::size_t feed(Bytes octets, ServerObserver* observer);

  // Framing::dot: CRLF "." CRLF has been seen.
  [[nodiscard]] bool ended() const { return dot_ == Dot::ended; }

  // Framing::counted: no octet follows. Judges what stands open at the end.
  void finish();

  [[nodiscard]] const ContentFacts& facts() const { return facts_; }
  [[nodiscard]] Framing framing() const { return framing_; }

 private:
  // What stands behind a CRLF, dot by dot.
  enum class Dot : std::uint8_t { none, dot, dot_cr, ended };

  std::size_t scan_block(Bytes octets);
  void account(Bytes octets, const OctetMasks& masks, std::uint64_t behind_cr);
  void account_lines(std::uint64_t line_ends, std::size_t count);
  std::size_t behind_dot(char octet, ServerObserver* observer);

  ContentFacts facts_;
  Framing framing_ = Framing::dot;
  Dot dot_ = Dot::none;
  bool after_cr_ = false;         // the last octet was CR
  bool at_line_start_ = true;     // the last two were CRLF, or there was none yet
  std::uint64_t line_bytes_ = 0;  // of the line that is not ended yet
};

}  // namespace ringpost::server
