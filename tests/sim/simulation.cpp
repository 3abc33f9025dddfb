#include "tests/sim/simulation.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "queue/journal_outcomes.h"
#include "tests/sim/plan.h"
#include "tests/sim/process.h"
#include "tests/sim/promise.h"
#include "tests/sim/sim_disk.h"

namespace ringpost::sim {

namespace {

using namespace std::chrono_literals;

// FNV-1a.
class Hash {
 public:
  void add(Bytes octets) {
    for (const char octet : octets) {
      value_ = (value_ ^ static_cast<unsigned char>(octet)) * 0x100000001b3ull;
    }
  }
  void add(std::uint64_t number) { add(fmt::format("{},", number)); }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ull;
};

class Simulation {
 public:
  Simulation(const Plan& plan, const std::string& folder)
      : plan_(plan),
        files_{folder + "/jobs.jsonl", folder + "/run.journal", folder + "/outcomes.jsonl"},
        random_(plan.seed * 2 + 1),
        network_(plan.network, random_),
        disk_(random_),
        story_{plan, {}, {}, 0, {}, {}} {
    std::filesystem::remove(files_.journal);
    std::filesystem::remove(files_.outcomes);
    std::ofstream jobs(files_.jobs, std::ios::binary);
    for (const std::string& line : plan.lines) {
      jobs << line << '\n';
    }
  }

  SeedResult run() {
    SeedResult result;
    result.plan = describe(plan_);
    result.broken = live();
    count();
    result.tally = tally_;
    result.trace = trace();
    return result;
  }

 private:
  // The first thing that breaks the promise.
  std::string live() {
    for (std::size_t i = 0; i < plan_.lives.size(); ++i) {
      const bool is_last = i + 1 == plan_.lives.size();
      if (std::string broken = live_once(plan_.lives[i], is_last); !broken.empty()) {
        return fmt::format("life {}: {}", i + 1, broken);
      }
    }
    if (std::string complaint = network_.complaint(); !complaint.empty()) {
      return "a server got " + complaint;
    }
    story_.refusals = network_.refusals();
    if (std::string broken = broken_promise(story_, network_.taken()); !broken.empty()) {
      return broken;
    }
    if (std::string broken = check_time(); !broken.empty()) {
      return broken;
    }
    return plan_.journal == JournalKind::none ? std::string() : check_journal();
  }

  std::string live_once(const LifePlan& life, bool is_last) {
    Process process({plan_, files_, random_, network_, disk_}, life);
    const LifeEnd end = process.run();
    hash_.add(process.steps());
    story_.recipients_read.merge(process.recipients_read());
    if (std::string broken = take_contents(process); !broken.empty()) {
      return broken;
    }
    if (end == LifeEnd::never_ends) {
      return process.trouble();
    }
    if (is_last && end != LifeEnd::over) {
      return "the last life did not come to its end: " + process.trouble();
    }
    if (plan_.journal == JournalKind::none) {
      story_.told = process.told();
      return {};
    }
    if (end != LifeEnd::over) {
      ++story_.lives_cut_short;
    }
    if (end == LifeEnd::died) {
      die(life);
    }
    return read_journal(process);
  }

  // What a sound server may cost: finding out how to speak to it, round trips of each message in
  // lock-step with a session of its own, the rate that was asked for, the pauses that it makes
  // itself behind errors, and those in front of other attempts.
  std::string check_time() {
    if (!plan_.sound) {
      return {};
    }
    constexpr std::uint64_t round_trips_max = 40;  // of a transaction with five recipients
    const std::size_t transactions = plan_.transactions;
    Duration longest = 2min;
    longest += transactions * round_trips_max * 2 * plan_.network.latency_max;
    if (!plan_.endpoint.rates.empty()) {
      longest += transactions * 1s;
    }
    if (plan_.network.server.odd.errors_soft > 0) {
      longest += transactions * 5s;
    }
    const bool puts_off =
        std::any_of(story_.refusals.begin(), story_.refusals.end(),
                    [](const test::Refusal& refusal) { return !refusal.permanent; });
    longest += puts_off ? Duration(1h) : Duration{0};
    const Duration took = network_.now() - begin_;
    if (took <= longest) {
      return {};
    }
    return fmt::format("it took {} s, and {} s are enough",
                       std::chrono::duration_cast<std::chrono::seconds>(took).count(),
                       std::chrono::duration_cast<std::chrono::seconds>(longest).count());
  }

  void die(const LifePlan& life) {
    ++(life.power_cut ? tally_.power_cuts : tally_.kills);
    if (life.power_cut && std::filesystem::exists(files_.journal)) {
      disk_.cut_power(files_.journal, files_.outcomes);
      outcomes_file_was_cut_ = true;
    }
  }

  // A job that is sent again is the identical one.
  std::string take_contents(const Process& process) {
    for (const auto& [id, content] : process.contents()) {
      const auto [found, is_new] = story_.contents.try_emplace(id, content);
      if (!is_new && found->second != content) {
        return "the message of " + id + " is another one than before";
      }
    }
    return {};
  }

