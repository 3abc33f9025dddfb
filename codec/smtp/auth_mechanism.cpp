// The problem: what is true of a mechanism was said where it was needed, in a dozen places. The
// idea: a row says all of it, and the client that it makes all that the mechanism says. Limits:
// the ranks are a judgement, which choose_mechanism() (sasl.h) gives the reasons of.
#include "codec/smtp/auth_mechanism.h"

#include <string>
#include <utility>

#include "codec/smtp/sasl_client.h"
#include "codec/text/ascii.h"

namespace ringpost::codec {

namespace {

using ClientAnswer = Result<std::string, SaslError>;

// RFC 4616: no authorization identity, NUL, user name, NUL, password.
class PlainClient final : public SaslClient {
 public:
  PlainClient(const Credentials& credentials, const SaslTools& /*tools*/)
      : credentials_(credentials) {}

  [[nodiscard]] std::string initial() const override {
    std::string message;
    message.push_back('\0');
    message.append(credentials_.username);
    message.push_back('\0');
    message.append(credentials_.password);
    return message;
  }

 private:
  const Credentials& credentials_;
};

// LOGIN has no RFC: the prompts vary and what they say is not looked at. The first asks for the
// user name.
class LoginClient final : public SaslClient {
 public:
  LoginClient(const Credentials& credentials, const SaslTools& /*tools*/)
      : credentials_(credentials) {}

  [[nodiscard]] ClientAnswer answer(int number, Bytes challenge) override {
    if (number > 1) {
      return SaslClient::answer(number, challenge);
    }
    return number == 0 ? credentials_.username : credentials_.password;
  }

 private:
  const Credentials& credentials_;
};

// RFC 2195 2: the digest in lower case hexadecimal.
class CramMd5Client final : public SaslClient {
 public:
  CramMd5Client(const Credentials& credentials, const SaslTools& tools)
      : credentials_(credentials), tools_(tools) {
    RP_ASSERT(tools.crypto != nullptr);
  }

  [[nodiscard]] ClientAnswer answer(int number, Bytes challenge) override {
    if (number > 0) {
      return SaslClient::answer(number, challenge);
    }
    constexpr Bytes digits = "0123456789abcdef";
    std::string message = credentials_.username + " ";
    for (const char octet : tools_.crypto->hmac_md5(credentials_.password, challenge)) {
      message.push_back(digits[static_cast<unsigned char>(octet) >> 4]);
      message.push_back(digits[static_cast<unsigned char>(octet) & 15]);
    }
    return message;
  }

 private:
  const Credentials& credentials_;
  SaslTools tools_;
};

SaslError sasl_error_of(ScramClient::Error error) {
  switch (error) {
    case ScramClient::Error::malformed:
      return SaslError::malformed_scram;
    case ScramClient::Error::foreign_nonce:
      return SaslError::foreign_nonce;
    case ScramClient::Error::iterations:
      return SaslError::scram_iterations;
    case ScramClient::Error::wrong_signature:
      return SaslError::server_unproven;
  }
  RP_ASSERT(false);
}

class ScramSha256Client final : public SaslClient {
 public:
  ScramSha256Client(const Credentials& credentials, const SaslTools& tools)
      : scram_(checked(credentials, tools)) {}

  [[nodiscard]] std::string initial() const override { return scram_.first(); }

  [[nodiscard]] ClientAnswer answer(int number, Bytes challenge) override {
    if (number == 0) {
      auto proof = scram_.prove(challenge);
      if (!proof) {
        return Failure(sasl_error_of(proof.error()));
      }
      return std::move(*proof);
    }
    if (number == 1) {
      const auto proven = scram_.check(challenge);
      if (!proven) {
        return Failure(sasl_error_of(proven.error()));
      }
      server_proven_ = *proven;
      return std::string();
    }
    return SaslClient::answer(number, challenge);
  }

  [[nodiscard]] Result<void, SaslError> succeed() const override {
    if (!server_proven_) {
      return Failure(SaslError::server_unproven);
    }
    return {};
  }

 private:
  static ScramClient checked(const Credentials& credentials, const SaslTools& tools) {
    RP_ASSERT(tools.crypto != nullptr && tools.scram_cache != nullptr);
    return {credentials.username, credentials.password, *tools.crypto, *tools.scram_cache};
  }

