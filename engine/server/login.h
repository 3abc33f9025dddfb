// One AUTH exchange of the server's side: PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login),
// CRAM-MD5 (RFC 2195), SCRAM-SHA-256 (RFC 7677), OAUTHBEARER (RFC 7628) and XOAUTH2.
#pragma once

#include <optional>
#include <string>

#include "engine/server/login_scram.h"
#include "engine/server/server_options.h"
#include <ringpost/base.h>

namespace ringpost::server {

enum class LoginStep : std::uint8_t {
  challenge,     // say 334 with challenge() and hand over the next line
  granted,       // user() has logged in
  wrong,         // 535: user or password
  cancelled,     // 501: the client sent "*"
  bad_encoding,  // 501: no base64 (RFC 4648 4), or not the mechanism's fields
  no_mechanism,  // 504
};

class Login {
 public:
  // `setup` outlives it.
  explicit Login(const ServerSetup& setup) : setup_(setup), scram_(*setup.crypto) {}

  // Begins with the arguments of the AUTH command.
  LoginStep begin(Bytes arguments);
  // The client's answer to a challenge, a line without its CRLF.
  LoginStep answer(Bytes line);

  // Base64, as it stands behind 334.
  [[nodiscard]] const std::string& challenge() const { return challenge_; }
  // Valid after granted, until begin().
  [[nodiscard]] const std::string& user() const { return user_; }
  // The AUTH line needed no answer of ours before its verdict: only then may more commands stand
  // behind it (RFC 4954 4).
  [[nodiscard]] bool one_round_trip() const { return one_round_trip_; }

 private:
  enum class Expect : std::uint8_t {
    nothing,
    plain,
    login_user,
    login_password,
    cram,
    scram_first,
    scram_final,
    scram_end,  // the empty answer to our proof
    xoauth2,
    oauthbearer,
    xoauth2_end,  // the dummy answer to our error
    oauthbearer_end,
  };

  LoginStep begin_with(AuthMechanism mechanism);
  LoginStep take(Bytes encoded);
  LoginStep take_plain(Bytes fields);
  LoginStep take_cram(Bytes message);
  LoginStep take_scram_first(Bytes message);
  LoginStep take_scram_final(Bytes message);
  LoginStep take_token(Bytes message);
  LoginStep judge(Bytes user, Bytes password);
  LoginStep ask(Expect expect, Bytes challenge);  // before its base64

  const ServerSetup& setup_;
  Expect expect_ = Expect::nothing;
  std::string challenge_;
  std::string cram_challenge_;
  ScramServer scram_;
  std::string user_;
  bool one_round_trip_ = false;
};

// Canonical base64 only: padded, no white space, unused bits zero. Nothing when it is not.
[[nodiscard]] std::optional<std::string> decode_base64(Bytes text);

}  // namespace ringpost::server
