// The problem: before the first message a server can turn a client away in twenty ways, and each of
// them is somebody's mistake who reads what to change: a wrong port, a name, a certificate, a way
// to log in that is announced and not taken.
//
// The idea: a ladder of commands, each of which waits for the reply to the one before it; what ends
// it is a value, with the server's words and a hint. Which way to log in comes next is decided from
// what this session and earlier ones have seen fail. Limits: TLS itself is the caller's.
#include "engine/protocol/opening.h"

#include <algorithm>

#include "codec/smtp/smtp_command.h"
#include "codec/text/json_text.h"
#include "engine/protocol/opening_hint.h"
#include "engine/protocol/reply_rules.h"
#include <ringpost/limits.h>

namespace ringpost::protocol {

namespace {

CloseReason permanent_reason(CloseKind kind, Stage stage, std::string_view detail = {}) {
  CloseReason reason = reason_of(kind, stage, detail);
  reason.permanent = true;
  return reason;
}

// "PLAIN LOGIN GSSAPI": what the answer to EHLO announces, be it known here or not.
std::string announced_mechanisms(Bytes text) {
  std::string announced;
  while (!text.empty()) {
    Bytes line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!codec::is_keyword(line, "AUTH")) {
      continue;
    }
    line.remove_prefix(std::min(line.find_first_not_of(" \t=", 4), line.size()));
    if (announced.find(line) == std::string::npos) {  // not in the old spelling, too
      announced.append(announced.empty() ? "" : " ").append(line);
    }
  }
  return announced.substr(0, limits::quoted_line_bytes_max);
}

// What the server offers, and what was asked for, where that was one mechanism.
std::string missing_mechanism(const std::string& offered, std::optional<AuthMechanism> named) {
  std::string text = named ? std::string(codec::name_of(*named)) + " was asked for" : "";
  if (!offered.empty()) {
    text.append(text.empty() ? "" : ", and ").append("it offers ").append(offered);
  }
  return text;
}

// Whether the refusal is about the way to log in rather than about who does (RFC 4954 4, 6): not
// known, too weak, not without encryption, another one wanted for this account.
bool refuses_mechanism(const codec::Reply& reply) {
  const bool not_taken = reply.code >= 500 && reply.code <= 504;
  return not_taken || reply.code == 534 || reply.code == 538 || reply.code == 432;
}

bool ended_by_peer(CloseKind kind) {
  return kind == CloseKind::peer_closed || kind == CloseKind::io_error ||
         kind == CloseKind::timeout || kind == CloseKind::peer_closing;
}

void append_clause(std::string& detail, std::string_view clause) {
  if (!clause.empty()) {
    detail.append(detail.empty() ? "" : "; ").append(clause);
  }
}

}  // namespace

std::optional<CloseReason> Opening::hear(Expected answered, const codec::Reply& reply) {
  switch (answered) {
    case Expected::greeting:
      return on_greeting_reply(reply);
    case Expected::ehlo:
    case Expected::helo:
      return on_hello_reply(answered, reply);
    case Expected::starttls:
      return on_starttls_reply(reply);
    case Expected::auth:
      return on_auth_reply(reply);
    case Expected::mail:
    case Expected::rcpt:
    case Expected::data:
    case Expected::chunk:
    case Expected::end_of_data:
    case Expected::rset:
    case Expected::quit:
    case Expected::trial_mail:
    case Expected::trial_other:
      break;
  }
  RP_ASSERT(false);
  return std::nullopt;
}

bool Opening::secure() const {
  return options_.tls_mode == TlsMode::implicit ||
         (options_.tls_mode == TlsMode::starttls && state_ >= SessionState::hello_tls);
}

Opening::Ending Opening::on_greeting_reply(const codec::Reply& reply) {
  if (!reply.positive()) {
    return refusal(CloseKind::greeting_refused, Stage::greeting, reply);
  }
  traits_.hear_greeting(reply);
  send_hello(SessionState::hello);
  return std::nullopt;
}

