#include "tools/sink/login.h"

#include <algorithm>

namespace ringpost::sink {

namespace {

constexpr Bytes user_prompt = "VXNlcm5hbWU6";      // "Username:"
constexpr Bytes password_prompt = "UGFzc3dvcmQ6";  // "Password:"

// -1 for what is no digit of base64.
int base64_digit(char c) {
  constexpr Bytes digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t at = digits.find(c);
  return at == Bytes::npos ? -1 : static_cast<int>(at);
}

bool is_mechanism(Bytes word, Bytes upper_case) {
  return word.size() == upper_case.size() &&
         std::equal(word.begin(), word.end(), upper_case.begin(),
                    [](char a, char b) { return (a & ~0x20) == b; });
}

}  // namespace

std::optional<std::string> decode_base64(Bytes text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string octets;
  octets.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) {
      return std::nullopt;
    }
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      octets.push_back(static_cast<char>(bits >> held & 0xFF));
    }
  }
  if ((bits & ((1u << held) - 1)) != 0) {
    return std::nullopt;
  }
  return octets;
}

LoginStep Login::begin(Bytes arguments) {
  const std::size_t space = arguments.find(' ');
  const Bytes mechanism = arguments.substr(0, space);
  const bool has_initial = space != Bytes::npos;
  Bytes initial = has_initial ? arguments.substr(space + 1) : Bytes();
  if (initial == "=") {  // RFC 4954 4: an initial response of no octets
    initial = {};
  }
  one_round_trip_ = false;
  user_.clear();
  if (is_mechanism(mechanism, "PLAIN")) {
    one_round_trip_ = has_initial;
    expect_ = Expect::plain;
    return has_initial ? take(initial) : ask(Expect::plain, "");
  }
  if (is_mechanism(mechanism, "LOGIN")) {
    expect_ = Expect::login_user;
    return has_initial ? take(initial) : ask(Expect::login_user, user_prompt);
  }
  return LoginStep::no_mechanism;
}

LoginStep Login::answer(Bytes line) { return line == "*" ? LoginStep::cancelled : take(line); }

LoginStep Login::take(Bytes encoded) {
  const std::optional<std::string> octets = decode_base64(encoded);
  if (!octets) {
    return LoginStep::bad_encoding;
  }
  if (expect_ == Expect::plain) {
    return take_plain(*octets);
  }
  if (expect_ == Expect::login_user) {
    user_ = *octets;
    return ask(Expect::login_password, password_prompt);
  }
  return judge(user_, *octets);
}

// [authzid] NUL authcid NUL passwd (RFC 4616 2). Acting for somebody else is not offered.
LoginStep Login::take_plain(Bytes fields) {
  const std::size_t first = fields.find('\0');
  const std::size_t second = first == Bytes::npos ? first : fields.find('\0', first + 1);
  if (second == Bytes::npos || fields.find('\0', second + 1) != Bytes::npos) {
    return LoginStep::bad_encoding;
  }
  const Bytes authorization = fields.substr(0, first);
  const Bytes user = fields.substr(first + 1, second - first - 1);
  if (!authorization.empty() && authorization != user) {
    return LoginStep::wrong;
  }
  return judge(user, fields.substr(second + 1));
}

LoginStep Login::judge(Bytes user, Bytes password) {
  if (user != options_.user || password != options_.password) {
    return LoginStep::wrong;
  }
  user_ = options_.user;
  return LoginStep::granted;
}

LoginStep Login::ask(Expect expect, Bytes challenge) {
  expect_ = expect;
  challenge_ = challenge;
  return LoginStep::challenge;
}

}  // namespace ringpost::sink
