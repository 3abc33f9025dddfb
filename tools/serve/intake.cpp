// The problem: whoever serves clients may not wait, while the engine takes messages one at a time,
// makes whoever submits wait when its sessions have enough to do, and tells outcomes recipient by
// recipient. The idea: a message goes straight into the engine, under a lock, where that has room,
// and otherwise into a queue that one thread empties at the engine's pace; what is under way is
// bounded here, by what the user has said. A message carries where its outcomes are gathered.
// Limits: the lock is everybody's, and held for as long as it takes to hand over one message.
#include "tools/serve/intake.h"

#include <algorithm>
#include <utility>

#include "tools/process/unix_time.h"

namespace ringpost::serve {

namespace {

// Of the engine's own bound, which shall never be the one that counts: Intake's is.
constexpr std::size_t engine_slack = 1024;

std::uint64_t bytes_of(const Message& message) {
  return message.content.bytes() + message.recipients.bytes() + message.metadata_json.size() +
         message.tags_json.size();
}

}  // namespace

Intake::Intake(IntakeOptions options) : options_(std::move(options)) {}

Result<std::unique_ptr<Intake>, std::string> Intake::start(IntakeOptions options, cli::Log& log) {
  std::unique_ptr<Intake> intake(new Intake(std::move(options)));
  auto outcomes =
      OutcomeLog::open(intake->options_.outcomes_path, intake->options_.endpoint_names->all(), log);
  if (!outcomes) {
    return Failure(std::move(outcomes.error()));
  }
  intake->outcomes_ = std::move(*outcomes);
  if (auto started = intake->set_up(); !started) {
    return Failure(std::move(started.error()));
  }
  return intake;
}

Result<void, std::string> Intake::set_up() {
  EngineOptions engine_options = options_.engine;
  engine_options.jobs_in_flight_max = options_.messages_max + engine_slack;
  engine_options.job_bytes_in_flight_max =
      std::max<std::uint64_t>(2 * options_.bytes_max, limits::job_bytes_in_flight_max);
  engine_options.outcome_threads = 1;  // completions come one at a time
  // Somebody waits for each of them.
  engine_options.outcome_delay = Duration::zero();
  auto engine = ReloadableEngine::start(std::move(engine_options), options_.endpoint_names,
                                        [this](auto decided) { on_decided(decided); });
  if (!engine) {
    return Failure(std::move(engine.error().message));
  }
  engine_ = std::move(*engine);
  submitter_.emplace(engine_->submitter());
  overflow_thread_ = std::thread([this] { run_overflow(); });
  return {};
}

Intake::~Intake() { close(); }

void Intake::close() {
  if (engine_ == nullptr || !overflow_thread_.joinable()) {
    return;
  }
  bool is_idle = false;
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    is_idle = messages_out_ == 0;
  }
  overflow_changed_.notify_one();
  if (!is_idle) {
    engine_->abort();  // whereas sessions that have nothing to do say QUIT at the engine's end
  }
  overflow_thread_.join();
  static_cast<void>(engine_->drain(never));
  submitter_.reset();
  outcomes_->write();
}

// ---- In -----------------------------------------------------------------------------------------

// Under the lock.
bool Intake::has_room() const {
  return messages_out_ < options_.messages_max && bytes_out_ < options_.bytes_max &&
         !outcomes_->is_stuck() && (options_.receiver == nullptr || !options_.receiver->is_stuck());
}

bool Intake::is_full() const {
  const std::lock_guard lock(mutex_);
  return !has_room();
}

Offer Intake::offer(Message& message, Completion done, std::vector<PriorFate> fates) {
  return take(message, {}, std::move(done), std::move(fates));
}

Offer Intake::refuse(Message& message, std::string_view reason, Completion done,
                     std::vector<PriorFate> fates) {
  return take(message, reason.empty() ? "it cannot be sent" : reason, std::move(done),
              std::move(fates));
}

void Intake::submit(ReloadableEngine::Submitter& submitter, Message& room, Queued& queued) {
  std::swap(room, queued.message);
  if (!queued.fates.empty()) {
    submitter.fates() = std::move(queued.fates);
  }
  if (queued.refusal.empty()) {
    static_cast<void>(submitter.submit());  // what is wrong with it is an outcome
  } else {
    submitter.refuse(queued.refusal);
  }
  submitter.flush();
}

Offer Intake::take(Message& message, std::string_view refusal, Completion done,
                   std::vector<PriorFate> fates) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) {
    return Offer::closed;
  }
  if (!has_room()) {
    refused_for_room_.fetch_add(1);
    somebody_waits_.store(true);
    return Offer::full;
  }
  auto waiting = std::make_unique<Waiting>();
  waiting->done = std::move(done);
  waiting->outcomes.resize(std::max<std::size_t>(message.recipients.size(), 1));
  waiting->left = waiting->outcomes.size() -
                  static_cast<std::size_t>(std::count_if(fates.begin(), fates.end(), is_told));
  waiting->bytes = bytes_of(message);
  ++messages_out_;
  bytes_out_ += waiting->bytes;
  message.context = waiting.release();  // complete() has it back
  Message* const room = overflow_.empty() ? submitter_->try_next() : nullptr;
  if (room != nullptr) {
    Queued queued{{}, std::string(refusal), std::move(fates)};
    std::swap(queued.message, message);
    submit(*submitter_, *room, queued);
    return Offer::taken;
  }
  overflow_.push_back({std::move(message), std::string(refusal), std::move(fates)});
  message = Message();
  overflow_changed_.notify_one();
  return Offer::taken;
}

