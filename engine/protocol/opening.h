// How a session comes to be ready: greeting, EHLO, STARTTLS, EHLO again, AUTH. It speaks over a
// command stream, and knows no message: whoever only asks whether a server lets one in needs no
// more than this.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codec/smtp/sasl.h"
#include "codec/smtp/smtp_capability.h"
#include "codec/smtp/smtp_reply.h"
#include "engine/protocol/close_reason.h"
#include "engine/protocol/command_stream.h"
#include "engine/protocol/login.h"
#include "engine/protocol/server_traits.h"
#include "engine/protocol/session_options.h"
#include "engine/protocol/session_state.h"

namespace ringpost::protocol {

// Nothing of it runs ahead of replies. Afterwards it keeps the login, whose secrets servers quote.
// Lifetime: options, stream and traits outlive it. Thread: its session's.
class Opening {
 public:
  // `login` takes the place of the options' credentials.
  Opening(const OpeningOptions& options, CommandStream& stream, ServerTraits& traits,
          std::shared_ptr<const Login> login)
      : options_(options), stream_(stream), traits_(traits), login_(std::move(login)) {}
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

  // How it names itself where the options have no name.
  void introduce_as(std::string client_name) { client_name_ = std::move(client_name); }
  // Waits for the greeting: nothing may be said before (RFC 5321 3.1).
  void begin() { stream_.expect(Expected::greeting); }
  // The reply to what was awaited: a greeting, EHLO, HELO, STARTTLS or AUTH. The reason, where it
  // ends the session; else state() says how far it has come.
  [[nodiscard]] std::optional<CloseReason> hear(Expected answered, const codec::Reply& reply);
  // Precondition: the state is `handshake`, and that is complete.
  void tls_established();

  // `greeting` to `ready`, and no further.
  [[nodiscard]] SessionState state() const { return state_; }
  // Nothing of the server's has come yet.
  [[nodiscard]] bool is_ungreeted() const {
    return state_ == SessionState::greeting && !stream_.parser().in_reply();
  }
  // Which ways to log in have failed before the one that worked, for people; empty: none.
  [[nodiscard]] std::string login_note() const;

  // ---- What people read ----

  // Octets of the server's, redacted, in quotes and safe to print.
  [[nodiscard]] std::string quote(Bytes octets) const;
  // Takes out what a reply quotes of the login's secrets. It lives until the next one.
  void redact(codec::Reply& reply) {
    if (login_ && login_->redactor.finds_secret(reply.text)) {
      redacted_ = reply.text;
      login_->redactor.redact(redacted_);
      reply.text = redacted_;
    }
  }
  // Octets came that are no reply while the session was at this stage.
  [[nodiscard]] CloseReason reason_of_malformed(codec::ReplyError error, Stage under_way) const;
  // What a person should know of an end, above all of one that came before the session was ready.
  void explain(CloseReason& reason);

 private:
  // Nothing: it goes on.
  using Ending = std::optional<CloseReason>;

  struct LoginTrouble {
    codec::MechanismSet tried = 0;  // in this session, without success
    std::string names;              // of those, in their order
    CloseReason fault;              // of the latest
    std::optional<AuthMechanism> next;
    bool one_more = false;  // the next is tried though the credentials were refused
    bool news = false;      // one has failed that earlier sessions had not tried
  };

  void send_hello(SessionState state);
  [[nodiscard]] Ending send_auth();
  void begin_auth(AuthMechanism mechanism, bool with_initial_response = true);
  [[nodiscard]] Ending on_greeting_reply(const codec::Reply& reply);
  [[nodiscard]] Ending on_hello_reply(Expected kind, const codec::Reply& reply);
  [[nodiscard]] Ending on_starttls_reply(const codec::Reply& reply);
  [[nodiscard]] Ending on_auth_reply(const codec::Reply& reply);
  [[nodiscard]] Ending on_auth_accepted();
  [[nodiscard]] Ending on_auth_refused(const codec::Reply& reply);
  [[nodiscard]] Ending on_bad_challenge(codec::SaslError error, const codec::Reply& reply);
  [[nodiscard]] CloseReason refusal(CloseKind kind, Stage stage, const codec::Reply& reply) const;
  void note_trouble(CloseReason fault);
  [[nodiscard]] Ending go_on_with_auth();
  [[nodiscard]] std::optional<AuthMechanism> choose(codec::MechanismSet without) const;
  [[nodiscard]] std::optional<AuthMechanism> next_mechanism(AuthMechanism failed,
                                                            CloseKind why) const;
  [[nodiscard]] bool secure() const;
  [[nodiscard]] std::string_view client_name() const;
  [[nodiscard]] std::string tried_mechanisms() const;
  [[nodiscard]] std::optional<CloseReason> refusal_in_greeting() const;
  void note_foreign_protocol(Bytes line, CloseReason& reason) const;
  void explain_cut_reply(CloseReason& reason) const;
  void explain_name(CloseReason& reason) const;
  void explain_login(CloseReason& reason);

  const OpeningOptions& options_;
  CommandStream& stream_;
  ServerTraits& traits_;
  std::shared_ptr<const Login> login_;  // null before AUTH, unless it was given one
  SessionState state_ = SessionState::greeting;
  bool initial_said_ = false;  // AUTH left with an initial response, and nothing came yet
  std::unique_ptr<codec::SaslExchange> sasl_;  // while it goes on; null while it is cancelled
  std::unique_ptr<LoginTrouble> trouble_;      // a way to log in has failed
  std::string announced_;                      // mechanisms, for people
  std::string client_name_;
  std::string redacted_;  // the reply at hand, where it quotes a secret
};

}  // namespace ringpost::protocol
