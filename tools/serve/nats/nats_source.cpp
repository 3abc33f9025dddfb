// The problem: a broker hands a job to another node when this one is silent, and what was sent
// cannot be taken back; a lost acknowledgement, a dead node and a slow one look alike from outside.
// The idea: two threads. One pulls as many jobs as there is room for, writes them into this node's
// mark, looks into the marks of all others, and only then hands them to the engine. The other
// stores outcomes under ids that make a second copy none, then ends jobs, and says meanwhile that
// it is at work. Limits: a node that is killed leaves all that it had in hand in doubt.
#include "tools/serve/nats/nats_source.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "tools/process/unix_time.h"
#include "tools/serve/nats/broker_link.h"
#include "tools/serve/nats/jobs_in_hand.h"
#include "tools/serve/nats/mark_board.h"

namespace ringpost::serve {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A node that ends waits for its last pull as long.
constexpr auto pull_wait = seconds(1);
constexpr auto look_for_room_every = milliseconds(20);
constexpr auto trouble_pause = seconds(1);
constexpr std::size_t notes_at_once = 1000;
// What the cluster did not take is said again after this time.
constexpr auto say_again_after = milliseconds(250);
// For what is left to be said when everything else has ended.
constexpr auto broker_farewell = seconds(5);
constexpr auto forget_nodes_every = std::chrono::minutes(5);
// Of what was told, as ranges in the mark; a message of NATS has a megabyte.
constexpr std::size_t told_ranges_max = 20'000;

// A name that no other process has had: marks of those that died are told apart.
std::string node_name() {
  char host[256] = "";
  static_cast<void>(::gethostname(host, sizeof host - 1));
  std::string name(host);
  std::replace_if(
      name.begin(), name.end(),
      [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-');
      },
      '-');
  std::random_device random;
  return fmt::format("{}-{}-{:08x}", name, ::getpid(), random());
}

class NatsSource final : public FrontEnd {
 public:
  NatsSource(const cli::NatsOptions& options, Intake& intake, cli::Log& log)
      : options_(options),
        intake_(intake),
        log_(log),
        jobs_(options.jobs_stream, options.rounds, intake.engine().endpoint_names().all()) {}
  ~NatsSource() override { stop(); }

  [[nodiscard]] Result<void, std::string> start();

  std::string place() const override { return "nats=" + link_->client().place(); }
  ListenerFigures figures() const override {
    const nats::Client& client = link_->client();
    return {"nats", client.is_connected() ? 1U : 0U, client.reconnects() + 1, 0};
  }
  void begin_drain() override;
  bool is_idle() const override;
  void stop() override;

 private:
  void run_pulls();
  [[nodiscard]] std::size_t wait_for_room();
  [[nodiscard]] bool has_endpoint();
  void check_terms();
  void admit(std::vector<nats::Pulled> batch);
  void meet(std::vector<nats::Pulled>& batch);
  [[nodiscard]] bool judge(std::vector<nats::Pulled>& batch, std::vector<std::uint64_t>& doubtful);
  void give_back(const std::vector<nats::Pulled>& batch, JobEnd end, Duration delay);
  void send(const nats::Pulled& pulled, PriorFate fate);
  [[nodiscard]] bool hand_over(Message& message, const std::string* refusal, PriorFate fate,
                               std::uint64_t sequence);
  void tell_unsent(const Message& message, std::uint64_t sequence);

  void run_settling();
  void settle();
  [[nodiscard]] bool store(SettlingRound round);
  void end_jobs(const std::vector<EndedJob>& ended);
  void end_others(const std::vector<EndedJob>& ended);
  void say_in_progress(Instant now);
  [[nodiscard]] bool write_mark();
  enum class Direction : std::uint8_t { in, out };
  void complain(Direction direction, const std::string& trouble);
  void all_is_well(Direction direction);

  const cli::NatsOptions options_;
  Intake& intake_;
  cli::Log& log_;
  std::unique_ptr<BrokerLink> link_;
  std::unique_ptr<MarkBoard> board_;
  std::optional<nats::Client::Puller> puller_;
  std::string stream_created_;  // of the pulling thread, and under mark_mutex_ when it is written

