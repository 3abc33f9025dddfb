#include "tests/sim/process.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "engine/run/parse_line.h"

namespace ringpost::sim {

namespace {

using namespace std::chrono_literals;
using engine::WorkerOrder;

// A life that takes more steps than this spins: that is a mistake of its own.
constexpr std::uint64_t steps_max = 2'000'000;
// Outcomes that cannot be written so often in a row end the run, as they do after some time of the
// real one.
constexpr std::uint32_t writes_failed_max = 20;
// A worker whose operations all end at once needs only some turns for its own end.
constexpr int turns_to_end_max = 100;
constexpr Duration write_pause = 100ms;

}  // namespace

Process::Process(const World& world, const LifePlan& life)
    : world_(world),
      life_(life),
      lifetime_(life.acts, world.random),
      begin_(world.network.now()),
      reader_(codec::JobReaderOptions{}) {}

Process::~Process() { take_apart(); }

LifeEnd Process::run() {
  world_.disk.begin(life_.disk, lifetime_);
  if (!open_journal()) {
    return lifetime_.alive() ? LifeEnd::gave_up : LifeEnd::died;
  }
  auto input = run::JobInput::open({world_.files.jobs}, -1);
  RP_ASSERT(input);
  input_.emplace(std::move(*input));
  start_workers();
  while (lifetime_.alive()) {
    const bool over = std::all_of(workers_.begin(), workers_.end(),
                                  [](const auto& worker) { return worker->over; });
    if (over && !has_unwritten()) {
      if (journal_) {
        journal_->end_run(time_begin_us, 0);
      }
      return !lifetime_.alive() ? LifeEnd::died : output_lost_ ? LifeEnd::gave_up : LifeEnd::over;
    }
    if (++steps_ > steps_max) {
      trouble_ = "it takes too many steps";
      return LifeEnd::never_ends;
    }
    step();
    if (!trouble_.empty()) {
      return LifeEnd::never_ends;
    }
  }
  return LifeEnd::died;
}

// ---- The journal --------------------------------------------------------------------------------

bool Process::open_journal() {
  date_us_ = time_begin_us;
  if (world_.plan.journal == JournalKind::none) {
    return true;
  }
  const Files& files = world_.files;
  std::error_code missing;
  const bool begun = std::filesystem::file_size(files.journal, missing) > 0 && !missing;
  run::JournalSettings settings;
  settings.path = files.journal;
  settings.resume = begun;
  settings.resend_unknown = world_.plan.resend_unknown;
  settings.durability = world_.plan.journal == JournalKind::power ? queue::Durability::power
                                                                  : queue::Durability::process;
  settings.calls = SimDisk::calls();
  const std::int64_t now_us = time_begin_us + static_cast<std::int64_t>(world_.random.below(1000));
  auto opened =
      run::RunJournal::open(settings, {files.jobs}, codec::NewlinePolicy::normalize, now_us);
  if (!opened) {
    trouble_ = opened.error().message;
    return false;
  }
  journal_ = std::move(*opened);
  date_us_ = journal_->date_us();
  // An act of its own: the process may die in the middle of it.
  if (lifetime_.act() != Act::done) {
    return false;
  }
  if (auto completed = journal_->complete_outcomes(); !completed) {
    trouble_ = completed.error().message;
    return false;
  }
  std::ofstream(files.outcomes, std::ios::app).close();  // it is made before the run begins
  const std::uint64_t bytes = read_file(files.outcomes).size();
  if (auto begun_run = journal_->begin_run(files.outcomes, bytes, now_us); !begun_run) {
    trouble_ = begun_run.error().message;
    return false;
  }
  return lifetime_.alive();
}

// ---- Workers ------------------------------------------------------------------------------------

EngineOptions Process::engine_options() const {
  EngineOptions options;
  options.endpoints = {world_.plan.endpoint};
  options.cores = static_cast<std::uint32_t>(world_.plan.workers);
  options.jobs_in_flight_max = world_.plan.jobs_in_flight_max;
  options.job_bytes_in_flight_max = std::size_t{1} << 20;
  options.deadline = life_.deadline;
  options.deadline_drain = {};
  options.journal = journal_ ? &journal_->journal() : nullptr;
  return options;
}

engine::EngineCore::Parts Process::parts() {
  engine::EngineCore::Parts parts;
  parts.resolve = [this](std::string, std::uint16_t port, io::Resolver::Callback callback) {
    if (world_.random.sometimes(world_.plan.name_failure_one_in)) {
      callback(Failure(io::ResolveError{"no answer", true}));
      return;
    }
    std::vector<io::SocketAddress> addresses;
    for (const std::string& literal : world_.plan.network.addresses) {
      addresses.push_back(*io::address_of_literal(literal, port));
    }
    callback(std::move(addresses));
  };
  parts.wake = [this] { wake_all(); };
  parts.clock = [this] { return world_.network.now(); };
  parts.unix_time_us = [] { return time_begin_us; };
  return parts;
}

void Process::start_workers() {
  // Tighter than those of a real run, which a few dozen jobs never meet.
  engine::EngineLimits limits;
  limits.jobs_active_max = std::max<std::size_t>(1, world_.plan.jobs_in_flight_max / 2);
  limits.jobs_per_push_max = world_.plan.jobs_per_push_max;
  limits.retry_jobs_max = world_.plan.retry_jobs_max;
  limits.retry_bytes_max = engine::RouteLimits{}.retry_bytes_max;
  core_.emplace(engine_options(), parts(), limits);
  feeder_.emplace(*core_);
  for (std::uint32_t i = 0; i < core_->options().cores; ++i) {
    workers_.push_back(std::make_unique<WorkerOfIt>());
    WorkerOfIt& made = *workers_.back();
    made.io = std::make_unique<SimIo>(life_.io, world_.network, lifetime_, world_.random);
    auto endpoints = core_->worker_endpoints(i);
    RP_ASSERT(endpoints);
    made.worker =
        std::make_unique<engine::Worker>(*made.io, std::move(*endpoints), core_->outcomes(),
                                         core_->order(), made.stats, core_->worker_options(begin_));
  }
}

void Process::wake_all() {
  for (const auto& worker : workers_) {
    worker->io->wake();
  }
}

// One thing of all that could happen now, by chance.
void Process::step() {
  world_.network.advance_to(world_.network.now());
  obey_signals();
  const bool reads = reader_can_go_on();
  if (everything_is_told()) {
    core_->give(WorkerOrder::finish);
  }
  std::array<WorkerOfIt*, 8> awake{};
  std::size_t choices = 0;
  for (const auto& worker : workers_) {
    if (!worker->over && worker->io->awake()) {
      awake[choices++] = worker.get();
    }
  }
  const std::size_t awake_count = choices;
  const bool writes = has_outcomes_to_write();
  choices += static_cast<std::size_t>(reads) + static_cast<std::size_t>(writes);
  if (choices == 0) {
    if (!let_time_pass()) {
      trouble_ = fmt::format(
          "nothing moves any more: {} jobs are out, {} lines were read, the order is {}, the "
          "endpoint has {}failed",
          core_->pool().jobs_out(), ordinal_, static_cast<int>(core_->order().load()),
          core_->endpoint_failures().empty() ? "not " : "");
    }
    return;
  }
  const std::size_t choice = world_.random.below(choices);
  if (choice < awake_count) {
    turn(*awake[choice]);
  } else if (reads && choice == awake_count) {
    read_line();
  } else {
    write_outcomes();
  }
}

// Until something is due; false when nothing ever is.
bool Process::let_time_pass() {
  const Instant now = world_.network.now();
  Instant at = world_.network.next_event();
  const auto consider = [&](Instant instant) { at = instant > now ? std::min(at, instant) : at; };
  for (const auto& worker : workers_) {
    if (!worker->over) {
      consider(worker->io->deadline());
    }
  }
  consider(write_again_at_);
  for (const Duration after : {life_.stop_after, life_.abort_after}) {
    if (after != Duration::max()) {
      consider(begin_ + after);
    }
  }
  if (at == never) {
    return false;
  }
  world_.network.advance_to(at);
  return true;
}

void Process::turn(WorkerOfIt& worker) {
  worker.over = !worker.worker->turn();
  outcomes_may_wait_ = true;
  Waiting now = waiting_now();
  if (!lifetime_.alive()) {
    // It died within this turn: of those who have begun to wait in it nothing is claimed.
    std::erase_if(now, [&](const auto& recipient) {
      return !std::binary_search(waiting_.begin(), waiting_.end(), recipient);
    });
  }
  waiting_ = std::move(now);
}

Process::Waiting Process::waiting_now() const {
  Waiting waiting;
  const bool journal_failed = std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) {
    return worker->worker->journal_failed();
  });
  if (!journal_ || journal_failed) {
    return waiting;
  }
  for (const Job* const job : jobs_known_) {
    for (std::uint32_t i = 0; i < job->recipient_count; ++i) {
      const Recipient& recipient = job->recipients[i];
      if (!recipient.decided && !recipient.noted_in_flight) {
        waiting.emplace_back(job->ordinal, i);
      }
    }
  }
  std::sort(waiting.begin(), waiting.end());
  return waiting;
}

