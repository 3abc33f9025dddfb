// The problem: a client is to be judged by what it does to a provider's limits, in any window of
// their length, while the limits move. The idea: each moment is kept until its window is over, and
// one lock makes the order of all connections the order in which they are judged. A rate that
// changes is another rate from then on: what was accepted before counts for refusing, as it would
// with a provider, and not for what came over it, since nobody could know. Limits: a clock that two
// threads have read goes back by what they were apart, and such a time counts as the later one.
#include "tools/sink/provider_limits.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ringpost::sink {

namespace {

using server::Stage;

constexpr std::size_t seconds_kept_max = 6 * 3600;

std::size_t index_of(ProviderLimit limit) { return static_cast<std::size_t>(limit); }

ProviderLimit kind_of(const QuotaLimit& limit) {
  return limit.window.length < std::chrono::hours(1) ? ProviderLimit::rate : ProviderLimit::quota;
}

// Where a rate of the unit is refused at the earliest: what a provider says at MAIL of messages it
// says at RCPT of recipients, and octets are known at the end.
Stage stage_of(QuotaUnit unit, const ProviderReply& reply) {
  if (reply.stage != Stage::mail || unit == QuotaUnit::octets) {
    return Stage::end;
  }
  return unit == QuotaUnit::recipients ? Stage::rcpt : Stage::mail;
}

std::uint64_t units_of(const MessageSize& message, QuotaUnit unit) {
  switch (unit) {
    case QuotaUnit::messages:
      return 1;
    case QuotaUnit::recipients:
      return message.recipients;
    case QuotaUnit::octets:
      return message.bytes;
  }
  RP_ASSERT(false);
}

}  // namespace

ProviderLimits::ProviderLimits(ProviderProfile profile)
    : profile_(std::move(profile)), caps_(profile_.caps) {
  report_.name = profile_.name;
  put_in_force(Duration::zero(), std::nullopt);
}

// ---- Time --------------------------------------------------------------------------------------

void ProviderLimits::advance(Instant now) {
  now_ = std::max(now_, now);
  if (begin_ == never) {
    return;
  }
  if (now_ >= outage_ends_) {
    outage_ = nullptr;
    outage_ends_ = never;
  }
  while (changes_made_ < profile_.changes.size() &&
         now_ - begin_ >= profile_.changes[changes_made_].at) {
    change(profile_.changes[changes_made_++]);
  }
}

void ProviderLimits::change(const ProviderChange& change) {
  if (const auto* const outage = std::get_if<ProviderOutage>(&change.what)) {
    outage_ = &outage->reply;
    outage_ends_ = begin_ + change.at + outage->length;
    return;
  }
  const CapSetting& setting = std::get<CapSetting>(change.what);
  lay(setting, caps_);
  put_in_force(change.at, setting.rate);
}

// Those of `caps_` that are not, in the place of those that are no more. One that is `set_anew` is
// another one, though it be the same.
void ProviderLimits::put_in_force(Duration from, const std::optional<QuotaLimit>& set_anew) {
  std::vector<RateInForce> rates;
  for (const QuotaLimit& limit : caps_.rates) {
    rates.push_back(rate_in_force(limit, from, limit == set_anew));
  }
  for (RateInForce& before : std::exchange(rates_, std::move(rates))) {
    const auto is_same = [&](const RateInForce& rate) {
      return rate.report.limit == before.report.limit && rate.report.from_s == before.report.from_s;
    };
    if (std::none_of(rates_.begin(), rates_.end(), is_same)) {
      report_.rates.push_back(before.report);
    }
  }
}

ProviderLimits::RateInForce ProviderLimits::rate_in_force(const QuotaLimit& limit, Duration from,
                                                          bool is_set_anew) {
  const auto before = std::find_if(rates_.begin(), rates_.end(), [&](const RateInForce& rate) {
    return rate.report.limit.unit == limit.unit && rate.report.limit.period == limit.period;
  });
  if (before != rates_.end() && before->report.limit == limit && !is_set_anew) {
    return *before;
  }
  RateInForce rate{.report = {.limit = limit},
                   .came = SlidingLog(limit.window.length),
                   .accepted = SlidingLog(limit.window.length),
                   .limit = kind_of(limit)};
  rate.report.from_s = seconds_of(from);
  if (before != rates_.end()) {
    rate.accepted = before->accepted;
    rate.accepted.resize(limit.window.length);
  }
  return rate;
}

