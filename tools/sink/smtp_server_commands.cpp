// What each command does to the session. How the stream becomes commands stands in
// smtp_server_session.cpp.
#include <algorithm>

#include <fmt/format.h>

#include "engine/server/mailbox_syntax.h"
#include "tools/sink/smtp_server_session.h"

namespace ringpost::sink {

namespace {

constexpr unsigned auth_failures_max = 5;
constexpr std::size_t recipients_bytes_kept_max = 16u << 10;
// Where the client has not said how long its message is, the middle of it is taken to be at half of
// this.
constexpr std::uint64_t content_bytes_guessed = 512;

}  // namespace

// ---- The session -------------------------------------------------------------------------------

void SmtpServerSession::on_hello(Bytes name, bool extended) {
  if (!is_host_name(name)) {
    refuse({501, "5.5.4", "A domain or an address literal belongs here", Violation::syntax});
    reply_awaited_ = true;
    return;
  }
  end_transaction();  // RFC 5321 4.1.4: like RSET
  has_greeted_ = true;
  if (extended) {
    offer_extensions(name);
  } else {
    offered_ = no_extensions;
    replies_.append("250 ");
    replies_.append(options_.host_name);
    replies_.append("\r\n");
  }
  reply_awaited_ = true;
}

// RFC 5321 4.1.1.1. Neither this reply nor that to HELO has an enhanced status (RFC 2034 4).
void SmtpServerSession::offer_extensions(Bytes name) {
  offered_ = options_.extensions;
  offered_.starttls = starttls_offered();
  offered_.auth = auth_offered();
  replies_.append("250-");
  replies_.append(options_.host_name);
  replies_.append(" greets ");
  replies_.append(name);
  replies_.append("\r\n");
  fmt::basic_memory_buffer<char, 64> size;
  fmt::format_to(std::back_inserter(size), "SIZE {}", options_.size_max);
  std::string auth = "AUTH";
  for (const AuthMechanism mechanism : options_.mechanisms) {
    auth.append(" ").append(codec::name_of(mechanism));
  }
  const std::array<std::pair<bool, Bytes>, 9> keywords = {{
      {offered_.pipelining, "PIPELINING"},
      {offered_.size, {size.data(), size.size()}},
      {offered_.starttls, "STARTTLS"},
      {offered_.auth, auth},
      {offered_.enhanced_status_codes, "ENHANCEDSTATUSCODES"},
      {offered_.eight_bit_mime, "8BITMIME"},
      {offered_.dsn, "DSN"},
      {offered_.smtputf8, "SMTPUTF8"},
      {offered_.chunking, "CHUNKING"},
  }};
  for (const auto& [is_offered, keyword] : keywords) {
    if (is_offered) {
      replies_.append("250-");
      replies_.append(keyword);
      replies_.append("\r\n");
    }
  }
  replies_.append("250 HELP\r\n");
}

bool SmtpServerSession::starttls_offered() const {
  return policy_.starttls && options_.extensions.starttls && tls_version_.empty();
}

bool SmtpServerSession::auth_offered() const {
  return options_.extensions.auth && (policy_.auth_in_clear || !tls_version_.empty());
}

void SmtpServerSession::on_starttls(Bytes arguments) {
  reply_awaited_ = true;
  if (!tls_version_.empty()) {
    return refuse_sequence("TLS is active already", true);
  }
  if (!starttls_offered()) {
    return refuse({502, "5.5.1", "STARTTLS is not offered", Violation::unannounced});
  }
  if (!offered_.starttls) {
    return refuse_sequence("EHLO comes first", true);
  }
  if (refuse_arguments(arguments)) {
    return;
  }
  reply(220, "2.0.0", "Go ahead");
  phase_ = Phase::awaiting_tls;
  next_ = Next::start_tls;
}

void SmtpServerSession::on_quit(Bytes arguments) {
  reply_awaited_ = true;
  if (refuse_arguments(arguments)) {
    return;
  }
  reply(221, "2.0.0", "Bye");
  has_quit_ = true;
  close();
}

void SmtpServerSession::on_unknown() {
  refuse({500, "5.5.2", "No such command", Violation::syntax});
}

// ---- AUTH (RFC 4954 4) -------------------------------------------------------------------------

void SmtpServerSession::on_auth(Bytes arguments) {
  reply_awaited_ = true;
  auth_tried_ = true;
  if (!options_.extensions.auth) {
    return refuse({502, "5.5.1", "AUTH is not offered", Violation::unannounced});
  }
  if (!auth_offered()) {
    return refuse({538, "5.7.11", "TLS comes first", Violation::unannounced});
  }
  if (!offered_.auth) {
    return refuse_sequence("EHLO comes first", true);
  }
  if (!user_.empty()) {
    return refuse_sequence("Logged in already", true);
  }
  if (mail_granted_) {
    return refuse_sequence("Not inside a transaction", true);
  }
  on_login_step(login_.begin(arguments));
}

void SmtpServerSession::on_login_step(LoginStep step) {
  // Only a single round trip without a challenge may have more commands behind it.
  reply_awaited_ = !login_.one_round_trip() || !pipelining_offered();
  switch (step) {
    case LoginStep::challenge:
      replies_.append("334 ");
      replies_.append(login_.challenge());
      replies_.append("\r\n");
      phase_ = Phase::login;
      return;
    case LoginStep::granted:
      user_ = login_.user();
      tally_.add(Count::auth_succeeded);
      return reply(235, "2.7.0", "Welcome");
    case LoginStep::cancelled:
      return reply(501, "5.7.0", "Cancelled");
    case LoginStep::bad_encoding:
      return refuse(
          {501, "5.5.2", "That is no base64 of the mechanism's fields", Violation::syntax});
    case LoginStep::no_mechanism:
      return refuse({504, "5.5.4", "Not a mechanism that was announced", Violation::unannounced});
    case LoginStep::wrong:
      break;
  }
  tally_.add(Count::auth_failed);
  reply(535, "5.7.8", "User or password is wrong");
  if (++auth_failures_ == auth_failures_max) {
    reply(421, "4.7.0", "Too many wrong passwords");
    close();
  }
}

// ---- The transaction ---------------------------------------------------------------------------

// Whether the session has come so far that a MAIL makes sense; answers it when not.
bool SmtpServerSession::mail_may_begin() {
  if (!has_greeted_) {
    refuse_sequence("EHLO comes first", true);
    return false;
  }
  if (options_.extensions.auth && policy_.auth_required && user_.empty()) {
    if (!auth_tried_) {
      violate(Violation::unauthenticated);
    }
    reply(530, "5.7.0", starttls_offered() ? "STARTTLS and AUTH come first" : "AUTH comes first");
    return false;
  }
  if (mail_granted_) {
    refuse_sequence("There is a sender already; RSET first", true);
    return false;
  }
  const std::uint64_t messages_max = options_.faults.messages_per_session_max;
  if (messages_max != 0 && messages_ >= messages_max) {
    reply(421, "4.7.0", "Enough messages for one session");
    close();
    return false;
  }
  return true;
}

void SmtpServerSession::on_mail(Bytes arguments) {
  if (!mail_may_begin()) {
    mail_tried_ = true;
    return;
  }
  mail_tried_ = true;
  rcpt_tried_ = false;
  tally_.add(Count::messages_ahead, end_unanswered_ ? 1 : 0);
  const auto mail = parse_mail(arguments, offered_);
  if (!mail) {
    return refuse(mail.error());
  }
  if (mail->size && *mail->size > options_.size_max) {
    tally_.add(Count::senders_refused);
    return reply(552, "5.3.4", "Message is too big");
  }
  switch (refusal_at_mail(mail->local_part)) {
    case Refusal::reject:
      tally_.add(Count::senders_refused);
      return reply(550, "5.1.8", "Sender refused, as its address asks");
    case Refusal::defer:
      tally_.add(Count::senders_refused);
      return reply(450, "4.1.8", "Sender deferred, as its address asks");
    case Refusal::none:
      break;
  }
  begin_transaction(*mail);
  reply(250, "2.1.0", "Ok");
}

void SmtpServerSession::begin_transaction(const MailArguments& mail) {
  mail_granted_ = true;
  mail_ = mail;
  mail_.sender = mail_.local_part = {};  // they point into the line
  if (observer_ != nullptr) {
    sender_.assign(mail.sender);
  }
}

void SmtpServerSession::on_rcpt(Bytes arguments) {
  if (!mail_granted_) {
    return refuse_sequence("MAIL comes first", !mail_tried_);
  }
  rcpt_tried_ = true;
  if (content_begun_ || chunk_failed_) {
    return refuse_sequence("Not behind BDAT", !chunk_failed_);
  }
  const auto rcpt = parse_rcpt(arguments, offered_, mail_.smtputf8);
  if (!rcpt) {
    return refuse(rcpt.error());
  }
  if (refuse_recipient(refusal_at_rcpt(rcpt->local_part))) {
    return;
  }
  if (recipient_count_ == options_.recipients_max) {
    tally_.add(Count::recipients_deferred);
    return reply(452, "4.5.3", "Too many recipients");
  }
  ++recipient_count_;
  refusal_at_end_ = std::max(refusal_at_end_, refusal_at_end_of_data(rcpt->local_part));
  if (observer_ != nullptr) {
    recipients_.append(rcpt->recipient);
    recipients_.push_back('\n');
  }
  tally_.add(Count::recipients_accepted);
  reply(250, "2.1.5", "Ok");
}

bool SmtpServerSession::refuse_recipient(Refusal refusal) {
  switch (refusal) {
    case Refusal::reject:
      tally_.add(Count::recipients_refused);
      reply(550, "5.1.1", "No such user, as its address asks");
      return true;
    case Refusal::defer:
      tally_.add(Count::recipients_deferred);
      reply(450, "4.2.0", "Recipient deferred, as its address asks");
      return true;
    case Refusal::none:
      break;
  }
  return false;
}

// Whether DATA or BDAT stands where it may. If not, says what to answer with 503.
bool SmtpServerSession::content_may_begin(Bytes& complaint, bool& is_violation) const {
  if (!mail_granted_) {
    complaint = "MAIL comes first";
    is_violation = !mail_tried_;
    return false;
  }
  if (recipient_count_ == 0) {
    complaint = rcpt_tried_ ? "No recipient was accepted" : "RCPT comes first";
    is_violation = !rcpt_tried_;
    return false;
  }
  return true;
}

// What came of a group with a refused MAIL has been answered to its end.
void SmtpServerSession::forget_tries() {
  if (!mail_granted_) {
    mail_tried_ = rcpt_tried_ = false;
  }
}

void SmtpServerSession::begin_content(Framing framing) {
  content_begun_ = true;
  scan_.begin(framing);
}

void SmtpServerSession::on_data(Bytes arguments) {
  reply_awaited_ = true;
  if (refuse_arguments(arguments)) {
    return;
  }
  if (content_begun_ || chunk_failed_) {
    return refuse_sequence("Not behind BDAT", true);  // RFC 3030 2
  }
  Bytes complaint;
  bool is_violation = false;
  if (!content_may_begin(complaint, is_violation)) {
    forget_tries();
    return refuse_sequence(complaint, is_violation);
  }
  begin_content(Framing::dot);
  plan_content(mail_.size.value_or(content_bytes_guessed));
  phase_ = Phase::content;
  reply(354, "", "Go ahead, and end with a lone dot");
}

// A chunk that is refused comes all the same (RFC 3030 2): its octets are read, then it is
// answered.
void SmtpServerSession::on_bdat(Bytes arguments) {
  if (!offered_.chunking) {
    // Where the octets behind it end is the extension's knowledge: the stream cannot be followed.
    refuse({502, "5.5.1", "BDAT is not offered", Violation::unannounced});
    return close();
  }
  const auto bdat = parse_bdat(arguments);
  if (!bdat) {
    refuse(bdat.error());
    return close();
  }
  chunk_bytes_ = chunk_left_ = bdat->bytes;
  chunk_last_ = bdat->last;
  begin_chunk();
}

void SmtpServerSession::begin_chunk() {
  chunk_refusal_ = {503, "5.5.1", "RSET comes first: a chunk was refused", Violation::sequence};
  bool may_begin = !chunk_failed_;
  bool is_violation = false;
  if (may_begin && !content_begun_) {
    may_begin = content_may_begin(chunk_refusal_.text, is_violation);
  }
  if (may_begin) {
    if (!content_begun_) {
      begin_content(Framing::counted);
      plan_content(chunk_left_);
    }
    phase_ = Phase::chunk;
    if (chunk_left_ == 0) {
      chunk_done();
    }
    return;
  }
  // A chunk in front of RCPT that is not the last is how a careful client asks whether the octets
  // of a refused one are read as such: no message can come of it.
  if (is_violation && chunk_last_) {
    violate(Violation::sequence);
  }
  if (chunk_last_) {
    forget_tries();
    if (chunk_failed_) {
      end_transaction();
    }
  }
  phase_ = Phase::refused_chunk;
  if (chunk_left_ == 0) {
    take_refused_chunk({});
  }
}

void SmtpServerSession::chunk_done() {
  phase_ = Phase::command;
  if (chunk_last_) {
    scan_.finish();
    return judge_message();
  }
  if (refuse_content()) {
    abandon_content();
    chunk_failed_ = true;
    return;
  }
  fmt::basic_memory_buffer<char, 64> text;
  fmt::format_to(std::back_inserter(text), "{} octets taken", chunk_bytes_);
  reply(250, "2.0.0", {text.data(), text.size()});
}

void SmtpServerSession::on_rset(Bytes arguments) {
  if (refuse_arguments(arguments)) {
    return;
  }
  end_transaction();
  reply(250, "2.0.0", "Ok");
}

// ---- The message -------------------------------------------------------------------------------

// All of it is here: the one place where a message is accepted or refused.
void SmtpServerSession::judge_message() {
  const StageFault fault = begin_stage(FaultStage::end);
  if (fault.in_place) {
    return;
  }
  end_unanswered_ = true;
  note_content();
  if (mail_.size && *mail_.size != scan_.facts().bytes) {
    violate(Violation::size_mismatch);
  }
  if (refuse_content()) {
    tally_.add(Count::messages_refused);
  } else if (refusal_at_end_ == Refusal::reject) {
    tally_.add(Count::messages_refused);
    reply(554, "5.7.1", "Message refused, as an address asks");
  } else if (refusal_at_end_ == Refusal::defer) {
    tally_.add(Count::messages_deferred);
    reply(451, "4.3.0", "Message deferred, as an address asks");
  } else {
    accept_message();
  }
  discard_content();
  end_transaction();
  end_stage(fault);
}

void SmtpServerSession::accept_message() {
  ++messages_;
  fmt::basic_memory_buffer<char, 96> text;
  constexpr Bytes words = "Ok: queued as ";
  fmt::format_to(std::back_inserter(text), "{}{:x}-{:x}", words, number_, messages_);
  reply(250, "2.0.0", {text.data(), text.size()});
  tally_.add(Count::messages_accepted);
  tally_.add(Count::content_bytes, scan_.facts().bytes);
  content_begun_ = false;
  if (observer_ != nullptr) {
    observer_->accepted({.session = number_,
                         .message = messages_,
                         .queue_id = Bytes(text.data(), text.size()).substr(words.size()),
                         .sender = sender_,
                         .recipients = recipients_,
                         .bytes = scan_.facts().bytes,
                         .user = user_,
                         .tls_version = tls_version_,
                         .chunked = scan_.framing() == Framing::counted,
                         .violations = violations_});
  }
}

// Answers content that no recipient can make acceptable.
bool SmtpServerSession::refuse_content() {
  const ContentFacts& facts = scan_.facts();
  if (facts.bytes > options_.size_max) {
    reply(552, "5.3.4", "Message is too big");
  } else if (facts.bare_lf > 0) {
    reply(554, "5.6.0", "Bare line feed");
  } else if (facts.bare_cr > 0) {
    reply(554, "5.6.0", "Bare carriage return");
  } else if (facts.nul > 0) {
    reply(554, "5.6.0", "NUL");
  } else {
    return false;
  }
  return true;
}

void SmtpServerSession::note_content() {
  const ContentFacts& facts = scan_.facts();
  const std::array<std::pair<Violation, std::uint64_t>, 5> findings = {{
      {Violation::bare_lf, facts.bare_lf},
      {Violation::bare_cr, facts.bare_cr},
      {Violation::nul, facts.nul},
      {Violation::long_content_line, facts.long_lines},
      {Violation::stuffing, facts.unstuffed_dots},
  }};
  for (const auto& [violation, amount] : findings) {
    if (amount > 0) {
      violate(violation, amount);
    }
  }
  // RFC 6531 3.6: header fields of an internationalized message are UTF-8 without BODY=8BITMIME.
  if (facts.eight_bit && !mail_.eight_bit_mime && !mail_.smtputf8) {
    violate(Violation::undeclared_8bit);
  }
}

void SmtpServerSession::discard_content() {
  if (content_begun_ && observer_ != nullptr) {
    observer_->discarded();
  }
  content_begun_ = false;
}

// Content that comes to no verdict is judged all the same, for the count.
void SmtpServerSession::abandon_content() {
  if (content_begun_) {
    note_content();
    discard_content();
  }
}

void SmtpServerSession::end_transaction() {
  abandon_content();
  mail_tried_ = false;
  rcpt_tried_ = false;
  mail_granted_ = false;
  mail_ = {};
  sender_.clear();
  recipients_.clear();
  if (recipients_.capacity() > recipients_bytes_kept_max) {
    recipients_.shrink_to_fit();
  }
  recipient_count_ = 0;
  refusal_at_end_ = Refusal::none;
  chunk_failed_ = false;
  chunk_bytes_ = 0;
  chunk_last_ = false;
}

}  // namespace ringpost::sink