void Process::obey_signals() {
  const Duration age = world_.network.now() - begin_;
  if (age >= life_.abort_after) {
    input_ended_ = true;
    core_->give(WorkerOrder::abort);
  } else if (age >= life_.stop_after) {
    input_ended_ = true;
    core_->give(WorkerOrder::stop_sending);
  }
}

bool Process::everything_is_told() const { return input_ended_ && core_->pool().jobs_out() == 0; }

// ---- The reader ---------------------------------------------------------------------------------

// Whether a worker that sleeps wants to be woken is a matter between threads, and here is one: all
// are.
bool Process::reader_can_go_on() {
  const bool may_go_on = !input_ended_ && feeder_->try_next() != nullptr;
  const bool pushed = input_ended_ ? feeder_->close() : !may_go_on && feeder_->flush();
  if (pushed) {
    wake_all();
  }
  return may_go_on;
}

void Process::read_line() {
  run::JobInput::Line line;
  const auto next = input_->next(line);
  RP_ASSERT(next);
  if (!*next) {
    input_ended_ = true;
    return;
  }
  Job& job = *feeder_->try_next();
  const std::uint64_t ordinal = ordinal_++;
  const auto parsed = run::parse_line(reader_, line, date_us_, job);
  job.ordinal = ordinal;
  if (journal_) {
    const auto plan = journal_->plan(job, ordinal, line.text, workers_[0]->io->unix_time_us());
    RP_ASSERT(plan);
    if (*plan == run::RunJournal::Plan::skip) {
      job.clear();
      return;
    }
  }
  if (!parsed) {
    went(feeder_->refuse(parsed.error()));
    return;
  }
  contents_[job.id] = job.content;
  jobs_known_.insert(&job);
  went(feeder_->submit(world_.network.now()));
}

