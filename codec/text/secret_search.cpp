// The problem: a password that is a word of English stands in replies which do not tell it. The
// idea: how much a match means depends on the secret: words of replies have to be quoted, short
// plain ones have to stand alone, and all others count anywhere. Limits: the list has words of
// English replies; octets are compared, so a secret in other case, or quoted in other marks, is not
// found.
#include "codec/text/secret_search.h"

#include <algorithm>
#include <string>

#include "codec/text/ascii.h"

namespace ringpost::codec {

namespace {

constexpr std::size_t secret_bytes_min = 4;
// From here on, letters or digits alone are no word that comes up by chance.
constexpr std::size_t plain_secret_bytes_min = 8;

// Of replies to AUTH, MAIL, RCPT and content, as servers word them: each between two blanks.
constexpr Bytes reply_words =
    " abuse accept accepted access account address addresses administrator again allowed"
    " already attempt attempts auth authenticate authenticated authentication"
    " authorization authorized available banned because been begin blacklisted blocked"
    " body bounce bytes cannot check client closed closing code command completed connect"
    " connection connections contact content credentials daily data deferred delivered"
    " delivery denied does domain email empty enabled encryption enough error exceeded"
    " exist expired failed failure fine first flushed forbidden found from goodbye"
    " greylisted have header hello help here host hour idle incorrect internal invalid"
    " later limit local locked login mail mailbox many maximum mechanism message messages"
    " method minutes missing more must name network null okay only open over pass"
    " password permanent permitted please policy postmaster problem queue queued quota"
    " rate received recipient recipients refused reject rejected relay relaying remote"
    " required reset resources response secret secure security send sender sending sent"
    " sequence server service session size smtp space spam start state storage success"
    " successful support suspended syntax system temporarily temporary terminated test"
    " that there this timeout token transaction tried unable unauthorized unavailable"
    " unknown unrecognized unsupported used user username using valid verification verify"
    " virus wait welcome when will with wrong your ";

// Or several of them, with blanks or hyphens between.
bool is_of_reply_words(Bytes secret) {
  std::string word = " ";
  for (const char c : secret) {
    if (is_letter(c)) {
      word += static_cast<char>(c | 0x20);
      continue;
    }
    if ((c != ' ' && c != '-') || reply_words.find(word + " ") == Bytes::npos) {
      return false;
    }
    word = " ";
  }
  return reply_words.find(word + " ") != Bytes::npos;
}

// Whether the octets at [begin, end) stand in quotation marks or brackets, or as a value.
bool is_quoted(Bytes text, std::size_t begin, std::size_t end) {
  constexpr Bytes openings = "'\"`<([{=:";
  constexpr Bytes closings = "'\"'>)]}";
  if (begin == 0) {
    return false;
  }
  const std::size_t opening = openings.find(text[begin - 1]);
  if (opening == Bytes::npos || opening >= closings.size()) {
    return opening != Bytes::npos;
  }
  return end < text.size() && text[end] == closings[opening];
}

bool stands_alone(Bytes text, std::size_t begin, std::size_t end) {
  const auto is_of_word = [](char c) { return is_letter(c) || is_digit(c); };
  return (begin == 0 || !is_of_word(text[begin - 1])) &&
         (end == text.size() || !is_of_word(text[end]));
}

}  // namespace

std::size_t find_clear_secret(Bytes text, Bytes secret, std::size_t from) {
  if (secret.size() < secret_bytes_min) {
    return Bytes::npos;
  }
  std::size_t at = text.find(secret, from);
  if (at == Bytes::npos) {
    return at;
  }
  const bool is_word = is_of_reply_words(secret);
  const bool is_plain = secret.size() < plain_secret_bytes_min &&
                        (std::all_of(secret.begin(), secret.end(), is_letter) ||
                         std::all_of(secret.begin(), secret.end(), is_digit));
  const auto is_told = [&](std::size_t begin) {
    const std::size_t end = begin + secret.size();
    return is_word ? is_quoted(text, begin, end) : is_plain ? stands_alone(text, begin, end) : true;
  };
  while (at != Bytes::npos && !is_told(at)) {
    at = text.find(secret, at + 1);
  }
  return at;
}

}  // namespace ringpost::codec