// The engine's back-pressure ends here.
void Intake::run_overflow() {
  ReloadableEngine::Submitter submitter = engine_->submitter();
  std::unique_lock lock(mutex_);
  while (true) {
    overflow_changed_.wait(lock, [this] { return is_closed_ || !overflow_.empty(); });
    if (overflow_.empty()) {
      return;
    }
    lock.unlock();
    Message* const room = submitter.next();
    lock.lock();
    Queued queued = std::move(overflow_.front());
    overflow_.pop_front();
    lock.unlock();
    if (room == nullptr) {
      tell_unsent(queued);
    } else {
      submit(submitter, *room, queued);
    }
    lock.lock();
  }
}

// The engine was aborted before it could take it.
void Intake::tell_unsent(const Queued& queued) {
  const Message& message = queued.message;
  auto& waiting = *static_cast<Waiting*>(message.context);
  for (std::size_t i = 0; i < waiting.outcomes.size(); ++i) {
    if (i < queued.fates.size() && is_told(queued.fates[i])) {
      continue;
    }
    Outcome& outcome = waiting.outcomes[i];  // which is `unsent` from the start
    outcome.reason = "ringpost ended before a session had it";
    outcome.timestamp_us = cli::unix_time_us();
    const std::lock_guard lock(told_mutex_);
    note({&message, static_cast<std::uint32_t>(i), &outcome});
  }
  waiting.left = 0;
  write_noted();
  const Message* const all[] = {&message};
  complete(all);
}

// ---- Out ----------------------------------------------------------------------------------------

void Intake::on_decided(std::span<const OutcomeView> decided) {
  if (decided.empty()) {
    return;
  }
  completed_.clear();
  for (const OutcomeView& view : decided) {
    auto& waiting = *static_cast<Waiting*>(view.message->context);
    {
      const std::lock_guard lock(told_mutex_);
      note(view);
    }
    waiting.outcomes[view.recipient_index] = *view.outcome;
    if (--waiting.left == 0) {
      completed_.push_back(view.message);
    }
  }
  write_noted();
  complete(completed_);
}

void Intake::note(const OutcomeView& decided) {
  const OutcomeKeeper::Wish wish =
      options_.keeper == nullptr ? OutcomeKeeper::Wish::none : options_.keeper->wish(decided);
  if (wish == OutcomeKeeper::Wish::pass_over) {
    return;
  }
  lines_.clear();
  outcomes_->append(lines_, *decided.message, decided.recipient_index, *decided.outcome);
  if (wish == OutcomeKeeper::Wish::line) {
    options_.keeper->add(decided, lines_);
  }
  noted_lines_ += lines_;
  if (options_.receiver != nullptr) {
    options_.receiver->hear(*decided.message, decided.recipient_index, *decided.outcome);
  }
}

// A line is with the keeper before it is anywhere else.
void Intake::write_noted() {
  const std::lock_guard lock(told_mutex_);
  if (options_.keeper != nullptr) {
    options_.keeper->write();
  }
  outcomes_->add(noted_lines_);
  noted_lines_.clear();
  outcomes_->write();
}

// Whoever hears of a message may offer the next one at once, and finds room.
void Intake::complete(std::span<const Message* const> messages) {
  {
    const std::lock_guard lock(mutex_);
    messages_out_ -= messages.size();
    for (const Message* const message : messages) {
      bytes_out_ -= static_cast<const Waiting*>(message->context)->bytes;
    }
  }
  for (const Message* const message : messages) {
    const std::unique_ptr<Waiting> waiting(static_cast<Waiting*>(message->context));
    waiting->done(*message, waiting->outcomes);
  }
  tell_room();
}

void Intake::listen_for_room(std::function<void()> listener) {
  const std::lock_guard lock(room_mutex_);
  room_listeners_.push_back(std::move(listener));
}

void Intake::tell_room() {
  if (!somebody_waits_.load() || is_full() || !somebody_waits_.exchange(false)) {
    return;
  }
  const std::lock_guard lock(room_mutex_);
  for (const auto& listener : room_listeners_) {
    listener();
  }
}

std::size_t Intake::messages_under_way() const {
  const std::lock_guard lock(mutex_);
  return messages_out_;
}

std::uint64_t Intake::bytes_under_way() const {
  const std::lock_guard lock(mutex_);
  return bytes_out_;
}

Result<void, std::string> Intake::replace_endpoints(std::vector<EndpointOptions> endpoints) {
  auto replaced = engine_->replace_endpoints(std::move(endpoints));
  return replaced ? Result<void, std::string>() : Failure(std::move(replaced.error().message));
}

void Intake::reopen_outcomes() {
  outcomes_->reopen();
  tell_room();
}

void Intake::tick() {
  outcomes_->write();
  tell_room();
}

}  // namespace ringpost::serve
