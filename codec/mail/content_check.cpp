// One pass finds out everything about a message's line ends, 64 octets at a time: where CR, LF and
// dots stand is kept as bits of a word each, so that "every LF follows a CR, and every CR is
// followed by an LF" is one shift and one exclusive or, and a line's length is looked at once for
// each 64 octets.
//
// Only when that pass finds an offence is the text walked a second time, octet by octet, to say
// where. Rejected: memchr for each line end (lines of 70 octets make it four times slower), and
// converting while unescaping JSON (the unescaper is simdjson's own).
#include "codec/mail/content_check.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "codec/text/lexical_token.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr std::size_t block_bytes = 64;

// Bit n is about octet n of a block.
struct BlockMasks {
  std::uint64_t cr = 0;
  std::uint64_t lf = 0;
  std::uint64_t dot = 0;
  std::uint64_t high = 0;  // from 0x80 up
  std::uint64_t nul = 0;
};

#ifdef __SSE2__

struct Block {
  __m128i part[4];
};

std::uint64_t sign_bits(const Block& block) {
  std::uint64_t bits = 0;
  for (int index = 3; index >= 0; --index) {
    bits = bits << 16 | static_cast<std::uint32_t>(_mm_movemask_epi8(block.part[index]));
  }
  return bits;
}

std::uint64_t equal_bits(const Block& block, char character) {
  const __m128i wanted = _mm_set1_epi8(character);
  return sign_bits(
      {{_mm_cmpeq_epi8(block.part[0], wanted), _mm_cmpeq_epi8(block.part[1], wanted),
        _mm_cmpeq_epi8(block.part[2], wanted), _mm_cmpeq_epi8(block.part[3], wanted)}});
}

// NULs and high bits are rare and only asked for as a whole: one mask stands for four octets each.
inline BlockMasks masks_of(const char* octets) {
  Block block;
  for (std::size_t index = 0; index < 4; ++index) {
    block.part[index] =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(octets + index * sizeof(__m128i)));
  }
  const __m128i all_or = _mm_or_si128(_mm_or_si128(block.part[0], block.part[1]),
                                      _mm_or_si128(block.part[2], block.part[3]));
  const __m128i zero = _mm_setzero_si128();
  const __m128i nuls = _mm_or_si128(
      _mm_or_si128(_mm_cmpeq_epi8(block.part[0], zero), _mm_cmpeq_epi8(block.part[1], zero)),
      _mm_or_si128(_mm_cmpeq_epi8(block.part[2], zero), _mm_cmpeq_epi8(block.part[3], zero)));
  BlockMasks masks;
  masks.cr = equal_bits(block, '\r');
  masks.lf = equal_bits(block, '\n');
  masks.dot = equal_bits(block, '.');
  masks.high = static_cast<std::uint32_t>(_mm_movemask_epi8(all_or));
  masks.nul = static_cast<std::uint32_t>(_mm_movemask_epi8(nuls));
  return masks;
}

// The same with vectors twice as wide, for processors that have them.
[[gnu::target("avx2")]] inline std::uint64_t equal_bits_wide(__m256i low, __m256i high,
                                                             __m256i wanted) {
  const auto below =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)));
  const auto above =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)));
  return std::uint64_t{above} << 32 | below;
}

[[gnu::target("avx2")]] inline BlockMasks masks_wide(const char* octets) {
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(octets));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(octets) + 1);
  const __m256i zero = _mm256_setzero_si256();
  const __m256i nuls = _mm256_or_si256(_mm256_cmpeq_epi8(low, zero), _mm256_cmpeq_epi8(high, zero));
  BlockMasks masks;
  masks.cr = equal_bits_wide(low, high, _mm256_set1_epi8('\r'));
  masks.lf = equal_bits_wide(low, high, _mm256_set1_epi8('\n'));
  masks.dot = equal_bits_wide(low, high, _mm256_set1_epi8('.'));
  masks.high = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_or_si256(low, high)));
  masks.nul = static_cast<std::uint32_t>(_mm256_movemask_epi8(nuls));
  return masks;
}

#else

BlockMasks masks_of(const char* block) {
  BlockMasks masks;
  for (std::size_t index = 0; index < block_bytes; ++index) {
    const std::uint64_t bit = std::uint64_t{1} << index;
    masks.cr |= block[index] == '\r' ? bit : 0;
    masks.lf |= block[index] == '\n' ? bit : 0;
    masks.dot |= block[index] == '.' ? bit : 0;
    masks.nul |= block[index] == '\0' ? bit : 0;
    masks.high |= (static_cast<std::uint8_t>(block[index]) & 0x80U) != 0 ? bit : 0;
  }
  return masks;
}

