#include "tests/sim/process.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>

#include <fmt/format.h>

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

// All messages of a run are the pool's, which hands them out in consignments.
Consignment& consignment_of(Message& message) {
  auto* const octets = reinterpret_cast<char*>(&message);
  return *reinterpret_cast<Consignment*>(octets - offsetof(Consignment, message));
}

bool waits(const Delivery& delivery, std::size_t index) {
  const Consignment& consignment = *delivery.consignment;
  if (!delivery.is_open) {
    const PriorFate fate = consignment.fate(delivery.begin + index);
    return fate == PriorFate::none || fate == PriorFate::resend_apart;
  }
  const Recipient& recipient = delivery.recipients[index];
  return !recipient.decided && !recipient.noted_in_flight;
}

void add_waiting(const Delivery& delivery,
                 std::vector<std::pair<std::uint64_t, std::uint32_t>>& waiting) {
  for (std::uint32_t i = 0; i < delivery.size() && !delivery.shares_outcome; ++i) {
    if (waits(delivery, i)) {
      const Origin& origin = delivery.message->origin;
      waiting.emplace_back(origin.ordinal, origin.first_recipient + delivery.begin + i);
    }
  }
}

}  // namespace

// ---- What it reads, and what it tells -----------------------------------------------------------

run::JobSource::Pull ListeningSource::pull(Message& message, std::size_t reader) {
  const Pull pulled = source_.pull(message, reader);
  if (pulled == Pull::message || pulled == Pull::refused) {
    const auto count = std::max<std::size_t>(1, message.recipients.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      read_.emplace(message.origin.ordinal, message.origin.first_recipient + i);
    }
  }
  if (pulled == Pull::message) {
    heard_(message);
  }
  return pulled;
}

void TellingSink::take(std::span<const OutcomeView> decided, std::size_t group) {
  for (const OutcomeView& view : decided) {
    const Origin& origin = view.message->origin;
    told_.push_back(
        {origin.ordinal, origin.first_recipient + view.recipient_index, view.outcome->status});
  }
  sink_.take(decided, group);
}

// ---- A life -------------------------------------------------------------------------------------

Process::Process(const World& world, const LifePlan& life)
    : world_(world),
      life_(life),
      lifetime_(life.acts, world.random),
      begin_(world.network.now()),
      files_sink_({.outcomes_path = world.files.outcomes,
                   .errors_path = {},
                   .endpoint_names = {},
                   .group_count = world.plan.outcome_threads,
                   .pause = {},
                   .calls = SimDisk::file_calls()},
                  *this),
      sink_(files_sink_) {}

Process::~Process() { take_apart(); }