  std::mutex mark_mutex_;  // one mark after the other; taken before mutex_
  std::mutex trouble_mutex_;
  std::map<Direction, std::string> troubles_;  // that were told last

  mutable std::mutex mutex_;  // guards the rest
  std::condition_variable changed_;
  JobsInHand jobs_;
  bool is_changed_ = false;  // there may be something to settle
  bool is_draining_ = false;
  bool is_stopping_ = false;
  bool pulls_ended_ = false;
  std::map<std::uint64_t, Instant> unconfirmed_since_;  // of the settling thread

  Instant next_progress_{};
  Instant next_aging_{};
  Instant next_forgetting_{};
  std::thread pulling_;
  std::thread settling_;
};

Result<void, std::string> NatsSource::start() {
  auto link = BrokerLink::connect(options_);
  if (!link) {
    return Failure(std::move(link.error()));
  }
  link_ = std::move(*link);
  stream_created_ = link_->terms().stream_created;
  board_ = std::make_unique<MarkBoard>(
      link_->client(),
      MarkBoardOptions{options_.bucket, node_name(), link_->terms().ack_wait, link_->patience()});
  auto puller = link_->client().puller(options_.jobs_stream, options_.consumer);
  if (!puller) {
    return Failure("[nats]: " + puller.error());
  }
  puller_.emplace(std::move(*puller));
  if (!write_mark()) {
    return Failure(
        fmt::format("[nats]: bucket {} cannot be written to: this user may not publish "
                    "to $KV.{}.>, or the bucket has no leader",
                    options_.bucket, options_.bucket));
  }
  pulling_ = std::thread([this] { run_pulls(); });
  settling_ = std::thread([this] { run_settling(); });
  return {};
}

void NatsSource::begin_drain() {
  const std::lock_guard lock(mutex_);
  is_draining_ = true;
  changed_.notify_all();
}

bool NatsSource::is_idle() const {
  const std::lock_guard lock(mutex_);
  return pulls_ended_ && jobs_.empty();
}

void NatsSource::stop() {
  begin_drain();
  if (pulling_.joinable()) {
    pulling_.join();
  }
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
  }
  if (settling_.joinable()) {
    settling_.join();
  }
}

// ---- In -----------------------------------------------------------------------------------------

void NatsSource::run_pulls() {
  while (const std::size_t room = wait_for_room()) {
    auto pulled = puller_->pull(room, pull_wait);
    if (!pulled) {
      complain(Direction::in, fmt::format("no jobs are taken from stream {}: {}",
                                          options_.jobs_stream, pulled.error()));
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, trouble_pause, [this] { return is_draining_; });
      lock.unlock();
      check_terms();
    } else if (!pulled->empty()) {
      admit(std::move(*pulled));
    }
  }
  const std::lock_guard lock(mutex_);
  pulls_ended_ = true;
}

// How many jobs may be pulled; 0: no more, for good.
std::size_t NatsSource::wait_for_room() {
  while (true) {
    const bool has_place = !intake_.is_full() && has_endpoint();
    std::unique_lock lock(mutex_);
    if (is_draining_) {
      return 0;
    }
    if (has_place && jobs_.count() < options_.jobs_in_flight) {
      return std::min(options_.batch, options_.jobs_in_flight - jobs_.count());
    }
    changed_.wait_for(lock, look_for_room_every);
  }
}

// Jobs that nobody can send stay where they are.
bool NatsSource::has_endpoint() {
  const bool has = intake_.engine().has_endpoint();
  if (!has) {
    complain(Direction::in, "no jobs are taken: each endpoint was given up");
  }
  return has;
}