#endif

// What is left behind the last whole block, filled up with an octet that none of the masks is
// about.
struct LastBlock {
  explicit LastBlock(Bytes rest) {
    std::memset(octets, 'x', sizeof octets);
    std::memcpy(octets, rest.data(), rest.size());
  }
  char octets[block_bytes];
};

// Puts the masks of all blocks together.
class LineScanner {
 public:
  void take(const BlockMasks& masks) {
    cr_ |= masks.cr;
    lf_ |= masks.lf;
    nul_ |= masks.nul;
    high_ |= masks.high;
    unpaired_ |= masks.lf ^ (masks.cr << 1 | ends_with_cr_);
    leading_dot_ |= masks.dot & (masks.lf << 1 | ends_with_lf_);
    ends_with_cr_ = masks.cr >> 63;
    ends_with_lf_ = masks.lf >> 63;
    if (masks.lf != 0) {
      // Only the first line end of a block can close a line longer than a block.
      const auto first = static_cast<std::size_t>(std::countr_zero(masks.lf));
      longest_ = std::max(longest_, offset_ + first - line_begin_);
      line_begin_ = offset_ + block_bytes - static_cast<std::size_t>(std::countl_zero(masks.lf));
    }
    offset_ += block_bytes;
  }

  [[nodiscard]] LineScan result(std::size_t text_bytes) const {
    LineScan scan;
    scan.has_nul = nul_ != 0;
    scan.has_cr = cr_ != 0;
    scan.has_lf = lf_ != 0;
    scan.has_unpaired = unpaired_ != 0 || ends_with_cr_ != 0;
    scan.has_8bit = high_ != 0;
    scan.has_leading_dot = leading_dot_ != 0;
    scan.longest_ended_bytes = longest_;
    scan.last_line_bytes = text_bytes - line_begin_;
    return scan;
  }

 private:
  std::uint64_t cr_ = 0;
  std::uint64_t lf_ = 0;
  std::uint64_t nul_ = 0;
  std::uint64_t high_ = 0;
  std::uint64_t unpaired_ = 0;
  std::uint64_t leading_dot_ = 0;
  std::uint64_t ends_with_cr_ = 0;
  std::uint64_t ends_with_lf_ = 1;  // a dot at the very beginning leads a line
  std::size_t longest_ = block_bytes;
  std::size_t line_begin_ = 0;
  std::size_t offset_ = 0;
};

// Walks over the text for the first offence. Precondition: there is one.
class OffenceFinder {
 public:
  OffenceFinder(Bytes text, NewlinePolicy policy, std::size_t line_bytes_max)
      : text_(text), policy_(policy), line_bytes_max_(line_bytes_max) {}

  ContentError find() {
    for (offset_ = 0; offset_ < text_.size(); ++offset_) {
      const std::optional<ContentErrorKind> kind = offence_here();
      if (kind) {
        return {*kind, offset_, line_};
      }
    }
    RP_ASSERT(offset_ < text_.size());  // the scan saw an offence, so there is one
    return {};
  }

 private:
  std::optional<ContentErrorKind> offence_here() {
    switch (text_[offset_]) {
      case '\0':
        return ContentErrorKind::nul;
      case '\r':
        if (offset_ + 1 == text_.size() || text_[offset_ + 1] != '\n') {
          return ContentErrorKind::bare_cr;
        }
        if (seen_lone_lf_) {
          return ContentErrorKind::mixed_newlines;
        }
        seen_crlf_ = true;
        ++offset_;
        next_line();
        return std::nullopt;
      case '\n':
        if (policy_ == NewlinePolicy::strict) {
          return ContentErrorKind::bare_lf;
        }
        if (seen_crlf_) {
          return ContentErrorKind::mixed_newlines;
        }
        seen_lone_lf_ = true;
        next_line();
        return std::nullopt;
      default:
        if (offset_ - line_begin_ >= line_bytes_max_) {
          return ContentErrorKind::line_too_long;
        }
        return std::nullopt;
    }
  }

  void next_line() {
    line_begin_ = offset_ + 1;
    ++line_;
  }

  Bytes text_;
  NewlinePolicy policy_;
  std::size_t line_bytes_max_;
  std::size_t offset_ = 0;
  std::size_t line_begin_ = 0;
  std::size_t line_ = 1;
  bool seen_crlf_ = false;
  bool seen_lone_lf_ = false;
};