// ---- Judgements --------------------------------------------------------------------------------

const ProviderReply* ProviderLimits::refuse(ProviderLimit limit) {
  report_.refused[index_of(limit)] += 1;
  note(report_.refused_by_second, now_);
  return &profile_.reply(limit);
}

const ProviderReply* ProviderLimits::on_greeting(std::uint64_t session, Instant now) {
  const std::scoped_lock lock(mutex_);
  begin_ = std::min(begin_, now);
  advance(now);
  const bool is_judged_here = profile_.reply(ProviderLimit::connections).stage == Stage::greeting;
  if (is_judged_here && caps_.connections != 0 && open_.size() >= caps_.connections) {
    return refuse(ProviderLimit::connections);
  }
  open_.insert(session);
  report_.connections_peak = std::max(report_.connections_peak, open_.size());
  return nullptr;
}

void ProviderLimits::on_over(std::uint64_t session) {
  const std::scoped_lock lock(mutex_);
  open_.erase(session);
}

// The oldest are within the cap.
bool ProviderLimits::is_one_too_many(std::uint64_t session) const {
  return caps_.connections != 0 && open_.size() > caps_.connections &&
         static_cast<std::size_t>(std::distance(open_.begin(), open_.lower_bound(session))) >=
             caps_.connections;
}

const ProviderReply* ProviderLimits::on_login(std::uint64_t session, bool is_right, Instant now) {
  const std::scoped_lock lock(mutex_);
  advance(now);
  const bool is_judged_here = profile_.reply(ProviderLimit::connections).stage == Stage::auth;
  const bool is_too_many = is_judged_here && is_one_too_many(session);
  if (is_right && !is_too_many) {
    return nullptr;
  }
  report_.logins_refused += 1;
  return refuse(is_right ? ProviderLimit::connections : ProviderLimit::login);
}

const ProviderReply* ProviderLimits::on_mail(const Mail& mail, Instant now) {
  const std::scoped_lock lock(mutex_);
  advance(now);
  const bool is_judged_later = profile_.reply(ProviderLimit::connections).stage == Stage::end;
  if (!is_judged_later && is_one_too_many(mail.session)) {
    return refuse(ProviderLimit::connections);
  }
  if (caps_.messages != 0 && mail.messages >= caps_.messages) {
    return refuse(ProviderLimit::messages);
  }
  if (caps_.age != Duration::zero() && now - mail.since >= caps_.age) {
    return refuse(ProviderLimit::age);
  }
  if (caps_.bytes != 0 && mail.bytes > caps_.bytes) {
    return refuse(ProviderLimit::bytes);
  }
  return refuse_early(Stage::mail, 1, now);
}

const ProviderReply* ProviderLimits::on_recipient(std::uint64_t recipients, Instant now) {
  const std::scoped_lock lock(mutex_);
  advance(now);
  if (caps_.recipients != 0 && recipients >= caps_.recipients) {
    return refuse(ProviderLimit::recipients);
  }
  return refuse_early(Stage::rcpt, recipients + 1, now);
}

const ProviderReply* ProviderLimits::on_end(std::uint64_t session, const MessageSize& message,
                                            Instant now) {
  const std::scoped_lock lock(mutex_);
  advance(now);
  note(report_.came_by_second, now);
  const bool is_judged_here = profile_.reply(ProviderLimit::connections).stage == Stage::end;
  if (is_judged_here && is_one_too_many(session)) {
    return refuse(ProviderLimit::connections);
  }
  if (caps_.bytes != 0 && message.bytes > caps_.bytes) {
    return refuse(ProviderLimit::bytes);
  }
  const ProviderReply* const refusal = take(message, now);
  if (refusal == nullptr) {
    note(report_.accepted_by_second, now);
  }
  return refusal;
}