// By the class of its code, unless a rule of the user's or of a preset says what it is about. What
// the rule counts, whoever has all sessions knows.
CloseReason Opening::refusal(CloseKind kind, Stage stage, const codec::Reply& reply) const {
  CloseReason reason = reason_with_reply(kind, stage, reply, reply.permanent());
  const bool is_refusal = reply.transient() || reply.permanent();
  const ReplyRule* const rule =
      is_refusal && options_.reply_rules ? options_.reply_rules->rule(stage, reply).rule : nullptr;
  if (rule == nullptr) {
    return reason;
  }
  reason.rule = rule;
  reason.permanent = closes(rule->action);
  append_clause(reason.detail, rule->hint);
  // Which mechanism it was does not matter then.
  if (kind == CloseKind::mechanism_refused && rule->action != RuleAction::mistake) {
    reason.kind = CloseKind::auth_refused;
  }
  return reason;
}

void Opening::send_hello(SessionState state) {
  state_ = state;
  codec::append_ehlo(stream_.pending(), client_name());
  stream_.expect(Expected::ehlo);
}

Opening::Ending Opening::on_hello_reply(Expected kind, const codec::Reply& reply) {
  const bool in_clear = options_.tls_mode == TlsMode::none && !options_.authenticate;
  if (kind == Expected::ehlo && reply.permanent() && in_clear) {
    // RFC 5321 4.1.1.1. Not where TLS or AUTH is needed: HELO has neither.
    codec::append_helo(stream_.pending(), client_name());
    stream_.expect(Expected::helo);
    return std::nullopt;
  }
  if (!reply.positive()) {
    return refusal(CloseKind::ehlo_refused, Stage::ehlo, reply);
  }
  traits_.hear_hello(reply, kind == Expected::ehlo ? codec::parse_capabilities(reply.text)
                                                   : codec::Capabilities{});
  if (options_.tls_mode == TlsMode::starttls && state_ == SessionState::hello) {
    if (!traits_.capabilities().starttls) {
      return permanent_reason(CloseKind::starttls_missing, Stage::starttls);
    }
    state_ = SessionState::starttls;
    codec::append_starttls(stream_.pending());
    stream_.expect(Expected::starttls);
    return std::nullopt;
  }
  if (options_.authenticate) {
    announced_ = announced_mechanisms(kind == Expected::ehlo ? reply.text : Bytes());
    return send_auth();
  }
  state_ = SessionState::ready;
  return std::nullopt;
}

Opening::Ending Opening::on_starttls_reply(const codec::Reply& reply) {
  // Only 220 will do: a 250 or 354 here is a trap or a muddle, and both end before any secret is
  // sent.
  if (reply.code != 220) {
    return refusal(CloseKind::starttls_refused, Stage::starttls, reply);
  }
  state_ = SessionState::handshake;
  traits_.forget_announced();
  return std::nullopt;
}

void Opening::tls_established() {
  RP_ASSERT(state_ == SessionState::handshake && stream_.awaited().empty());
  send_hello(SessionState::hello_tls);
}

Opening::Ending Opening::send_auth() {
  if (!secure() && !options_.allow_plaintext_auth) {
    return permanent_reason(CloseKind::auth_in_clear, Stage::auth);
  }
  if (!login_) {
    login_ = std::make_shared<const Login>(options_.credentials);
  }
  const auto mechanism = choose(0);
  if (!mechanism) {
    return permanent_reason(CloseKind::auth_missing, Stage::auth,
                            missing_mechanism(announced_, options_.mechanism));
  }
  state_ = SessionState::auth;
  begin_auth(*mechanism);
  return std::nullopt;
}

// What earlier sessions have seen fail comes last.
std::optional<AuthMechanism> Opening::choose(codec::MechanismSet without) const {
  codec::MechanismChoice choice;
  choice.named = options_.mechanism;
  choice.has_token = !login_->credentials.token.empty();
  choice.has_crypto = options_.sasl.crypto != nullptr;
  choice.in_clear = !secure();
  choice.without = without | traits_.knowledge().mechanisms_failed;
  const auto mechanism = codec::choose_mechanism(traits_.capabilities(), choice);
  choice.without = without;
  return mechanism ? mechanism : codec::choose_mechanism(traits_.capabilities(), choice);
}

