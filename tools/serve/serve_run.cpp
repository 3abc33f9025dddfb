// The problem: a server ends when somebody says so, and nobody who waits for an answer then may go
// without one. The idea: listeners stop first, and this waits until they and the intake have
// nothing under way; where that takes too long, the engine is told to end, which tells everybody.
// Limits: a client that does not read its last reply is waited for as long as the drain.
#include "tools/serve/serve_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/process/exit_code.h"
#include "tools/process/out_of_memory.h"
#include "tools/process/program_version.h"
#include "tools/serve/figures/service_figures.h"
#include "tools/serve/http_listener.h"
#include "tools/serve/intake.h"
#include "tools/serve/nats/nats_source.h"
#include "tools/serve/reload.h"
#include "tools/serve/smtp_listener.h"
#include "tools/serve/spool/spool.h"
#include "tools/serve/watch/folder_watch.h"
#include "tools/serve/watchdog.h"
#include "tools/serve/webhook/webhook_sender.h"
#include <ringpost/engine.h>

namespace ringpost::cli {

namespace {

using serve::FrontEnd;
using serve::Intake;

constexpr auto look_every = std::chrono::milliseconds(20);
// For webhooks behind the last outcome: two round trips to anybody who answers.
constexpr auto webhook_farewell = std::chrono::seconds(5);
constexpr auto tick_every = std::chrono::milliseconds(500);
// Behind a drain that was cut short: for the last answers, and the last lines.
constexpr auto drain_slack = std::chrono::seconds(10);

// Several listeners of a kind count as one: a label for each would have no bound.
void add_figures(const serve::ListenerFigures& one, std::vector<serve::ListenerFigures>& all) {
  for (serve::ListenerFigures& same : all) {
    if (same.kind == one.kind) {
      same.connections += one.connections;
      same.connections_opened += one.connections_opened;
      same.connections_turned_away += one.connections_turned_away;
      return;
    }
  }
  all.push_back(one);
}

class ServeRun {
 public:
  ServeRun(const ServeSettings& settings, const ReadSettings& read_settings, SignalWatch& watch,
           const ServiceManager& manager, Log& log)
      : settings_(settings),
        read_settings_(read_settings),
        running_(settings),
        watch_(watch),
        manager_(manager),
        log_(log),
        watchdog_(manager) {}
  ~ServeRun() { close_ways_in(); }
  ServeRun(const ServeRun&) = delete;
  ServeRun& operator=(const ServeRun&) = delete;

  int run(const std::string& ready_file);

 private:
  [[nodiscard]] Result<void, std::string> start();
  [[nodiscard]] Result<void, std::string> start_webhooks();
  [[nodiscard]] Result<void, std::string> open_spool();
  void start_spool();
  [[nodiscard]] Result<void, std::string> start_folders();
  void close_ways_in();
  [[nodiscard]] EngineOptions engine_options();
  [[nodiscard]] serve::ServiceFigures figures() const;
  [[nodiscard]] Result<void, std::string> say_ready(const std::string& ready_file) const;
  [[nodiscard]] std::string places() const;
  void watch_loops();
  void run_reloads();
  void reload();
  [[nodiscard]] Result<void, std::string> take_over(ServeSettings fresh);
  [[nodiscard]] std::string hint_for(const EndpointFailure& failure);
  void tick();
  [[nodiscard]] bool wait_for_end();
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] bool front_ends_are_idle() const;
  [[nodiscard]] std::size_t messages_that_may_wait() const;
  [[nodiscard]] int end(bool is_complete);