const ProviderReply* ProviderLimits::outage_at(Stage stage) {
  if (outage_ == nullptr || outage_->stage != stage) {
    return nullptr;
  }
  report_.refused[index_of(ProviderLimit::outage)] += 1;
  note(report_.refused_by_second, now_);
  return outage_;
}

// Where a rate has no room for so many units of a message, and says so before its end. What counts
// is what comes to its end: there is many a MAIL of which nothing comes, as behind RSET.
const ProviderReply* ProviderLimits::refuse_early(Stage stage, std::uint64_t units, Instant now) {
  const ProviderReply* refusal = outage_at(stage);
  const bool is_out = refusal != nullptr;
  for (RateInForce& rate : rates_) {
    if (stage_of(rate.report.limit.unit, profile_.reply(rate.limit)) != stage) {
      continue;
    }
    const bool has_room = rate.accepted.sum(now) + units <= rate.report.limit.window.amount;
    if (is_out || !has_room) {
      come(rate, 1, now);
    }
    if (!is_out && !has_room) {
      rate.report.refused += 1;
      refusal = refusal == nullptr ? refuse(rate.limit) : refusal;
    }
  }
  if (refusal != nullptr && stage == Stage::mail) {
    note(report_.came_by_second, now);
  }
  return refusal;
}

// Who refuses at MAIL counts from there: one moment for both is all that a client can keep to.
Instant ProviderLimits::counted_at(const RateInForce& rate, const MessageSize& message,
                                   Instant now) const {
  const bool is_of_mail = profile_.reply(rate.limit).stage == Stage::mail;
  return is_of_mail && message.mail != Instant() ? message.mail : now;
}

// A message is at its end: all rates together take it, or none does. It has come in either case.
const ProviderReply* ProviderLimits::take(const MessageSize& message, Instant now) {
  const ProviderReply* refusal = outage_at(Stage::end);
  const bool is_out = refusal != nullptr;
  for (RateInForce& rate : rates_) {
    const std::uint64_t units = units_of(message, rate.report.limit.unit);
    come(rate, units, counted_at(rate, message, now));
    const bool has_room = rate.accepted.sum(now) + units <= rate.report.limit.window.amount;
    if (!has_room && !is_out) {
      rate.report.refused += units;
      refusal = refusal == nullptr ? refuse(rate.limit) : refusal;
    }
  }
  if (refusal != nullptr) {
    return refusal;
  }
  for (RateInForce& rate : rates_) {
    const std::uint64_t units = units_of(message, rate.report.limit.unit);
    rate.accepted.add(counted_at(rate, message, now), units);
    rate.report.accepted += units;
    rate.report.peak_accepted = std::max(rate.report.peak_accepted, rate.accepted.sum(now));
  }
  return nullptr;
}

void ProviderLimits::come(RateInForce& rate, std::uint64_t units, Instant now) {
  rate.came.add(now, units);
  rate.report.came += units;
  rate.report.peak = std::max(rate.report.peak, rate.came.sum(now));
}

void ProviderLimits::note(std::vector<std::uint32_t>& by_second, Instant now) {
  const auto second = static_cast<std::size_t>(std::max(0.0, seconds_of(now - begin_)));
  if (begin_ == never || second >= seconds_kept_max) {
    return;
  }
  if (by_second.size() <= second) {
    by_second.resize(second + 1);
  }
  by_second[second] += 1;
}

// ---- Connections that end, and the report ------------------------------------------------------

Duration ProviderLimits::idle(Instant now) {
  const std::scoped_lock lock(mutex_);
  advance(now);
  return caps_.idle;
}

Duration ProviderLimits::age(Instant now) {
  const std::scoped_lock lock(mutex_);
  advance(now);
  return caps_.age;
}

const ProviderReply* ProviderLimits::on_ended(ProviderLimit limit) {
  const std::scoped_lock lock(mutex_);
  return refuse(limit);
}

LimitsReport ProviderLimits::report() const {
  const std::scoped_lock lock(mutex_);
  LimitsReport report = report_;
  report.caps = caps_;
  for (const RateInForce& rate : rates_) {
    report.rates.push_back(rate.report);
  }
  return report;
}

}  // namespace ringpost::sink
