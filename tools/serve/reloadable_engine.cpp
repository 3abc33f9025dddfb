// The problem: an engine knows its endpoints from its start, by their places in a list, on each of
// its threads; and a change of the configuration shall end no session and lose no message. The
// idea: a change makes a new engine, which has what is submitted from then on; the old one goes on
// until all that it has is decided, and then says QUIT. Limits: until then both have sessions, so a
// provider sees more of them for a while; what was learnt of an endpoint is learnt anew; quotas go
// on where they were by their files, and begin anew without such.
#include "tools/serve/reloadable_engine.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace ringpost::serve {

namespace {

constexpr auto look_at_retired_every = std::chrono::milliseconds(50);

void add_spread(const TimeSpread& more, TimeSpread& sum) {
  sum.count += more.count;
  sum.sum += more.sum;
  sum.max = std::max(sum.max, more.max);
  for (std::size_t i = 0; i < sum.within.size(); ++i) {
    sum.within[i] += more.within[i];
  }
}

// Counts, and what is open now; the rest is that of the newer one.
void add_report(const EndpointReport& older, EndpointReport& report) {
  report.handed_over += older.handed_over;
  report.refusals_unruled += older.refusals_unruled;
  EndpointCounts& counts = report.counts;
  counts.transactions += older.counts.transactions;
  counts.sessions += older.counts.sessions;
  counts.sessions_opened += older.counts.sessions_opened;
  counts.sessions_ready += older.counts.sessions_ready;
  counts.sessions_resumed += older.counts.sessions_resumed;
  counts.waiting += older.counts.waiting;
  add_spread(older.counts.reply_times, counts.reply_times);
  add_spread(older.counts.opening_times, counts.opening_times);
}

void add_statistics(const EngineStatistics& older, EngineStatistics& sum) {
  for (std::size_t i = 0; i < sum.outcomes.size(); ++i) {
    sum.outcomes[i] += older.outcomes[i];
  }
  sum.messages_in_flight += older.messages_in_flight;
  sum.messages += older.messages;
  sum.content_bytes += older.content_bytes;
  sum.sessions_opened += older.sessions_opened;
  sum.sessions_ready += older.sessions_ready;
  sum.sessions_resumed += older.sessions_resumed;
  sum.turns += older.turns;
}

}  // namespace

// One engine, and what is left of it when it has ended.
struct ReloadableEngine::Generation {
  std::vector<std::uint32_t> numbers;  // of its endpoints, in names_
  bool has_own_numbers = true;         // which are their places

  mutable std::mutex mutex;        // guards all below
  std::shared_ptr<Engine> engine;  // null: it has ended
  EngineStatistics last_statistics;
  std::vector<EndpointReport> last_reports;

  // Whoever has it holds up its end, so he gives it back soon.
  [[nodiscard]] std::shared_ptr<Engine> get() const {
    const std::lock_guard lock(mutex);
    return engine;
  }
  [[nodiscard]] EngineStatistics statistics() const {
    const auto alive = get();
    const std::lock_guard lock(mutex);
    return alive ? alive->statistics() : last_statistics;
  }
  [[nodiscard]] std::vector<EndpointReport> reports() const {
    const auto alive = get();
    const std::lock_guard lock(mutex);
    return alive ? alive->endpoint_reports() : last_reports;
  }
};

// Of a submitter: at which engine it is. Moved by whoever finds it without a message at hand.
struct ReloadableEngine::Seat {
  explicit Seat(ReloadableEngine& engine) : of(engine) {}

  // Under the lock: at the current engine, unless a message of another one is at hand.
  Engine::Submitter& submitter() {
    auto wanted = of.current();
    if (!has_message && at != wanted) {
      inner.reset();
      at = std::move(wanted);
      inner.emplace(at->get()->submitter());
    }
    return *inner;
  }

  ReloadableEngine& of;
  std::mutex mutex;  // guards all below
  std::shared_ptr<Generation> at;
  std::optional<Engine::Submitter> inner;
  bool has_message = false;
};

// ---- Engines ------------------------------------------------------------------------------------

ReloadableEngine::ReloadableEngine(EngineOptions options, std::shared_ptr<EndpointNames> names,
                                   OutcomeCallback callback)
    : options_(std::move(options)), callback_(std::move(callback)), names_(std::move(names)) {}

Result<std::unique_ptr<ReloadableEngine>, EngineError> ReloadableEngine::start(
    EngineOptions options, std::shared_ptr<EndpointNames> names, OutcomeCallback callback) {
  std::vector<EndpointOptions> endpoints = std::exchange(options.endpoints, {});
  std::unique_ptr<ReloadableEngine> engine(
      new ReloadableEngine(std::move(options), std::move(names), std::move(callback)));
  auto first = engine->make(std::move(endpoints));
  if (!first) {
    return Failure(std::move(first.error()));
  }
  engine->generations_.push_back(std::move(*first));
  return engine;
}