void Opening::begin_auth(AuthMechanism mechanism, bool with_initial_response) {
  sasl_ = std::make_unique<codec::SaslExchange>(mechanism, login_->credentials, options_.sasl);
  std::string initial = with_initial_response ? sasl_->initial_response() : std::string();
  const std::size_t begin = stream_.pending().size();
  codec::append_auth(stream_.pending(), codec::name_of(mechanism), initial);
  if (stream_.pending().size() - begin > limits::command_line_bytes_max) {
    stream_.pending().resize(begin);
    codec::append_auth(stream_.pending(), codec::name_of(mechanism), {});
    with_initial_response = false;
  }
  if (!with_initial_response) {
    sasl_->withhold_initial_response();
  }
  initial_said_ = with_initial_response && !initial.empty();
  stream_.expect(Expected::auth);
}

Opening::Ending Opening::on_auth_reply(const codec::Reply& reply) {
  if (!sasl_ && (reply.positive() || reply.intermediate())) {
    const std::string came = std::to_string(reply.code) + " " + std::string(reply.text);
    return reason_of(CloseKind::protocol_error, Stage::auth,
                     "a login went on that was cancelled: " + quote(came));
  }
  if (!sasl_) {
    return go_on_with_auth();  // 501, as RFC 4954 4 has it, or any other end
  }
  if (reply.positive()) {
    return on_auth_accepted();
  }
  if (!reply.intermediate()) {
    return on_auth_refused(reply);
  }
  const auto response = sasl_->respond(reply.text);
  if (!response) {
    return on_bad_challenge(response.error(), reply);
  }
  initial_said_ = false;
  codec::append_auth_response(stream_.pending(), *response);
  stream_.expect(Expected::auth);
  return std::nullopt;
}

Opening::Ending Opening::on_auth_accepted() {
  if (const auto allowed = sasl_->succeed(); !allowed) {
    return permanent_reason(CloseKind::protocol_error, Stage::auth,
                            codec::text_of(allowed.error()));
  }
  traits_.note_login(sasl_->mechanism(), trouble_ ? trouble_->tried : codec::MechanismSet{0});
  sasl_.reset();
  state_ = SessionState::ready;
  return std::nullopt;
}

Opening::Ending Opening::on_auth_refused(const codec::Reply& reply) {
  const bool not_read = reply.code == 500 || reply.code == 501;
  if (not_read && initial_said_) {
    // Servers from before RFC 4954 know no initial response, or none so long.
    begin_auth(sasl_->mechanism(), false);
    return std::nullopt;
  }
  const CloseKind kind =
      refuses_mechanism(reply) ? CloseKind::mechanism_refused : CloseKind::auth_refused;
  note_trouble(refusal(kind, Stage::auth, reply));
  return go_on_with_auth();
}

// RFC 4954 4: the exchange is ended with `*`, and the server says 501.
Opening::Ending Opening::on_bad_challenge(codec::SaslError error, const codec::Reply& reply) {
  CloseReason fault =
      permanent_reason(CloseKind::protocol_error, Stage::auth, codec::text_of(error));
  fault.detail += ": " + quote(reply.text);
  if (error == codec::SaslError::server_unproven) {
    return fault;  // perhaps somebody else's: it hears nothing more
  }
  note_trouble(std::move(fault));
  sasl_.reset();
  stream_.pending().append("*\r\n");
  stream_.expect(Expected::auth);
  return std::nullopt;
}

