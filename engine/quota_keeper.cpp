// Problem: limits of an hour or a day concern runs that are over and processes that run beside this
// one, and a disk that is slow must hold up nobody who sends.
//
// Idea: a file of each account (queue/quota_file), written by all who send for it under one lock,
// so that a killed process loses nothing; a thread of its own has the files on the disk every few
// seconds, for power cuts alone.
//
// Limits: a power cut loses the counts of the last seconds.
#include "engine/quota_keeper.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace ringpost::engine {

namespace {

constexpr auto sync_every = std::chrono::seconds(5);

// Providers raise limits in weeks, and a higher one than was found is seldom tried.
constexpr auto learnt_age_max = std::chrono::hours(24 * 7);

void forget_what_is_old(queue::QuotaFile& file) {
  const queue::LearntLimits learnt = file.learnt();
  const bool is_any = learnt != queue::LearntLimits{};
  if (is_any && !still_holds(learnt, queue::read_quota_clocks().unix_ns)) {
    file.set_learnt({});
  }
}

Result<void, std::string> make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return Failure(folder + ": the folder for counts of rates cannot be made: " + error.message());
  }
  return {};
}

}  // namespace

// What comes from the future does not: the clock was wrong.
bool still_holds(const queue::LearntLimits& learnt, std::int64_t now_unix_ns) {
  const Duration age(now_unix_ns - learnt.learnt_at_unix_ns);
  return age >= Duration::zero() && age <= learnt_age_max;
}

Result<std::unique_ptr<QuotaKeeper>, std::string> QuotaKeeper::open(const EngineOptions& options) {
  std::unique_ptr<QuotaKeeper> keeper(new QuotaKeeper(options.on_notice));
  const auto has_rates = [](const EndpointOptions& endpoint) {
    return !endpoint.rates.empty() || endpoint.unknown_rate;
  };
  if (std::none_of(options.endpoints.begin(), options.endpoints.end(), has_rates)) {
    return keeper;
  }
  if (!options.state_folder.empty()) {
    if (auto made = make_folder(options.state_folder); !made) {
      return Failure(std::move(made.error()));
    }
  }
  for (const EndpointOptions& endpoint : options.endpoints) {
    queue::QuotaMemory*& memory = keeper->memories_.emplace_back(nullptr);
    if (has_rates(endpoint)) {
      auto found = keeper->memory_of(endpoint, options.state_folder);
      if (!found) {
        return Failure(std::move(found.error()));
      }
      memory = *found;
    }
  }
  if (keeper->files_.empty()) {
    return keeper;
  }
  keeper->thread_ = std::thread([made = keeper.get()] { made->run(); });
  return keeper;
}

QuotaKeeper::~QuotaKeeper() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
}

Result<queue::QuotaMemory*, std::string> QuotaKeeper::memory_of(const EndpointOptions& endpoint,
                                                                const std::string& folder) {
  const std::string name = queue::quota_file_name(endpoint.host, endpoint.username);
  if (folder.empty()) {
    return &private_memories_[name];
  }
  File& known = files_[name];
  if (known.file == nullptr) {
    auto opened = queue::QuotaFile::open(folder + "/" + name, queue::read_quota_clocks());
    if (!opened) {
      return Failure(std::move(opened.error()));
    }
    forget_what_is_old(*opened->file);
    known.endpoint = endpoint.name;
    known.file = std::move(opened->file);
    if (on_notice_ && !opened->notice.empty()) {
      on_notice_({endpoint.name, opened->notice, true});
    }
  }
  return known.file.get();
}

void QuotaKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, sync_every, [this] { return ending_; })) {
    lock.unlock();
    sync();
    lock.lock();
  }
  lock.unlock();
  sync();
}

void QuotaKeeper::sync() {
  const queue::QuotaClocks clocks = queue::read_quota_clocks();
  for (auto& [name, file] : files_) {
    const auto synced = file.file->sync(clocks);
    if (!synced && on_notice_ && synced.error() != file.said) {
      file.said = synced.error();
      on_notice_({file.endpoint, file.said, true});
    }
  }
}

}  // namespace ringpost::engine
