// The stream: octets to lines, lines to handlers, handlers to replies. What the commands do stands
// in server_commands.cpp.
#include "engine/server/server_session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace ringpost::server {

namespace {

constexpr std::size_t line_bytes_kept_max = 4096;

// Where an observer can look at a command; the others belong to no stage.
std::optional<Stage> stage_of(Verb verb) {
  switch (verb) {
    case Verb::ehlo:
    case Verb::helo:
      return Stage::ehlo;
    case Verb::starttls:
      return Stage::starttls;
    case Verb::auth:
      return Stage::auth;
    case Verb::mail:
      return Stage::mail;
    case Verb::rcpt:
      return Stage::rcpt;
    case Verb::data:
    case Verb::bdat:
      return Stage::data;
    case Verb::rset:
    case Verb::quit:
    case Verb::noop:
    case Verb::vrfy:
    case Verb::help:
    case Verb::unknown:
      break;
  }
  return std::nullopt;
}

// Whoever made the words.
std::string one_line(Bytes text) {
  constexpr std::size_t text_bytes_max = 480;  // RFC 5321 4.5.3.1.5, without codes and CRLF
  std::string line(text.substr(0, text_bytes_max));
  std::replace_if(
      line.begin(), line.end(),
      [](char octet) { return static_cast<unsigned char>(octet) < ' ' || octet == '\x7f'; }, ' ');
  return line;
}

}  // namespace

ServerSession::ServerSession(const ServerSetup& setup, ClientFacts client, ReplyQueue& replies,
                             ServerObserver& observer)
    : setup_(setup),
      options_(*setup.options),
      client_(std::move(client)),
      counts_(*setup.counts),
      replies_(replies),
      observer_(observer),
      wishes_(observer.wishes()),
      offered_(no_extensions),
      login_(setup) {}

Next ServerSession::greet() {
  if (is_over_before(Stage::greeting)) {
    return next_;
  }
  if (const Answer refusal = observer_.on_greeting(client_); refusal.is_given()) {
    say_goodbye(refusal);
    return next_;
  }
  const std::size_t begin = replies_.size();
  replies_.append("220 ");
  replies_.append(options_.host_name);
  replies_.append(" ESMTP ");
  replies_.append(options_.software);
  replies_.append("\r\n");
  reply_awaited_ = true;  // RFC 5321 4.3.1: the client waits for it
  end_stage(Stage::greeting, begin);
  return next_;
}

void ServerSession::tls_started(std::string_view version) {
  end_transaction();
  client_.tls_version = version;
  client_.hello.clear();
  client_.user.clear();
  has_greeted_ = false;
  offered_ = no_extensions;
  auth_tried_ = false;
  partial_line_.clear();
  reply_awaited_ = false;
  phase_ = Phase::command;
  next_ = Next::receive;
}

Next ServerSession::receive(Bytes input) {
  if (phase_ == Phase::closed) {
    return next_;
  }
  while (!input.empty() && phase_ != Phase::closed) {
    if (reply_awaited_ && phase_ != Phase::awaiting_tls && phase_ != Phase::stalled) {
      violate(Violation::pipelining);
      reply_awaited_ = false;
    }
    if (!close_if_due()) {
      input.remove_prefix(take(input));
      close_if_due();
    }
  }
  if (!input.empty() && has_quit_) {
    violate(Violation::pipelining);  // RFC 2920 3.1: QUIT is the last of its group
  }
  return next_;
}

// Not in the middle of a message: its end is still judged and answered.
bool ServerSession::close_if_due() {
  const bool between_messages = phase_ == Phase::command || phase_ == Phase::login;
  const bool is_violated = options_.strict_close && has_violated_;
  const bool is_hopeless = options_.errors_max != 0 && errors_ >= options_.errors_max;
  if (!between_messages || (!is_violated && !is_hopeless)) {
    return false;
  }
  reply(421, "4.7.0", is_violated ? "Closing after a violation" : "Too many errors");
  close();
  return true;
}

std::size_t ServerSession::take(Bytes input) {
  switch (phase_) {
    case Phase::command:
    case Phase::login:
      return take_line(input);
    case Phase::overlong_line:
      return take_overlong(input);
    case Phase::content:
      return take_content(input);
    case Phase::chunk:
      return take_chunk(input);
    case Phase::refused_chunk:
      return take_refused_chunk(input);
    case Phase::awaiting_tls:
      // RFC 3207 4 and its injection attack: octets that came in clear may not be used.
      violate(Violation::plaintext_behind_starttls);
      reply(554, "5.5.1", "Octets in clear behind STARTTLS");
      close();
      return input.size();
    case Phase::stalled:
    case Phase::closed:
      break;
  }
  return input.size();
}