// The mechanism at hand has failed. Decides which is the next.
void Opening::note_trouble(CloseReason fault) {
  const AuthMechanism mechanism = sasl_->mechanism();
  if (!trouble_) {
    trouble_ = std::make_unique<LoginTrouble>();
  }
  trouble_->tried |= codec::bit_of(mechanism);
  trouble_->names.append(trouble_->names.empty() ? "" : ", ").append(codec::name_of(mechanism));
  trouble_->next = next_mechanism(mechanism, fault.kind);
  trouble_->one_more = trouble_->one_more || fault.kind == CloseKind::auth_refused;
  const bool for_good = fault.permanent || fault.kind != CloseKind::auth_refused;
  if (trouble_->next && for_good) {
    trouble_->news = traits_.note_login_failure(mechanism) || trouble_->news;
  }
  trouble_->fault = std::move(fault);
}

Opening::Ending Opening::go_on_with_auth() {
  if (!trouble_->next) {
    return trouble_->fault;
  }
  begin_auth(*trouble_->next);
  return std::nullopt;
}

// A mechanism that the server does not know, or cannot go through with, is no verdict on the
// credentials: another one is tried, unless it has worked in an earlier session. Where the
// credentials were refused none is, because accounts are locked after a few wrong passwords. But
// for one: servers announce SCRAM and CRAM-MD5 for accounts of which they keep only a hash of
// another kind, and refuse them as if the password was wrong. So one more login says the password
// itself, to a server that has proved who it is; anybody else on the way could have refused the
// first to hear the second.
std::optional<AuthMechanism> Opening::next_mechanism(AuthMechanism failed, CloseKind why) const {
  if ((traits_.knowledge().mechanisms_proven & codec::bit_of(failed)) != 0) {
    return std::nullopt;
  }
  const bool trusted = secure() && options_.peer_verified;
  const bool proof = !codec::says_password(failed) && !codec::takes_token(failed);
  if (why == CloseKind::auth_refused && (!proof || !trusted || trouble_->one_more)) {
    return std::nullopt;
  }
  const auto next = choose(trouble_->tried);
  if (next && why != CloseKind::mechanism_refused && codec::says_password(*next) && !trusted) {
    return std::nullopt;
  }
  return next;
}

std::string Opening::tried_mechanisms() const {
  std::string names = trouble_ ? trouble_->names : std::string();
  if (sasl_ && (!trouble_ || (trouble_->tried & codec::bit_of(sasl_->mechanism())) == 0)) {
    names.append(names.empty() ? "" : ", ").append(codec::name_of(sasl_->mechanism()));
  }
  if (names.empty()) {
    return names;
  }
  const bool several = names.find(',') != std::string::npos;
  names.append(several ? " were tried" : " was tried");
  return names.append(", and it offers ").append(announced_);
}

std::string Opening::login_note() const {
  if (!trouble_ || !trouble_->next) {
    return {};
  }
  return "logs in with " + std::string(codec::name_of(*trouble_->next)) + " after " +
         trouble_->names + " failed: " + trouble_->fault.message();
}

// ---- What people read --------------------------------------------------------------------------

std::string_view Opening::client_name() const {
  return options_.client_name.empty() ? std::string_view(client_name_) : options_.client_name;
}

std::string Opening::quote(Bytes octets) const {
  std::string text(octets);
  if (login_) {
    login_->redactor.redact(text);
  }
  std::string quoted;
  codec::append_json_string_cut(quoted, text, limits::quoted_line_bytes_max);
  return quoted;
}

CloseReason Opening::reason_of_malformed(codec::ReplyError error, Stage under_way) const {
  const bool in_greeting = state_ == SessionState::greeting;
  if (auto refusal = in_greeting ? refusal_in_greeting() : std::nullopt) {
    return std::move(*refusal);
  }
  const Bytes line = stream_.parser().line_at_hand();
  std::string detail(codec::text_of(error));
  detail += ": " + quote(line);
  CloseReason reason = reason_of(CloseKind::protocol_error, under_way, detail);
  note_foreign_protocol(line, reason);
  return reason;
}

