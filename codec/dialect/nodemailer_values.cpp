// What nodemailer makes of a value, apart from how its objects are read. Limits: as in its own
// sources; where a value is none it is handed on, and the reader of jobs says so.
#include "codec/dialect/nodemailer_values.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/unix_date.h"

namespace ringpost::codec {

std::string in_lower_case(Bytes text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(), lower);
  return made;
}

bool append_hex_octets(Bytes digits, std::string& octets) {
  if (digits.size() % 2 != 0) {
    return false;
  }
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    if (!is_hexadecimal(digits[i]) || !is_hexadecimal(digits[i + 1])) {
      return false;
    }
    octets +=
        static_cast<char>(hexadecimal_value(digits[i]) * 16 + hexadecimal_value(digits[i + 1]));
  }
  return true;
}

std::string list_url(Bytes url) {
  const std::string scheme = in_lower_case(url.substr(0, 7));
  if (scheme.starts_with("http:") || scheme.starts_with("https:") ||
      scheme.starts_with("mailto:") || scheme.starts_with("ftp:")) {
    return fmt::format("<{}>", url);
  }
  return fmt::format("<{}{}>", url.find('@') == Bytes::npos ? "http://" : "mailto:", url);
}

std::string list_field_name(Bytes name) {
  std::string field = "List-";
  for (const char character : in_lower_case(name)) {
    field += field.back() == '-' ? upper(character) : character;
  }
  return field == "List-Id" ? "List-ID" : field;
}

std::string in_brackets(Bytes id) {
  return id.starts_with('<') ? std::string(id) : fmt::format("<{}>", id);
}

void append_references(std::string& ids, Bytes text) {
  constexpr Bytes separators = " \t,";
  for (std::size_t at = 0; (at = text.find_first_not_of(separators, at)) != Bytes::npos;) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    ids += ids.empty() ? "" : " ";
    ids += in_brackets(text.substr(at, end - at));
    at = end;
  }
}

std::optional<DataUrl> data_of_url(Bytes url) {
  constexpr Bytes scheme = "data:";
  constexpr Bytes marker = ";base64";
  const std::size_t comma = url.find(',');
  const Bytes type = url.substr(scheme.size(), comma - std::min(comma, scheme.size()));
  if (comma == Bytes::npos || !type.ends_with(marker)) {
    return std::nullopt;
  }
  return DataUrl{type.substr(0, type.size() - marker.size()), url.substr(comma + 1)};
}

std::string date_of_json(Bytes text) {
  const auto date_us = parse_rfc3339(text);
  if (!date_us) {
    return std::string(text);
  }
  std::string date;
  append_rfc5322_date(date, *date_us / 1'000'000);
  return date;
}

std::string dsn_return_of(Bytes given) {
  const std::string word = in_lower_case(given);
  return word == "headers" || word == "hdrs" ? "HDRS"
         : word == "full" || word == "body"  ? "FULL"
                                             : word;
}

}  // namespace ringpost::codec
