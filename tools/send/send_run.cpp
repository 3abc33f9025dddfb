// The reader is this thread: it takes lines, makes jobs of them and submits them, and waits where
// the engine makes it wait. Outcomes are counted and written on the engine's outcome thread.
// Signals and progress belong to the watch's thread. What they share is atomic or belongs to
// run::RunTally.
#include "tools/send/send_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "codec/job/job_reader.h"
#include "engine/outcome_record.h"
#include "engine/run/job_file_source.h"
#include "engine/run/job_input.h"
#include "engine/run/parse_line.h"
#include "engine/run/run_journal.h"
#include "engine/run/run_tally.h"
#include "tools/process/allocation_counter.h"
#include "tools/process/out_of_memory.h"
#include "tools/process/program_version.h"
#include "tools/process/unix_time.h"
#include "tools/program/commands.h"
#include "tools/send/progress.h"
#include "tools/send/run_files.h"
#include "tools/send/run_output.h"
#include "tools/send/run_report.h"
#include <ringpost/engine.h>

namespace ringpost::cli {

namespace {

using Clock = std::chrono::steady_clock;

// Sessions in lock-step are used by having a job for each of them, and one that waits. A journal
// has a bound of its own: what is in flight is what its repair has to assume.
std::size_t jobs_in_flight(const std::vector<EndpointOptions>& endpoints, bool journal) {
  if (journal) {
    return limits::jobs_in_flight_max;
  }
  std::size_t sessions = 0;
  for (const EndpointOptions& endpoint : endpoints) {
    sessions += endpoint.connections_max;
  }
  return std::max(limits::jobs_in_flight_max, 2 * sessions);
}

// This very command line with --resume, as a shell takes it.
std::string resume_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string command;
  bool resumes = false;
  for (std::string argument; std::getline(file, argument, '\0');) {
    resumes = resumes || argument == "--resume";
    const bool plain =
        !argument.empty() && argument.find_first_not_of(
                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789-_=+.,:/@%") == std::string::npos;
    command += command.empty() ? "" : " ";
    if (plain) {
      command += argument;
      continue;
    }
    command += "'";
    for (const char c : argument) {
      command += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    command += "'";
  }
  return resumes ? command : command + " --resume";
}

std::vector<std::string> names_of(const std::vector<EndpointOptions>& endpoints) {
  std::vector<std::string> names;
  for (const EndpointOptions& endpoint : endpoints) {
    names.push_back(endpoint.name);
  }
  return names;
}

// Of a run that was stopped by it; nothing for 0.
std::optional<int> exit_code_of_signal(int signal) {
  switch (signal) {
    case SIGINT:
      return exit_interrupted;
    case SIGTERM:
      return exit_terminated;
    case SIGHUP:
      return exit_hung_up;
    default:
      return std::nullopt;
  }
}

class SendRun {
 public:
  SendRun(const SendSettings& settings, SignalWatch& watch, Log& log)
      : settings_(settings),
        watch_(watch),
        log_(log),
        progress_(settings, log),
        output_(names_of(settings.endpoints), log,
                {.hold = [this](bool held) { hold_sending(held); },
                 .stop = [this] { stop_for_lost_output(); },
                 .pause = [this](Duration pause) { return !watch_.wait_for_signal(pause); }}) {}

  int run();

 private:
  int open_journal();
  int end_without_output(const std::string& why);
  [[nodiscard]] bool start_engine();
  [[nodiscard]] bool take_line(run::JobInput::Line& line, codec::JobReader& reader,
                               Engine::Submitter& submitter, std::uint64_t ordinal);
  void stop_for_lost_output();
  void hold_sending(bool held);
  void read_jobs(run::JobInput& input);
  void count_unread(run::JobInput& input, const run::JobInput::Line* held);
  [[nodiscard]] std::string way_to_go_on() const;
  void dry_run(run::JobInput& input);
  void take_outcomes(std::span<const DecidedRecipientView> decided);
  void tick();
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
  run::JobFileSource files_;
  std::unique_ptr<run::RunJournal> journal_;  // null: none is kept
  RunOutput output_;
  std::unique_ptr<Engine> engine_;
  run::RunTally tally_;
  Instant started_at_ = Clock::now();
  std::atomic<std::uint64_t> jobs_read_{0};
  std::atomic<std::uint64_t> bytes_read_{0};
  std::uint64_t bytes_total_ = 0;
  bool input_failed_ = false;
  bool usage_failed_ = false;
  std::int64_t date_us_ = unix_time_us();
  std::atomic<std::uint64_t> reader_allocations_{0};
  // Of a run that was stopped before the end of its job files. The reader's.
  struct Unread {
    std::optional<std::uint64_t> jobs;  // nothing: nobody knows how many
    std::string from;
  };
  std::optional<Unread> unread_;
};

// Nothing to speak of: 0; else the exit code.
int SendRun::open_journal() {
  if (settings_.journal.path.empty() || settings_.dry_run) {
    return exit_all_accepted;
  }
  run::JournalSettings settings = settings_.journal;
  settings.program_version = program_version();
  auto opened = run::RunJournal::open(settings, settings_.files, settings_.newlines, date_us_);
  if (opened) {
    journal_ = std::move(*opened);
    date_us_ = journal_->date_us();
    const auto completed = journal_->complete_outcomes();
    if (!journal_->remark().empty()) {
      log_.warn(journal_->remark());
    }
    if (completed) {
      return exit_all_accepted;
    }
    opened = Failure(completed.error());
  }
  print_error(opened.error().message);
  return opened.error().usage ? exit_usage : exit_outcomes_lost;
}

// The exit code.
int SendRun::end_without_output(const std::string& why) {
  const auto code = exit_code_of_signal(watch_.signal());
  print_error(code ? why + "; stopped before anything was sent" : why);
  if (code && journal_) {
    log_.warn(way_to_go_on());
  }
  return code.value_or(exit_outcomes_lost);
}

int SendRun::run() {
  if (const auto checked = check_files_of_run(settings_); !checked) {
    print_error(checked.error());
    return exit_usage;
  }
  auto input = run::JobInput::open(settings_.files, watch_.stop_descriptor());
  if (!input) {
    print_error(input.error().message);
    return exit_usage;
  }
  bytes_total_ = input->bytes_total();
  if (const int code = open_journal(); code != exit_all_accepted) {
    return code;
  }
  if (const auto opened = output_.open(settings_, journal_.get(), unix_time_us()); !opened) {
    return end_without_output(opened.error());
  }
  files_.set_refused(run::written_files(files_of_run(settings_)));
  for (const std::string& warning : settings_.warnings) {
    log_.warn(warning);
  }
  if (!settings_.dry_run && !start_engine()) {
    return exit_usage;
  }
  watch_.start({.first_signal = [this] { stop_soon(); },
                .second_signal = [this] { stop_now(); },
                .tick = [this] { tick(); },
                .drain = settings_.drain});
  if (engine_) {
    read_jobs(*input);
    reader_allocations_.store(allocation_counter() != nullptr ? allocation_counter()() : 0);
    static_cast<void>(engine_->drain(never));
  } else {
    dry_run(*input);
    take_outcomes({});
  }
  watch_.stop();
  finish();
  const int code = exit_code_of_run();
  engine_.reset();
  if (journal_) {
    journal_->end_run(unix_time_us(), code);
  }
  if (!settings_.dry_run && (watch_.signal() != 0 || code == exit_outcomes_lost)) {
    log_.warn(way_to_go_on());
  }
  return code;
}

bool SendRun::start_engine() {
  EngineOptions options;
  options.endpoints = settings_.endpoints;
  options.cores = settings_.cores;
  options.jobs_in_flight_max = jobs_in_flight(settings_.endpoints, journal_ != nullptr);
  options.deadline = settings_.deadline;
  options.deadline_drain = settings_.drain;
  options.journal = journal_ ? &journal_->journal() : nullptr;
  options.count_allocations = allocation_counter();
  options.on_notice = [this](const EndpointNotice& notice) {
    log_.warn(notice.message, {{"endpoint", notice.endpoint}});
  };
  auto engine = Engine::start(std::move(options), [this](auto decided) { take_outcomes(decided); });
  if (!engine) {
    print_error(engine.error().message);
    return false;
  }
  engine_ = std::move(*engine);
  return true;
}

// For whoever has stopped the run, and wants the rest of it sent.
std::string SendRun::way_to_go_on() const {
  if (journal_) {
    return "stopped; this goes on with the rest: " + resume_command();
  }
  const std::string unsent =
      "what was read and not sent is `unsent` in the outcome lines; with --journal FILE a stopped "
      "run goes on by --resume";
  if (!unread_) {
    return "stopped; " + unsent;
  }
  const std::string place = unread_->from.empty() ? "" : " from " + unread_->from + " on";
  const std::string count =
      unread_->jobs ? fmt::format("{} job{}", *unread_->jobs, *unread_->jobs == 1 ? "" : "s")
                    : std::string("jobs");
  return fmt::format("stopped; {}{} were not read and have no outcome line: send them again; {}",
                     count, place, unsent);
}

void SendRun::read_jobs(run::JobInput& input) {
  codec::JobReader reader({.newlines = settings_.newlines, .files = &files_});
  Engine::Submitter submitter = engine_->submitter();
  run::JobInput::Line line;
  bool is_held = false;  // the line was read, and not taken
  for (std::uint64_t ordinal = 0; watch_.signal() == 0 && !output_.failed();) {
    if (input.may_wait()) {
      submitter.flush();
    }
    const auto next = input.next(line);
    if (!next) {
      input_failed_ = true;
      log_.error(next.error().message);
      continue;
    }
    if (!*next) {
      break;
    }
    bytes_read_.store(input.bytes_read(), std::memory_order_relaxed);
    is_held = !take_line(line, reader, submitter, ordinal++);
    if (is_held) {
      break;
    }
  }
  submitter.flush();
  if (is_held || watch_.signal() != 0 || output_.failed()) {
    count_unread(input, is_held ? &line : nullptr);
  }
}

// While what is under way comes to its end.
void SendRun::count_unread(run::JobInput& input, const run::JobInput::Line* held) {
  constexpr auto counting_max = std::chrono::seconds(1);
  Unread unread;
  unread.from = held != nullptr ? fmt::format("{}:{}", held->file, held->number) : input.place();
  unread.jobs = input.count_rest(Clock::now() + counting_max);
  if (unread.jobs && held != nullptr) {
    ++*unread.jobs;
  }
  if (unread.jobs != std::optional<std::uint64_t>(0)) {
    unread_ = std::move(unread);
  }
}

// False: no more of them.
bool SendRun::take_line(run::JobInput::Line& line, codec::JobReader& reader,
                        Engine::Submitter& submitter, std::uint64_t ordinal) {
  Job* const job = submitter.next();
  if (job == nullptr) {
    return false;
  }
  jobs_read_.fetch_add(1, std::memory_order_relaxed);
  const auto parsed = run::parse_line(reader, line, date_us_, *job);
  if (journal_) {
    const auto plan = journal_->plan(*job, ordinal, line.text, unix_time_us());
    if (!plan) {
      log_.error(plan.error().message);
      usage_failed_ = true;
      return false;
    }
    if (*plan == run::RunJournal::Plan::skip) {
      job->clear();
      return true;
    }
  }
  if (parsed) {
    submitter.submit();
  } else {
    submitter.refuse(parsed.error());
  }
  return true;
}

// The jobs are read and checked, and nothing is sent.
void SendRun::dry_run(run::JobInput& input) {
  codec::JobReader reader({.newlines = settings_.newlines, .files = &files_});
  const std::int64_t date_us = unix_time_us();
  Job job;
  while (watch_.signal() == 0 && !output_.failed()) {
    run::JobInput::Line line;
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
    const auto parsed = run::parse_line(reader, line, date_us, job);
    const protocol::Verdict verdict = parsed ? protocol::verdict_of_dry_run()
                                             : protocol::verdict_of_local_refusal(parsed.error());
    if (job.recipient_count == 0) {
      job.add_recipient();
    }
    for (std::uint32_t i = 0; i < job.recipient_count; ++i) {
      engine::record_local(job.recipients[i].outcome, verdict, unix_time_us());
      const DecidedRecipientView view{&job, i};
      take_outcomes({&view, 1});
    }
  }
}

// On the outcome thread.
void SendRun::take_outcomes(std::span<const DecidedRecipientView> decided) {
  for (const DecidedRecipientView& view : decided) {
    tally_.count(view.outcome());
  }
  output_.take(decided);
}

// Outcomes are lost: no more jobs, and what is under way comes to its end within the drain.
void SendRun::stop_for_lost_output() {
  watch_.begin_drain();
  if (engine_) {
    engine_->stop_sending();
  }
}

void SendRun::hold_sending(bool held) {
  if (engine_) {
    engine_->hold_sending(held);
  }
}

void SendRun::tick() {
  progress_.show(facts());
  output_.look_at_journal();
}

void SendRun::stop_soon() {
  if (!engine_) {
    output_.give_up();
    return;  // a dry run ends by itself at the next line
  }
  log_.warn(
      "stopping: messages under way are finished, the others are not sent; "
      "another signal stops at once");
  engine_->stop_sending();
}

void SendRun::stop_now() {
  output_.give_up();
  if (engine_) {
    log_.warn("stopping now");
    engine_->abort();
  }
}

void SendRun::finish() {
  output_.finish();
  progress_.clear();
  RunFacts facts_now = facts();
  facts_now.lost_lines = output_.lost_lines();
  facts_now.stopped_early = unread_.has_value();
  if (unread_) {
    facts_now.jobs_unread = unread_->jobs;
    facts_now.unread_from = unread_->from;
  }
  for (const EndpointFailure& failure : facts_now.failures) {
    log_.error("endpoint given up: " + failure.message,
               {{"endpoint", failure.endpoint}, {"stage", failure.stage}});
  }
  if (facts_now.jobs_read == 0 && watch_.signal() == 0 && !input_failed_) {
    log_.warn(settings_.files.empty() ? "there was no job in standard input"
                                      : "there was no job in the job files");
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
  facts.keeps_outcomes =
      !settings_.outcomes_path.empty() || !settings_.errors_path.empty() || journal_ != nullptr;
  facts.signal = watch_.signal();
  facts.internal = settings_.internal_stats;
  facts.allocations_counted = allocation_counter() != nullptr;
  facts.reader_allocations = reader_allocations_.load();
  return facts;
}

bool SendRun::fails_on(Status status) const {
  const bool counts =
      !settings_.fail_on || settings_.fail_on->test(static_cast<std::size_t>(status));
  return counts && tally_.of(status) > 0;
}

// docs/CONTRACT.md section 1: if several apply, 11, then 7 > 6 > 5 > 4 > 3.
int SendRun::exit_code_of_run() const {
  if (output_.failed() || (engine_ && engine_->journal_failed())) {
    return exit_outcomes_lost;
  }
  if (usage_failed_) {
    return exit_usage;
  }
  if (const auto code = exit_code_of_signal(watch_.signal())) {
    return *code;
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
  end_when_out_of_memory(exit_outcomes_lost);
  return SendRun(settings, watch, log).run();
}

}  // namespace ringpost::cli