// Their outcomes are told before their engine is gone, and by nobody behind that.
ReloadableEngine::~ReloadableEngine() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  ending_.notify_all();
  for (std::thread& thread : retiring_) {
    thread.join();
  }
  for (const auto& generation : generations_) {
    generation->engine.reset();
  }
}

Result<std::shared_ptr<ReloadableEngine::Generation>, EngineError> ReloadableEngine::make(
    std::vector<EndpointOptions> endpoints) {
  auto made = std::make_shared<Generation>();
  EngineOptions options = options_;
  options.endpoints = std::move(endpoints);
  for (const EndpointOptions& endpoint : options.endpoints) {
    // Nobody has its number before the engine is started that tells of it.
    const auto number = names_->number_of(endpoint.name);
    if (!number) {
      return Failure(
          EngineError{fmt::format("more than {} endpoints were there since the start: start anew",
                                  EndpointNames::names_max)});
    }
    made->has_own_numbers = made->has_own_numbers && *number == made->numbers.size();
    made->numbers.push_back(*number);
  }
  auto engine = Engine::start(std::move(options), [this, generation = made.get()](auto decided) {
    tell(*generation, decided);
  });
  if (!engine) {
    return Failure(std::move(engine.error()));
  }
  made->engine = std::move(*engine);
  return made;
}

Result<void, EngineError> ReloadableEngine::replace_endpoints(
    std::vector<EndpointOptions> endpoints) {
  auto made = make(std::move(endpoints));
  if (!made) {
    return Failure(std::move(made.error()));
  }
  const std::lock_guard lock(mutex_);
  Generation& before = *generations_.back();
  generations_.push_back(std::move(*made));
  retiring_.emplace_back([this, &before] { retire(before); });
  return {};
}

std::shared_ptr<ReloadableEngine::Generation> ReloadableEngine::current() const {
  const std::lock_guard lock(mutex_);
  return generations_.back();
}

std::vector<std::shared_ptr<ReloadableEngine::Generation>> ReloadableEngine::all() const {
  const std::lock_guard lock(mutex_);
  return generations_;
}

// ---- The end of one -----------------------------------------------------------------------------

// On a thread of its own. Submitters that are asleep do not hold it up: they are moved from here.
void ReloadableEngine::retire(Generation& generation) {
  std::shared_ptr<Engine> engine = generation.get();
  const auto is_over = [&] {
    return has_moved_all(generation) && engine->statistics().messages_in_flight == 0;
  };
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    lock.unlock();
    const bool over = is_over();
    lock.lock();
    if (over) {
      break;
    }
    ending_.wait_for(lock, look_at_retired_every);
  }
  if (is_ending_) {
    return;
  }
  lock.unlock();
  {
    const std::lock_guard guard(generation.mutex);
    generation.last_statistics = engine->statistics();
    generation.last_reports = engine->endpoint_reports();
    generation.engine.reset();
    for (EndpointReport& report : generation.last_reports) {
      report.counts.sessions = 0;  // which say QUIT now
    }
  }
  while (engine.use_count() > 1) {  // somebody asks for counts
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  engine.reset();
}

bool ReloadableEngine::has_moved_all(const Generation& from) {
  std::vector<std::weak_ptr<Seat>> seats;
  {
    const std::lock_guard lock(mutex_);
    seats = seats_;
  }
  bool has_moved = true;
  for (const auto& weak : seats) {
    const auto seat = weak.lock();
    if (seat == nullptr) {
      continue;
    }
    const std::unique_lock lock(seat->mutex, std::try_to_lock);
    if (lock.owns_lock()) {
      static_cast<void>(seat->submitter());
    }
    has_moved = has_moved && lock.owns_lock() && seat->at.get() != &from;
  }
  return has_moved;
}

// ---- Outcomes -----------------------------------------------------------------------------------

void ReloadableEngine::tell(const Generation& generation, std::span<const OutcomeView> decided) {
  const std::lock_guard lock(tell_mutex_);
  if (generation.has_own_numbers || decided.empty()) {
    callback_(decided);
    return;
  }
  told_.clear();
  views_.clear();
  for (const OutcomeView& view : decided) {
    told_.push_back(*view.outcome);
    if (told_.back().endpoint < generation.numbers.size()) {
      told_.back().endpoint = generation.numbers[told_.back().endpoint];
    }
  }
  for (std::size_t i = 0; i < decided.size(); ++i) {
    views_.push_back({decided[i].message, decided[i].recipient_index, &told_[i]});
  }
  callback_(views_);
}

