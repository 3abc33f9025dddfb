// The problem: a CA writes its name as PrintableString into its own certificate and as UTF8String
// into those that it issues, in other case or with another blank, and both are the same name.
//
// The idea: a name is brought into one form, in which equal names are equal octets. It is the form
// that OpenSSL compares, so that the same chains are found here. Lengths stand in front of all
// parts, so that no two names have the same form by accident.
//
// Limits: only ASCII letters lose their case; RFC 4518 would have all of Unicode prepared.
#include "tls/distinguished_name.h"

#include <algorithm>
#include <array>

#include "codec/text/ascii.h"
#include "tls/der.h"
#include "tls/host_name.h"

namespace ringpost::tls {

namespace {

constexpr std::uint8_t numeric_string = 0x12;
constexpr std::uint8_t printable_string = 0x13;
constexpr std::uint8_t teletex_string = 0x14;
constexpr std::uint8_t ia5_string = 0x16;
constexpr std::uint8_t visible_string = 0x1a;
constexpr std::uint8_t universal_string = 0x1c;
constexpr std::uint8_t bmp_string = 0x1e;

constexpr std::size_t short_name_length_max = 64;
// Common name, organisational unit, organisation: what names a CA best comes first.
constexpr std::array<Bytes, 3> telling_attributes = {"\x55\x04\x03", "\x55\x04\x0b",
                                                     "\x55\x04\x0a"};

void append_utf8(std::string& text, std::uint32_t point) {
  const auto octet = [&text](std::uint32_t value) { text += static_cast<char>(value); };
  if (point < 0x80) {
    octet(point);
  } else if (point < 0x800) {
    octet(0xc0 | point >> 6);
    octet(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    octet(0xe0 | point >> 12);
    octet(0x80 | (point >> 6 & 0x3f));
    octet(0x80 | (point & 0x3f));
  } else {
    octet(0xf0 | point >> 18);
    octet(0x80 | (point >> 12 & 0x3f));
    octet(0x80 | (point >> 6 & 0x3f));
    octet(0x80 | (point & 0x3f));
  }
}

// Characters of `width` octets each, the highest octet first.
std::optional<std::string> from_wide(Bytes value, std::size_t width) {
  if (value.size() % width != 0) {
    return std::nullopt;
  }
  std::string text;
  for (std::size_t index = 0; index < value.size(); index += width) {
    std::uint32_t point = 0;
    for (const char octet : value.substr(index, width)) {
      point = point << 8 | static_cast<std::uint8_t>(octet);
    }
    if (point > 0x10ffff) {
      return std::nullopt;
    }
    append_utf8(text, point);
  }
  return text;
}

bool is_blank(char letter) { return letter == ' ' || (letter >= '\t' && letter <= '\r'); }

// Without blanks at its ends, one blank where there are several, ASCII letters in lower case.
std::string folded(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    if (is_blank(letter)) {
      if (!result.empty() && result.back() != ' ') {
        result += ' ';
      }
    } else {
      result += codec::lower(letter);
    }
  }
  if (!result.empty() && result.back() == ' ') {
    result.pop_back();
  }
  return result;
}

void append_counted(std::string& out, Bytes part) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(part.size() >> shift & 0xff);
  }
  out += part;
}

// SEQUENCE { type, value }.
std::optional<NameAttribute> take_attribute(Bytes& rest) {
  auto attribute = der::take(rest, der::sequence);
  const auto id = attribute ? der::take(*attribute, der::object_identifier) : std::nullopt;
  const auto value = id ? der::take(*attribute) : std::nullopt;
  if (!value || !attribute->empty()) {
    return std::nullopt;
  }
  return NameAttribute{*id, value->tag, value->content};
}

std::string comparable_attribute(const NameAttribute& attribute) {
  std::string form;
  append_counted(form, attribute.id);
  const bool is_number = attribute.tag == numeric_string;  // it keeps its kind, as in OpenSSL
  const auto text = is_number ? std::nullopt : string_as_utf8(attribute.tag, attribute.value);
  form += static_cast<char>(text ? der::utf8_string : attribute.tag);
  append_counted(form, text ? folded(*text) : std::string(attribute.value));
  return form;
}

}  // namespace

std::optional<std::string> string_as_utf8(std::uint8_t tag, Bytes value) {
  switch (tag) {
    case der::utf8_string:
    case numeric_string:
    case printable_string:
    case ia5_string:
    case visible_string:
      return std::string(value);
    case teletex_string:  // taken for Latin-1 by everybody
      return from_wide(value, 1);
    case bmp_string:
      return from_wide(value, 2);
    case universal_string:
      return from_wide(value, 4);
    default:
      return std::nullopt;
  }
}

std::optional<std::string> comparable_name(Bytes name) {
  std::string form;
  while (!name.empty()) {
    auto relative = der::take(name, der::set);
    if (!relative || relative->empty()) {
      return std::nullopt;
    }
    std::vector<std::string> attributes;
    while (!relative->empty()) {
      const auto attribute = take_attribute(*relative);
      if (!attribute) {
        return std::nullopt;
      }
      attributes.push_back(comparable_attribute(*attribute));
    }
    std::ranges::sort(attributes);  // they are a set
    std::string whole;
    for (const std::string& attribute : attributes) {
      append_counted(whole, attribute);
    }
    append_counted(form, whole);
  }
  return form;
}

std::optional<std::vector<NameAttribute>> name_attributes(Bytes name) {
  std::vector<NameAttribute> attributes;
  while (!name.empty()) {
    auto relative = der::take(name, der::set);
    while (relative && !relative->empty()) {
      const auto attribute = take_attribute(*relative);
      if (!attribute) {
        return std::nullopt;
      }
      attributes.push_back(*attribute);
    }
    if (!relative) {
      return std::nullopt;
    }
  }
  return attributes;
}

std::string short_name(Bytes name) {
  const auto attributes = name_attributes(name).value_or(std::vector<NameAttribute>());
  for (const Bytes id : telling_attributes) {
    for (const NameAttribute& attribute : attributes) {
      const auto text = string_as_utf8(attribute.tag, attribute.value);
      if (attribute.id == id && text && !text->empty()) {
        return printable(*text, short_name_length_max);
      }
    }
  }
  return "without a name";
}

}  // namespace ringpost::tls