LifeEnd Process::run() {
  world_.disk.begin(life_.disk, lifetime_);
  if (!open_files()) {
    return lifetime_.alive() ? LifeEnd::gave_up : LifeEnd::died;
  }
  start_run();
  while (lifetime_.alive()) {
    const bool over = std::all_of(workers_.begin(), workers_.end(),
                                  [](const auto& worker) { return worker->over; });
    if (over && !has_unwritten()) {
      return end();
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

LifeEnd Process::end() {
  static_cast<void>(run_->finish());
  if (journal_) {
    journal_->end_run(time_begin_us, 0);
  }
  return !lifetime_.alive() ? LifeEnd::died : run_->failed() ? LifeEnd::gave_up : LifeEnd::over;
}

void Process::on_notice([[maybe_unused]] run::NoticeLevel level,
                        [[maybe_unused]] std::string_view text,
                        [[maybe_unused]] const run::NoticeSubject& subject) {}

// ---- Files --------------------------------------------------------------------------------------

bool Process::open_files() {
  date_us_ = time_begin_us;
  const std::int64_t now_us = time_begin_us + static_cast<std::int64_t>(world_.random.below(1000));
  if (world_.plan.journal != JournalKind::none && !open_journal(now_us)) {
    return false;
  }
  if (auto opened = files_sink_.open(journal_.get(), now_us); !opened) {
    trouble_ = opened.error();
    return false;
  }
  auto input = run::JobInput::open(
      {world_.files.jobs}, -1,
      {.readers = world_.plan.readers, .lines_max = world_.plan.lines_in_hand_max});
  RP_ASSERT(input);
  lines_.emplace(std::move(*input),
                 run::LineSourceOptions{
                     .reader = {}, .date_us = date_us_, .hashes_lines = journal_ != nullptr});
  source_.emplace(*lines_, [this](Message& message) {
    const bool is_one_of_several = message.origin.job_recipients > 0;
    contents_[is_one_of_several ? std::string(message.recipients[0]) : message.id] =
        message.content.text();
    messages_known_.insert(&consignment_of(message));
    if (world_.random.sometimes(world_.plan.taken_back_one_in)) {
      message.cancellation = std::make_shared<Cancellation>("nobody wants it");
      cancellations_.push_back(message.cancellation);
    }
  });
  return lifetime_.alive();
}

bool Process::open_journal(std::int64_t now_us) {
  const Files& files = world_.files;
  std::error_code missing;
  run::JournalSettings settings;
  settings.path = files.journal;
  settings.resume = std::filesystem::file_size(files.journal, missing) > 0 && !missing;
  settings.durability = world_.plan.journal == JournalKind::power ? queue::Durability::power
                                                                  : queue::Durability::process;
  settings.calls = SimDisk::calls();
  settings.file_calls = SimDisk::file_calls();
  auto opened =
      run::JournalBinding::open(settings, {files.jobs}, codec::NewlinePolicy::normalize, now_us);
  if (!opened) {
    trouble_ = opened.error().message;
    return false;
  }
  journal_ = std::move(*opened);
  date_us_ = journal_->date_us();
  planner_.emplace(journal_->history(),
                   run::JournalPlannerOptions{.resend_unknown = world_.plan.resend_unknown});
  if (auto completed = journal_->complete_outcomes(); !completed) {
    trouble_ = completed.error().message;
    return false;
  }
  return lifetime_.alive();
}

// ---- Workers ------------------------------------------------------------------------------------

EngineOptions Process::engine_options() const {
  EngineOptions options;
  options.endpoints = {world_.plan.endpoint};
  options.cores = static_cast<std::uint32_t>(world_.plan.workers);
  options.outcome_threads = static_cast<std::uint32_t>(world_.plan.outcome_threads);
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

void Process::start_run() {
  // Tighter than those of a real run, which a few dozen jobs never meet.
  engine::EngineLimits limits;
  limits.deliveries_active_max = std::max<std::size_t>(1, world_.plan.jobs_in_flight_max / 2);
  limits.deliveries_per_push_max = world_.plan.jobs_per_push_max;
  limits.retry_messages_max = world_.plan.retry_jobs_max;
  limits.retry_bytes_max = engine::RouteLimits{}.retry_bytes_max;
  core_.emplace(engine_options(), parts(), limits);
  run_.emplace(*core_,
               run::RunParts{.source = *source_,
                             .planner = planner_ ? &*planner_ : nullptr,
                             .sink = sink_,
                             .listener = *this},
               run::Run::Options{
                   .wake = [this] { wake_all(); },
                   .deadline = life_.deadline < never - begin_ ? begin_ + life_.deadline : never});
  tellings_.resize(run_->group_count());
  for (std::uint32_t i = 0; i < core_->options().cores; ++i) {
    workers_.push_back(std::make_unique<WorkerOfIt>());
    WorkerOfIt& made = *workers_.back();
    made.io = std::make_unique<SimIo>(life_.io, world_.network, lifetime_, world_.random);
    auto endpoints = core_->worker_endpoints(i);
    RP_ASSERT(endpoints);
    made.worker =
        std::make_unique<engine::Worker>(*made.io, std::move(*endpoints), core_->outcomes(i),
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
  take_back_some();
  if (run_->failed()) {
    run_->end_reading();
  }
  std::array<std::size_t, 4> reading{};
  std::size_t readers = 0;
  for (std::size_t i = 0; i < run_->reader_count(); ++i) {
    if (run_->may_read(i)) {
      reading[readers++] = i;
    }
  }
  if (run_->is_over()) {
    core_->give(WorkerOrder::finish);
  }
  std::array<WorkerOfIt*, 8> awake{};
  std::size_t awake_count = 0;
  for (const auto& worker : workers_) {
    if (!worker->over && worker->io->awake()) {
      awake[awake_count++] = worker.get();
    }
  }
  std::array<std::size_t, 2> writing{};
  std::size_t writers = 0;
  for (std::size_t i = 0; i < tellings_.size(); ++i) {
    if (has_outcomes_to_write(i)) {
      writing[writers++] = i;
    }
  }
  if (awake_count + readers + writers == 0) {
    if (!let_time_pass()) {
      trouble_ = fmt::format(
          "nothing moves any more: {} jobs are out, {} lines were read, the order is {}, the "
          "endpoint has {}failed",
          core_->pool().messages_out(), run_->jobs_read(), static_cast<int>(core_->order().load()),
          core_->endpoint_failures().empty() ? "not " : "");
    }
    return;
  }
  const std::size_t choice = world_.random.below(awake_count + readers + writers);
  if (choice < awake_count) {
    turn(*awake[choice]);
  } else if (choice < awake_count + readers) {
    read(reading[choice - awake_count]);
  } else {
    write_outcomes(writing[choice - awake_count - readers]);
  }
}

// Until something is due; false when nothing ever is.
bool Process::let_time_pass() {
  run_->look_at_journal();
  const Instant now = world_.network.now();
  Instant at = world_.network.next_event();
  const auto consider = [&](Instant instant) { at = instant > now ? std::min(at, instant) : at; };
  for (const auto& worker : workers_) {
    if (!worker->over) {
      consider(worker->io->deadline());
    }
  }
  for (const Telling& telling : tellings_) {
    consider(telling.again_at);
  }
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
  note_outcomes();
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
  for (Consignment* const message : messages_known_) {
    for (std::size_t i = 0; i < message->delivery_count(); ++i) {
      add_waiting(message->delivery(i), waiting);
    }
  }
  std::sort(waiting.begin(), waiting.end());
  return waiting;
}

void Process::obey_signals() {
  const Duration age = world_.network.now() - begin_;
  if (age >= life_.abort_after) {
    run_->end_reading();
    run_->give_up();
    core_->give(WorkerOrder::abort);
  } else if (age >= life_.stop_after) {
    run_->end_reading();
    core_->give(WorkerOrder::stop_sending);
  }
}

// As Engine::cancel(), sooner or later.
void Process::take_back_some() {
  constexpr std::uint64_t one_in = 20;
  if (cancellations_.empty() || !world_.random.one_in(one_in)) {
    return;
  }
  const auto chosen = cancellations_.begin() +
                      static_cast<std::ptrdiff_t>(world_.random.below(cancellations_.size()));
  static_cast<void>((*chosen)->cancel());
  cancellations_.erase(chosen);
  core_->look_for_cancelled();
}

// ---- The reader, and outcomes -------------------------------------------------------------------

void Process::read(std::size_t reader) {
  const run::Run::Read read = run_->read(reader);
  RP_ASSERT(read == run::Run::Read::taken || read == run::Run::Read::end);
  note_outcomes();
}

void Process::note_outcomes() {
  for (Telling& telling : tellings_) {
    telling.may_wait = true;
  }
}

// Behind a failure only what there is to be told counts: the last try is that of the end.
bool Process::has_unwritten() const {
  return std::any_of(tellings_.begin(), tellings_.end(),
                     [](const Telling& telling) { return telling.may_wait; }) ||
         (!run_->failed() && run_->has_unwritten());
}

// What another group has left is not this one's to write, unless it has to write by itself.
bool Process::has_outcomes_to_write(std::size_t group) const {
  return tellings_[group].may_wait && world_.network.now() >= tellings_[group].again_at;
}

void Process::write_outcomes(std::size_t group) {
  Telling& telling = tellings_[group];
  telling.again_at = {};
  telling.may_wait = run_->deliver(group) == run::Run::Told::again_later;
  telling.failed_in_a_row = telling.may_wait ? telling.failed_in_a_row + 1 : 0;
  if (telling.may_wait) {
    telling.again_at = world_.network.now() + write_pause;
  }
  if (telling.failed_in_a_row >= writes_failed_max) {
    run_->give_up();
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