// A stream that was made anew counts from 1: what was told of the old one says nothing of it.
void NatsSource::check_terms() {
  const auto terms = link_->ask_terms();
  if (!terms) {
    complain(Direction::in, "no jobs are taken: " + terms.error());
    return;
  }
  if (terms->stream_created != stream_created_) {
    log_.warn(fmt::format("stream {} was made anew", options_.jobs_stream));
    const std::lock_guard mark_lock(mark_mutex_);
    stream_created_ = terms->stream_created;
    const std::lock_guard lock(mutex_);
    jobs_.forget_told();
  }
}

void NatsSource::admit(std::vector<nats::Pulled> batch) {
  meet(batch);
  if (batch.empty()) {
    return;
  }
  bool is_draining = false;
  {
    const std::lock_guard lock(mutex_);
    is_draining = is_draining_;
  }
  std::vector<std::uint64_t> doubtful;
  if (is_draining || !write_mark() || !judge(batch, doubtful)) {
    if (!is_draining) {
      complain(Direction::in,
               "jobs are given back: what nodes have in hand cannot be written or read");
    }
    give_back(batch, JobEnd::given_back, {});
    return;
  }
  all_is_well(Direction::in);
  for (const nats::Pulled& pulled : batch) {
    const bool is_doubtful =
        std::find(doubtful.begin(), doubtful.end(), pulled.sequence) != doubtful.end();
    send(pulled, !is_doubtful               ? PriorFate::none
                 : options_.resends_unknown ? PriorFate::resend_apart
                                            : PriorFate::in_doubt);
  }
}

// Leaves those in the batch that this node did not have before.
void NatsSource::meet(std::vector<nats::Pulled>& batch) {
  std::vector<JobWord> told;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(batch, [&](const nats::Pulled& pulled) {
      const JobsInHand::Met met = jobs_.meet(pulled);
      if (met == JobsInHand::Met::told) {
        told.push_back({pulled.reply, JobEnd::acknowledged, {}});
      }
      return met != JobsInHand::Met::fresh;
    });
  }
  static_cast<void>(link_->end_jobs(told));  // one that is lost comes once more
}

// Leaves those in the batch that are this node's to send, and says which of them another may have
// sent. False: nobody knows.
bool NatsSource::judge(std::vector<nats::Pulled>& batch, std::vector<std::uint64_t>& doubtful) {
  const auto others = board_->read_others(stream_created_);
  if (!others) {
    return false;
  }
  std::vector<nats::Pulled> told;
  std::vector<nats::Pulled> elsewhere;
  std::erase_if(batch, [&](nats::Pulled& pulled) {
    switch (claim_of(pulled.sequence, *others)) {
      case JobClaim::free:
        return false;
      case JobClaim::told:
        told.push_back(std::move(pulled));
        return true;
      case JobClaim::elsewhere:
        elsewhere.push_back(std::move(pulled));
        return true;
      case JobClaim::in_doubt:
        doubtful.push_back(pulled.sequence);
        return false;
    }
    RP_ASSERT(false);
  });
  give_back(told, JobEnd::acknowledged, {});
  // By then the other one has renewed its mark, or not.
  give_back(elsewhere, JobEnd::put_off, link_->terms().ack_wait / 3);
  return true;
}

void NatsSource::give_back(const std::vector<nats::Pulled>& batch, JobEnd end, Duration delay) {
  if (batch.empty()) {
    return;
  }
  std::vector<JobWord> words;
  {
    const std::lock_guard lock(mutex_);
    for (const nats::Pulled& pulled : batch) {
      jobs_.forget(pulled.sequence, end == JobEnd::acknowledged);
      words.push_back({pulled.reply, end, delay});
    }
  }
  static_cast<void>(write_mark());
  static_cast<void>(link_->end_jobs(words));
}

void NatsSource::send(const nats::Pulled& pulled, PriorFate fate) {
  BrokerJobReader reader(pulled);
  Message message;
  while (true) {
    message.clear();
    const BrokerJobReader::Step step = reader.next(message);
    if (step == BrokerJobReader::Step::end) {
      break;
    }
    {
      const std::lock_guard lock(mutex_);
      jobs_.begin_message(pulled.sequence);
    }
    const bool is_refused = step == BrokerJobReader::Step::refused;
    if (!hand_over(message, is_refused ? &reader.words() : nullptr, fate, pulled.sequence)) {
      tell_unsent(message, pulled.sequence);
    }
  }
  const std::lock_guard lock(mutex_);
  jobs_.close_job(pulled.sequence);
  is_changed_ = true;
  changed_.notify_all();
}