// ---- All of them --------------------------------------------------------------------------------

bool ReloadableEngine::drain(Instant deadline) {
  bool is_complete = true;
  for (const auto& generation : all()) {
    if (const auto engine = generation->get()) {
      is_complete = engine->drain(deadline).is_complete && is_complete;
    }
  }
  return is_complete;
}

void ReloadableEngine::stop_sending() {
  for (const auto& generation : all()) {
    if (const auto engine = generation->get()) {
      engine->stop_sending();
    }
  }
}

void ReloadableEngine::abort() {
  for (const auto& generation : all()) {
    if (const auto engine = generation->get()) {
      engine->abort();
    }
  }
}

void ReloadableEngine::cancel(Cancellation& cancellation) {
  for (const auto& generation : all()) {
    if (const auto engine = generation->get()) {
      engine->cancel(cancellation);
    }
  }
}

bool ReloadableEngine::take_pulse() {
  bool has_turned = true;
  for (const auto& generation : all()) {
    if (const auto engine = generation->get()) {
      has_turned = engine->take_pulse() && has_turned;
    }
  }
  return has_turned;
}

EngineStatistics ReloadableEngine::statistics() const {
  const auto generations = all();
  EngineStatistics sum = generations.back()->statistics();
  for (std::size_t i = 0; i + 1 < generations.size(); ++i) {
    add_statistics(generations[i]->statistics(), sum);
  }
  return sum;
}

std::vector<EndpointReport> ReloadableEngine::endpoint_reports() const {
  const auto generations = all();
  std::vector<EndpointReport> reports = generations.back()->reports();
  for (std::size_t i = 0; i + 1 < generations.size(); ++i) {
    const bool is_alive = generations[i]->get() != nullptr;
    for (EndpointReport& older : generations[i]->reports()) {
      const auto same = std::find_if(
          reports.begin(), reports.end(),
          [&older](const EndpointReport& report) { return report.endpoint == older.endpoint; });
      if (same != reports.end()) {
        add_report(older, *same);
      } else if (is_alive) {
        reports.push_back(std::move(older));
      }
    }
  }
  return reports;
}

std::vector<EndpointFailure> ReloadableEngine::endpoint_failures() const {
  const auto engine = current()->get();
  return engine ? engine->endpoint_failures() : std::vector<EndpointFailure>();
}

bool ReloadableEngine::has_endpoint() const {
  const auto generation = current();
  const auto engine = generation->get();
  return engine && engine->endpoint_failures().size() < generation->numbers.size();
}

// ---- Submitter ----------------------------------------------------------------------------------

ReloadableEngine::Submitter ReloadableEngine::submitter() {
  auto seat = std::make_shared<Seat>(*this);
  {
    const std::lock_guard lock(mutex_);
    seats_.push_back(seat);
  }
  return Submitter(std::move(seat));
}

ReloadableEngine::Submitter::~Submitter() {
  if (seat_) {
    const std::lock_guard lock(seat_->mutex);
    seat_->inner.reset();
    seat_->has_message = false;
  }
}

// Whoever waits here holds up the end of an engine that is full, which is no matter.
Message* ReloadableEngine::Submitter::next() {
  const std::lock_guard lock(seat_->mutex);
  Message* const message = seat_->submitter().next();
  seat_->has_message = message != nullptr;
  return message;
}

Message* ReloadableEngine::Submitter::try_next() {
  const std::lock_guard lock(seat_->mutex);
  Message* const message = seat_->submitter().try_next();
  seat_->has_message = message != nullptr;
  return message;
}

std::vector<PriorFate>& ReloadableEngine::Submitter::fates() {
  const std::lock_guard lock(seat_->mutex);
  return seat_->submitter().fates();
}

Result<void, SubmissionError> ReloadableEngine::Submitter::submit() {
  const std::lock_guard lock(seat_->mutex);
  auto submitted = seat_->submitter().submit();
  // What waits in a batch would hold up its engine, and nobody would move it.
  seat_->submitter().flush();
  seat_->has_message = false;
  return submitted;
}

void ReloadableEngine::Submitter::refuse(std::string_view reason) {
  const std::lock_guard lock(seat_->mutex);
  seat_->submitter().refuse(reason);
  seat_->has_message = false;
}

void ReloadableEngine::Submitter::flush() {
  const std::lock_guard lock(seat_->mutex);
  seat_->submitter().flush();
}

}  // namespace ringpost::serve