void Process::went(engine::EngineCore::Feeder::Way way) {
  using Way = engine::EngineCore::Feeder::Way;
  if (way == Way::to_workers) {
    wake_all();
  }
  outcomes_may_wait_ = outcomes_may_wait_ || way == Way::to_outcomes;
}

// ---- Outcomes -----------------------------------------------------------------------------------

bool Process::has_unwritten() const {
  const bool in_journal = journal_ && !output_lost_ && journal_->has_unwritten();
  return outcomes_may_wait_ || !unwritten_.empty() || in_journal;
}

bool Process::has_outcomes_to_write() const {
  return has_unwritten() && world_.network.now() >= write_again_at_;
}

void Process::take_outcomes() {
  outcomes_may_wait_ = false;
  std::array<DecidedRecipientView, 16> decided;
  for (std::size_t count = core_->take_decided(decided); count > 0;
       count = core_->take_decided(decided)) {
    for (const DecidedRecipientView& view : std::span(decided).first(count)) {
      line_.clear();
      writer_.append(line_, *view.job, view.recipient_index);
      if (journal_) {
        journal_->add(view, line_);
      } else {
        told_.push_back({view.job->ordinal, view.recipient_index, view.outcome().status});
        unwritten_ += line_;
      }
    }
  }
  core_->give_back_told();
}

// In the journal first, then in the file.
void Process::write_outcomes() {
  write_again_at_ = {};
  take_outcomes();
  bool written = true;
  if (journal_ && !output_lost_) {
    written = journal_->write().has_value();
    journal_->take_written_lines(unwritten_);
  }
  if (!unwritten_.empty() && world_.disk.append(world_.files.outcomes, unwritten_)) {
    unwritten_.clear();
  }
  written = written && unwritten_.empty();
  writes_failed_in_a_row_ = written ? 0 : writes_failed_in_a_row_ + 1;
  if (!written) {
    write_again_at_ = world_.network.now() + write_pause;
  }
  if (writes_failed_in_a_row_ >= writes_failed_max) {
    output_lost_ = true;
    input_ended_ = true;
    unwritten_.clear();
    core_->give(WorkerOrder::stop_sending);
  }
}

// ---- The end ------------------------------------------------------------------------------------

// As the destructor of an engine does it, but that nothing of it reaches the world.
void Process::take_apart() {
  lifetime_.die();
  if (!core_) {
    return;
  }
  for (const WorkerOrder order : {WorkerOrder::abort, WorkerOrder::finish}) {
    core_->give(order);
    for (const auto& worker : workers_) {
      for (int turns = 0; turns < turns_to_end_max && !worker->over; ++turns) {
        worker->over = !worker->worker->turn();
      }
    }
  }
}

}  // namespace ringpost::sim
