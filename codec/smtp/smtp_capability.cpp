// The problem: a server is spoken to by what it announces, and announcements have dialects. The
// idea: each line is cut into words, behind the keyword at `=` as well as at blanks, and what is
// malformed counts as not said rather than as an error. Limits: of LIMITS only MAILMAX and RCPTMAX
// bind; lines behind the hundredth are passed over.
#include "codec/smtp/smtp_capability.h"

#include <charconv>
#include <limits>

#include "codec/text/ascii.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

// The next word of `line`, empty at its end. `separators` delimit words.
Bytes take_word(Bytes& line, Bytes separators) {
  const std::size_t begin = line.find_first_not_of(separators);
  if (begin == Bytes::npos) {
    line = {};
    return {};
  }
  line.remove_prefix(begin);
  const Bytes word = line.substr(0, line.find_first_of(separators));
  line.remove_prefix(word.size());
  return word;
}

void take_mechanisms(Bytes line, Capabilities& capabilities) {
  capabilities.auth = true;
  for (Bytes word = take_word(line, " \t"); !word.empty(); word = take_word(line, " \t")) {
    if (const auto mechanism = find_mechanism(word)) {
      capabilities.auth_mechanisms |= bit_of(*mechanism);
    }
  }
}

void take_size(Bytes line, Capabilities& capabilities) {
  capabilities.size = true;
  const Bytes word = take_word(line, " \t");
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool whole = end == word.data() + word.size();
  capabilities.message_bytes_max = error == std::errc() && whole ? number : 0;
}

// A number that is 0, or more than anybody counts to, binds nobody.
void take_limit(std::uint64_t announced, std::optional<std::uint64_t>& told, std::uint32_t& max) {
  told = announced;
  if (announced <= std::numeric_limits<std::uint32_t>::max()) {
    max = static_cast<std::uint32_t>(announced);
  }
}

// NAME=NUMBER, separated by blanks (RFC 9422 3). Names that are not known, and numbers that are
// none, say nothing.
void take_limits(Bytes line, Capabilities& capabilities) {
  while (!line.empty()) {
    const Bytes name = take_word(line, " \t=");
    if (line.empty() || line.front() != '=') {
      continue;
    }
    line.remove_prefix(1);
    const Bytes digits = take_word(line, " \t");
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
    if (error != std::errc() || end != digits.end()) {
      continue;
    }
    if (equal_without_case(name, "MAILMAX")) {
      take_limit(number, capabilities.announced_limits.session_messages,
                 capabilities.session_messages_max);
    } else if (equal_without_case(name, "RCPTMAX")) {
      take_limit(number, capabilities.announced_limits.recipients, capabilities.recipients_max);
    } else if (equal_without_case(name, "RCPTDOMAINMAX")) {
      capabilities.announced_limits.recipient_domains = number;
    }
  }
}

void take_keyword(Bytes line, Capabilities& capabilities) {
  // Old servers print `AUTH=LOGIN PLAIN` beside or instead of `AUTH LOGIN PLAIN`.
  const Bytes keyword = take_word(line, " \t=");
  if (equal_without_case(keyword, "STARTTLS")) {
    capabilities.starttls = true;
  } else if (equal_without_case(keyword, "PIPELINING")) {
    capabilities.pipelining = true;
  } else if (equal_without_case(keyword, "CHUNKING")) {
    capabilities.chunking = true;
  } else if (equal_without_case(keyword, "8BITMIME")) {
    capabilities.eight_bit_mime = true;
  } else if (equal_without_case(keyword, "SMTPUTF8")) {
    capabilities.smtputf8 = true;
  } else if (equal_without_case(keyword, "DSN")) {
    capabilities.dsn = true;
  } else if (equal_without_case(keyword, "ENHANCEDSTATUSCODES")) {
    capabilities.enhanced_status_codes = true;
  } else if (equal_without_case(keyword, "SIZE")) {
    take_size(line, capabilities);
  } else if (equal_without_case(keyword, "LIMITS")) {
    take_limits(line, capabilities);
  } else if (equal_without_case(keyword, "AUTH")) {
    if (!line.empty() && line.front() == '=') {
      line.remove_prefix(1);
    }
    take_mechanisms(line, capabilities);
  }
}

}  // namespace

bool is_keyword(Bytes line, Bytes keyword) {
  return equal_without_case(take_word(line, " \t="), keyword);
}

Capabilities parse_capabilities(Bytes text) {
  Capabilities capabilities;
  std::size_t keywords = 0;
  std::size_t newline = text.find('\n');
  while (newline != Bytes::npos && keywords < limits::ehlo_keywords_max) {
    text.remove_prefix(newline + 1);
    newline = text.find('\n');
    take_keyword(text.substr(0, newline), capabilities);
    ++keywords;
  }
  return capabilities;
}

}  // namespace ringpost::codec
