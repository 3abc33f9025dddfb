// The problem: every octet of content passes here, in pieces that end anywhere, and the end of data
// must be CRLF "." CRLF and nothing that looks like it. The idea: where CR and LF stand in up to 64
// octets are bits of two words, so that bare ones and the starts of lines come from shifts; only a
// dot that begins a line is followed octet by octet. Content goes to the observer in the longest
// pieces that the dots leave. Limits: what is wrong is counted, not located.
#include "engine/server/content_scan.h"

#include <algorithm>
#include <bit>

#include "engine/server/mailbox_syntax.h"
#include <ringpost/limits.h>

namespace ringpost::server {

namespace {

constexpr std::size_t block_bytes_max = 64;
constexpr std::uint64_t text_line_bytes_max = limits::content_line_bytes_max + 2;  // with its CRLF

// Nearly always none, and without -mpopcnt counting is a call.
std::uint64_t count_bits(std::uint64_t mask) {
  return mask == 0 ? 0 : static_cast<std::uint64_t>(std::popcount(mask));
}

std::uint64_t lowest_bits(std::size_t count) {
  return count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

bool bit_at(std::uint64_t mask, std::size_t at) { return ((mask >> at) & 1) != 0; }

}  // namespace

void ContentScan::begin(Framing framing) {
  facts_ = {};
  framing_ = framing;
  dot_ = Dot::none;
  after_cr_ = false;
  at_line_start_ = true;
  line_bytes_ = 0;
}

std::size_t ContentScan::feed(Bytes octets, ServerObserver* observer) {
  std::size_t at = 0;
  std::size_t told = 0;  // content before this was handed to the observer, or is no content
  const auto tell = [&] {
    if (observer != nullptr && told < at) {
      observer->on_content(octets.substr(told, at - told));
    }
  };
  while (at < octets.size() && dot_ != Dot::ended) {
    if (dot_ == Dot::none) {
      at += scan_block(octets.substr(at, block_bytes_max));
      if (dot_ == Dot::dot) {
        tell();
        told = ++at;  // the dot itself
      }
    } else {
      const std::size_t taken = behind_dot(octets[at], observer);
      at += taken;
      told += taken;
    }
  }
  tell();
  return at;
}

// Takes octets up to a dot that begins a line. Such a dot sets dot_ and is not counted in.
std::size_t ContentScan::scan_block(Bytes octets) {
  const OctetMasks masks = octet_masks(octets.data(), octets.size());
  const std::uint64_t behind_cr = masks.cr << 1 | (after_cr_ ? 1u : 0u);
  if (framing_ == Framing::dot) {
    std::uint64_t line_starts = (masks.lf & behind_cr) << 1 | (at_line_start_ ? 1u : 0u);
    line_starts &= lowest_bits(octets.size());
    for (; line_starts != 0; line_starts &= line_starts - 1) {
      const auto at = static_cast<std::size_t>(std::countr_zero(line_starts));
      if (octets[at] == '.') {
        dot_ = Dot::dot;
        octets = octets.substr(0, at);
        break;
      }
    }
  }
  if (!octets.empty()) {
    account(octets, masks, behind_cr);
  }
  return octets.size();
}

// `octets` may be less than what the masks were made of.
void ContentScan::account(Bytes octets, const OctetMasks& masks, std::uint64_t behind_cr) {
  const std::uint64_t valid = lowest_bits(octets.size());
  facts_.bytes += octets.size();
  facts_.bare_lf += count_bits(masks.lf & ~behind_cr & valid);
  facts_.bare_cr += count_bits(behind_cr & ~masks.lf & valid);
  if (masks.has_nul) {
    facts_.nul += static_cast<std::uint64_t>(std::count(octets.begin(), octets.end(), '\0'));
  }
  if (masks.has_eight_bit && !facts_.eight_bit) {
    facts_.eight_bit = !is_ascii(octets);
  }
  account_lines(masks.lf & valid, octets.size());
  at_line_start_ = bit_at(masks.lf & behind_cr, octets.size() - 1);
  after_cr_ = bit_at(masks.cr, octets.size() - 1);
}

// Only the first line end of a block can end a long line: the others are at most a block away from
// it.
void ContentScan::account_lines(std::uint64_t line_ends, std::size_t count) {
  if (line_ends == 0) {
    line_bytes_ += count;
    return;
  }
  line_bytes_ += static_cast<std::uint64_t>(std::countr_zero(line_ends)) + 1;
  facts_.long_lines += line_bytes_ > text_line_bytes_max ? 1 : 0;
  line_bytes_ = count - static_cast<std::size_t>(std::bit_width(line_ends));
}

// Decides what a dot at the start of a line was. Returns 1 when it took the octet, 0 when the octet
// is ordinary content.
std::size_t ContentScan::behind_dot(char octet, ServerObserver* observer) {
  if (dot_ == Dot::dot && octet == '\r') {
    dot_ = Dot::dot_cr;
    return 1;
  }
  if (dot_ == Dot::dot_cr && octet == '\n') {
    dot_ = Dot::ended;
    return 1;
  }
  // RFC 5321 4.5.2: the dot goes, whatever follows. A client that stuffs has put a second one
  // there.
  if (dot_ == Dot::dot_cr) {
    ++facts_.unstuffed_dots;
    ++facts_.bytes;
    line_bytes_ = 1;
    after_cr_ = true;
    if (observer != nullptr) {
      observer->on_content("\r");
    }
  } else {
    facts_.unstuffed_dots += octet != '.' ? 1 : 0;
    after_cr_ = false;
  }
  at_line_start_ = false;
  dot_ = Dot::none;
  return 0;
}

void ContentScan::finish() {
  facts_.bare_cr += after_cr_ ? 1 : 0;
  facts_.long_lines += line_bytes_ > limits::content_line_bytes_max ? 1 : 0;
  after_cr_ = false;
  line_bytes_ = 0;
}

}  // namespace ringpost::server
