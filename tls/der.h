// Just enough of DER (X.690) to read the names of a certificate and to write one.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include <ringpost/base.h>

namespace ringpost::tls::der {

// Identifier octets of the types that are used here.
inline constexpr std::uint8_t boolean = 0x01;
inline constexpr std::uint8_t integer = 0x02;
inline constexpr std::uint8_t bit_string = 0x03;
inline constexpr std::uint8_t octet_string = 0x04;
inline constexpr std::uint8_t object_identifier = 0x06;
inline constexpr std::uint8_t utf8_string = 0x0c;
inline constexpr std::uint8_t utc_time = 0x17;
inline constexpr std::uint8_t generalized_time = 0x18;
inline constexpr std::uint8_t sequence = 0x30;
inline constexpr std::uint8_t set = 0x31;

// [number] as RFC 5280 uses it: of something primitive, and of something with elements inside.
constexpr std::uint8_t context(std::uint8_t number) {
  return static_cast<std::uint8_t>(0x80 | number);
}
constexpr std::uint8_t context_constructed(std::uint8_t number) {
  return static_cast<std::uint8_t>(0xa0 | number);
}

struct Element {
  std::uint8_t tag = 0;
  Bytes content;  // a view of what was read
};

// Takes one element off the front of `rest`. Nothing, with `rest` untouched, when its length is
// malformed, not the shortest form, or larger than what is there.
[[nodiscard]] std::optional<Element> take(Bytes& rest);

// The same, and nothing unless it has this tag.
[[nodiscard]] std::optional<Bytes> take(Bytes& rest, std::uint8_t tag);

// One element with this content, or with these elements one behind the other.
[[nodiscard]] std::string make(std::uint8_t tag, Bytes content);
[[nodiscard]] std::string make(std::uint8_t tag, std::initializer_list<Bytes> elements);

}  // namespace ringpost::tls::der
