// The problem: one status has to say what became of several recipients, to programs that look at
// nothing else and send again by it. The idea: what is answered 2xx has gone out; 4xx would go the
// same way again; 503 is worth another try, and 504 says that another try may be a second copy.
// Where recipients differ nothing but the list tells: 207. Limits: a client that is gone before the
// outcome has no answer, and would send again: its time limit has to be longer than the provider's.
#include "tools/serve/http/inject_exchange.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "codec/text/json_echo.h"
#include "codec/text/json_text.h"
#include "tools/process/numbers.h"

namespace ringpost::http {

namespace {

// Of an answer, at a time: what a socket takes.
constexpr std::size_t inject_piece_bytes = 64u << 10;
constexpr Bytes list_end = "]}\n";

codec::JobReaderOptions inject_reader(const ExchangeSetup& setup, const ExchangeTerms& terms) {
  codec::JobReaderOptions options = setup.reader;
  options.files = nullptr;
  options.dialect = terms.dialect;
  return options;
}

int status_of_status(Status status) {
  switch (status) {
    case Status::accepted:
    case Status::skipped:  // on purpose
      return 200;
    case Status::rejected:
    case Status::invalid:
      return 422;
    case Status::deferred:
    case Status::unsent:
    case Status::expired:
      return 503;
    case Status::unknown:
      return 504;
  }
  RP_ASSERT(false);
}

// Of what is no JSON at all: then nobody is named who could have an outcome.
bool is_about_json(codec::JobErrorKind kind) {
  using Kind = codec::JobErrorKind;
  constexpr auto kinds =
      std::to_array({Kind::empty_line, Kind::truncated, Kind::invalid_utf8, Kind::invalid_json,
                     Kind::not_an_object, Kind::trailing_content, Kind::too_deep});
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

std::string place_in(Bytes body, std::size_t offset) {
  const Bytes before = body.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t begin = before.find_last_of('\n') + 1;  // npos + 1 is 0
  return fmt::format("line {}, column {}", lines + 1, before.size() - begin + 1);
}

RequestError json_error(Bytes body, const codec::JobError& error) {
  constexpr Bytes hint = "send one JSON object, the fields of which are in the schema of jobs";
  if (error.kind == codec::JobErrorKind::empty_line) {
    return {400, "the body is empty", std::string(hint)};
  }
  const auto flaw = codec::check_json(body, limits::job_depth_max);
  if (error.kind == codec::JobErrorKind::invalid_utf8 || flaw) {
    return {400, error.message(), std::string(hint)};
  }
  using Flaw = codec::JsonFlaw;
  const Flaw kind = flaw.error().flaw;
  const Bytes what = kind == Flaw::truncated  ? "the body ends before its JSON does"
                     : kind == Flaw::trailing ? "something stands behind the JSON object"
                     : kind == Flaw::depth    ? "the body is nested too deep"
                                              : "the body is not JSON";
  return {400, fmt::format("{}: {}", what, place_in(body, flaw.error().offset)),
          kind == Flaw::trailing ? "send several jobs to /v1/jobs, one a line" : std::string(hint)};
}

}  // namespace

int status_of(const std::array<std::uint64_t, status_count>& by_status) {
  int shared = 0;
  for (std::size_t i = 0; i < by_status.size(); ++i) {
    if (by_status[i] == 0) {
      continue;
    }
    const int status = status_of_status(static_cast<Status>(i));
    shared = shared == 0 || shared == status ? status : 207;
  }
  return shared;
}

InjectExchange::InjectExchange(const ExchangeSetup& setup, ExchangeTerms terms, InjectForm form)
    : setup_(setup),
      terms_(std::move(terms)),
      form_(form),
      share_(*setup.budget),
      reader_(inject_reader(setup, terms_)),
      mailbox_(std::make_shared<OutcomeMailbox>(
          OutcomeMailboxOptions{setup.endpoint_names, form == InjectForm::kumomta, terms_.ring},
          *setup.budget)),
      slot_(OutcomeMailbox::slot_of(mailbox_)) {}

InjectExchange::~InjectExchange() {
  mailbox_->close();
  if (messages_in_flight_ > 0 && !is_late_) {
    setup_.taker->cancel(*cancellation_);
  }
}

// ---- The job ------------------------------------------------------------------------------------

void InjectExchange::take(Bytes& body, Instant /*now*/) {
  const std::size_t bytes = body_.size() + body.size() + codec::JobReader::padding_bytes;
  if (trouble_) {
    body = {};
    return;
  }
  if (bytes > job_bytes_max) {
    fail({413, fmt::format("the job is longer than {} octets", job_bytes_max),
          "no provider takes so large a message"});
  } else if (bytes > body_.capacity()) {
    const std::size_t wanted = std::min(std::max(bytes, 2 * body_.capacity()), job_bytes_max);
    if (share_.resize(wanted)) {
      body_.reserve(wanted);
    } else {
      fail({429, "all connections together have more octets of jobs waiting than they may",
            "send it again after the seconds of Retry-After"});
    }
  }
  if (!trouble_) {
    body_ += body;
  }
  body = {};
}

void InjectExchange::end_body(Instant now) {
  body_ended_ = true;
  if (setup_.answer_within > Duration::zero()) {
    answer_by_ = now + setup_.answer_within;
    expires_at_us_ =
        setup_.unix_time_us() +
        std::chrono::duration_cast<std::chrono::microseconds>(setup_.answer_within).count();
  }
  if (!trouble_) {
    read_body(now);
  }
}

void InjectExchange::read_body(Instant now) {
  const std::size_t bytes = body_.size();
  body_.append(codec::JobReader::padding_bytes, '\0');
  const Bytes body = Bytes(body_).substr(0, bytes);
  const codec::Source where{"http", 1, setup_.unix_time_us(), 0};
  if (auto parsed = reader_.parse(body, where, message_); !parsed) {
    if (is_about_json(parsed.error().kind)) {
      fail(json_error(body, parsed.error()));
      return;
    }
    note(parsed.error());
  }
  has_message_ = true;
  go_on(now);
}

void InjectExchange::note(const codec::JobError& error) {
  refusal_ = error;
  if (!refused_) {
    refused_ = error;
  }
}

void InjectExchange::go_on(Instant now) {
  take_mail();
  look_again_at_ = never;
  messages_left_now_ = lines_at_once_max;
  hand_over(now);
  answer_in_time(now);
}

// Behind it no message is given to a session any more; what one has may still go out.
void InjectExchange::answer_in_time(Instant now) {
  if (now < answer_by_) {
    return;
  }
  answer_by_ = never;
  if (messages_in_flight_ == 0 && !has_message_ && !reader_.has_more()) {
    return;
  }
  is_late_ = messages_in_flight_ > 0;
  fail(
      {504,
       fmt::format("no answer of the provider within {}", cli::duration_text(setup_.answer_within)),
       "it may have gone out, or still go out, which the outcome lines will tell; answer_within "
       "of [[listen.http]] says how long to wait"});
}

void InjectExchange::hand_over(Instant now) {
  while (!trouble_ && body_ended_ && (has_message_ || reader_.has_more())) {
    if (messages_in_flight_ >= messages_in_flight_max) {
      return;
    }
    if (messages_left_now_ == 0) {
      look_again_at_ = now;
      return;
    }
    if (!has_message_) {
      --messages_left_now_;
      message_.clear();
      refusal_.reset();
      if (auto made = reader_.next(message_); !made) {
        note(made.error());
      }
      has_message_ = true;
    }
    if (!offer(now)) {
      return;
    }
  }
}

Taken InjectExchange::hand_in() {
  if (refusal_) {
    return setup_.taker->refuse(message_, refusal_->message(), slot_);
  }
  if (!terms_.waits_for_storage) {
    message_.cancellation = cancellation_;
    if (expires_at_us_ != 0 &&
        (message_.expires_at_us == 0 || message_.expires_at_us > expires_at_us_)) {
      message_.expires_at_us = expires_at_us_;
    }
    return setup_.taker->take(message_, slot_);
  }
  const MessageTaker::Storing storing =
      setup_.taker->store(message_, OutcomeMailbox::store_slot_of(mailbox_, message_.id));
  return storing.why_invalid.empty() ? storing.taken
                                     : setup_.taker->refuse(message_, storing.why_invalid, slot_);
}

bool InjectExchange::offer(Instant now) {
  ++messages_in_flight_;  // its outcome may be there before the call is back
  const Taken taken = hand_in();
  if (taken == Taken::yes) {
    has_message_ = false;
    no_room_since_ = never;
    ++messages_taken_;
    return true;
  }
  --messages_in_flight_;
  no_room_since_ = std::min(no_room_since_, now);
  if (taken == Taken::closed) {
    fail({503, "ringpost ends and takes no more jobs", "send it again when it is back"});
  } else if (messages_taken_ == 0 && now - no_room_since_ >= room_patience) {
    fail({429, "as many messages are under way as may be",
          "send it again after the seconds of Retry-After; [serve] says how many may be"});
  } else {
    look_again_at_ = now + room_look_every;
  }
  return false;
}

void InjectExchange::break_off(const RequestError& error) { fail(error); }

void InjectExchange::fail(RequestError error) {
  if (!trouble_) {
    trouble_ = std::move(error);
    look_again_at_ = never;
  }
}

// ---- The answer ---------------------------------------------------------------------------------

void InjectExchange::take_mail() {
  Mail mail = mailbox_->take();
  RP_ASSERT(mail.messages <= messages_in_flight_);
  messages_in_flight_ -= mail.messages;
  left_out_ += mail.left_out;
  stored_.add(mail.storing);
  for (std::size_t i = 0; i < by_status_.size(); ++i) {
    by_status_[i] += mail.by_status[i];
  }
}

void InjectExchange::collect(std::string& out) {
  if (is_over_) {
    return;
  }
  if (is_begun_) {
    append_outcomes(out);
    return;
  }
  take_mail();
  const bool is_told = body_ended_ && !has_message_ && !reader_.has_more();
  if ((messages_in_flight_ > 0 && !is_late_) || (!trouble_ && !is_told)) {
    return;
  }
  AnswerForm form = terms_.form;
  form.keeps_alive = form.keeps_alive && !ends_connection();
  const Answer answer = this->answer();
  if (answer.body.empty()) {
    begin_outcomes(out, answer, form);
    return;
  }
  append_answer(out, answer, form);
  is_over_ = true;
}

Bytes InjectExchange::probe() const {
  return terms_.form.is_http_1_0 || is_begun_ || is_over_ ? Bytes() : interim_answer;
}

// Without a body: outcomes are to follow.
Answer InjectExchange::answer() {
  constexpr auto invalid = static_cast<std::size_t>(Status::invalid);
  // More outcomes may come while these are written: the file has them all.
  if (trouble_ && (messages_taken_ == 0 || is_late_)) {
    Answer failed = error_answer(trouble_->status_code, trouble_->error, trouble_->hint);
    failed.asks_again = trouble_->status_code == 429 || trouble_->status_code == 503;
    return failed;
  }
  Answer answer;
  // Recipients of the job that were never handed over are not among those that are told of.
  answer.status_code = terms_.waits_for_storage
                           ? status_of_storing(stored_, by_status_[invalid], !trouble_)
                       : trouble_ ? 207
                                  : status_of(by_status_);
  answer.asks_again = answer.status_code == 503 || answer.status_code == 429;
  if (form_ == InjectForm::kumomta) {
    // Whoever reads counts is told by them, as long as there is a success among them.
    answer.status_code = answer.status_code == 207 ? 200 : answer.status_code;
    answer.body = kumomta_body();
  }
  return answer;
}

// The lines of outcomes become elements of a list. They leave piece by piece and stay in the
// mailbox until then, where they count: a hundred thousand of them have many megabytes.
void InjectExchange::begin_outcomes(std::string& out, const Answer& answer,
                                    const AnswerForm& form) {
  std::string front = "{";
  if (trouble_ || refused_) {
    const std::string error = trouble_ ? trouble_->error : refused_->message();
    front += R"("error":)";
    codec::append_json_string(front, error);
    front += R"(,"hint":)";
    codec::append_json_string(
        front, trouble_ ? Bytes(trouble_->hint)
                        : Bytes("mend what it names; the fields of a job are in its schema"));
    front += ',';
  }
  fmt::format_to(std::back_inserter(front), R"("status":{},)", answer.status_code);
  if (terms_.waits_for_storage) {
    append_storing(front, stored_, *mailbox_);
  }
  if (left_out_ > 0) {
    fmt::format_to(std::back_inserter(front), R"("outcomes_left_out":{},)", left_out_);
  }
  front += R"("outcomes":[)";
  const std::size_t lines = mailbox_->line_bytes();
  append_answer_head(out, answer, form,
                     front.size() + (lines > 0 ? lines - 1 : 0) + list_end.size());
  out += front;
  is_begun_ = true;
  append_outcomes(out);
}

void InjectExchange::append_outcomes(std::string& out) {
  std::string piece = mailbox_->take_lines(inject_piece_bytes);
  std::replace(piece.begin(), piece.end(), '\n', ',');  // within strings they are escaped
  is_over_ = mailbox_->line_bytes() == 0;
  if (is_over_ && !piece.empty()) {
    piece.pop_back();
  }
  out += piece;
  if (is_over_) {
    out += list_end;
  }
}

// As KumoMTA answers: a recipient counts as a success when it was accepted.
std::string InjectExchange::kumomta_body() const {
  std::uint64_t all = 0;
  for (const std::uint64_t count : by_status_) {
    all += count;
  }
  const std::uint64_t accepted = by_status_[static_cast<std::size_t>(Status::accepted)];
  std::string recipients;
  std::string errors;
  for (const FailedRecipient& failed : mailbox_->take_failed()) {
    recipients += recipients.empty() ? "" : ",";
    codec::append_json_string(recipients, failed.address);
    errors += errors.empty() ? "" : ",";
    codec::append_json_string(errors, failed.address + ": " + failed.words);
  }
  return fmt::format(
      R"({{"success_count":{},"fail_count":{},"failed_recipients":[{}],"errors":[{}]}})"
      "\n",
      accepted, all - accepted, recipients, errors);
}

}  // namespace ringpost::http