  ScramClient scram_;
  bool server_proven_ = false;
};

// A token that is refused is told so by a challenge, JSON that says why. A dummy answer, and the
// 535 comes (RFC 7628 3.2.3).
ClientAnswer answer_to_refusal(int number, Bytes answer) {
  if (number > 0) {
    return Failure(SaslError::unexpected_challenge);
  }
  return std::string(answer);
}

// As Google and Microsoft describe it; there is no RFC.
class Xoauth2Client final : public SaslClient {
 public:
  Xoauth2Client(const Credentials& credentials, const SaslTools& /*tools*/)
      : credentials_(credentials) {}

  [[nodiscard]] std::string initial() const override {
    std::string message = "user=" + credentials_.username;
    return message
        .append(
            "\x01"
            "auth=Bearer ")
        .append(credentials_.token)
        .append("\x01\x01");
  }
  [[nodiscard]] ClientAnswer answer(int number, Bytes /*challenge*/) override {
    return answer_to_refusal(number, "");
  }

 private:
  const Credentials& credentials_;
};

// RFC 7628 3.1, with %x01 between the fields. The user name is escaped as SCRAM does it.
class OauthbearerClient final : public SaslClient {
 public:
  OauthbearerClient(const Credentials& credentials, const SaslTools& /*tools*/)
      : credentials_(credentials) {}

  [[nodiscard]] std::string initial() const override {
    std::string message = "n,a=";
    message.append(escaped_scram_name(credentials_.username)).append(",\x01");
    if (!credentials_.host.empty()) {
      message.append("host=").append(credentials_.host).append("\x01port=");
      message.append(std::to_string(credentials_.port)).append("\x01");
    }
    return message.append("auth=Bearer ").append(credentials_.token).append("\x01\x01");
  }
  [[nodiscard]] ClientAnswer answer(int number, Bytes /*challenge*/) override {
    return answer_to_refusal(number, "\x01");
  }

 private:
  const Credentials& credentials_;
};

template <typename Client>
std::unique_ptr<SaslClient> make_client(const Credentials& credentials, const SaslTools& tools) {
  return std::make_unique<Client>(credentials, tools);
}

constexpr bool with_token = true;
constexpr bool tells_secret = true;
constexpr bool by_crypto = true;

constexpr std::array<MechanismTraits, auth_mechanism_count> mechanism_rows = {{
    {AuthMechanism::plain, "PLAIN", !with_token, tells_secret, !by_crypto, 3, 4, AsksAgain::always,
     make_client<PlainClient>},
    {AuthMechanism::login, "LOGIN", !with_token, tells_secret, !by_crypto, 4, 5, AsksAgain::never,
     make_client<LoginClient>},
    {AuthMechanism::cram_md5, "CRAM-MD5", !with_token, !tells_secret, by_crypto, 5, 3,
     AsksAgain::never, make_client<CramMd5Client>},
    {AuthMechanism::scram_sha_256, "SCRAM-SHA-256", !with_token, !tells_secret, by_crypto, 2, 2,
     AsksAgain::never, make_client<ScramSha256Client>},
    {AuthMechanism::xoauth2, "XOAUTH2", with_token, tells_secret, !by_crypto, 1, 1,
     AsksAgain::when_blank, make_client<Xoauth2Client>},
    {AuthMechanism::oauthbearer, "OAUTHBEARER", with_token, tells_secret, !by_crypto, 0, 0,
     AsksAgain::when_blank, make_client<OauthbearerClient>},
}};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < mechanism_rows.size(); ++i) {
    if (mechanism_rows[i].mechanism != static_cast<AuthMechanism>(i)) {
      return false;
    }
  }
  return true;
}
static_assert(is_in_order());

}  // namespace

Result<std::string, SaslError> SaslClient::answer(int /*number*/, Bytes /*challenge*/) {
  return Failure(SaslError::unexpected_challenge);
}

const std::array<MechanismTraits, auth_mechanism_count>& mechanism_table() {
  return mechanism_rows;
}

const MechanismTraits& traits_of(AuthMechanism mechanism) {
  return mechanism_rows[static_cast<std::size_t>(mechanism)];
}

std::string_view name_of(AuthMechanism mechanism) { return traits_of(mechanism).name; }

std::optional<AuthMechanism> find_mechanism(Bytes name) {
  for (const MechanismTraits& traits : mechanism_rows) {
    if (equal_without_case(name, traits.name)) {
      return traits.mechanism;
    }
  }
  return std::nullopt;
}

bool takes_token(AuthMechanism mechanism) { return traits_of(mechanism).takes_token; }

bool says_password(AuthMechanism mechanism) {
  const MechanismTraits& traits = traits_of(mechanism);
  return traits.says_secret && !traits.takes_token;
}

}  // namespace ringpost::codec
