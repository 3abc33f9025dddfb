// Where the counts of an engine's rates outlive it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "queue/quota_file.h"
#include <ringpost/config.h>

namespace ringpost::engine {

// Whether what an earlier run has found out is still worth something.
[[nodiscard]] bool still_holds(const queue::LearntLimits& learnt, std::int64_t now_unix_ns);

// Keeps the state files of all endpoints that have rates, and has them on the disk every few
// seconds. Outlives whoever counts in them.
class QuotaKeeper {
 public:
  // Makes the folder where it is missing. The error is a sentence with the path. What is said while
  // it works goes to `on_notice`, on any thread.
  [[nodiscard]] static Result<std::unique_ptr<QuotaKeeper>, std::string> open(
      const EngineOptions& options);
  ~QuotaKeeper();

  // For each endpoint; null for those without rates that are known or looked for. Endpoints of one
  // account have one.
  [[nodiscard]] std::vector<queue::QuotaMemory*> memories() const { return memories_; }

 private:
  explicit QuotaKeeper(std::function<void(const EndpointNotice&)> on_notice)
      : on_notice_(std::move(on_notice)) {}
  [[nodiscard]] Result<queue::QuotaMemory*, std::string> memory_of(const EndpointOptions& endpoint,
                                                                   const std::string& folder);
  void run();
  void sync();

  struct File {
    std::string endpoint;  // the first that counts there
    std::unique_ptr<queue::QuotaFile> file;
    std::string said;  // what was wrong with it last
  };
  std::function<void(const EndpointNotice&)> on_notice_;
  std::map<std::string, File> files_;  // by name: two endpoints of one account have one
  std::map<std::string, queue::PrivateQuotaMemory> private_memories_;  // the same without a folder
  std::vector<queue::QuotaMemory*> memories_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace ringpost::engine