  const ServeSettings& settings_;  // as they were at the start
  const ReadSettings& read_settings_;
  ServeSettings running_;  // what a reload compares with; its thread's
  SignalWatch& watch_;
  const ServiceManager& manager_;
  Log& log_;
  const std::shared_ptr<serve::EndpointNames> endpoint_names_ =
      std::make_shared<serve::EndpointNames>();
  std::unique_ptr<serve::WebhookSender> webhooks_;  // null: there are none
  std::unique_ptr<serve::Spool> spool_;             // null: nothing is stored
  std::unique_ptr<serve::WatchedFiles> watched_;    // null: no folder is watched
  serve::Watchdog watchdog_;                        // looked at by the watch's thread
  std::unique_ptr<Intake> intake_;
  std::atomic<bool> all_listen_{false};  // front_ends_ stays as it is
  std::vector<std::unique_ptr<FrontEnd>> front_ends_;
  std::vector<std::unique_ptr<serve::FolderWatch>> folders_;
  std::set<std::string> failures_told_;
  std::thread reload_thread_;

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  bool is_draining_ = false;
  bool is_cut_short_ = false;
  bool is_reload_wanted_ = false;
  bool reloads_end_ = false;
  std::map<std::string, std::string> login_hints_ = settings_.login_hints;
};

int ServeRun::run(const std::string& ready_file) {
  for (const std::string& warning : settings_.warnings) {
    log_.warn(warning);
  }
  auto started = start();
  if (started) {
    watch_loops();
    started = say_ready(ready_file);
  }
  if (!started) {
    print_error(started.error());
    return exit_usage;
  }
  const auto set = [this](bool& what) {
    const std::lock_guard lock(mutex_);
    what = true;
    changed_.notify_all();
  };
  watch_.start({.first_signal =
                    [this, set] {
                      log_.warn(
                          "stopping: nothing new is taken, and what is under way is "
                          "finished; another signal stops at once");
                      manager_.is_stopping("Finishes what is under way",
                                           settings_.drain + drain_slack);
                      set(is_draining_);
                    },
                .second_signal =
                    [this, set] {
                      log_.warn("stopping now");
                      set(is_cut_short_);
                    },
                .tick = [this] { tick(); },
                .asked = {},
                .hung_up =
                    [this, set] {
                      intake_->reopen_outcomes();
                      if (spool_) {
                        spool_->note_outcomes_reopened();
                      }
                      log_.info("outcomes are opened anew");
                      set(is_reload_wanted_);
                    },
                .drain = settings_.drain,
                .tick_every = std::min<Duration>(tick_every, watchdog_.interval())});
  reload_thread_ = std::thread([this] { run_reloads(); });
  const bool is_complete = wait_for_end();
  watch_.stop();
  set(reloads_end_);
  reload_thread_.join();
  return end(is_complete);
}

Result<void, std::string> ServeRun::start_webhooks() {
  if (settings_.webhooks.empty()) {
    return {};
  }
  auto webhooks = serve::WebhookSender::start(settings_.webhooks, endpoint_names_->all(), log_);
  if (!webhooks) {
    return Failure(std::move(webhooks.error()));
  }
  webhooks_ = std::move(*webhooks);
  return {};
}

// On a thread of its own: a password may come from a command that takes its time. What was asked
// for while one is under way is done behind it.
void ServeRun::run_reloads() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_reload_wanted_ || reloads_end_; });
    if (reloads_end_) {
      return;
    }
    is_reload_wanted_ = false;
    lock.unlock();
    reload();
    lock.lock();
  }
}

// Whole or not at all.
void ServeRun::reload() {
  manager_.is_reloading();
  auto fresh = read_settings_();
  auto taken = fresh ? take_over(std::move(*fresh))
                     : Result<void, std::string>(Failure(std::move(fresh.error().message)));
  std::string status = "Listening:" + places();
  if (!taken) {
    log_.error("the configuration is not taken over, and what was before holds: " + taken.error());
    status += "; the last reload was refused: " + taken.error();
  }
  manager_.is_ready(status);
}

Result<void, std::string> ServeRun::take_over(ServeSettings fresh) {
  std::vector<FrontEnd::TakeOver> steps;
  for (const auto& front_end : front_ends_) {
    auto step = front_end->prepare_reload(fresh);
    if (!step) {
      return Failure(std::move(step.error()));
    }
    steps.push_back(std::move(*step));
  }
  // The last that can fail.
  const bool has_other_endpoints = fresh.endpoint_marks != running_.endpoint_marks;
  if (has_other_endpoints) {
    if (auto replaced = intake_->replace_endpoints(fresh.endpoints); !replaced) {
      return replaced;
    }
  }
  for (const FrontEnd::TakeOver& step : steps) {
    if (step) {
      step();
    }
  }
  {
    const std::lock_guard lock(mutex_);
    login_hints_ = fresh.login_hints;
  }
  for (const std::string& warning : fresh.warnings) {
    log_.warn(warning);
  }
  log_.info(has_other_endpoints ? "the configuration is taken over, with other endpoints"
                                : "the configuration is taken over; its endpoints are the same");
  for (const std::string& change : changes_for_a_start(running_, fresh)) {
    log_.warn(fmt::format("{}: this change waits for the next start", change));
  }
  running_.endpoint_marks = std::move(fresh.endpoint_marks);
  return {};
}

