// The problem: a loop that waits for its answers asks a server that stalls for nothing, and then
// says that it was quick. The idea: an open loop has a schedule, and latency is counted from there,
// so that whoever could not be begun in time has waited as well. What is late waits in the
// schedule: the engine takes as much as it always does, and memory does not grow with a stall.
//
// How late a message was submitted stands in its Origin, whose fields nobody else reads here, and
// the engine's own total is added to it: both ends of a latency are on one clock, and nothing is
// kept for a message while it is under way.
//
// Limits: a message is timed by its first recipient; messages without an answer (`unsent`,
// `unknown`) have no latency and count as not accepted. A closed loop times a message from when a
// session took it, since in front of that it waits for nobody but the loop itself.
#include "tools/bench/bench_run.h"

#include <algorithm>
#include <chrono>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "tools/bench/schedule.h"
#include "tools/process/unix_time.h"
#include <ringpost/limits.h>

namespace ringpost::cli {

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

// How soon a signal is heard by whoever waits for the next message to be due.
constexpr auto nap_max = std::chrono::milliseconds(50);

// Messages of the warm-up are told by their ordinal from those that count.
constexpr std::uint64_t warmup_ordinal = 0;
constexpr std::uint64_t measured_ordinal = 1;

double cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

std::size_t jobs_in_flight(const EndpointOptions& endpoint) {
  return std::max<std::size_t>(limits::jobs_in_flight_max, 2 * endpoint.connections_max);
}

Series series_of(Stage stage) {
  switch (stage) {
    case Stage::connect:
      return Series::connect;
    case Stage::greeting:
      return Series::greeting;
    case Stage::ehlo:
      return Series::ehlo;
    case Stage::starttls:
      return Series::starttls;
    case Stage::tls:
      return Series::tls;
    case Stage::auth:
      return Series::auth;
    case Stage::mail:
      return Series::mail;
    case Stage::rcpt:
      return Series::rcpt;
    case Stage::data:
      return Series::data;
    case Stage::eod:
    case Stage::local:
      break;
  }
  return Series::eod;
}

bool is_answer(const Outcome& outcome) { return outcome.code != 0; }

}  // namespace

BenchRun::BenchRun(const BenchRunParts& parts)
    : parts_(parts), load_(parts.load), times_(parts.histogram_log, parts.tag) {}

BenchRun::~BenchRun() = default;

Result<void, std::string> BenchRun::start() {
  auto supply = MessageSupply::open(load_, unix_time_us());
  if (!supply) {
    return Failure(std::move(supply.error()));
  }
  supply_ = std::move(*supply);
  EngineOptions options;
  options.endpoints = {parts_.endpoint};
  options.cores = parts_.cores;
  options.io = parts_.io;
  options.jobs_in_flight_max = jobs_in_flight(parts_.endpoint);
  options.on_step = [this](std::uint32_t, Stage stage, Duration taken) {
    times_.note(series_of(stage), taken);
  };
  options.on_notice = [&log = parts_.log](const EndpointNotice& notice) { log.write(notice); };
  auto engine = Engine::start(std::move(options),
                              [this](std::span<const OutcomeView> decided) { hear(decided); });
  if (!engine) {
    return Failure(std::move(engine.error().message));
  }
  engine_ = std::move(*engine);
  return {};
}

BenchFinding BenchRun::run() {
  // A sleep ends when it should, and not fifty microseconds later.
  ::prctl(PR_SET_TIMERSLACK, 1);
  cpu_us_at_start_ = cpu_us();
  submit_all();
  if (!engine_->drain(Clock::now() + load_.drain)) {
    parts_.log.warn(
        fmt::format("the server has not answered everything by {} s behind the end: its "
                    "sessions are ended",
                    std::chrono::duration<double>(load_.drain).count()));
    engine_->abort();
  }
  static_cast<void>(engine_->drain(never));
  return finding();
}

// ---- Messages in
// ---------------------------------------------------------------------------------

void BenchRun::submit_all() {
  auto submitter = engine_->submitter();
  const Instant start = Clock::now();
  const std::int64_t start_us = unix_time_us();
  measured_from_ = start + load_.warmup;
  measured_from_us_ =
      start_us + std::chrono::duration_cast<std::chrono::microseconds>(load_.warmup).count();
  const Instant end = load_.duration ? measured_from_ + *load_.duration : never;
  const Schedule schedule(start, is_open() ? load_.rate : 1);
  if (is_open()) {
    warmup_messages_ = schedule.count_within(load_.warmup);
    due_ = std::min(
        load_.count ? warmup_messages_ + *load_.count : UINT64_MAX,
        load_.duration ? schedule.count_within(load_.warmup + *load_.duration) : UINT64_MAX);
    give_up_at_.store(schedule.due_at(due_) + load_.drain);
  } else {
    give_up_at_.store(end == never ? never : end + load_.drain);
  }
  if (load_.warmup == Duration::zero()) {
    times_.begin_measuring();
  }
  for (std::uint64_t number = 0; !is_stopping_.load(); ++number) {
    const Instant due = is_open() ? schedule.due_at(number) : Clock::now();
    const bool is_over =
        is_open() ? number >= due_
                  : due >= end || (load_.count && number >= warmup_messages_ + *load_.count);
    if (is_over || (is_open() && !wait_until(submitter, due)) || !submit(submitter, number, due)) {
      break;
    }
  }
  submitter.flush();
}