std::size_t ServerSession::take_line(Bytes input) {
  const std::size_t lf = input.find('\n');
  const std::size_t count = lf == Bytes::npos ? input.size() : lf + 1;
  if (partial_line_.size() + count > any_command_line_bytes_max) {
    partial_line_.clear();
    phase_ = Phase::overlong_line;
    return lf == Bytes::npos ? count : lf;
  }
  if (lf == Bytes::npos) {
    partial_line_.append(input);
    return count;
  }
  if (partial_line_.empty()) {
    line(input.substr(0, count));
    return count;
  }
  partial_line_.append(input.substr(0, count));
  line(partial_line_);
  partial_line_.clear();
  if (partial_line_.capacity() > line_bytes_kept_max) {
    partial_line_.shrink_to_fit();
  }
  return count;
}

std::size_t ServerSession::take_overlong(Bytes input) {
  const std::size_t lf = input.find('\n');
  if (lf == Bytes::npos) {
    return input.size();
  }
  phase_ = Phase::command;
  count(Count::commands);
  violate(Violation::long_command_line);
  reply(500, "5.5.6", "Line too long");
  return lf + 1;
}

void ServerSession::line(Bytes with_crlf) {
  const bool in_login = phase_ == Phase::login;
  phase_ = Phase::command;
  if (!in_login) {
    count(Count::commands);
  }
  if (!has_clean_end(with_crlf)) {
    return;
  }
  const Bytes text = with_crlf.substr(0, with_crlf.size() - 2);
  if (in_login) {
    on_login_step(login_.answer(text));
  } else {
    command(text, with_crlf.size());
  }
}

// One CR, in front of the one LF, and no NUL. A line that fails is answered and not obeyed.
bool ServerSession::has_clean_end(Bytes with_crlf) {
  const Bytes text = with_crlf.substr(0, with_crlf.size() - 1);
  const bool ends_with_cr = text.ends_with('\r');
  if (ends_with_cr && text.find('\r') == text.size() - 1 && text.find('\0') == Bytes::npos) {
    return true;
  }
  const auto crs = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\r'));
  const auto nuls = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\0'));
  if (!ends_with_cr) {
    violate(Violation::bare_lf);
  }
  if (const std::uint64_t bare = crs - (ends_with_cr ? 1 : 0); bare > 0) {
    violate(Violation::bare_cr, bare);
  }
  if (nuls > 0) {
    violate(Violation::nul, nuls);
  }
  reply(554, "5.6.0", !ends_with_cr ? "Bare line feed" : nuls > 0 ? "NUL" : "Bare carriage return");
  return false;
}

void ServerSession::command(Bytes text, std::size_t line_bytes) {
  const Command command = split_command(text);
  if (line_bytes > command_line_bytes_max(command.verb)) {
    violate(Violation::long_command_line);
    reply(500, "5.5.2", "Line too long");
    return;
  }
  const std::optional<Stage> stage = wishes_.stages ? stage_of(command.verb) : std::nullopt;
  if (!stage) {
    return obey(command);
  }
  if (!is_over_before(*stage)) {
    const std::size_t begin = replies_.size();
    obey(command);
    end_stage(*stage, begin);
  }
}

void ServerSession::obey(const Command& command) {
  switch (command.verb) {
    case Verb::rcpt:
      return on_rcpt(command.arguments);
    case Verb::mail:
      return on_mail(command.arguments);
    case Verb::bdat:
      return on_bdat(command.arguments);
    case Verb::rset:
      return on_rset(command.arguments);
    case Verb::data:
      return on_data(command.arguments);
    case Verb::ehlo:
      return on_hello(command.arguments, true);
    case Verb::helo:
      return on_hello(command.arguments, false);
    case Verb::starttls:
      return on_starttls(command.arguments);
    case Verb::auth:
      return on_auth(command.arguments);
    case Verb::quit:
      return on_quit(command.arguments);
    case Verb::noop:
      reply(250, "2.0.0", "Ok");
      break;
    case Verb::vrfy:
      reply(252, "2.1.5", "Send some mail, and see");
      break;
    case Verb::help:
      reply(214, "2.0.0", "RFC 5321 is the manual");
      break;
    case Verb::unknown:
      return on_unknown();
  }
  reply_awaited_ = true;  // RFC 2920 3.1: the last of their group
}

std::size_t ServerSession::take_content(Bytes input) {
  const std::size_t taken = scan_.feed(until_question(input), content_observer());
  if (is_over_behind(taken)) {
    return taken;
  }
  if (scan_.ended()) {
    phase_ = Phase::command;
    judge_message();
  }
  return taken;
}

std::size_t ServerSession::take_chunk(Bytes input) {
  const Bytes octets =
      until_question(input.substr(0, std::min<std::uint64_t>(chunk_left_, input.size())));
  scan_.feed(octets, content_observer());
  chunk_left_ -= octets.size();
  if (is_over_behind(octets.size())) {
    return octets.size();
  }
  if (chunk_left_ == 0) {
    chunk_done();
  }
  return octets.size();
}