// Turns each LF into CRLF, from the end to the beginning, so that no octet is written over unread.
void expand_newlines(std::string& text) {
  std::size_t unread = text.size();
  const auto newlines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  text.resize(unread + newlines);
  char* const begin = text.data();
  std::size_t written = text.size();
  while (written != unread) {
    const auto newline =
        static_cast<std::size_t>(static_cast<const char*>(memrchr(begin, '\n', unread)) - begin);
    const std::size_t rest = unread - (newline + 1);
    written -= rest;
    std::memmove(begin + written, begin + newline + 1, rest);
    begin[--written] = '\n';
    begin[--written] = '\r';
    unread = newline;
  }
}

// Without its line end, CRLF or LF.
std::size_t longest_line(const LineScan& scan) {
  const bool uses_crlf = scan.has_lf && !scan.has_unpaired;
  return std::max(scan.longest_ended_bytes - (uses_crlf ? 1 : 0), scan.last_line_bytes);
}

// Of text whose lines end with CRLF now, by what was found out about it before.
ContentTraits traits_of(Bytes text, const LineScan& scan, std::size_t longest_line_bytes) {
  ContentTraits traits;
  if (text.empty()) {
    return traits;
  }
  const std::size_t line_end = text.find('\n');
  traits.bytes = text.size();
  traits.has_line_end = line_end != Bytes::npos;
  traits.first_line_bytes =
      static_cast<std::uint32_t>(traits.has_line_end ? line_end - 1 : text.size());
  traits.last_line_bytes = static_cast<std::uint32_t>(scan.last_line_bytes);
  traits.longest_line_bytes = static_cast<std::uint32_t>(std::max(longest_line_bytes, block_bytes));
  traits.has_8bit = scan.has_8bit;
  traits.begins_with_dot = text.front() == '.';
  traits.has_leading_dot = traits.begins_with_dot ? text.find("\n.") != Bytes::npos  // rare
                                                  : scan.has_leading_dot;
  return traits;
}

Result<ContentTraits, ContentError> canonicalise_lines(std::string& text, NewlinePolicy policy,
                                                       std::size_t line_bytes_max) {
  const LineScan scan = scan_lines(text);
  const bool uses_lone_lf = scan.has_unpaired && !scan.has_cr;
  const std::size_t longest = longest_line(scan);
  const bool newlines_fit =
      !scan.has_unpaired || (uses_lone_lf && policy == NewlinePolicy::normalize);
  if (scan.has_nul || !newlines_fit || longest > line_bytes_max) {
    return Failure(OffenceFinder(text, policy, line_bytes_max).find());
  }
  if (uses_lone_lf) {
    expand_newlines(text);
  }
  return traits_of(text, scan, longest);
}

Bytes words_for(ContentErrorKind kind) {
  switch (kind) {
    case ContentErrorKind::nul:
      return "a NUL octet";
    case ContentErrorKind::bare_cr:
      return "a CR without an LF behind it";
    case ContentErrorKind::bare_lf:
      return "an LF without a CR before it";
    case ContentErrorKind::mixed_newlines:
      return "some lines end with CRLF and some with a lone LF";
    case ContentErrorKind::line_too_long:
      return "a line of more than 998 octets";
  }
  return {};
}

// Files that have been taken for messages, by their first octets.
Bytes kind_of_file(Bytes content) {
  constexpr std::array<std::pair<Bytes, Bytes>, 9> kinds = {
      {{"%PDF", "a PDF file"},
       {"PK\x03\x04", "a ZIP archive or an Office document"},
       {"\xd0\xcf\x11\xe0", "an Outlook message or an old Office document"},
       {"\x1f\x8b", "a gzip file"},
       {"(\xb5\x2f\xfd", "a zstd file"},
       {"\x89PNG", "a picture"},
       {"\xff\xd8\xff", "a picture"},
       {"<", "HTML or XML"},
       {"{", "JSON or RTF"}}};
  for (const auto& [begin, kind] : kinds) {
    if (content.starts_with(begin)) {
      return kind;
    }
  }
  return {};
}

