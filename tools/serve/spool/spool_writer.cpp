// The problem: a disk takes a millisecond to be sure of something, and a hundred clients wait for
// it at a time. The idea: a thread takes all that waits, writes it at once, and answers everybody
// behind one fdatasync; meanwhile the next batch gathers. Limits: a batch that cannot be written is
// refused as a whole, though its first lines might have had room.
#include "tools/serve/spool/spool_writer.h"

#include <pthread.h>
#include <utility>

namespace ringpost::serve {

namespace {

constexpr std::size_t lines_bytes_kept_max = 4u << 20;

}  // namespace

SpoolWriter::SpoolWriter(SpoolWriterOptions options)
    : options_(std::move(options)), thread_([this] { run(); }) {}

SpoolWriter::Put SpoolWriter::put(std::string line, StoreDone done) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) {
    return Put::closed;
  }
  if (!waiting_.empty() && waiting_bytes_ + line.size() > options_.waiting_bytes_max) {
    return Put::full;
  }
  waiting_bytes_ += line.size();
  waiting_.push_back({std::move(line), std::move(done)});
  changed_.notify_one();
  return Put::taken;
}

void SpoolWriter::seal(const std::shared_ptr<SpoolSegment>& segment) {
  const std::lock_guard lock(mutex_);
  to_be_sealed_ = segment;
  changed_.notify_one();
}

std::uint64_t SpoolWriter::waiting_bytes() const {
  const std::lock_guard lock(mutex_);
  return waiting_bytes_;
}

void SpoolWriter::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

void SpoolWriter::run() {
  ::pthread_setname_np(::pthread_self(), "ringpost-spool");
  std::vector<Waiting> batch;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock,
                  [this] { return is_stopping_ || !waiting_.empty() || to_be_sealed_ != nullptr; });
    batch.swap(waiting_);
    waiting_bytes_ = 0;
    const auto to_be_sealed = std::exchange(to_be_sealed_, nullptr);
    const bool is_last = is_stopping_ && batch.empty();
    lock.unlock();
    if (to_be_sealed != nullptr && to_be_sealed == active_) {
      seal_active();
    }
    if (!batch.empty()) {
      const StoreEnd end = store(batch);
      for (const Waiting& one : batch) {
        one.done(end);
      }
      batch.clear();
    }
    if (is_last) {
      seal_active();
      return;
    }
    lock.lock();
  }
}

StoreEnd SpoolWriter::store(const std::vector<Waiting>& batch) {
  if (!has_segment()) {
    return StoreEnd::no_room;
  }
  lines_.clear();
  for (const Waiting& one : batch) {
    lines_ += one.line;
  }
  const auto appended = active_->file().append(lines_);
  if (lines_.capacity() > lines_bytes_kept_max) {
    lines_ = std::string();
  }
  if (!appended) {
    note_trouble(appended.error().message);
    if (active_->file().is_broken()) {
      seal_active();
      return StoreEnd::failed;
    }
    return StoreEnd::no_room;
  }
  note_trouble({});
  options_.on_stored();
  if (active_->file().bytes() >= options_.segment_bytes) {
    seal_active();
  }
  return StoreEnd::stored;
}

bool SpoolWriter::has_segment() {
  if (active_ == nullptr) {
    auto made = options_.new_segment();
    if (!made) {
      note_trouble(made.error().message);
      return false;
    }
    active_ = std::move(*made);
  }
  return true;
}

void SpoolWriter::seal_active() {
  if (active_ != nullptr) {
    options_.on_sealed(std::exchange(active_, nullptr));
  }
}

void SpoolWriter::note_trouble(const std::string& trouble) {
  if (trouble != trouble_) {
    trouble_ = trouble;
    options_.on_trouble(trouble);
  }
}

}  // namespace ringpost::serve