std::size_t ServerSession::take_refused_chunk(Bytes input) {
  const std::size_t count = std::min<std::uint64_t>(chunk_left_, input.size());
  chunk_left_ -= count;
  if (chunk_left_ == 0) {
    phase_ = Phase::command;
    say({chunk_refusal_.code, chunk_refusal_.enhanced, chunk_refusal_.text});
  }
  return count;
}

void ServerSession::say_goodbye(const Answer& answer) {
  say(answer);
  close();
}

void ServerSession::connection_lost() {
  abandon_content();
  owed_.clear();
  phase_ = Phase::closed;
}

void ServerSession::close() {
  abandon_content();
  phase_ = Phase::closed;
  next_ = Next::close;
}

template <typename Out>
void ServerSession::write_reply(Out& out, unsigned code, Bytes enhanced, Bytes text) const {
  const fmt::format_int digits(code);
  out.append(Bytes(digits.data(), digits.size()));
  out.append(" ");
  // RFC 2034 4: replies of classes 2, 4 and 5 begin with it.
  if (extensions().enhanced_status_codes && !enhanced.empty()) {
    out.append(enhanced);
    out.append(" ");
  }
  out.append(text);
  out.append("\r\n");
}

void ServerSession::reply(unsigned code, Bytes enhanced, Bytes text) {
  errors_ += code >= 500 ? 1 : 0;
  write_reply(replies_, code, enhanced, text);
  if (!pipelining_offered()) {
    reply_awaited_ = true;
  }
}

void ServerSession::refuse(const SyntaxError& error) {
  violate(error.violation);
  reply(error.code, error.enhanced, error.text);
}

void ServerSession::refuse_sequence(Bytes text, bool is_violation) {
  if (is_violation) {
    violate(Violation::sequence);
  }
  reply(503, "5.5.1", text);
}

bool ServerSession::refuse_arguments(Bytes arguments) {
  if (arguments.empty()) {
    return false;
  }
  refuse({501, "5.5.4", "No arguments belong here", Violation::syntax});
  return true;
}

void ServerSession::violate(Violation violation, std::uint64_t amount) {
  has_violated_ = true;
  counts_.add(violation, amount);
  observer_.on_violation(violation, amount);
}

// ---- The observer ------------------------------------------------------------------------------

bool ServerSession::is_over_before(Stage stage) {
  if (!wishes_.stages) {
    return false;
  }
  const StageVerdict verdict = observer_.before_stage(stage);
  RP_ASSERT(!verdict.answer.is_given() || verdict.answer.code == 421);
  return carry_out(verdict);
}

void ServerSession::end_stage(Stage stage, std::size_t reply_begin) {
  if (wishes_.stages && replies_.size() > reply_begin && phase_ != Phase::closed) {
    carry_out(observer_.after_stage(stage, replies_, reply_begin));
  }
}

// Returns whether the stage is over with it.
bool ServerSession::carry_out(const StageVerdict& verdict) {
  if (verdict.answer.is_given()) {
    say(verdict.answer);
  }
  switch (verdict.ending) {
    case Ending::none:
      return phase_ == Phase::closed;
    case Ending::drop:
    case Ending::reset:
      close();
      next_ = verdict.ending == Ending::reset ? Next::reset : Next::drop;
      return true;
    case Ending::stall:
      // TLS that STARTTLS has asked for does not begin either.
      abandon_content();
      phase_ = Phase::stalled;
      next_ = Next::receive;
      return true;
  }
  RP_ASSERT(false);
}

// As much of the input as may be taken before the observer is asked. Nearly always all of it.
Bytes ServerSession::until_question(Bytes input) const {
  return input.substr(0, std::min<std::uint64_t>(question_in_, input.size()));
}

// So many octets of content were taken: asks when it is time.
bool ServerSession::is_over_behind(std::size_t content_bytes) {
  if (question_in_ == ContentVerdict::nowhere) {
    return false;
  }
  question_in_ -= content_bytes;
  if (question_in_ > 0 || scan_.ended()) {
    return false;
  }
  question_in_ = ContentVerdict::nowhere;
  return is_over_before(Stage::content);
}

std::string ServerSession::line_of(const Answer& answer) const {
  RP_ASSERT(answer.code >= 200 && answer.code < 600);
  std::string line;
  write_reply(line, answer.code, answer.enhanced, one_line(answer.text));
  return line;
}

void ServerSession::say(const Answer& answer) {
  RP_ASSERT(answer.code >= 200 && answer.code < 600);
  reply(answer.code, answer.enhanced, one_line(answer.text));
  if (answer.code == 421) {
    close();
  }
}

}  // namespace ringpost::server
