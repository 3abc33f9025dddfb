// The problem: a client sends jobs as fast as it can and reads outcomes when it likes, and in
// between is an engine that has a pace of its own. The idea: octets are taken only while there is
// room for another message, for its outcome, and in the engine; a client that is faster waits in
// its own send(). What was taken is answered whatever happens: an error in the middle is the last
// line, and says from which line on nothing was taken. Limits: a client that reads nothing before
// it has sent everything comes as far as answer_bytes_unread_max.
#include "tools/serve/http/jobs_exchange.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codec/text/json_text.h"

namespace ringpost::http {

namespace {

// Of an answer, at a time: what a socket takes.
constexpr std::size_t piece_bytes = 64u << 10;

JobLinesOptions lines_options(const ExchangeSetup& setup, const ExchangeTerms& terms) {
  JobLinesOptions options;
  options.reader = setup.reader;
  options.reader.dialect = terms.dialect;
  options.date_us = setup.unix_time_us();
  return options;
}

RequestError no_room_error() {
  return {429, "as many messages are under way as may be",
          "send it again after the seconds of Retry-After; [serve] says how many may be"};
}

}  // namespace

JobsExchange::JobsExchange(const ExchangeSetup& setup, ExchangeTerms terms)
    : setup_(setup),
      terms_(std::move(terms)),
      lines_(lines_options(setup, terms_), *setup.budget),
      mailbox_(std::make_shared<OutcomeMailbox>(
          OutcomeMailboxOptions{setup.endpoint_names, false, terms_.ring}, *setup.budget)),
      slot_(OutcomeMailbox::slot_of(mailbox_)) {}

JobsExchange::~JobsExchange() {
  mailbox_->close();
  if (messages_in_flight_ > 0) {
    setup_.taker->cancel(*cancellation_);
  }
}

// ---- Jobs ---------------------------------------------------------------------------------------

bool JobsExchange::has_room() const {
  // Nobody reads lines of an answer that comes when all is stored; the budget bounds them.
  return messages_in_flight_ < messages_in_flight_max &&
         (terms_.waits_for_storage || mailbox_->line_bytes() < answer_bytes_unread_max);
}

bool JobsExchange::can_take() const {
  return !trouble_ && !has_message_ && !lines_.has_line() && has_room();
}

void JobsExchange::take(Bytes& body, Instant now) {
  lines_left_now_ = lines_at_once_max;
  while (!body.empty() && can_take() && lines_left_now_ > 0) {
    lines_.take(body);
    hand_over(now);
  }
  if (trouble_) {
    body = {};
  }
}

void JobsExchange::end_body(Instant now) {
  body_ended_ = true;
  lines_.end();
  go_on(now);
}

void JobsExchange::go_on(Instant now) {
  take_mail();
  look_again_at_ = never;
  lines_left_now_ = lines_at_once_max;
  hand_over(now);
}

void JobsExchange::hand_over(Instant now) {
  while (!trouble_ && (has_message_ || lines_.has_line())) {
    if (!has_room()) {
      return;  // until outcomes have come, or have been read
    }
    if (lines_left_now_ == 0) {
      look_again_at_ = now;
      return;
    }
    if (!hand_over_next(now)) {
      return;
    }
  }
}

// False: it has to wait, or there was nothing.
bool JobsExchange::hand_over_next(Instant now) {
  if (has_message_) {
    return offer(now);
  }
  message_.clear();
  switch (lines_.next(message_)) {
    case JobLines::Step::need_more:
      return false;
    case JobLines::Step::no_memory:
      fail({429, "all connections together have more octets of jobs waiting than they may",
            "send it again after the seconds of Retry-After, or in smaller lines"});
      return false;
    case JobLines::Step::refused:
      is_refused_ = true;
      break;
    case JobLines::Step::message:
      is_refused_ = false;
      break;
  }
  has_message_ = true;
  --lines_left_now_;
  return offer(now);
}

bool JobsExchange::offer(Instant now) {
  ++messages_in_flight_;  // its outcome may be there before the call is back
  const Taken taken = hand_in();
  if (taken == Taken::yes) {
    has_message_ = false;
    no_room_since_ = never;
    ++messages_taken_;
    return true;
  }
  --messages_in_flight_;
  if (taken == Taken::closed) {
    fail({503, "ringpost ends and takes no more jobs", "send them again when it is back"});
    return false;
  }
  if (terms_.waits_for_storage && !is_refused_) {
    fail({429, "the spool is full", "send it again after the seconds of Retry-After"});
    return false;
  }
  no_room_since_ = std::min(no_room_since_, now);
  // Once something is under way its outcomes make room; a client that has nothing there may as well
  // ask somebody else.
  if (messages_taken_ == 0 && now - no_room_since_ >= room_patience) {
    fail(no_room_error());
    return false;
  }
  look_again_at_ = now + room_look_every;
  return false;
}

Taken JobsExchange::hand_in() {
  if (is_refused_) {
    return setup_.taker->refuse(message_, lines_.words(), slot_);
  }
  if (!terms_.waits_for_storage) {
    message_.cancellation = cancellation_;
    return setup_.taker->take(message_, slot_);
  }
  const MessageTaker::Storing storing =
      setup_.taker->store(message_, OutcomeMailbox::store_slot_of(mailbox_, message_.id));
  return storing.why_invalid.empty() ? storing.taken
                                     : setup_.taker->refuse(message_, storing.why_invalid, slot_);
}

void JobsExchange::break_off(const RequestError& error) { fail(error); }

void JobsExchange::fail(RequestError error) {
  if (!trouble_) {
    trouble_ = std::move(error);
  }
}

Instant JobsExchange::due() const { return trouble_ ? never : look_again_at_; }

// ---- Outcomes -----------------------------------------------------------------------------------

void JobsExchange::take_mail() {
  Mail mail = mailbox_->take();
  RP_ASSERT(mail.messages <= messages_in_flight_);
  messages_in_flight_ -= mail.messages;
  left_out_ += mail.left_out;
  stored_.add(mail.storing);
  invalid_ += mail.by_status[static_cast<std::size_t>(Status::invalid)];
}

bool JobsExchange::is_done() const {
  return messages_in_flight_ == 0 &&
         (trouble_ || (body_ended_ && !has_message_ && !lines_.has_line()));
}

void JobsExchange::collect(std::string& out) {
  if (is_over_) {
    return;
  }
  take_mail();
  const bool is_done = this->is_done();
  if (trouble_ && messages_taken_ == 0 && !is_begun_) {
    Answer answer = error_answer(trouble_->status_code, trouble_->error, trouble_->hint);
    answer.asks_again = trouble_->status_code == 429 || trouble_->status_code == 503;
    AnswerForm form = terms_.form;
    form.keeps_alive = false;
    append_answer(out, answer, form);
    is_over_ = true;
    return;
  }
  if (terms_.waits_for_storage) {
    if (is_done) {
      collect_stored(out);
    }
    return;
  }
  if (messages_taken_ > 0 || is_done) {
    begin_answer(out);
  }
  append_piece(out, mailbox_->take_lines(piece_bytes), terms_.form);
  if (is_done && mailbox_->line_bytes() == 0) {
    append_piece(out, last_lines(), terms_.form);
    append_stream_end(out, terms_.form);
    is_over_ = true;
  }
}

// All at once, when nothing is left to be stored.
void JobsExchange::collect_stored(std::string& out) {
  Answer answer;
  answer.status_code = status_of_storing(stored_, invalid_, !trouble_);
  answer.asks_again = answer.status_code == 429 || answer.status_code == 503;
  answer.body = stored_body();
  AnswerForm form = terms_.form;
  form.keeps_alive = form.keeps_alive && !ends_connection();
  append_answer(out, answer, form);
  is_over_ = true;
}

std::string JobsExchange::stored_body() {
  std::string body = "{";
  if (trouble_) {
    body += R"("error":)";
    codec::append_json_string(body, fmt::format("{}; nothing more was taken from line {} on",
                                                trouble_->error, lines_.line_number()));
    body += ',';
  }
  append_storing(body, stored_, *mailbox_);
  std::string lines = mailbox_->take_lines(mailbox_->line_bytes());
  std::replace(lines.begin(), lines.end(), '\n', ',');  // within strings they are escaped
  if (!lines.empty()) {
    lines.pop_back();
  }
  if (left_out_ > 0) {
    body += fmt::format(R"("outcomes_left_out":{},)", left_out_);
  }
  return body + R"("outcomes":[)" + lines + "]}\n";
}

// What is no outcome.
std::string JobsExchange::last_lines() const {
  std::string lines;
  if (left_out_ > 0) {
    lines += error_json(
        fmt::format("{} outcomes are left out here, since nobody read those in front of them",
                    left_out_),
        "they stand in the outcome file; read outcomes while jobs are sent");
  }
  if (trouble_) {
    lines += error_json(fmt::format("{}; nothing more was taken from line {} on", trouble_->error,
                                    lines_.line_number()),
                        trouble_->hint);
  }
  return lines;
}

// A chunk's size may begin with zeros (RFC 9112 7.1).
Bytes JobsExchange::probe() const {
  if (terms_.form.is_http_1_0 || is_over_) {
    return {};
  }
  return is_begun_ ? Bytes("0") : interim_answer;
}

void JobsExchange::begin_answer(std::string& out) {
  if (!is_begun_) {
    is_begun_ = true;
    AnswerForm form = terms_.form;
    form.keeps_alive = form.keeps_alive && !form.is_http_1_0;
    append_stream_head(out, "application/x-ndjson", form);
  }
}

}  // namespace ringpost::http