  // What the journal tells by now. One whose header was never finished tells nothing, and nothing
  // was sent: a run is begun anew.
  std::string read_journal(const Process& process) {
    std::error_code missing;
    if (std::filesystem::file_size(files_.journal, missing) == 0 || missing) {
      return network_.taken().empty() ? "" : "a message was sent, and there is no journal";
    }
    const auto reading = queue::read_journal(files_.journal);
    if (!reading || !reading->history.has_header()) {
      std::filesystem::remove(files_.journal);
      return network_.taken().empty() ? "" : "a message was sent, and the journal has no header";
    }
    if (!reading->history.damages().empty()) {
      const queue::JournalDamage& damage = reading->history.damages().front();
      return fmt::format("the journal is damaged from octet {} on: {}", damage.offset, damage.why);
    }
    const queue::JournalHistory& history = reading->history;
    const bool left = history.count_in_flight() + history.count(Status::deferred) +
                          history.count(Status::unsent) >
                      0;
    tally_.resumes += left ? 1 : 0;
    if (std::string broken = check_waiting(process, history); !broken.empty()) {
      return broken;
    }
    story_.told.clear();
    lines_.clear();
    const auto read =
        queue::for_each_outcome(files_.journal, 0, [&](const codec::JournalOutcome& outcome) {
          story_.told.push_back({outcome.ordinal, outcome.recipient_index, outcome.status});
          lines_ += outcome.line;
          return true;
        });
    return read ? "" : read.error().message;
  }

  // Whoever was put off is no recipient of whom nobody can know: a resume sends to him.
  std::string check_waiting(const Process& process, const queue::JournalHistory& history) const {
    for (const auto& [ordinal, index] : process.waiting()) {
      if (!plan_.resend_unknown &&
          history.of(ordinal).of(index) == queue::RecipientHistory::in_flight) {
        return fmt::format("line {}, recipient {}: was put off, and is in flight in the journal",
                           ordinal, index);
      }
    }
    return {};
  }

  std::string check_journal() {
    if (!outcomes_file_was_cut_ && read_file(files_.outcomes) != lines_) {
      return "the outcomes file is not what the journal exports";
    }
    const bool all_final = std::none_of(
        story_.told.begin(), story_.told.end(),
        [&](const Told& told) { return is_sent_again(told.status, plan_.resend_unknown); });
    return all_final ? check_idle_resume() : "";
  }

  // A run that is over is not begun again by a resume.
  std::string check_idle_resume() {
    const std::vector<Told> told_before = story_.told;
    const std::size_t connections_before = network_.connection_count();
    LifePlan life;
    life.acts = Lifetime::endless;
    if (std::string broken = live_once(life, true); !broken.empty()) {
      return "a resume of a run that is over: " + broken;
    }
    const bool idle =
        story_.told == told_before && network_.connection_count() == connections_before;
    return idle ? "" : "a resume of a run that is over did something";
  }

  void count() {
    tally_.seeds = 1;
    for (const Told& told : story_.told) {
      ++tally_.told[static_cast<std::size_t>(told.status)];
    }
    std::map<std::string, std::uint64_t> copies;
    for (const test::TakenMessage* const message : network_.taken()) {
      ++tally_.messages;
      for (const std::string& address : message->recipients) {
        tally_.copies += copies[address]++ > 0 ? 1u : 0u;
      }
    }
    tally_.connections = network_.connection_count();
    tally_.disks_full = disk_.full_count();
    tally_.disk_failures = disk_.failure_count();
  }

  std::uint64_t trace() {
    hash_.add(read_file(files_.outcomes));
    for (const Told& told : story_.told) {
      hash_.add(told.ordinal);
      hash_.add(told.recipient_index);
      hash_.add(static_cast<std::uint64_t>(told.status));
    }
    for (const test::TakenMessage* const message : network_.taken()) {
      hash_.add(message->sender);
      hash_.add(message->content);
    }
    hash_.add(network_.connection_count());
    hash_.add(static_cast<std::uint64_t>(network_.now().time_since_epoch().count()));
    return hash_.value();
  }

  const Plan& plan_;
  const Files files_;
  Random random_;
  Network network_;
  const Instant begin_ = network_.now();
  SimDisk disk_;
  Story story_;
  std::string lines_;  // that the journal exports
  bool outcomes_file_was_cut_ = false;
  Hash hash_;
  Tally tally_;
};

}  // namespace

void Tally::add(const Tally& other) {
  for (std::size_t i = 0; i < told.size(); ++i) {
    told[i] += other.told[i];
  }
  seeds += other.seeds;
  kills += other.kills;
  power_cuts += other.power_cuts;
  resumes += other.resumes;
  disks_full += other.disks_full;
  disk_failures += other.disk_failures;
  copies += other.copies;
  connections += other.connections;
  messages += other.messages;
}

SeedResult run_seed(std::uint64_t seed, const std::string& folder) {
  const Plan plan = make_plan(seed);
  return Simulation(plan, folder).run();
}

}  // namespace ringpost::sim