// False: nobody wants to wait any more.
bool BenchRun::wait_until(Engine::Submitter& submitter, Instant due) {
  if (Clock::now() < due) {
    submitter.flush();
  }
  for (Instant now = Clock::now(); now < due; now = Clock::now()) {
    if (is_stopping_.load()) {
      return false;
    }
    std::this_thread::sleep_until(std::min<Instant>(due, now + nap_max));
  }
  return true;
}

// False: the engine takes no more.
bool BenchRun::submit(Engine::Submitter& submitter, std::uint64_t number, Instant due) {
  Message* const message = submitter.next();
  const Instant now = Clock::now();
  if (message == nullptr || is_stopping_.load()) {
    return false;
  }
  const bool counts = is_open() ? number >= warmup_messages_ : now >= measured_from_;
  if (counts) {
    times_.begin_measuring();
  } else if (!is_open()) {
    warmup_messages_ = number + 1;
  }
  supply_->fill(*message, number);
  message->origin.ordinal = counts ? measured_ordinal : warmup_ordinal;
  message->origin.line = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now - due).count()));
  late_max_ = counts && is_open() ? std::max<Duration>(late_max_, now - due) : late_max_;
  static_cast<void>(submitter.submit());  // what cannot be sent has its outcome, which is counted
  ++submitted_;
  return true;
}

// ---- Outcomes back
// -------------------------------------------------------------------------------

void BenchRun::hear(std::span<const OutcomeView> decided) {
  for (const OutcomeView& view : decided) {
    const Origin& origin = view.message->origin;
    const Outcome& outcome = *view.outcome;
    const bool is_first = view.recipient_index == 0;
    done_.fetch_add(is_first ? 1 : 0, std::memory_order_relaxed);
    if (origin.ordinal == warmup_ordinal) {
      continue;
    }
    ++recipients_[static_cast<std::size_t>(outcome.status)];
    if (!is_first || !is_answer(outcome)) {
      continue;
    }
    ++messages_answered_;
    bytes_ += outcome.status == Status::accepted ? view.message->content.bytes() : 0;
    const Milliseconds taken(is_open() ? outcome.total_ms : outcome.submit_ms);
    const Duration late = is_open() ? Duration(origin.line) : Duration::zero();
    times_.note(Series::latency, late + std::chrono::duration_cast<Duration>(taken));
    last_at_ = std::max<Instant>(last_at_, Clock::now());
  }
}

BenchFinding BenchRun::finding() {
  BenchFinding found;
  found.is_open_loop = is_open();
  found.rate_wanted = load_.rate;
  found.connections = parts_.endpoint.connections_max;
  found.began_at_us = measured_from_us_;
  found.messages = submitted_ - std::min(submitted_, warmup_messages_);
  found.not_begun = is_open() && !is_stopping_.load() ? (due_ - submitted_) * load_.recipients : 0;
  found.late_ms_max = Milliseconds(late_max_).count();
  for (EndpointReport& report : engine_->endpoint_reports()) {
    found.way = std::string(report.pipelining);
    found.sessions_opened = report.counts.sessions_opened;
    found.sessions_ready = report.counts.sessions_ready;
    found.sessions_resumed = report.counts.sessions_resumed;
  }
  for (EndpointFailure& failure : engine_->endpoint_failures()) {
    found.failures.push_back(std::move(failure.message));
  }
  std::unique_ptr<Engine> engine;
  {
    const std::lock_guard lock(mutex_);
    engine = std::move(engine_);
  }
  engine.reset();  // which tells the last outcomes
  times_.collect(unix_time_us());
  found.recipients = recipients_;
  found.messages_answered = messages_answered_;
  found.bytes = bytes_;
  found.times = times_.summaries();
  found.seconds = std::max(0.0, std::chrono::duration<double>(last_at_ - measured_from_).count());
  found.cpu_us_per_message =
      submitted_ > 0 ? (cpu_us() - cpu_us_at_start_) / static_cast<double>(submitted_) : 0;
  return found;
}

// ---- Heard from elsewhere
// ------------------------------------------------------------------------

void BenchRun::stop_soon() {
  is_stopping_.store(true);
  const std::lock_guard lock(mutex_);
  if (engine_) {
    engine_->stop_sending();
  }
}

void BenchRun::stop_now() {
  is_stopping_.store(true);
  const std::lock_guard lock(mutex_);
  if (engine_) {
    engine_->abort();
  }
}

void BenchRun::tick() {
  const std::lock_guard lock(mutex_);
  if (!engine_) {
    return;
  }
  times_.collect(unix_time_us());
  if (Clock::now() >= give_up_at_.load()) {
    engine_->abort();
  }
}

}  // namespace ringpost::cli