// Another protocol answers on this port, and will tomorrow.
void Opening::note_foreign_protocol(Bytes line, CloseReason& reason) const {
  const std::string_view hint =
      state_ == SessionState::greeting ? foreign_protocol_hint(line) : std::string_view();
  append_clause(reason.detail, hint);
  reason.permanent = reason.permanent || !hint.empty();
}

// `220-` and then `521 blocked`, or `554-blocked` and then the end: no reply, but the words of one
// who turns us away. A later line goes before those above it.
std::optional<CloseReason> Opening::refusal_in_greeting() const {
  std::string line(stream_.parser().line_at_hand());
  if (line.size() > 3 && line[3] == '-') {
    line[3] = ' ';
  }
  line += '\n';
  Bytes octets = line;
  codec::ReplyParser parser;
  codec::Reply reply;
  const auto complete = parser.parse(octets, reply);
  if (!complete || !*complete || reply.positive() || reply.intermediate()) {
    reply = stream_.parser().unfinished();
  }
  if (!reply.transient() && !reply.permanent()) {
    return std::nullopt;
  }
  CloseReason reason = refusal(CloseKind::greeting_refused, Stage::greeting, reply);
  if (login_) {
    login_->redactor.redact(reason.text);
  }
  return reason;
}

void Opening::explain(CloseReason& reason) {
  const bool without_a_word = ended_by_peer(reason.kind) && reason.kind != CloseKind::peer_closing;
  if (without_a_word && stream_.parser().in_reply()) {
    explain_cut_reply(reason);
  } else if (without_a_word && is_ungreeted() && options_.tls_mode != TlsMode::implicit) {
    append_clause(reason.detail,
                  "a port that speaks TLS from the first octet (465, smtps://) says no more to one "
                  "who expects a greeting");
  }
  if (state_ == SessionState::auth) {
    explain_login(reason);
  } else if (state_ < SessionState::auth) {
    explain_name(reason);
  }
}

void Opening::explain_cut_reply(CloseReason& reason) const {
  const bool in_greeting = state_ == SessionState::greeting;
  if (auto refusal = in_greeting ? refusal_in_greeting() : std::nullopt) {
    reason = std::move(*refusal);
    return;
  }
  std::string line(stream_.parser().line_at_hand());
  if (line.empty()) {
    const codec::Reply reply = stream_.parser().unfinished();
    line = std::to_string(reply.code) + "-";
    line += reply.text.substr(reply.text.rfind('\n') + 1);
  }
  append_clause(reason.detail, "in the middle of a reply: " + quote(line));
  note_foreign_protocol(line, reason);
}

void Opening::explain_name(CloseReason& reason) const {
  const bool refused = reason.code >= 400;
  const bool after_hello = state_ == SessionState::hello || state_ == SessionState::hello_tls;
  const bool an_argument = reason.kind == CloseKind::ehlo_refused &&
                           (reason.code == 501 || reason.code == 504 || reason.code >= 550);
  if (!refused || (!an_argument && !is_about_client_name(reason.text))) {
    return;
  }
  append_clause(reason.detail, after_hello
                                   ? "this machine named itself " + std::string(client_name()) +
                                         ", and client_name sets another name"
                                   : "client_name sets the name that this machine gives");
}

void Opening::explain_login(CloseReason& reason) {
  if (ended_by_peer(reason.kind)) {
    if (!trouble_ && sasl_ && reason.kind != CloseKind::peer_closing &&
        !codec::says_password(sasl_->mechanism())) {
      // Servers were seen to die of a mechanism that they announce.
      note_trouble(reason);
      reason.other_mechanism = trouble_->news;
    } else if (trouble_) {
      // What was refused says more than the end behind it.
      reason = trouble_->fault;
      reason.permanent = reason.permanent && !trouble_->next;
      reason.other_mechanism = trouble_->next && trouble_->news;
    }
  }
  if (reason.kind != CloseKind::quit && reason.kind != CloseKind::aborted) {
    append_clause(reason.detail, tried_mechanisms());
  }
}

}  // namespace ringpost::protocol
