// The problem: a disk is full for a while, and files are moved away to be rotated, while lines are
// the only record of what was accepted. The idea: lines wait in the file's own memory until they
// are written, and move with it to the one that is opened in its place. Limits: nothing waits for a
// disk: lines are handed to the kernel, and a power cut may take the last of them.
#include "tools/serve/outcome_log.h"

#include <utility>

#include "engine/run/outcome_content.h"

namespace ringpost::serve {

OutcomeLog::OutcomeLog(std::string path, std::span<const std::string> endpoint_names, cli::Log& log)
    : path_(std::move(path)), log_(log), writer_(endpoint_names) {}

Result<std::unique_ptr<OutcomeLog>, std::string> OutcomeLog::open(
    const std::string& path, std::span<const std::string> endpoint_names, cli::Log& log) {
  std::unique_ptr<OutcomeLog> made(new OutcomeLog(path, endpoint_names, log));
  if (path.empty()) {
    return made;
  }
  if (auto checked = run::check_outcome_content("outcomes", path); !checked) {
    return Failure(std::move(checked.error()));
  }
  auto file = run::OutcomeFile::open(path);
  if (!file) {
    return Failure("outcomes " + file.error().message);
  }
  made->file_.emplace(std::move(*file));
  return made;
}

void OutcomeLog::append(std::string& lines, const Message& message, std::size_t recipient_index,
                        const Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  writer_.append(lines, message, recipient_index, outcome);
}

void OutcomeLog::add(Bytes lines) {
  const std::lock_guard lock(mutex_);
  if (file_) {
    file_->lines() += lines;
  }
}

bool OutcomeLog::sync() {
  const std::lock_guard lock(mutex_);
  write_under_lock();
  return !file_ || (!is_stuck_.load() && file_->sync().has_value());
}

void OutcomeLog::write() {
  const std::lock_guard lock(mutex_);
  write_under_lock();
}

void OutcomeLog::write_under_lock() {
  if (!file_ || file_->unwritten_bytes() == 0) {
    return;
  }
  const auto written = file_->write();
  if (!written && !is_stuck_.exchange(true)) {
    log_.error("outcome lines cannot be written, and no message is taken until they can: " +
               written.error().message);
  } else if (written && is_stuck_.exchange(false)) {
    log_.warn("outcome lines are written again");
  }
}

void OutcomeLog::reopen() {
  const std::lock_guard lock(mutex_);
  if (!file_ || path_ == "-") {
    return;
  }
  write_under_lock();
  auto file = run::OutcomeFile::open(path_);
  if (!file) {
    log_.error("outcome lines go on where they went, since the file cannot be opened anew: " +
               file.error().message);
    return;
  }
  std::string left = std::move(file_->lines());
  file_->lines().clear();  // its end is not to be looked for them
  file_.emplace(std::move(*file));
  file_->lines() += left;
  write_under_lock();
}

std::uint64_t OutcomeLog::unwritten_lines() const {
  const std::lock_guard lock(mutex_);
  return file_ ? file_->unwritten_lines() : 0;
}

}  // namespace ringpost::serve
