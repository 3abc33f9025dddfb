// The first reader is this thread: it takes lines, makes jobs of them and submits them, and waits
// where the engine makes it wait; others do the same on threads of their own. Outcomes are counted
// and written on the engine's outcome threads.
// Signals and progress belong to the watch's thread. What they share is atomic or belongs to
// run::RunTally.
#include "tools/send/send_run.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "engine/run/file_sink.h"
#include "engine/run/job_file_source.h"
#include "engine/run/journal_binding.h"
#include "engine/run/journal_planner.h"
#include "engine/run/rehearsal.h"
#include "engine/run/run.h"
#include "engine/run/run_threads.h"
#include "tools/process/allocation_counter.h"
#include "tools/process/out_of_memory.h"
#include "tools/process/program_version.h"
#include "tools/process/unix_time.h"
#include "tools/program/commands.h"
#include "tools/send/next_step.h"
#include "tools/send/progress.h"
#include "tools/send/run_files.h"
#include "tools/send/run_meter.h"
#include "tools/send/run_report.h"
#include "tools/send/send_source.h"
#include "tools/send/watched_source.h"
#include <ringpost/engine.h>

namespace ringpost::cli {

namespace {

using Clock = std::chrono::steady_clock;

// Sessions in lock-step are used by having a job for each of them, and one that waits. A journal
// has a bound of its own: its repair has to assume that so many jobs were begun behind the last
// that it knows. Those in flight are, and of several readers one may be ahead by what the others
// have in hand.
std::size_t jobs_in_flight(const std::vector<EndpointOptions>& endpoints, std::size_t readers,
                           bool journal) {
  if (journal) {
    return limits::jobs_in_flight_max - (readers > 1 ? limits::lines_in_hand_max : 0);
  }
  std::size_t sessions = 0;
  for (const EndpointOptions& endpoint : endpoints) {
    sessions += endpoint.connections_max;
  }
  return std::max(limits::jobs_in_flight_max, 2 * sessions);
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

// What the provider wants, where a login was refused.
void append_login_hints(std::vector<EndpointFailure>& failures,
                        const std::map<std::string, std::string>& hints) {
  for (EndpointFailure& failure : failures) {
    const auto hint = hints.find(failure.endpoint);
    if (failure.stage == name_of(Stage::auth) && hint != hints.end() && !hint->second.empty()) {
      failure.message += "; " + hint->second;
    }
  }
}

class SendRun : private run::RunListener {
 public:
  SendRun(const SendSettings& settings, SignalWatch& watch, Log& log)
      : settings_(settings),
        watch_(watch),
        log_(log),
        progress_(settings, log),
        sink_({.outcomes_path = settings.outcomes_path,
               .errors_path = settings.errors_path,
               .endpoint_names = names_of(settings.endpoints),
               .group_count = settings.dry_run ? 1 : settings.outcome_threads,
               .pause = [this](Duration pause) { return pauses(pause); }},
              *this) {}

  int run();

 private:
  int open_journal();
  int end_without_output(const std::string& why);
  [[nodiscard]] bool pauses(Duration pause);
  [[nodiscard]] bool start();
  [[nodiscard]] EngineOptions engine_options();
  void read();
  [[nodiscard]] std::string way_to_go_on() const;
  void on_notice(run::NoticeLevel level, std::string_view text,
                 const run::NoticeSubject& subject) override;
  void on_outcomes_lost() override;
  void tick();
  void stop_soon();
  void stop_now();
  void finish();
  [[nodiscard]] RunFacts facts() const;
  [[nodiscard]] RunFacts facts_under_way();
  [[nodiscard]] int exit_code_of_run() const;
  [[nodiscard]] bool fails_on(Status status) const;

  const SendSettings& settings_;
  SignalWatch& watch_;
  Log& log_;
  Progress progress_;
  RunMeter meter_;
  run::JobFileSource files_;
  std::unique_ptr<run::JournalBinding> journal_;  // null: none is kept
  std::optional<run::JournalPlanner> planner_;
  run::FileSink sink_;
  std::unique_ptr<SendSource> source_;
  // Of a dry run.
  std::optional<NewsletterWatch> newsletters_;
  std::optional<WatchedSource> watched_;
  // One of them, and the run in it.
  std::unique_ptr<run::RunThreads> threads_;
  std::unique_ptr<run::Rehearsal> rehearsal_;
  run::Run* run_ = nullptr;
  Instant started_at_ = Clock::now();
  std::int64_t date_us_ = unix_time_us();
  // Of a run that was stopped before the end of its job files. The reader's.
  std::optional<run::UnreadJobs> unread_;
};

// Nothing to speak of: 0; else the exit code.
int SendRun::open_journal() {
  if (settings_.journal.path.empty() || settings_.dry_run) {
    return exit_all_accepted;
  }
  run::JournalSettings settings = settings_.journal;
  settings.program_version = program_version();
  auto opened =
      run::JournalBinding::open(settings, journal_files(settings_), settings_.newlines, date_us_);
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

// False: whoever runs this does not want to wait.
bool SendRun::pauses(Duration pause) {
  const bool is_over = Clock::now() - started_at_ >= settings_.deadline;
  return !is_over && !watch_.wait_for_signal(pause);
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
  if (!settings_.quiet) {
    say_who_is_read(settings_);
  }
  auto source = SendSource::open(settings_, watch_.stop_descriptor(), date_us_);
  if (!source) {
    print_error(source.error());
    return exit_usage;
  }
  source_ = std::move(*source);
  if (const int code = open_journal(); code != exit_all_accepted) {
    return code;
  }
  if (const auto opened = sink_.open(journal_.get(), unix_time_us()); !opened) {
    return end_without_output(opened.error());
  }
  files_.set_refused(written_files(files_of_run(settings_)));
  if (const auto begun = source_->begin(files_, journal_.get(), date_us_); !begun) {
    print_error(begun.error());
    return exit_usage;
  }
  for (const std::string& warning : settings_.warnings) {
    log_.warn(warning);
  }
  for (const std::string& warning : source_->warnings()) {
    log_.warn(warning);
  }
  if (!start()) {
    return exit_usage;
  }
  watch_.start({.first_signal = [this] { stop_soon(); },
                .second_signal = [this] { stop_now(); },
                .tick = [this] { tick(); },
                .asked = [this] { progress_.print(facts_under_way()); },
                .drain = settings_.drain});
  read();
  watch_.stop();
  finish();
  const int code = exit_code_of_run();
  threads_.reset();
  if (journal_) {
    journal_->end_run(unix_time_us(), code);
  }
  if (!settings_.dry_run && (watch_.signal() != 0 || code == exit_outcomes_lost)) {
    log_.warn(way_to_go_on());
  }
  return code;
}

bool SendRun::start() {
  if (settings_.dry_run) {
    // Each row is one of many.
    newsletters_.emplace(settings_.recipients.are_rows() ? NewsletterWatch::About::all
                                                         : NewsletterWatch::About::newsletters);
    watched_.emplace(source_->source(), *newsletters_);
    rehearsal_ =
        std::make_unique<run::Rehearsal>(run::RehearsalParts{.source = *watched_,
                                                             .planner = source_->planner(nullptr),
                                                             .filter = source_->filter(),
                                                             .sink = sink_,
                                                             .listener = *this},
                                         settings_.deadline);
    run_ = &rehearsal_->run();
    return true;
  }
  if (journal_) {
    planner_.emplace(journal_->history(), run::JournalPlannerOptions{
                                              .resend_unknown = settings_.journal.resend_unknown});
  }
  auto threads = run::RunThreads::start(
      engine_options(), {.source = source_->source(),
                         .planner = source_->planner(planner_ ? &*planner_ : nullptr),
                         .filter = source_->filter(),
                         .sink = sink_,
                         .listener = *this});
  if (!threads) {
    print_error(threads.error().message);
    return false;
  }
  threads_ = std::move(*threads);
  run_ = &threads_->run();
  return true;
}

EngineOptions SendRun::engine_options() {
  EngineOptions options;
  options.endpoints = settings_.endpoints;
  options.cores = settings_.cores;
  options.jobs_in_flight_max =
      jobs_in_flight(settings_.endpoints, source_->source().readers(), journal_ != nullptr);
  options.outcome_threads = settings_.outcome_threads;
  options.io = settings_.io;
  options.deadline = settings_.deadline;
  options.deadline_drain = settings_.drain;
  options.state_folder = settings_.state_folder;
  options.journal = journal_ ? &journal_->journal() : nullptr;
  options.count_allocations = allocation_counter();
  options.on_notice = [this](const EndpointNotice& notice) { log_.write(notice); };
  return options;
}

// Until everything that was read has its outcomes.
void SendRun::read() {
  const auto goes_on = [this] { return watch_.signal() == 0 && !run_->failed(); };
  if (rehearsal_) {
    rehearsal_->read(goes_on);
    return;
  }
  threads_->read(goes_on);
  if (run_->planner_failed() || !goes_on()) {
    // While what is under way comes to its end.
    constexpr auto counting_max = std::chrono::seconds(1);
    unread_ = run_->unread(Clock::now() + counting_max);
  }
  static_cast<void>(threads_->engine().drain(never));
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
  const std::string place = unread_->from.empty() ? ""
                            : unread_->are_in_one_piece
                                ? " from " + unread_->from + " on"
                                : ", the first at " + unread_->from + " and not all behind it,";
  const std::string count =
      unread_->count ? fmt::format("{} job{}", *unread_->count, *unread_->count == 1 ? "" : "s")
                     : std::string("jobs");
  return fmt::format("stopped; {}{} were not read and have no outcome line: send them again; {}",
                     count, place, unsent);
}

void SendRun::on_notice(run::NoticeLevel level, std::string_view text,
                        const run::NoticeSubject& subject) {
  const LogLevel at = level == run::NoticeLevel::error  ? LogLevel::error
                      : level == run::NoticeLevel::warn ? LogLevel::warn
                                                        : LogLevel::info;
  if (subject.name.empty()) {
    log_.write(at, text);
  } else {
    log_.write(at, text, {{subject.name, subject.value}});
  }
}

// No more jobs, and what is under way comes to its end within the drain.
void SendRun::on_outcomes_lost() { watch_.begin_drain(); }

void SendRun::tick() {
  // Runs that are over in a moment need no count.
  constexpr auto counting_after = std::chrono::seconds(1);
  if (progress_.is_wanted() && Clock::now() - started_at_ >= counting_after) {
    source_->begin_counting();
  }
  progress_.show(facts_under_way());
  run_->look_at_journal();
}

void SendRun::stop_soon() {
  if (rehearsal_) {
    run_->give_up();
    return;  // a dry run ends by itself at the next line
  }
  log_.warn(
      "stopping: messages under way are finished, the others are not sent; "
      "another signal stops at once");
  threads_->engine().stop_sending();
}

void SendRun::stop_now() {
  run_->give_up();
  if (threads_) {
    log_.warn("stopping now");
    threads_->engine().abort();
  }
}

void SendRun::finish() {
  for (const std::string& lost : run_->finish()) {
    print_error("outcome lines could not be written: " + lost);
  }
  progress_.clear();
  RunFacts facts_now = facts();
  facts_now.lost_lines = sink_.lost_lines();
  facts_now.stopped_early = unread_.has_value();
  if (unread_) {
    facts_now.jobs_unread = unread_->count;
    facts_now.unread_from = unread_->from;
  }
  if (watch_.signal() == 0 && !run_->failed()) {
    facts_now.next_steps = next_steps(run_->tally(), settings_);
  }
  for (const EndpointFailure& failure : facts_now.failures) {
    log_.error("endpoint given up: " + failure.message,
               {{"endpoint", failure.endpoint}, {"stage", failure.stage}});
  }
  if (facts_now.jobs_read == 0 && watch_.signal() == 0 && !run_->source_failed()) {
    log_.warn(input_files(settings_).empty() ? "there was no job in standard input"
                                             : "there was no job in the files");
  }
  if (const auto remark = source_->last_remark()) {
    log_.warn(*remark);
  }
  if (newsletters_) {
    for (const std::string& warning : newsletters_->warnings()) {
      log_.warn(warning);
    }
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

// The watch's thread.
RunFacts SendRun::facts_under_way() {
  RunFacts now = facts();
  meter_.look(now, run_->messages_done(), source_->jobs_total());
  return now;
}

RunFacts SendRun::facts() const {
  RunFacts facts;
  facts.tally = &run_->tally();
  if (threads_) {
    const Engine& engine = threads_->engine();
    facts.statistics = engine.statistics();
    facts.failures = engine.endpoint_failures();
    append_login_hints(facts.failures, settings_.login_hints);
    facts.endpoints = engine.endpoint_reports();
    facts.counts = engine.endpoint_counts();
  }
  facts.seconds = std::chrono::duration<double>(Clock::now() - started_at_).count();
  facts.jobs_read = run_->jobs_read();
  facts.all_read = run_->reading_ended();
  if (settings_.dry_run) {
    facts.bytes_rehearsed = run_->bytes_rehearsed();
  }
  facts.bytes_read = run_->bytes_read();
  facts.bytes_total = source_->bytes_total();
  facts.outcomes_path = settings_.outcomes_path == "-" ? "" : settings_.outcomes_path;
  facts.keeps_outcomes =
      !settings_.outcomes_path.empty() || !settings_.errors_path.empty() || journal_ != nullptr;
  facts.signal = watch_.signal();
  facts.internal = settings_.internal_stats;
  facts.allocations_counted = allocation_counter() != nullptr;
  facts.reader_allocations = threads_ ? threads_->reader_allocations() : 0;
  return facts;
}

bool SendRun::fails_on(Status status) const {
  const bool counts = settings_.fail_on ? settings_.fail_on->test(static_cast<std::size_t>(status))
                                        : status != Status::skipped;
  return counts && run_->tally().of(status) > 0;
}

// docs/CONTRACT.md section 1: if several apply, 11, then 7 > 6 > 5 > 4 > 3.
int SendRun::exit_code_of_run() const {
  if (run_->failed() || (threads_ && threads_->engine().journal_failed())) {
    return exit_outcomes_lost;
  }
  if (run_->planner_failed()) {
    return exit_usage;
  }
  if (const auto code = exit_code_of_signal(watch_.signal())) {
    return *code;
  }
  if (settings_.dry_run) {
    return run_->tally().of(Status::invalid) > 0 ? exit_invalid_input
           : run_->source_failed()               ? exit_uncategorised
                                                 : exit_all_accepted;
  }
  // An endpoint that was given up when another one did all the work is a matter of the log.
  if (threads_ && !threads_->engine().endpoint_failures().empty() &&
      run_->tally().of(Status::unsent) > 0) {
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
  return run_->source_failed() || fails_on(Status::skipped) ? exit_uncategorised
                                                            : exit_all_accepted;
}

}  // namespace

int run_send(const SendSettings& settings, SignalWatch& watch, Log& log) {
  end_when_out_of_memory(exit_outcomes_lost);
  return SendRun(settings, watch, log).run();
}

}  // namespace ringpost::cli