Result<void, std::string> ServeRun::start() {
  if (auto started = start_webhooks(); !started) {
    return started;
  }
  if (auto opened = open_spool(); !opened) {
    return opened;
  }
  serve::OutcomeKeeper* keeper = spool_.get();
  if (!settings_.folders.empty()) {
    watched_ = std::make_unique<serve::WatchedFiles>(spool_.get(), spool_.get(), log_);
    keeper = watched_.get();
  }
  auto intake = Intake::start({.engine = engine_options(),
                               .endpoint_names = endpoint_names_,
                               .messages_max = settings_.serve.messages_max,
                               .bytes_max = settings_.serve.bytes_max,
                               .outcomes_path = settings_.serve.outcomes_path,
                               .receiver = webhooks_.get(),
                               .keeper = keeper},
                              log_);
  if (!intake) {
    return Failure(std::move(intake.error()));
  }
  intake_ = std::move(*intake);
  start_spool();
  for (const SmtpListenOptions& options : settings_.smtp) {
    auto listener = serve::start_smtp_listener(options, settings_.routes, *intake_, spool_.get());
    if (!listener) {
      return Failure(std::move(listener.error()));
    }
    front_ends_.push_back(std::move(*listener));
  }
  for (const HttpListenOptions& options : settings_.http) {
    auto listener = serve::start_http_listener(options, endpoint_names_->all(), *intake_,
                                               spool_.get(), [this] { return figures(); });
    if (!listener) {
      return Failure(std::move(listener.error()));
    }
    front_ends_.push_back(std::move(*listener));
  }
  if (!settings_.nats.url.empty()) {
    auto source = serve::start_nats_source(settings_.nats, *intake_, log_);
    if (!source) {
      return Failure(std::move(source.error()));
    }
    front_ends_.push_back(std::move(*source));
  }
  if (auto started = start_folders(); !started) {
    return started;
  }
  all_listen_.store(true);
  return {};
}

Result<void, std::string> ServeRun::start_folders() {
  Intake& intake = *intake_;
  for (const WatchOptions& options : settings_.folders) {
    auto folder = serve::FolderWatch::start(
        options,
        {.files = *watched_,
         .offer =
             [&intake](Message& message, serve::Completion done, std::vector<PriorFate> fates) {
               return intake.offer(message, std::move(done), std::move(fates));
             },
         .refuse =
             [&intake](Message& message, std::string_view why, serve::Completion done,
                       std::vector<PriorFate> fates) {
               return intake.refuse(message, why, std::move(done), std::move(fates));
             },
         .endpoint_names = *endpoint_names_,
         .program_version = std::string(program_version()),
         .log = log_});
    if (!folder) {
      return Failure(std::move(folder.error()));
    }
    intake.listen_for_room([watch = folder->get()] { watch->tell_room(); });
    folders_.push_back(std::move(*folder));
  }
  return {};
}

Result<void, std::string> ServeRun::open_spool() {
  if (settings_.serve.spool_folder.empty()) {
    return {};
  }
  serve::SpoolOptions options;
  options.folder = settings_.serve.spool_folder;
  options.outcomes_path = settings_.serve.outcomes_path;
  options.endpoint_names = endpoint_names_;
  options.program_version = program_version();
  options.bytes_max = settings_.serve.spool_bytes_max;
  options.keep = settings_.serve.spool_keep;
  options.messages_max = std::min(options.messages_max, settings_.serve.messages_max);
  auto spool = serve::Spool::open(std::move(options), log_);
  if (!spool) {
    return Failure(std::move(spool.error()));
  }
  spool_ = std::move(*spool);
  return {};
}

