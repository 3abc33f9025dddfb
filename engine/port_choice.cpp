// The problem: networks block ports, and providers have several for that; but a port that is tried
// after a refusal that has nothing to do with ports costs time, and logins. The idea: a table of
// how sessions end says which of them another port may mend, and one that a server has spoken on is
// the right one, whatever it said. Limits: ports are tried one after the other, so each that is
// silent costs the seconds that the gate allows it; one that has served is left only after half the
// time that an endpoint is waited for.
#include "engine/port_choice.h"

#include <algorithm>

#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

using protocol::CloseKind;

// As long as it has served it is likely the server that is away, and comes back.
constexpr Duration trouble_max = limits::patience / 2;

// Of a session that ended without a word.
PortEnd end_at(Stage stage) {
  switch (stage) {
    case Stage::connect:
      return PortEnd::not_connected;
    case Stage::greeting:
      return PortEnd::not_greeted;
    case Stage::tls:
      return PortEnd::no_tls;
    case Stage::starttls:
      return PortEnd::no_starttls;
    case Stage::local:
    case Stage::ehlo:
    case Stage::auth:
    case Stage::mail:
    case Stage::rcpt:
    case Stage::data:
    case Stage::eod:
      return PortEnd::other;
  }
  return PortEnd::other;
}

// Of several servers: one that may be otherwise the next time outweighs those that refuse.
AddressBook::Answer together(AddressBook::Answer one, AddressBook::Answer other) {
  using Answer = AddressBook::Answer;
  if (one == Answer::trouble || other == Answer::trouble) {
    return Answer::trouble;
  }
  return one == Answer::refusal ? one : other;
}

}  // namespace

PortEnd port_end_of(const protocol::CloseReason& reason, bool certificate_was_judged) {
  switch (reason.kind) {
    case CloseKind::connect_failed:
      return PortEnd::not_connected;
    case CloseKind::starttls_missing:
    case CloseKind::starttls_refused:
      return reason.stage == Stage::greeting ? PortEnd::not_greeted : PortEnd::no_starttls;
    case CloseKind::tls_failed:
      return certificate_was_judged ? PortEnd::other : PortEnd::no_tls;
    case CloseKind::timeout:
    case CloseKind::peer_closed:
      return end_at(reason.stage);
    case CloseKind::io_error:
      // This machine's own, where there was no connection.
      return reason.stage == Stage::connect ? PortEnd::other : end_at(reason.stage);
    case CloseKind::protocol_error:
      return reason.stage == Stage::greeting ? PortEnd::not_greeted : PortEnd::other;
    case CloseKind::peer_closing:
    case CloseKind::greeting_refused:
    case CloseKind::ehlo_refused:
    case CloseKind::auth_missing:
    case CloseKind::auth_in_clear:
    case CloseKind::auth_refused:
    case CloseKind::mechanism_refused:
    case CloseKind::login_wanted:
    case CloseKind::all_refused:
    case CloseKind::rate_refused:
    case CloseKind::quit:
    case CloseKind::aborted:
    case CloseKind::starttls_injected:
    case CloseKind::token_unavailable:
    case CloseKind::chunking_refused:
    case CloseKind::way_refused:
      return PortEnd::other;
  }
  return PortEnd::other;
}

std::string_view text_of(PortEnd end) {
  switch (end) {
    case PortEnd::not_connected:
      return "no connection came about";
    case PortEnd::not_greeted:
      return "no greeting came";
    case PortEnd::no_tls:
      return "no TLS came about";
    case PortEnd::no_starttls:
      return "there was no STARTTLS";
    case PortEnd::other:
      return "something else went wrong";
  }
  return {};
}

PortChoice::PortChoice(std::vector<PortOption> ports)
    : ports_(std::move(ports)), ends_(ports_.size()), is_tried_(ports_.size(), false) {
  RP_ASSERT(!ports_.empty());
}

bool PortChoice::has_next() const {
  const auto untried =
      static_cast<std::size_t>(std::count(is_tried_.begin(), is_tried_.end(), false));
  return !is_settled_ && untried > (is_tried_[current_] ? 0u : 1u);
}

void PortChoice::failed(PortEnd end) {
  has_spoken_ = has_spoken_ || !another_port_may_help(end);
  ends_[current_] = end;
}

PortChoice::Next PortChoice::ended(AddressBook::Answer answer, Instant now) {
  answer_of_last_round_ = answer;
  if (has_spoken_) {
    has_spoken_ = false;
    trouble_since_ = never;
    return Next::stay;
  }
  if (ports_.size() == 1) {
    return Next::stay;
  }
  if (is_settled_) {
    trouble_since_ = std::min(trouble_since_, now);
    if (now - trouble_since_ < trouble_max) {
      return Next::stay;
    }
    // As at first, but that this one was tried just now.
    is_settled_ = false;
    trouble_since_ = never;
    answer_ = AddressBook::Answer::none;
    const auto end = ends_[current_];
    ends_.assign(ports_.size(), std::nullopt);
    ends_[current_] = end;
  }
  answer_ = together(answer_, answer);
  answer_of_last_round_ = answer_;
  return move_on();
}

PortChoice::Next PortChoice::move_on() {
  is_tried_[current_] = true;
  const auto untried = std::find(is_tried_.begin(), is_tried_.end(), false);
  if (untried != is_tried_.end()) {
    current_ = static_cast<std::size_t>(untried - is_tried_.begin());
    return Next::another;
  }
  is_tried_.assign(ports_.size(), false);
  answer_ = AddressBook::Answer::none;
  current_ = 0;
  return Next::round;
}

std::optional<std::string> PortChoice::served() {
  trouble_since_ = never;
  has_spoken_ = false;
  if (is_settled_) {
    return std::nullopt;
  }
  is_settled_ = true;
  is_tried_.assign(ports_.size(), false);
  answer_ = AddressBook::Answer::none;
  ends_[current_].reset();
  if (current_ == told_) {
    return std::nullopt;
  }
  told_ = current_;
  const std::string why = explanation();
  return "uses port " + std::to_string(current().port) + (why.empty() ? "" : ": " + why);
}

std::vector<PortChoice::PassedOver> PortChoice::passed_over() const {
  std::vector<PassedOver> others;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (is_settled_ && i != current_ && ends_[i]) {
      others.push_back({ports_[i].port, *ends_[i]});
    }
  }
  return others;
}

// Neighbours that ended in the same way share a clause.
std::string PortChoice::explanation() const {
  std::string text;
  std::optional<PortEnd> before;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (!ends_[i]) {
      continue;
    }
    if (before == ends_[i]) {
      text += ", ";
    } else {
      text += text.empty() ? "" : "; ";
      text.append(text_of(*ends_[i])).append(" on ");
    }
    text += std::to_string(ports_[i].port);
    before = ends_[i];
  }
  return text;
}

}  // namespace ringpost::engine