// Waits for room. False: nothing is taken any more, and the message is as it was.
bool NatsSource::hand_over(Message& message, const std::string* refusal, PriorFate fate,
                           std::uint64_t sequence) {
  const auto done = [this, sequence](const Message& told, std::span<const Outcome> outcomes) {
    const std::lock_guard lock(mutex_);
    jobs_.end_message(sequence, told, outcomes);
    is_changed_ = true;
    changed_.notify_all();
  };
  while (true) {
    std::vector<PriorFate> fates;
    if (fate != PriorFate::none) {
      fates.assign(message.recipients.size(), fate);
    }
    const Offer offer = refusal != nullptr ? intake_.refuse(message, *refusal, done)
                                           : intake_.offer(message, done, std::move(fates));
    if (offer != Offer::full) {
      return offer == Offer::taken;
    }
    std::this_thread::sleep_for(look_for_room_every);
  }
}

// An outcome is `unsent` from the start.
void NatsSource::tell_unsent(const Message& message, std::uint64_t sequence) {
  std::vector<Outcome> outcomes(std::max<std::size_t>(message.recipients.size(), 1));
  for (Outcome& outcome : outcomes) {
    outcome.reason = "ringpost ended before it was sent";
    outcome.timestamp_us = cli::unix_time_us();
  }
  const std::lock_guard lock(mutex_);
  jobs_.end_message(sequence, message, outcomes);
}

// ---- Out ----------------------------------------------------------------------------------------

void NatsSource::run_settling() {
  Instant give_up_at = never;
  while (true) {
    std::unique_lock lock(mutex_);
    const Instant now = std::chrono::steady_clock::now();
    if (is_stopping_ && give_up_at == never) {
      give_up_at = now + broker_farewell;
    }
    if (is_stopping_ && (jobs_.empty() || now >= give_up_at)) {
      break;
    }
    if (!is_changed_) {
      changed_.wait_until(lock, std::min(next_progress_, now + say_again_after),
                          [this] { return is_changed_ || is_stopping_; });
    }
    lock.unlock();
    settle();
    say_in_progress(std::chrono::steady_clock::now());
  }
  static_cast<void>(write_mark());
}

void NatsSource::settle() {
  std::unique_lock lock(mutex_);
  is_changed_ = false;
  // How jobs end is decided first, since that is what their last lines depend on.
  std::vector<EndedJob> ended = jobs_.take_ended(is_draining_);
  SettlingRound round = jobs_.begin_round(notes_at_once);
  lock.unlock();
  if (!round.notes.empty()) {
    if (!store(std::move(round))) {
      std::this_thread::sleep_for(say_again_after);
    }
    lock.lock();
    const std::vector<EndedJob> more = jobs_.take_ended(is_draining_);
    is_changed_ = is_changed_ || jobs_.has_changed();
    ended.insert(ended.end(), more.begin(), more.end());
    lock.unlock();
  }
  end_jobs(ended);
  end_others(ended);
}

bool NatsSource::store(SettlingRound round) {
  std::vector<OutcomeNote> notes;
  notes.reserve(round.notes.size());
  for (SettlingRound::Note& one : round.notes) {
    notes.push_back(std::move(one.note));
  }
  std::string trouble;
  const std::vector<bool> stored = link_->store(notes, trouble);
  const std::lock_guard lock(mutex_);
  bool all = true;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (!stored[i]) {
      all = false;
      jobs_.put_back({round.notes[i].sequence, std::move(notes[i])});
    }
  }
  if (!all) {
    complain(Direction::out,
             "outcomes are not stored, and their jobs not acknowledged: " + trouble);
  } else {
    all_is_well(Direction::out);
  }
  return all;
}