void ServeRun::start_spool() {
  if (spool_ == nullptr) {
    return;
  }
  Intake& intake = *intake_;
  spool_->set_outcome_sync([&intake] { return intake.sync_outcomes(); });
  intake.listen_for_room([this] { spool_->tell_room(); });
  spool_->start(
      [&intake](Message& message, serve::Completion done, std::vector<PriorFate> fates) {
        return intake.offer(message, std::move(done), std::move(fates));
      },
      [&intake](Message& message, std::string_view why, serve::Completion done,
                std::vector<PriorFate> fates) {
        return intake.refuse(message, why, std::move(done), std::move(fates));
      });
}

// Everybody has an answer before those who wait for one go.
void ServeRun::close_ways_in() {
  if (spool_ && intake_) {
    spool_->stop_feeding();
    spool_->begin_end();
    spool_->stop_storing();
    spool_->give_up();
  }
  if (watched_) {
    watched_->begin_end();
    watched_->give_up();
  }
  for (const auto& folder : folders_) {
    folder->begin_drain();
  }
  if (intake_) {
    intake_->close();
  }
}

// Any thread.
serve::ServiceFigures ServeRun::figures() const {
  serve::ServiceFigures figures;
  const serve::ReloadableEngine& engine = intake_->engine();
  figures.version = program_version();
  figures.engine = engine.statistics();
  figures.endpoints = engine.endpoint_reports();
  figures.failures = engine.endpoint_failures();
  figures.intake = {.messages = intake_->messages_under_way(),
                    .messages_max = settings_.serve.messages_max,
                    .bytes = intake_->bytes_under_way(),
                    .bytes_max = settings_.serve.bytes_max,
                    .refused_for_room = intake_->refused_for_room(),
                    .lines_unwritten = intake_->lost_lines()};
  for (std::size_t i = 0; all_listen_.load() && i < front_ends_.size(); ++i) {
    add_figures(front_ends_[i]->figures(), figures.listeners);
  }
  for (std::size_t i = 0; all_listen_.load() && i < folders_.size(); ++i) {
    const serve::WatchCounts counts = folders_[i]->counts();
    figures.folders.under_way += counts.under_way;
    figures.folders.done += counts.done;
    figures.folders.bad += counts.bad;
  }
  if (webhooks_) {
    figures.webhooks = webhooks_->figures();
  }
  if (spool_ != nullptr) {
    figures.spool = spool_->figures();
  }
  figures.process = serve::process_figures();
  return figures;
}

EngineOptions ServeRun::engine_options() {
  EngineOptions options;
  options.endpoints = settings_.endpoints;
  options.cores = settings_.cores;
  options.state_folder = settings_.state_folder;
  options.io = settings_.io;
  options.journal = spool_.get();
  if (watched_) {
    options.journal = watched_.get();
  }
  options.on_notice = [this](const EndpointNotice& notice) { log_.write(notice); };
  return options;
}

// What answers only behind these has gone wrong together with them: the lines of outcomes are
// written under the lock that tick() takes.
void ServeRun::watch_loops() {
  watchdog_.watch([this] { return intake_->take_pulse(); });
  for (const auto& front_end : front_ends_) {
    watchdog_.watch([&front_end] { return front_end->take_pulse(); });
  }
}

std::string ServeRun::places() const {
  std::string places;
  for (const auto& front_end : front_ends_) {
    places += " " + front_end->place();
  }
  for (const auto& folder : folders_) {
    places += " " + folder->place();
  }
  return places;
}

// The file appears whole: whoever waits for it never reads half of it.
Result<void, std::string> ServeRun::say_ready(const std::string& ready_file) const {
  std::string json;
  const auto add = [&json](const std::string& place) {
    json += json.empty() ? "" : ",";
    codec::append_json_string(json, place);
  };
  for (const auto& front_end : front_ends_) {
    add(front_end->place());
  }
  for (const auto& folder : folders_) {
    add(folder->place());
  }
  write_to_stderr(fmt::format("ringpost serve: listening:{}\n", places()));
  manager_.is_ready("Listening:" + places());
  if (ready_file.empty()) {
    return {};
  }
  const std::string temporary = ready_file + ".part";
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file << fmt::format("{{\"pid\":{},\"listening\":[{}]}}\n", ::getpid(), json);
  file.close();
  if (file.fail() || std::rename(temporary.c_str(), ready_file.c_str()) != 0) {
    return Failure(fmt::format("--ready-file: {} could not be written", ready_file));
  }
  return {};
}

