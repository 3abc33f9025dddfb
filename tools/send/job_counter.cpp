// Nobody knows how many lines a file has who has not read it. It is read a second time, beside the
// run, in the blocks in which jobs are read, so that what counts as a job is the same. Limits: that
// costs about a tenth of a second for half a gigabyte, so large files are left to an estimate.
#include "tools/send/job_counter.h"

#include <utility>

#include "engine/run/job_input.h"

namespace ringpost::cli {

Result<std::optional<std::uint64_t>, std::string> count_jobs(const std::vector<std::string>& files,
                                                             const run::LineBlocksOptions& options,
                                                             const std::atomic<bool>& ends) {
  auto input = run::JobInput::open(files, -1, options);
  if (!input) {
    return Failure(std::move(input.error().message));
  }
  std::uint64_t count = 0;
  run::JobInput::Line line;
  while (!ends.load(std::memory_order_relaxed)) {
    const auto more = input->next(line);
    if (more && !*more) {
      return std::optional(count);
    }
    count += more ? std::uint64_t{1} : 0;
  }
  return std::optional<std::uint64_t>();
}

JobCounter::~JobCounter() {
  ends_.store(true);
  if (thread_.joinable()) {
    thread_.join();
  }
}

void JobCounter::start(std::vector<std::string> files, run::LineBlocksOptions options) {
  thread_ = std::thread([this, files = std::move(files), options] {
    const auto counted = count_jobs(files, options, ends_);
    if (counted && *counted) {
      count_.store(**counted);
    }
  });
}

std::optional<std::uint64_t> JobCounter::count() const {
  const std::uint64_t count = count_.load();
  return count == unknown ? std::nullopt : std::optional(count);
}

}  // namespace ringpost::cli
