// What each command does to the session. How the stream becomes commands stands in
// server_session.cpp.
#include <algorithm>

#include <fmt/format.h>

#include "codec/smtp/smtp_capability.h"
#include "engine/server/server_session.h"

namespace ringpost::server {

namespace {

constexpr unsigned auth_failures_max = 5;

// The session's own words for a message that was taken.
class QueuedAs {
 public:
  QueuedAs(std::uint64_t session, std::uint64_t message) {
    fmt::format_to(std::back_inserter(text_), "{}{:x}-{:x}", words, session, message);
  }
  [[nodiscard]] Bytes bytes() const { return {text_.data(), text_.size()}; }
  [[nodiscard]] Bytes queue_id() const { return bytes().substr(words.size()); }

 private:
  static constexpr Bytes words = "Ok: queued as ";
  fmt::basic_memory_buffer<char, 96> text_;
};

}  // namespace

// ---- The session -------------------------------------------------------------------------------

void ServerSession::on_hello(Bytes name, bool extended) {
  if (!is_host_name(name, options_.grammar)) {
    refuse({501, "5.5.4", "A domain or an address literal belongs here", Violation::syntax});
    reply_awaited_ = true;
    return;
  }
  end_transaction();  // RFC 5321 4.1.4: like RSET
  has_greeted_ = true;
  client_.hello = name;
  client_.is_extended = extended;
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
void ServerSession::offer_extensions(Bytes name) {
  offered_ = extensions();
  offered_.starttls = starttls_offered();
  offered_.auth = auth_offered();
  std::vector<std::string> lines = {fmt::format("{} greets {}", options_.host_name, name)};
  append_ehlo(lines);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    replies_.append(i + 1 < lines.size() ? "250-" : "250 ");
    replies_.append(lines[i]);
    replies_.append("\r\n");
  }
}

// A provider's own words stand as they are, but for what this listener has not.
void ServerSession::append_ehlo(std::vector<std::string>& lines) const {
  if (const std::optional<Announcement>& told = announcement()) {
    const bool tells_auth = offered_.auth || setup_.policy.starttls;
    for (const std::string& line : told->keywords) {
      const bool is_there = is_keyword(line, "STARTTLS") ? offered_.starttls
                                                         : !is_keyword(line, "AUTH") || tells_auth;
      if (is_there) {
        lines.push_back(line);
      }
    }
    return;
  }
  std::string auth = "AUTH";
  for (const AuthMechanism mechanism : options_.mechanisms) {
    auth.append(" ").append(codec::name_of(mechanism));
  }
  const std::string limits =
      fmt::format("LIMITS{} RCPTMAX={}",
                  options_.messages_max == 0 ? std::string()
                                             : fmt::format(" MAILMAX={}", options_.messages_max),
                  options_.recipients_max);
  const std::array<std::pair<bool, std::string>, 11> keywords = {{
      {offered_.pipelining, "PIPELINING"},
      {offered_.size, fmt::format("SIZE {}", options_.size_max)},
      {offered_.starttls, "STARTTLS"},
      {offered_.auth, auth},
      {offered_.enhanced_status_codes, "ENHANCEDSTATUSCODES"},
      {offered_.eight_bit_mime, "8BITMIME"},
      {offered_.dsn, "DSN"},
      {offered_.smtputf8, "SMTPUTF8"},
      {offered_.chunking, "CHUNKING"},
      {options_.announces_limits, limits},
      {true, "HELP"},
  }};
  for (const auto& [is_offered, keyword] : keywords) {
    if (is_offered) {
      lines.push_back(keyword);
    }
  }
}

const std::optional<Announcement>& ServerSession::announcement() const {
  const bool is_before_tls = setup_.policy.starttls && client_.tls_version.empty();
  return is_before_tls ? options_.announced_in_clear : options_.announced;
}

const Extensions& ServerSession::extensions() const {
  const std::optional<Announcement>& told = announcement();
  return told ? told->extensions : options_.extensions;
}

bool ServerSession::starttls_offered() const {
  return setup_.policy.starttls && extensions().starttls && client_.tls_version.empty();
}

bool ServerSession::auth_offered() const {
  return options_.extensions.auth && (setup_.policy.auth_in_clear || !client_.tls_version.empty());
}

void ServerSession::on_starttls(Bytes arguments) {
  reply_awaited_ = true;
  if (!client_.tls_version.empty()) {
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

void ServerSession::on_quit(Bytes arguments) {
  reply_awaited_ = true;
  if (refuse_arguments(arguments)) {
    return;
  }
  reply(221, "2.0.0", "Bye");
  has_quit_ = true;
  close();
}

void ServerSession::on_unknown() { refuse({500, "5.5.2", "No such command", Violation::syntax}); }

// ---- AUTH (RFC 4954 4) -------------------------------------------------------------------------

void ServerSession::on_auth(Bytes arguments) {
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
  if (!client_.user.empty()) {
    return refuse_sequence("Logged in already", true);
  }
  if (mail_granted_) {
    return refuse_sequence("Not inside a transaction", true);
  }
  on_login_step(login_.begin(arguments));
}

void ServerSession::on_login_step(LoginStep step) {
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
      return end_login(true);
    case LoginStep::cancelled:
      return reply(501, "5.7.0", "Cancelled");
    case LoginStep::bad_encoding:
      return refuse(
          {501, "5.5.2", "That is no base64 of the mechanism's fields", Violation::syntax});
    case LoginStep::no_mechanism:
      return refuse({504, "5.5.4", "Not a mechanism that was announced", Violation::unannounced});
    case LoginStep::wrong:
      return end_login(false);
  }
}

void ServerSession::end_login(bool is_right) {
  const Answer answer = observer_.on_login(client_, is_right);
  if (is_right && !answer.is_given()) {
    client_.user = login_.user();
    count(Count::auth_succeeded);
    return reply(235, "2.7.0", "Welcome");
  }
  count(Count::auth_failed);
  say(answer.is_given() ? answer : Answer{535, "5.7.8", "User or password is wrong"});
  if (phase_ != Phase::closed && ++auth_failures_ == auth_failures_max) {
    reply(421, "4.7.0", "Too many wrong passwords");
    close();
  }
}

// ---- The transaction ---------------------------------------------------------------------------

// Whether the session has come so far that a MAIL makes sense; answers it when not.
bool ServerSession::mail_may_begin() {
  if (!has_greeted_) {
    refuse_sequence("EHLO comes first", true);
    return false;
  }
  if (options_.extensions.auth && setup_.policy.auth_required && client_.user.empty()) {
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
  const std::uint64_t messages_max = options_.messages_max;
  if (messages_max != 0 && messages_ >= messages_max) {
    reply(421, "4.7.0", "Enough messages for one session");
    close();
    return false;
  }
  return true;
}

void ServerSession::on_mail(Bytes arguments) {
  if (!mail_may_begin()) {
    mail_tried_ = true;
    return;
  }
  mail_tried_ = true;
  rcpt_tried_ = false;
  if (end_unanswered_) {
    count(Count::messages_ahead);
  }
  const auto mail = parse_mail(arguments, offered_, options_.grammar);
  if (!mail) {
    return refuse(mail.error());
  }
  if (mail->size && *mail->size > options_.size_max) {
    count(Count::senders_refused);
    return reply(552, "5.3.4", "Message is too big");
  }
  if (const Answer refusal = observer_.on_sender(client_, *mail); refusal.is_given()) {
    count(Count::senders_refused);
    return say(refusal);
  }
  begin_transaction(*mail);
  reply(250, "2.1.0", "Ok");
}

void ServerSession::begin_transaction(const MailArguments& mail) {
  mail_granted_ = true;
  envelope_.begin(mail, wishes_.envelope);
}

void ServerSession::on_rcpt(Bytes arguments) {
  if (!mail_granted_) {
    return refuse_sequence("MAIL comes first", !mail_tried_);
  }
  rcpt_tried_ = true;
  if (content_begun_ || chunk_failed_) {
    return refuse_sequence("Not behind BDAT", !chunk_failed_);
  }
  const auto rcpt = parse_rcpt(arguments, offered_, envelope_.smtputf8, options_.grammar);
  if (!rcpt) {
    return refuse(rcpt.error());
  }
  if (recipient_count_ == options_.recipients_max) {
    count(Count::recipients_deferred);
    return reply(452, "4.5.3", "Too many recipients");
  }
  if (const Answer refusal = observer_.on_recipient(client_, *rcpt); refusal.is_given()) {
    count(refusal.code >= 500 ? Count::recipients_refused : Count::recipients_deferred);
    return say(refusal);
  }
  ++recipient_count_;
  if (wishes_.envelope) {
    envelope_.add(*rcpt);
  }
  count(Count::recipients_accepted);
  reply(250, "2.1.5", "Ok");
}

// Whether DATA or BDAT stands where it may. If not, says what to answer with 503.
bool ServerSession::content_may_begin(Bytes& complaint, bool& is_violation) const {
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
void ServerSession::forget_tries() {
  if (!mail_granted_) {
    mail_tried_ = rcpt_tried_ = false;
  }
}

// An answer when the observer refuses it.
Answer ServerSession::begin_content(Framing framing, std::optional<std::uint64_t> bytes) {
  const ContentVerdict verdict = observer_.on_data(client_, bytes);
  if (!verdict.answer.is_given()) {
    question_in_ = verdict.ask_behind;
    content_begun_ = true;
    scan_.begin(framing);
  }
  return verdict.answer;
}

void ServerSession::on_data(Bytes arguments) {
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
  if (const Answer refusal = begin_content(Framing::dot, envelope_.size); refusal.is_given()) {
    return say(refusal);
  }
  phase_ = Phase::content;
  reply(354, "", "Go ahead, and end with a lone dot");
}

// A chunk that is refused comes all the same (RFC 3030 2): its octets are read, then it is
// answered.
void ServerSession::on_bdat(Bytes arguments) {
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

void ServerSession::begin_chunk() {
  chunk_refusal_ = {503, "5.5.1", "RSET comes first: a chunk was refused", Violation::sequence};
  bool may_begin = !chunk_failed_;
  bool is_violation = false;
  if (may_begin && !content_begun_) {
    may_begin = content_may_begin(chunk_refusal_.text, is_violation) && begin_chunked_content();
  }
  if (may_begin) {
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

bool ServerSession::begin_chunked_content() {
  const Answer refusal = begin_content(Framing::counted, chunk_left_);
  if (refusal.is_given()) {
    chunk_refusal_enhanced_ = refusal.enhanced;
    chunk_refusal_text_ = refusal.text;
    chunk_refusal_ = {refusal.code, chunk_refusal_enhanced_, chunk_refusal_text_};
    chunk_failed_ = true;
  }
  return content_begun_;
}

void ServerSession::chunk_done() {
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

void ServerSession::on_rset(Bytes arguments) {
  if (refuse_arguments(arguments)) {
    return;
  }
  end_transaction();
  reply(250, "2.0.0", "Ok");
}

// ---- The message -------------------------------------------------------------------------------

// All of it is here: the one place where a message is accepted or refused.
void ServerSession::judge_message() {
  if (is_over_before(Stage::end)) {
    return;
  }
  const std::size_t begin = replies_.size();
  end_unanswered_ = true;
  note_content();
  if (envelope_.size && *envelope_.size != scan_.facts().bytes) {
    violate(Violation::size_mismatch);
  }
  if (refuse_content()) {
    count(Count::messages_refused);
  } else {
    take_message();
  }
  discard_content();
  end_transaction();
  end_stage(Stage::end, begin);
}

// The session has nothing against it.
void ServerSession::take_message() {
  const std::uint64_t number = messages_ + 1;
  const std::uint64_t bytes = scan_.facts().bytes;
  errors_ = 0;
  const QueuedAs text(client_.session, number);
  const Taken taken = observer_.on_message({.client = client_,
                                            .number = number,
                                            .queue_id = text.queue_id(),
                                            .envelope = envelope_,
                                            .bytes = bytes,
                                            .chunked = scan_.framing() == Framing::counted});
  content_begun_ = false;  // the observer knows what became of it
  if (taken.later) {
    messages_ = number;
    owed_.push_back({number, bytes});
    replies_.hold(number);
    reply_awaited_ = reply_awaited_ || !pipelining_offered();
    return;
  }
  if (taken.answer.is_given()) {
    say(taken.answer);
    messages_ += taken.answer.code < 300 ? 1 : 0;
    return count_answer(taken.answer.code, bytes);
  }
  reply(250, "2.0.0", text.bytes());
  messages_ = number;
  count_answer(250, bytes);
}

Next ServerSession::answer_message(std::uint64_t number, const Answer& answer) {
  const auto owed = std::find_if(owed_.begin(), owed_.end(),
                                 [number](const Owed& one) { return one.number == number; });
  if (owed == owed_.end()) {
    return next_;
  }
  const QueuedAs own_text(client_.session, number);
  const Answer said = answer.is_given() ? answer : Answer{250, "2.0.0", own_text.bytes()};
  replies_.fill(number, line_of(said));
  count_answer(said.code, owed->bytes);
  owed_.erase(owed);
  if (said.code == 421 && phase_ != Phase::closed) {
    close();
  }
  return next_;
}

void ServerSession::count_answer(unsigned code, std::uint64_t bytes) {
  RP_ASSERT(code < 300 || code >= 400);
  if (code >= 500) {
    return count(Count::messages_refused);
  }
  if (code >= 400) {
    return count(Count::messages_deferred);
  }
  count(Count::messages_accepted);
  count(Count::content_bytes, bytes);
}

// Answers content that no recipient can make acceptable.
bool ServerSession::refuse_content() {
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

void ServerSession::note_content() {
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
  if (facts.eight_bit && !envelope_.eight_bit_mime && !envelope_.smtputf8) {
    violate(Violation::undeclared_8bit);
  }
}

void ServerSession::discard_content() {
  if (content_begun_ && wishes_.content) {
    observer_.on_discarded();
  }
  content_begun_ = false;
}

// Content that comes to no verdict is judged all the same, for the count.
void ServerSession::abandon_content() {
  if (content_begun_) {
    note_content();
    discard_content();
  }
}

void ServerSession::end_transaction() {
  abandon_content();
  if (mail_granted_) {
    envelope_.clear();
  }
  mail_tried_ = false;
  rcpt_tried_ = false;
  mail_granted_ = false;
  recipient_count_ = 0;
  chunk_failed_ = false;
  chunk_bytes_ = 0;
  chunk_last_ = false;
}

}  // namespace ringpost::server