// The watch's thread.
void ServeRun::tick() {
  intake_->tick();
  if (spool_ && spool_->has_failed()) {
    const std::lock_guard lock(mutex_);
    is_cut_short_ = true;  // whoever starts it anew finds everything
    changed_.notify_all();
  }
  watchdog_.look(std::chrono::steady_clock::now());
  std::set<std::string> told;
  for (const EndpointFailure& failure : intake_->engine().endpoint_failures()) {
    told.insert(failure.endpoint);
    if (!failures_told_.contains(failure.endpoint)) {
      log_.error(fmt::format("endpoint given up, its messages are answered 451: {}{}",
                             failure.message, hint_for(failure)),
                 {{"endpoint", failure.endpoint}, {"stage", failure.stage}});
    }
  }
  failures_told_ = std::move(told);  // one that a reload has mended may fail again
}

std::string ServeRun::hint_for(const EndpointFailure& failure) {
  const std::lock_guard lock(mutex_);
  const auto hint = login_hints_.find(failure.endpoint);
  const bool has_hint = failure.is_login() && hint != login_hints_.end() && !hint->second.empty();
  return has_hint ? "; " + hint->second : std::string();
}

// False: something was under way when it was cut short.
bool ServeRun::wait_for_end() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_draining_ || is_cut_short_; });
  for (const auto& front_end : front_ends_) {
    front_end->begin_drain();
  }
  for (const auto& folder : folders_) {
    folder->begin_drain();
  }
  if (watched_) {
    watched_->begin_end();
  }
  if (spool_) {
    lock.unlock();
    spool_->stop_feeding();
    spool_->begin_end();
    lock.lock();
  }
  while (!is_cut_short_ && !is_idle()) {
    // What is stored or in a folder waits for the next start, and nobody for it.
    if ((spool_ || watched_) && front_ends_are_idle() &&
        intake_->messages_under_way() <= messages_that_may_wait()) {
      intake_->engine().stop_sending();
    }
    changed_.wait_for(lock, look_every);
  }
  return intake_->messages_under_way() == 0;
}

bool ServeRun::is_idle() const {
  return intake_->messages_under_way() == 0 && front_ends_are_idle();
}

std::size_t ServeRun::messages_that_may_wait() const {
  std::size_t messages = spool_ ? spool_->messages_under_way() : 0;
  for (const auto& folder : folders_) {
    messages += folder->messages_under_way();
  }
  return messages;
}

bool ServeRun::front_ends_are_idle() const {
  for (const auto& front_end : front_ends_) {
    if (!front_end->is_idle()) {
      return false;
    }
  }
  return true;
}

int ServeRun::end(bool is_complete) {
  close_ways_in();
  for (const auto& front_end : front_ends_) {
    front_end->stop();
  }
  for (const auto& folder : folders_) {
    folder->stop();
  }
  if (spool_) {
    spool_->close();
  }
  const std::uint64_t lost_dead_letters =
      webhooks_ ? webhooks_->finish(is_cut_short_ ? Duration::zero() : webhook_farewell).lost : 0;
  const std::uint64_t lost = intake_->lost_lines();
  if (lost > 0) {
    print_error(fmt::format("outcome lines could not be written: {}", lost));
  }
  if (lost_dead_letters > 0) {
    print_error(
        fmt::format("dead letters of webhooks could not be written: {}", lost_dead_letters));
  }
  const bool has_failed = (spool_ && spool_->has_failed()) || (watched_ && watched_->has_failed());
  if (lost > 0 || lost_dead_letters > 0 || has_failed) {
    return exit_outcomes_lost;
  }
  const bool is_interrupt = watch_.signal() == SIGINT;
  return is_complete ? exit_all_accepted : is_interrupt ? exit_interrupted : exit_terminated;
}

}  // namespace

int run_serve(const ServeSettings& settings, const ReadSettings& read_settings,
              const std::string& ready_file, SignalWatch& watch, const ServiceManager& manager,
              Log& log) {
  end_when_out_of_memory(exit_outcomes_lost);
  return ServeRun(settings, read_settings, watch, manager, log).run(ready_file);
}

}  // namespace ringpost::cli