// Those whose outcomes are stored.
void NatsSource::end_jobs(const std::vector<EndedJob>& ended) {
  std::vector<JobWord> words;
  std::vector<std::uint64_t> sequences;
  for (const EndedJob& job : ended) {
    if (job.end == JobEnd::acknowledged || job.end == JobEnd::poison) {
      words.push_back({job.reply, job.end, {}});
      sequences.push_back(job.sequence);
    }
  }
  if (words.empty()) {
    return;
  }
  const std::vector<bool> confirmed = link_->end_jobs(words);
  const Instant now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < words.size(); ++i) {
    // A server that does not confirm for so long has handed it out again, or has it no more: either
    // way its outcomes are stored.
    const Instant since = unconfirmed_since_.try_emplace(sequences[i], now).first->second;
    if (confirmed[i] || now - since > 2 * link_->terms().ack_wait) {
      jobs_.forget(sequences[i], true);
      unconfirmed_since_.erase(sequences[i]);
    } else {
      jobs_.say_again(sequences[i]);
    }
  }
  changed_.notify_all();
}

// Those that go back. Nobody must find them in this node's mark when they are handed out.
void NatsSource::end_others(const std::vector<EndedJob>& ended) {
  std::vector<JobWord> words;
  {
    const std::lock_guard lock(mutex_);
    for (const EndedJob& job : ended) {
      if (job.end == JobEnd::put_off || job.end == JobEnd::given_back) {
        words.push_back({job.reply, job.end, round_delay(options_.retry_after, job.deliveries)});
        jobs_.forget(job.sequence, false);
      }
    }
  }
  if (!words.empty()) {
    static_cast<void>(write_mark());
    static_cast<void>(link_->end_jobs(words));
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
}

void NatsSource::say_in_progress(Instant now) {
  if (now < next_progress_) {
    return;
  }
  const Duration ack_wait = link_->terms().ack_wait;
  next_progress_ = now + ack_wait / 3;
  std::vector<std::string> replies;
  {
    const std::lock_guard lock(mutex_);
    replies = jobs_.replies();
    if (now >= next_aging_ || jobs_.told_ranges() > told_ranges_max) {
      // An acknowledgement that was lost shows itself within the time after which jobs are handed
      // out again.
      next_aging_ = now + 3 * ack_wait;
      jobs_.age_told();
    }
  }
  link_->say_in_progress(replies);
  static_cast<void>(write_mark());
  if (now >= next_forgetting_) {
    next_forgetting_ = now + forget_nodes_every;
    if (const auto terms = link_->ask_terms()) {
      board_->forget_settled(terms->stream_created, terms->acknowledged_floor);
    }
  }
}

bool NatsSource::write_mark() {
  const std::lock_guard mark_lock(mark_mutex_);
  NodeMark mark;
  {
    const std::lock_guard lock(mutex_);
    mark = jobs_.mark(stream_created_);
  }
  return board_->write(mark);
}

// Once for each trouble, and not for each second of it.
void NatsSource::complain(Direction direction, const std::string& trouble) {
  const std::lock_guard lock(trouble_mutex_);
  if (std::exchange(troubles_[direction], trouble) != trouble) {
    log_.error("nats: " + trouble);
  }
}

void NatsSource::all_is_well(Direction direction) {
  const std::lock_guard lock(trouble_mutex_);
  if (troubles_.erase(direction) > 0) {
    log_.warn(direction == Direction::in ? "nats: jobs are taken again"
                                         : "nats: outcomes are stored again");
  }
}

}  // namespace

Result<std::unique_ptr<FrontEnd>, std::string> start_nats_source(const cli::NatsOptions& options,
                                                                 Intake& intake, cli::Log& log) {
  auto source = std::make_unique<NatsSource>(options, intake, log);
  if (auto started = source->start(); !started) {
    return Failure(std::move(started.error()));
  }
  return std::unique_ptr<FrontEnd>(std::move(source));
}

}  // namespace ringpost::serve
