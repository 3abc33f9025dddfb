// One AUTH exchange of the server's side: PLAIN (RFC 4616) or LOGIN (draft-murchison-sasl-login).
#pragma once

#include <optional>
#include <string>

#include "codec/base.h"
#include "tools/sink/sink_options.h"

namespace ringpost::sink {

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
  // `options` outlive it.
  explicit Login(const SessionOptions& options) : options_(options) {}

  // Begins with the arguments of the AUTH command.
  LoginStep begin(Bytes arguments);
  // The client's answer to a challenge, a line without its CRLF.
  LoginStep answer(Bytes line);

  // Base64, as it stands behind 334.
  [[nodiscard]] Bytes challenge() const { return challenge_; }
  // Valid after granted, until begin().
  [[nodiscard]] const std::string& user() const { return user_; }
  // The AUTH line needed no answer of ours before its verdict: only then may more commands stand
  // behind it (RFC 4954 4).
  [[nodiscard]] bool one_round_trip() const { return one_round_trip_; }

 private:
  enum class Expect : std::uint8_t { nothing, plain, login_user, login_password };

  LoginStep take(Bytes encoded);
  LoginStep take_plain(Bytes fields);
  LoginStep judge(Bytes user, Bytes password);
  LoginStep ask(Expect expect, Bytes challenge);

  const SessionOptions& options_;
  Expect expect_ = Expect::nothing;
  Bytes challenge_;
  std::string user_;
  bool one_round_trip_ = false;
};

// Canonical base64 only: padded, no white space, unused bits zero. Nothing when it is not.
[[nodiscard]] std::optional<std::string> decode_base64(Bytes text);

}  // namespace ringpost::sink
