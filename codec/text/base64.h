// Base64 (RFC 4648 section 4), the standard alphabet with padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

// Whether ASCII white space between the characters is passed over (RFC 2045 6.8 writes lines of
// 76).
enum class Base64Space : std::uint8_t { refused, skipped };

// Where decoding stopped.
struct Base64Error {
  std::size_t offset =
      0;  // of the first octet that may not stand there; text.size() when the end is cut
};

// Octets that encoding `bytes` takes.
[[nodiscard]] constexpr std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

// Appends `bytes` as one run of characters.
void append_base64(std::string& out, Bytes bytes);

// Appends `bytes` in lines of 76 characters with CRLF between the lines and behind the last.
// RFC 2045 6.8.
void append_base64_lines(std::string& out, Bytes bytes);

// Appends what `text` stands for. Strict: padding is required, and the bits behind the last octet
// must be zero, so that no two texts mean the same octets. On error `out` is as before.
[[nodiscard]] Result<void, Base64Error> decode_base64(Bytes text, Base64Space space,
                                                      std::string& out);

}  // namespace ringpost::codec
