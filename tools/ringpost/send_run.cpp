// The reader is this thread: it takes lines, makes jobs of them and submits them, and waits where
// the engine makes it wait. Outcomes are counted and written on the engine's outcome thread.
// Signals and progress belong to the watch's thread. What they share is atomic or belongs to
// RunTally.
#include "tools/ringpost/send_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <sys/ioctl.h>
#include <unistd.h>

#include "codec/job_reader.h"
#include "codec/outcome_writer.h"
#include "engine/engine.h"
#include "tools/ringpost/commands.h"
#include "tools/ringpost/job_file_source.h"
#include "tools/ringpost/job_input.h"
#include "tools/ringpost/outcome_file.h"
#include "tools/ringpost/parse_line.h"
#include "tools/ringpost/progress.h"
#include "tools/ringpost/run_report.h"
#include "tools/ringpost/run_tally.h"

namespace ringpost::cli {

namespace {

using Clock = std::chrono::steady_clock;

// How long the last outcome lines are tried again to be written when the disk is full.
constexpr Duration last_write_timeout = std::chrono::seconds(5);

std::int64_t unix_time_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class SendRun {
 public:
  SendRun(const SendSettings& settings, SignalWatch& watch, Log& log)
      : settings_(settings), watch_(watch), log_(log), progress_(settings, log) {
    for (const EndpointOptions& endpoint : settings.endpoints) {
      endpoint_names_.push_back(endpoint.name);
    }
    writer_.emplace(endpoint_names_);
  }

  int run();

 private:
  bool open_files();
  void read_jobs(JobInput& input);
  void dry_run(JobInput& input);
  void take_outcomes(std::span<const DecidedRecipientView> decided);
  void write_outcomes(bool everything);
  void write_what_is_left();
  void stop_soon();
  void stop_now();
  void finish();
  [[nodiscard]] RunFacts facts() const;
  [[nodiscard]] int exit_code_of_run() const;
  [[nodiscard]] bool fails_on(Status status) const;

  const SendSettings& settings_;
  SignalWatch& watch_;
  Log& log_;
  Progress progress_;
  JobFileSource files_;
  std::vector<std::string> endpoint_names_;
  std::optional<codec::OutcomeWriter> writer_;
  std::optional<OutcomeFile> outcomes_;
  std::optional<OutcomeFile> errors_;
  std::unique_ptr<Engine> engine_;
  RunTally tally_;
  Instant started_at_ = Clock::now();
  std::atomic<std::uint64_t> jobs_read_{0};
  std::atomic<std::uint64_t> bytes_read_{0};
  std::uint64_t bytes_total_ = 0;
  std::atomic<bool> write_failed_{false};
  bool input_failed_ = false;
};

bool SendRun::open_files() {
  for (auto [path, file] : {std::pair{&settings_.outcomes_path, &outcomes_},
                            std::pair{&settings_.errors_path, &errors_}}) {
    if (path->empty()) {
      continue;
    }
    auto opened = OutcomeFile::open(*path);
    if (!opened) {
      print_error(opened.error().message);
      return false;
    }
    if (opened->bytes_before() > 0) {
      log_.info("outcome lines are added to a file that has some already", {{"file", *path}});
    }
    file->emplace(std::move(*opened));
  }
  return true;
}

int SendRun::run() {
  auto input = JobInput::open(settings_.files, watch_.stop_descriptor());
  if (!input) {
    print_error(input.error().message);
    return exit_usage;
  }
  bytes_total_ = input->bytes_total();
  if (!open_files()) {
    return exit_outcomes_lost;
  }
  for (const std::string& warning : settings_.warnings) {
    log_.warn(warning);
  }
  if (!settings_.dry_run) {
    EngineOptions options;
    options.endpoints = settings_.endpoints;
    options.cores = settings_.cores;
    options.on_notice = [this](const EndpointNotice& notice) {
      log_.warn(notice.message, {{"endpoint", notice.endpoint}});
    };
    auto engine =
        Engine::start(std::move(options), [this](auto decided) { take_outcomes(decided); });
    if (!engine) {
      print_error(engine.error().message);
      return exit_usage;
    }
    engine_ = std::move(*engine);
  }
  watch_.start({.first_signal = [this] { stop_soon(); },
                .second_signal = [this] { stop_now(); },
                .tick = [this] { progress_.show(facts()); },
                .drain = settings_.drain});
  if (engine_) {
    read_jobs(*input);
    static_cast<void>(engine_->drain(never));
  } else {
    dry_run(*input);
  }
  watch_.stop();
  finish();
  const int code = exit_code_of_run();
  engine_.reset();
  return code;
}

void SendRun::read_jobs(JobInput& input) {
  codec::JobReader reader({.newlines = settings_.newlines, .files = &files_});
  Engine::Submitter submitter = engine_->submitter();
  const std::int64_t date_us = unix_time_us();
  while (watch_.signal() == 0 && !write_failed_.load(std::memory_order_relaxed)) {
    if (input.may_wait()) {
      submitter.flush();
    }
    JobInput::Line line;
    const auto next = input.next(line);
    if (!next) {
      input_failed_ = true;
      log_.error(next.error().message);
      continue;
    }
    if (!*next) {
      break;
    }
    Job* const job = submitter.next();
    if (job == nullptr) {
      break;
    }
    jobs_read_.fetch_add(1, std::memory_order_relaxed);
    bytes_read_.store(input.bytes_read(), std::memory_order_relaxed);
    const auto parsed = parse_line(reader, line, date_us, *job);
    if (parsed) {
      submitter.submit();
    } else {
      submitter.refuse(parsed.error());
    }
  }
  submitter.flush();
}

// The jobs are read and checked, and nothing is sent.
void SendRun::dry_run(JobInput& input) {
  codec::JobReader reader({.newlines = settings_.newlines, .files = &files_});
  const std::int64_t date_us = unix_time_us();
  Job job;
  while (watch_.signal() == 0 && !write_failed_.load(std::memory_order_relaxed)) {
    JobInput::Line line;
    const auto next = input.next(line);
    if (!next) {
      input_failed_ = true;
      log_.error(next.error().message);
      continue;
    }
    if (!*next) {
      return;
    }
    job.clear();
    jobs_read_.fetch_add(1, std::memory_order_relaxed);
    const auto parsed = parse_line(reader, line, date_us, job);
    if (job.recipient_count == 0) {
      job.add_recipient();
    }
    for (std::uint32_t i = 0; i < job.recipient_count; ++i) {
      Outcome& outcome = job.recipients[i].outcome;
      outcome.status = parsed ? Status::unsent : Status::invalid;
      outcome.reason = parsed ? "dry run: the job is valid and was not sent" : parsed.error();
      outcome.timestamp_us = unix_time_us();
      const DecidedRecipientView view{&job, i};
      take_outcomes({&view, 1});
    }
  }
}

// On the outcome thread.
void SendRun::take_outcomes(std::span<const DecidedRecipientView> decided) {
  for (const DecidedRecipientView& view : decided) {
    tally_.count(view.outcome());
    if (outcomes_) {
      writer_->append(outcomes_->lines(), *view.job, view.recipient_index);
    }
    if (errors_ && view.outcome().status != Status::accepted) {
      writer_->append(errors_->lines(), *view.job, view.recipient_index);
    }
  }
  write_outcomes(decided.empty());
}

// When a write fails no more jobs are taken, and what is under way comes to its end: its lines wait
// in memory, bounded by what was in flight, for another try.
void SendRun::write_outcomes(bool everything) {
  for (auto* const file : {&outcomes_, &errors_}) {
    if (!*file || write_failed_.load(std::memory_order_relaxed)) {
      continue;
    }
    const auto written = everything ? (*file)->write() : (*file)->write_if_full();
    if (!written) {
      log_.error("outcome lines cannot be written; no more messages are sent",
                 {{"reason", written.error().message}});
      write_failed_.store(true);
      if (engine_) {
        engine_->stop_sending();
      }
    }
  }
}

void SendRun::write_what_is_left() {
  const Instant give_up_at = Clock::now() + last_write_timeout;
  for (auto* const file : {&outcomes_, &errors_}) {
    while (*file && (*file)->unwritten_bytes() > 0) {
      const auto written = (*file)->write();
      if (written) {
        break;
      }
      if (Clock::now() >= give_up_at) {
        write_failed_.store(true);
        print_error("outcome lines could not be written: " + written.error().message);
        break;
      }
      ::usleep(100'000);
    }
  }
}

void SendRun::stop_soon() {
  if (!engine_) {
    return;  // a dry run ends by itself at the next line
  }
  log_.warn(
      "stopping: messages under way are finished, the others are not sent; "
      "another signal stops at once");
  engine_->stop_sending();
}

void SendRun::stop_now() {
  if (engine_) {
    log_.warn("stopping now");
    engine_->abort();
  }
}

void SendRun::finish() {
  write_what_is_left();
  progress_.clear();
  const RunFacts facts_now = facts();
  for (const EndpointFailure& failure : facts_now.failures) {
    log_.error("endpoint given up: " + failure.message,
               {{"endpoint", failure.endpoint}, {"stage", failure.stage}});
  }
  if (settings_.quiet) {
    return;
  }
  const std::string summary =
      settings_.summary == SummaryKind::json ? summary_json(facts_now) : summary_text(facts_now);
  const bool stdout_has_outcomes = settings_.outcomes_path == "-" || settings_.errors_path == "-";
  const int descriptor = stdout_has_outcomes ? STDERR_FILENO : STDOUT_FILENO;
  [[maybe_unused]] const auto written = ::write(descriptor, summary.data(), summary.size());
}

RunFacts SendRun::facts() const {
  RunFacts facts;
  facts.tally = &tally_;
  if (engine_) {
    facts.statistics = engine_->statistics();
    facts.failures = engine_->endpoint_failures();
    facts.endpoints = engine_->endpoint_reports();
  }
  facts.seconds = std::chrono::duration<double>(Clock::now() - started_at_).count();
  facts.jobs_read = jobs_read_.load(std::memory_order_relaxed);
  facts.bytes_read = bytes_read_.load(std::memory_order_relaxed);
  facts.bytes_total = bytes_total_;
  facts.outcomes_path = settings_.outcomes_path == "-" ? "" : settings_.outcomes_path;
  facts.signal = watch_.signal();
  return facts;
}

bool SendRun::fails_on(Status status) const {
  const bool counts =
      !settings_.fail_on || settings_.fail_on->test(static_cast<std::size_t>(status));
  return counts && tally_.of(status) > 0;
}

// CONTRACT.md section 1: if several apply, 11, then 7 > 6 > 5 > 4 > 3.
int SendRun::exit_code_of_run() const {
  if (write_failed_.load()) {
    return exit_outcomes_lost;
  }
  if (watch_.signal() == SIGINT) {
    return exit_interrupted;
  }
  if (watch_.signal() == SIGTERM) {
    return exit_terminated;
  }
  if (settings_.dry_run) {
    return tally_.of(Status::invalid) > 0 ? exit_invalid_input
           : input_failed_                ? exit_uncategorised
                                          : exit_all_accepted;
  }
  // An endpoint that was given up when another one did all the work is a matter of the log.
  if (engine_ && !engine_->endpoint_failures().empty() && tally_.of(Status::unsent) > 0) {
    return exit_no_endpoint;
  }
  if (fails_on(Status::unknown)) {
    return exit_unknown;
  }
  if (fails_on(Status::deferred) || fails_on(Status::expired) || fails_on(Status::unsent)) {
    return exit_deferred;
  }
  if (fails_on(Status::rejected)) {
    return exit_rejected;
  }
  if (fails_on(Status::invalid)) {
    return exit_invalid_input;
  }
  return input_failed_ ? exit_uncategorised : exit_all_accepted;
}

}  // namespace

int run_send(const SendSettings& settings, SignalWatch& watch, Log& log) {
  return SendRun(settings, watch, log).run();
}

}  // namespace ringpost::cli
