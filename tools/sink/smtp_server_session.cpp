// The stream: octets to lines, lines to handlers, handlers to replies. What the commands do stands
// in smtp_server_commands.cpp.
#include "tools/sink/smtp_server_session.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace ringpost::sink {

namespace {

constexpr std::size_t line_bytes_kept_max = 4096;

// Where a command can meet a fault; the others belong to no stage.
std::optional<FaultStage> stage_of(Verb verb) {
  switch (verb) {
    case Verb::ehlo:
    case Verb::helo:
      return FaultStage::ehlo;
    case Verb::starttls:
      return FaultStage::starttls;
    case Verb::auth:
      return FaultStage::auth;
    case Verb::mail:
      return FaultStage::mail;
    case Verb::rcpt:
      return FaultStage::rcpt;
    case Verb::data:
    case Verb::bdat:
      return FaultStage::data;
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

}  // namespace

SmtpServerSession::SmtpServerSession(const ServerOptions& options, SessionPolicy policy,
                                     std::uint64_t number, Tally& tally, ReplyQueue& replies,
                                     MessageObserver* observer)
    : options_(options),
      policy_(policy),
      number_(number),
      tally_(tally),
      replies_(replies),
      observer_(observer),
      offered_(no_extensions),
      login_(options),
      dice_(options.faults.chances, number) {}

Next SmtpServerSession::greet() {
  const StageFault fault = begin_stage(FaultStage::greeting);
  if (!fault.in_place) {
    replies_.append("220 ");
    replies_.append(options_.host_name);
    replies_.append(" ESMTP ringpost sink\r\n");
    reply_awaited_ = true;  // RFC 5321 4.3.1: the client waits for it
    end_stage(fault);
  }
  return next_;
}

void SmtpServerSession::tls_started(std::string_view version) {
  end_transaction();
  tls_version_ = version;
  has_greeted_ = false;
  offered_ = no_extensions;
  user_.clear();
  auth_tried_ = false;
  partial_line_.clear();
  reply_awaited_ = false;
  phase_ = Phase::command;
  next_ = Next::receive;
}

Next SmtpServerSession::receive(Bytes input) {
  if (phase_ == Phase::closed) {
    return next_;
  }
  while (!input.empty() && phase_ != Phase::closed) {
    if (reply_awaited_ && phase_ != Phase::awaiting_tls && phase_ != Phase::stalled) {
      violate(Violation::pipelining);
      reply_awaited_ = false;
    }
    if (!close_if_violated()) {
      input.remove_prefix(take(input));
      close_if_violated();
    }
  }
  if (!input.empty() && has_quit_) {
    violate(Violation::pipelining);  // RFC 2920 3.1: QUIT is the last of its group
  }
  return next_;
}

// Not in the middle of a message: its end is still judged and answered.
bool SmtpServerSession::close_if_violated() {
  const bool between_messages = phase_ == Phase::command || phase_ == Phase::login;
  if (!options_.strict_close || !has_violated_ || !between_messages) {
    return false;
  }
  reply(421, "4.7.0", "Closing after a violation");
  close();
  return true;
}

std::size_t SmtpServerSession::take(Bytes input) {
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

std::size_t SmtpServerSession::take_line(Bytes input) {
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

std::size_t SmtpServerSession::take_overlong(Bytes input) {
  const std::size_t lf = input.find('\n');
  if (lf == Bytes::npos) {
    return input.size();
  }
  phase_ = Phase::command;
  tally_.add(Count::commands);
  violate(Violation::long_command_line);
  reply(500, "5.5.6", "Line too long");
  return lf + 1;
}

void SmtpServerSession::line(Bytes with_crlf) {
  const bool in_login = phase_ == Phase::login;
  phase_ = Phase::command;
  if (!in_login) {
    tally_.add(Count::commands);
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
bool SmtpServerSession::has_clean_end(Bytes with_crlf) {
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

void SmtpServerSession::command(Bytes text, std::size_t line_bytes) {
  const Command command = split_command(text);
  if (line_bytes > command_line_bytes_max(command.verb)) {
    violate(Violation::long_command_line);
    reply(500, "5.5.2", "Line too long");
    return;
  }
  const std::optional<FaultStage> stage = stage_of(command.verb);
  if (!stage) {
    return obey(command);
  }
  if (command.verb == Verb::mail) {
    dice_.begin_message();
  }
  const StageFault fault = begin_stage(*stage);
  if (!fault.in_place) {
    obey(command);
    end_stage(fault);
  }
}

void SmtpServerSession::obey(const Command& command) {
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

std::size_t SmtpServerSession::take_content(Bytes input) {
  const std::size_t count = scan_.feed(until_content_fault(input), observer_);
  if (fault_in_content()) {
    return count;
  }
  if (scan_.ended()) {
    phase_ = Phase::command;
    judge_message();
  }
  return count;
}

std::size_t SmtpServerSession::take_chunk(Bytes input) {
  const Bytes octets =
      until_content_fault(input.substr(0, std::min<std::uint64_t>(chunk_left_, input.size())));
  scan_.feed(octets, observer_);
  chunk_left_ -= octets.size();
  if (fault_in_content()) {
    return octets.size();
  }
  if (chunk_left_ == 0) {
    chunk_done();
  }
  return octets.size();
}

std::size_t SmtpServerSession::take_refused_chunk(Bytes input) {
  const std::size_t count = std::min<std::uint64_t>(chunk_left_, input.size());
  chunk_left_ -= count;
  if (chunk_left_ == 0) {
    phase_ = Phase::command;
    reply(chunk_refusal_.code, chunk_refusal_.enhanced, chunk_refusal_.text);
  }
  return count;
}

void SmtpServerSession::turn_away() {
  reply(421, "4.3.2", "Too many sessions");
  close();
}

void SmtpServerSession::time_out() {
  reply(421, "4.4.2", "Nothing came for too long");
  close();
}

void SmtpServerSession::shut_down() {
  reply(421, "4.3.2", "The sink is going down");
  close();
}

void SmtpServerSession::connection_lost() {
  abandon_content();
  phase_ = Phase::closed;
}

void SmtpServerSession::close() {
  abandon_content();
  phase_ = Phase::closed;
  next_ = Next::close;
}

void SmtpServerSession::reply(int code, Bytes enhanced, Bytes text) {
  const fmt::format_int digits(code);
  replies_.append({digits.data(), digits.size()});
  replies_.append(" ");
  // RFC 2034 4: replies of classes 2, 4 and 5 begin with it.
  if (options_.extensions.enhanced_status_codes && !enhanced.empty()) {
    replies_.append(enhanced);
    replies_.append(" ");
  }
  replies_.append(text);
  replies_.append("\r\n");
  if (!pipelining_offered()) {
    reply_awaited_ = true;
  }
}

void SmtpServerSession::refuse(const SyntaxError& error) {
  violate(error.violation);
  reply(error.code, error.enhanced, error.text);
}

void SmtpServerSession::refuse_sequence(Bytes text, bool is_violation) {
  if (is_violation) {
    violate(Violation::sequence);
  }
  reply(503, "5.5.1", text);
}

bool SmtpServerSession::refuse_arguments(Bytes arguments) {
  if (arguments.empty()) {
    return false;
  }
  refuse({501, "5.5.4", "No arguments belong here", Violation::syntax});
  return true;
}

void SmtpServerSession::violate(Violation violation, std::uint64_t amount) {
  const auto index = static_cast<std::size_t>(violation);
  violations_[index] += amount;
  tally_.violations[index] += amount;
  has_violated_ = true;
}

}  // namespace ringpost::sink
