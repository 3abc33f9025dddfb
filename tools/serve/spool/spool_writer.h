// Lines onto the disk: one fdatasync for all that came while the last one was under way.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "queue/journal_error.h"
#include "tools/serve/offer.h"
#include "tools/serve/spool/spool_segment.h"
#include <ringpost/base.h>

namespace ringpost::serve {

struct SpoolWriterOptions {
  std::uint64_t segment_bytes = 0;  // a segment that has so many takes no more
  std::uint64_t waiting_bytes_max = 0;
  // Whoever makes segments knows them, before anything is stored in them.
  std::function<Result<std::shared_ptr<SpoolSegment>, queue::JournalError>()> new_segment;
  // Lines are there to be read; a segment takes no more. Both on the writer's thread.
  std::function<void()> on_stored;
  std::function<void(const std::shared_ptr<SpoolSegment>&)> on_sealed;
  // What a disk says, each time it says something else than before: empty is well.
  std::function<void(const std::string&)> on_trouble;
};

// Thread-safe.
class SpoolWriter {
 public:
  explicit SpoolWriter(SpoolWriterOptions options);
  ~SpoolWriter() { stop(); }
  SpoolWriter(const SpoolWriter&) = delete;
  SpoolWriter& operator=(const SpoolWriter&) = delete;

  enum class Put : std::uint8_t { taken, full, closed };
  // A whole line. `done` is called unless it is not taken.
  [[nodiscard]] Put put(std::string line, StoreDone done);
  // The segment that is written to takes no more, if it is this one.
  void seal(const std::shared_ptr<SpoolSegment>& segment);
  [[nodiscard]] std::uint64_t waiting_bytes() const;
  // What was put is stored, and everybody is told, when this returns. Nothing is taken any more.
  void stop();

 private:
  struct Waiting {
    std::string line;
    StoreDone done;
  };

  void run();
  [[nodiscard]] StoreEnd store(const std::vector<Waiting>& batch);
  [[nodiscard]] bool has_segment();
  void seal_active();
  void note_trouble(const std::string& trouble);

  const SpoolWriterOptions options_;
  std::shared_ptr<SpoolSegment> active_;  // the thread's
  std::string lines_;                     // scratch, the thread's
  std::string trouble_;                   // the thread's

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<Waiting> waiting_;
  std::uint64_t waiting_bytes_ = 0;
  std::shared_ptr<SpoolSegment> to_be_sealed_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace ringpost::serve
