// The problem: requests come one behind the other, some in pieces, some before the answer to the
// one in front is out, some that never end. The idea: one state says whose turn it is, octets are
// read only when somebody can take them, and each wait for the client has an end; a wait for a
// provider has none here. Limits: one request at a time; those behind it wait in the socket.
#include "tools/serve/http/http_connection.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/serve/http/http_limits.h"
#include "tools/serve/http/inject_exchange.h"
#include "tools/serve/http/jobs_exchange.h"

namespace ringpost::http {

namespace {

constexpr Bytes metrics_type = "text/plain; version=0.0.4; charset=utf-8";

Answer readiness(const ServiceView& view) {
  Answer answer;
  const std::optional<std::string> reason = view.not_ready();
  if (!reason) {
    answer.body = "{\"ready\":true}\n";
    return answer;
  }
  answer.status_code = 503;
  answer.body = R"({"ready":false,"reason":)";
  codec::append_json_string(answer.body, *reason);
  answer.body += "}\n";
  return answer;
}

Answer view_of(const ServiceView& view, Action action) {
  Answer answer;
  switch (action) {
    case Action::stats:
      answer.body = view.stats();
      break;
    case Action::metrics:
      answer.content_type = metrics_type;
      answer.body = view.metrics();
      break;
    case Action::readyz:
      return readiness(view);
    case Action::healthz:
    case Action::jobs:
    case Action::inject:
    case Action::kumomta:
      answer.body = "{\"alive\":true}\n";
      break;
  }
  return answer;
}

RequestError ending_error() {
  return {503, "ringpost ends and takes no more jobs", "send them again when it is back"};
}

RequestError slow_error(Bytes what) {
  return {408, fmt::format("{} did not come in time", what),
          "within a request no octet may be a minute behind the one in front of it"};
}

}  // namespace

HttpConnection::HttpConnection(const HttpSetup& setup, const Access& access,
                               std::function<void()> ring, Instant now)
    : setup_(setup),
      access_(access),
      ring_(std::move(ring)),
      heard_at_(now),
      sent_at_(now),
      begun_at_(now) {}

// ---- Octets -------------------------------------------------------------------------------------

void HttpConnection::received(Bytes octets, Instant now) {
  heard_at_ = now;
  if (state_ == State::farewell) {
    return;
  }
  // What has been taken leaves; the views are made anew.
  std::string rest(body_rest_);
  const std::size_t body_bytes = rest.size();
  rest += unread_;
  rest += octets;
  input_.swap(rest);
  body_rest_ = Bytes(input_).substr(0, body_bytes);
  unread_ = Bytes(input_).substr(body_bytes);
  run(now);
}

void HttpConnection::peer_ended(Instant now) {
  peer_ended_ = true;
  probe_at_ = now;
  run(now);
}

// There are too many: what the client wants is not looked at.
void HttpConnection::turn_away(Instant now) {
  Answer answer =
      error_answer(503, fmt::format("{} connections are open, as many as may be", connections_max),
                   "close some, or keep one and send several requests over it");
  answer.asks_again = true;
  append_answer(output_, answer, {false, false, true});
  bid_farewell(now);
}

void HttpConnection::end_soon(Instant now) {
  ends_soon_ = true;
  if (state_ == State::body) {
    exchange_->break_off(ending_error());
  }
  run(now);
}

void HttpConnection::go_on(Instant now) {
  act_on_time(now);
  if (exchange_ != nullptr) {
    exchange_->go_on(now);
  }
  run(now);
}

void HttpConnection::sent(bool all, Instant now) {
  sent_at_ = now;
  heard_at_ = now;  // it reads; what it has been told it may want to think about
  if (all) {
    is_sending_ = false;
    run(now);
  }
}

std::string HttpConnection::collect(Instant now) {
  if (output_.empty() || is_sending_) {
    return {};
  }
  is_sending_ = true;
  sent_at_ = now;
  return std::exchange(output_, {});
}

bool HttpConnection::wants_input() const {
  if (peer_ended_ || state_ == State::over) {
    return false;
  }
  if (state_ == State::body) {
    return body_rest_.empty() && unread_.size() < read_bytes && exchange_->can_take();
  }
  return unread_.size() < read_bytes;
}

// ---- Requests -----------------------------------------------------------------------------------

void HttpConnection::run(Instant now) {
  while (step(now)) {
  }
  if (state_ == State::idle && unread_.empty()) {
    input_ = {};  // many wait, and few of them ask again
    unread_ = {};
  }
}

// False: somebody else has to do something first.
bool HttpConnection::step(Instant now) {
  switch (state_) {
    case State::idle:
    case State::head:
      // Answers are not heaped up for a client that asks and does not read.
      return output_.empty() && !is_sending_ && read_event(now);
    case State::body:
    case State::answer:
      run_exchange(now);
      return (state_ == State::body && read_event(now)) || state_ == State::idle;
    case State::farewell:
      unread_ = {};
      if (output_.empty() && !is_sending_ && peer_ended_) {
        state_ = State::over;
      }
      return false;
    case State::over:
      return false;
  }
  return false;
}

bool HttpConnection::read_event(Instant now) {
  if (state_ == State::body && (!body_rest_.empty() || !exchange_->can_take())) {
    return false;
  }
  switch (reader_.next(unread_)) {
    case RequestReader::Event::need_more:
      if (peer_ended_) {
        end_with_peer();
        return true;
      }
      if (state_ == State::idle && reader_.is_within_request()) {
        state_ = State::head;
        begun_at_ = now;
      }
      return false;
    case RequestReader::Event::head:
      begin_request(now);
      return true;
    case RequestReader::Event::body:
      body_rest_ = reader_.body();
      body_bytes_ += body_rest_.size();
      if (body_bytes_ > jobs_body_bytes_max) {
        body_rest_ = {};
        exchange_->break_off({413,
                              fmt::format("the body has more than {} octets", jobs_body_bytes_max),
                              "send the jobs in several requests"});
      }
      return true;
    case RequestReader::Event::end:
      if (state_ != State::body) {
        return true;  // of a request that needed none
      }
      state_ = State::answer;
      exchange_->end_body(now);
      return true;
    case RequestReader::Event::error:
      refuse(reader_.error(), now);
      return true;
  }
  return false;
}

void HttpConnection::end_with_peer() {
  if (state_ == State::body) {
    exchange_->break_off({400, "the request ended within its body", "send all of it"});
    state_ = State::answer;
  } else {
    state_ = State::over;
  }
}

AnswerForm HttpConnection::form() const {
  const RequestHead& head = reader_.head();
  return {head.is_http_1_0, head.keeps_alive && !peer_ended_, head.method != Method::head};
}

void HttpConnection::begin_request(Instant now) {
  begun_at_ = now;
  const auto route = route_of(reader_.head(), access_);
  if (!route) {
    answer(route.error(), now);
  } else if (route->waits_for_storage && !setup_.exchange.taker->can_store()) {
    answer(error_answer(501, "there is no spool in which jobs could be stored",
                        "set spool in [serve], or leave wait=accepted out: outcomes come as they "
                        "are known"),
           now);
  } else {
    serve(*route, now);
  }
}

void HttpConnection::serve(const Route& route, Instant now) {
  if (!route.takes_jobs()) {
    answer(view_of(setup_.view, route.action), now);
    return;
  }
  if (ends_soon_) {
    const RequestError error = ending_error();
    Answer refusal = error_answer(error.status_code, error.error, error.hint);
    refusal.asks_again = true;
    answer(refusal, now);
    return;
  }
  const RequestHead& head = reader_.head();
  if (head.expects_continue && head.has_body()) {
    append_continue(output_);
  }
  ExchangeTerms terms{route.dialect, form(), ring_, route.waits_for_storage};
  takes_one_job_ = route.action != Action::jobs;
  if (takes_one_job_) {
    const InjectForm answers =
        route.action == Action::kumomta ? InjectForm::kumomta : InjectForm::outcomes;
    exchange_ = std::make_unique<InjectExchange>(setup_.exchange, std::move(terms), answers);
  } else {
    exchange_ = std::make_unique<JobsExchange>(setup_.exchange, std::move(terms));
  }
  body_bytes_ = 0;
  state_ = State::body;
}

// Of a request without an exchange.
void HttpConnection::answer(const Answer& answer, Instant now) {
  AnswerForm form = this->form();
  // What nobody asked for may be long: it is not read to its end.
  form.keeps_alive = form.keeps_alive && !reader_.head().has_body();
  append_answer(output_, answer, form);
  if (form.keeps_alive) {
    state_ = State::idle;
    heard_at_ = now;
  } else {
    bid_farewell(now);
  }
}

// The octets are no request.
void HttpConnection::refuse(const RequestError& error, Instant now) {
  if (exchange_ != nullptr) {
    exchange_->break_off(error);
    unread_ = {};
    state_ = State::answer;
    return;
  }
  append_answer(output_, error_answer(error.status_code, error.error, error.hint),
                {false, false, true});
  bid_farewell(now);
}

void HttpConnection::run_exchange(Instant now) {
  if (!body_rest_.empty()) {
    exchange_->take(body_rest_, now);
  }
  if (output_.empty() && !is_sending_) {
    exchange_->collect(output_);
  }
  if (exchange_->is_over()) {
    end_exchange(now);
  }
}

void HttpConnection::end_exchange(Instant now) {
  const bool goes_on = state_ == State::answer && !exchange_->ends_connection() &&
                       reader_.head().keeps_alive && !peer_ended_;
  exchange_.reset();
  body_rest_ = {};
  heard_at_ = now;
  if (goes_on) {
    state_ = State::idle;
  } else {
    bid_farewell(now);
  }
}

// A client that is still sending would lose the answer with a reset if the socket was closed now.
void HttpConnection::bid_farewell(Instant now) {
  unread_ = {};
  begun_at_ = now;
  state_ = peer_ended_ ? State::over : State::farewell;
}

// ---- Time ---------------------------------------------------------------------------------------

// When the client has been waited for long enough.
Instant HttpConnection::client_due() const {
  switch (state_) {
    case State::idle:
      return heard_at_ + idle_timeout;
    case State::head:
      return begun_at_ + head_timeout;
    case State::body:
      if (!body_rest_.empty() || !exchange_->can_take() || exchange_->waits_for_outcomes()) {
        return never;
      }
      return std::min(heard_at_ + idle_timeout, takes_one_job_ ? begun_at_ + body_timeout : never);
    case State::farewell:
      return begun_at_ + linger_timeout;
    case State::answer:
    case State::over:
      return never;
  }
  return never;
}

Instant HttpConnection::due() const {
  const Instant exchange = exchange_ == nullptr ? never : exchange_->due();
  const Instant probe = exchange_ == nullptr ? never : probe_at_;
  return std::min({is_sending_ ? sent_at_ + idle_timeout : client_due(), exchange, probe});
}

// The client says nothing more. Whether it still listens nobody knows who does not write to it: one
// that has closed its socket answers with a reset, at which its messages are taken back.
void HttpConnection::probe(Instant now) {
  if (exchange_ == nullptr || now < probe_at_) {
    return;
  }
  probe_at_ = probes_made_ == probes_max ? never : now + probe_pause * (1u << probes_made_);
  if (output_.empty() && !is_sending_ && probe_at_ != never) {
    output_ += exchange_->probe();
    ++probes_made_;
  }
}

void HttpConnection::act_on_time(Instant now) {
  probe(now);
  if (is_sending_ && now >= sent_at_ + idle_timeout) {
    is_hopeless_ = true;
  }
  if (is_sending_ || now < client_due()) {
    return;
  }
  switch (state_) {
    case State::idle:
    case State::farewell:
      state_ = State::over;
      return;
    case State::head:
      refuse(slow_error("the end of the head"), now);
      return;
    case State::body:
      exchange_->break_off(slow_error("the rest of the body"));
      return;
    case State::answer:
    case State::over:
      return;
  }
}

}  // namespace ringpost::http
