// The problem: six mechanisms differ in who speaks first and how often, and a wrong password has to
// be told from a message that the mechanism does not allow. The idea: one state says what the next
// line must be. The base64 of that line is decoded here, apart from the client's codec, so that
// both cannot be wrong in the same way. Limits: nobody acts for another user, and how long a
// comparison takes depends on what is compared, so no secret is safe here from whoever measures.
#include "engine/server/login.h"

#include <algorithm>

#include "codec/smtp/smtp_capability.h"
#include "codec/text/base64.h"

namespace ringpost::server {

namespace {

// What a refused token is told (RFC 7628 3.2.2; Google's is alike).
constexpr Bytes token_error = R"({"status":"401","schemes":"bearer","scope":"mail"})";

// -1 for what is no digit of base64.
int base64_digit(char c) {
  constexpr Bytes digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t at = digits.find(c);
  return at == Bytes::npos ? -1 : static_cast<int>(at);
}

// The value of a field of OAUTHBEARER or XOAUTH2, which %x01 ends.
std::optional<Bytes> field_of(Bytes message, Bytes begin) {
  const std::size_t at = message.find(begin);
  if (at == Bytes::npos) {
    return std::nullopt;
  }
  message.remove_prefix(at + begin.size());
  const std::size_t end = message.find('\x01');
  return end == Bytes::npos ? std::nullopt : std::optional<Bytes>(message.substr(0, end));
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
  const auto known = codec::find_mechanism(mechanism);
  const auto& offered = setup_.options->mechanisms;
  if (!known || std::find(offered.begin(), offered.end(), *known) == offered.end()) {
    return LoginStep::no_mechanism;
  }
  one_round_trip_ = has_initial && *known == AuthMechanism::plain;
  const LoginStep step = begin_with(*known);
  if (!has_initial) {
    return step;
  }
  // The server speaks first there (RFC 4954 4).
  return *known == AuthMechanism::cram_md5 ? LoginStep::bad_encoding : take(initial);
}

LoginStep Login::begin_with(AuthMechanism mechanism) {
  switch (mechanism) {
    case AuthMechanism::plain:
      return ask(Expect::plain, "");
    case AuthMechanism::login:
      return ask(Expect::login_user, "Username:");
    case AuthMechanism::cram_md5:
      cram_challenge_ = "<" + setup_.crypto->nonce() + "@" + setup_.options->host_name + ">";
      return ask(Expect::cram, cram_challenge_);
    case AuthMechanism::scram_sha_256:
      return ask(Expect::scram_first, "");
    case AuthMechanism::xoauth2:
      return ask(Expect::xoauth2, "");
    case AuthMechanism::oauthbearer:
      return ask(Expect::oauthbearer, "");
  }
  RP_ASSERT(false);
}

LoginStep Login::answer(Bytes line) { return line == "*" ? LoginStep::cancelled : take(line); }

LoginStep Login::take(Bytes encoded) {
  const std::optional<std::string> octets = decode_base64(encoded);
  if (!octets) {
    return LoginStep::bad_encoding;
  }
  switch (expect_) {
    case Expect::plain:
      return take_plain(*octets);
    case Expect::login_user:
      user_ = *octets;
      return ask(Expect::login_password, "Password:");
    case Expect::login_password:
      return judge(user_, *octets);
    case Expect::cram:
      return take_cram(*octets);
    case Expect::scram_first:
      return take_scram_first(*octets);
    case Expect::scram_final:
      return take_scram_final(*octets);
    case Expect::scram_end:
      user_ = scram_.user();
      return octets->empty() ? LoginStep::granted : LoginStep::bad_encoding;
    case Expect::xoauth2:
    case Expect::oauthbearer:
      return take_token(*octets);
    case Expect::xoauth2_end:
      return octets->empty() ? LoginStep::wrong : LoginStep::bad_encoding;
    case Expect::oauthbearer_end:
      return *octets == "\x01" ? LoginStep::wrong : LoginStep::bad_encoding;
    case Expect::nothing:
      break;
  }
  RP_ASSERT(false);
}

// The user name, a space and the digest in lower case (RFC 2195 2).
LoginStep Login::take_cram(Bytes message) {
  const std::size_t space = message.rfind(' ');
  if (space == Bytes::npos) {
    return LoginStep::bad_encoding;
  }
  const std::optional<Bytes> password = setup_.accounts->password_of(message.substr(0, space));
  if (!password) {
    return LoginStep::wrong;
  }
  std::string expected;
  for (const char octet : setup_.crypto->hmac_md5(*password, cram_challenge_)) {
    constexpr Bytes digits = "0123456789abcdef";
    expected.push_back(digits[static_cast<unsigned char>(octet) >> 4]);
    expected.push_back(digits[static_cast<unsigned char>(octet) & 15]);
  }
  user_ = message.substr(0, space);
  return message.substr(space + 1) == expected ? LoginStep::granted : LoginStep::wrong;
}

LoginStep Login::take_scram_first(Bytes message) {
  const auto answer = scram_.first(message);
  return answer ? ask(Expect::scram_final, *answer) : LoginStep::bad_encoding;
}

// A stranger is told as late as somebody with a wrong password.
LoginStep Login::take_scram_final(Bytes message) {
  const std::optional<Bytes> password = setup_.accounts->password_of(scram_.user());
  const auto proof = scram_.finish(message, password.value_or(Bytes()));
  if (!proof) {
    return LoginStep::bad_encoding;
  }
  if (proof->empty() || !password) {
    return LoginStep::wrong;
  }
  return ask(Expect::scram_end, *proof);
}

// "n,a=USER,^A" or "user=USER^A" in front, "auth=Bearer TOKEN^A" within, and one more ^A.
LoginStep Login::take_token(Bytes message) {
  const bool standard = expect_ == Expect::oauthbearer;
  const Bytes begin = standard ? "n,a=" : "user=";
  const auto token = field_of(message,
                              "\x01"
                              "auth=Bearer ");
  if (!token || !message.ends_with("\x01\x01") || !message.starts_with(begin)) {
    return LoginStep::bad_encoding;
  }
  Bytes user = message.substr(begin.size(), message.find('\x01') - begin.size());
  const bool ends_well = !standard || user.ends_with(',');
  user.remove_suffix(standard && ends_well ? 1 : 0);
  if (ends_well && setup_.accounts->use_token(user, *token)) {
    user_ = user;
    return LoginStep::granted;
  }
  return ask(standard ? Expect::oauthbearer_end : Expect::xoauth2_end, token_error);
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
  if (!setup_.accounts->is_password(user, password)) {
    return LoginStep::wrong;
  }
  user_ = user;
  return LoginStep::granted;
}

LoginStep Login::ask(Expect expect, Bytes challenge) {
  expect_ = expect;
  challenge_.clear();
  codec::append_base64(challenge_, challenge);
  return LoginStep::challenge;
}

}  // namespace ringpost::server