// `Name:`, and the blanks that RFC 5322 4.5 has in front of the colon. A name may begin with any
// printable character, and those of messages begin with a letter or digit.
bool begins_with_field(Bytes content) {
  const std::size_t colon = content.substr(0, content.find('\n')).find(':');
  if (colon == Bytes::npos || colon == 0 || !is_alphanumeric(content.front())) {
    return false;
  }
  const Bytes name = content.substr(0, content.substr(0, colon).find_last_not_of(" \t") + 1);
  return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::optional<std::string> why_no_message(Bytes content) {
  if (begins_with_field(content)) {
    return std::nullopt;
  }
  const Bytes line = content.substr(0, content.find('\n'));
  if (content.starts_with("\xef\xbb\xbf")) {
    return "line 1 begins with a byte order mark: take these three octets (EF BB BF) out";
  }
  if (content.starts_with("\xff\xfe") || content.starts_with("\xfe\xff")) {
    return "line 1 begins with a byte order mark of UTF-16: a message is ASCII or UTF-8";
  }
  if (line.find_first_not_of(" \t\r") == Bytes::npos) {
    return "line 1 is empty, so that all header fields would be text: take it out";
  }
  if (line.starts_with("From ") || line.starts_with(">From ")) {
    return "line 1 (\"From ...\") is what separates messages in a mailbox file, and no header "
           "field: "
           "take it out";
  }
  const Bytes kind = kind_of_file(content);
  return fmt::format(
      "line 1 is no header field (\"Name: value\"){}{}: a whole message is needed here; other "
      "files "
      "go into \"attachments\", text into \"text\" or \"html\"",
      kind.empty() ? "" : ", but begins ", kind);
}

LineScan scan_lines_scalar(Bytes text) {
  LineScan scan;
  std::size_t line_begin = 0;
  scan.longest_ended_bytes = block_bytes;
  for (std::size_t offset = 0; offset < text.size(); ++offset) {
    const char octet = text[offset];
    const bool after_cr = offset > 0 && text[offset - 1] == '\r';
    scan.has_nul = scan.has_nul || octet == '\0';
    scan.has_cr = scan.has_cr || octet == '\r';
    scan.has_lf = scan.has_lf || octet == '\n';
    scan.has_unpaired = scan.has_unpaired || (octet == '\n') != after_cr;
    scan.has_8bit = scan.has_8bit || (static_cast<std::uint8_t>(octet) & 0x80U) != 0;
    scan.has_leading_dot = scan.has_leading_dot || (octet == '.' && offset == line_begin);
    if (octet == '\n') {
      scan.longest_ended_bytes = std::max(scan.longest_ended_bytes, offset - line_begin);
      line_begin = offset + 1;
    }
  }
  scan.has_unpaired = scan.has_unpaired || (!text.empty() && text.back() == '\r');
  scan.last_line_bytes = text.size() - line_begin;
  return scan;
}

LineScan scan_lines_narrow(Bytes text) {
  LineScanner scanner;
  std::size_t offset = 0;
  for (; text.size() - offset >= block_bytes; offset += block_bytes) {
    scanner.take(masks_of(text.data() + offset));
  }
  if (offset < text.size()) {
    const LastBlock last(text.substr(offset));
    scanner.take(masks_of(last.octets));
  }
  return scanner.result(text.size());
}

#ifdef __SSE2__

namespace {

// The loop above once more: a function for these processors takes in no other one's code.
[[gnu::target("avx2")]] LineScan scan_lines_wide(Bytes text) {
  LineScanner scanner;
  std::size_t offset = 0;
  for (; text.size() - offset >= block_bytes; offset += block_bytes) {
    scanner.take(masks_wide(text.data() + offset));
  }
  if (offset < text.size()) {
    const LastBlock last(text.substr(offset));
    scanner.take(masks_wide(last.octets));
  }
  return scanner.result(text.size());
}

}  // namespace

LineScan scan_lines(Bytes text) {
  static const bool is_wide = __builtin_cpu_supports("avx2") != 0;
  return is_wide ? scan_lines_wide(text) : scan_lines_narrow(text);
}

#else

LineScan scan_lines(Bytes text) { return scan_lines_narrow(text); }

#endif

Result<ContentTraits, ContentError> canonicalise(std::string& content, NewlinePolicy policy) {
  return canonicalise_lines(content, policy, limits::content_line_bytes_max);
}

Result<ContentTraits, ContentError> canonicalise_text(std::string& text, NewlinePolicy policy) {
  return canonicalise_lines(text, policy, std::string::npos);
}

std::optional<ContentTraits> traits_of_canonical(Bytes text) {
  const LineScan scan = scan_lines(text);
  if (scan.has_nul || scan.has_unpaired) {
    return std::nullopt;
  }
  return traits_of(text, scan, longest_line(scan));
}

}  // namespace ringpost::codec

namespace ringpost {

std::string ContentError::message() const {
  return fmt::format("{} at octet {} (line {})", codec::words_for(kind), offset, line);
}

}  // namespace ringpost
