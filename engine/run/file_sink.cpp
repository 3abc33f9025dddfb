// Problem: outcome lines are the only record of what was accepted, and each thing that holds them
// may run full, break, or stall behind a pipe.
//
// Idea: lines are made once and go through the journal, which alone is complete after a crash; each
// file keeps what it could not write.
//
// Limits: who waits for room, and how long, is not decided here. What waits here is a write to a
// pipe that somebody reads slowly, until give_up().
#include "engine/run/file_sink.h"

#include <chrono>
#include <sys/eventfd.h>
#include <tuple>
#include <unistd.h>
#include <utility>

namespace ringpost::run {

namespace {

// How often a FIFO that nobody reads is opened again.
constexpr auto reader_look_every = std::chrono::milliseconds(100);

}  // namespace

FileSink::FileSink(FileSinkOptions options, RunListener& listener)
    : options_(std::move(options)),
      listener_(listener),
      writer_(options_.endpoint_names),
      give_up_descriptor_(::eventfd(0, EFD_CLOEXEC)) {
  RP_ASSERT(give_up_descriptor_ >= 0);
}

FileSink::~FileSink() { ::close(give_up_descriptor_); }

// ---- Before the first outcome -------------------------------------------------------------------

Result<void, std::string> FileSink::open(JournalBinding* journal, std::int64_t now_us) {
  for (auto [flag, path, target] : {std::tuple{"--outcomes ", &options_.outcomes_path, &outcomes_},
                                    std::tuple{"--errors ", &options_.errors_path, &errors_}}) {
    if (auto opened = open_file(*path, *target); !opened) {
      return Failure(flag + opened.error());
    }
  }
  journal_ = journal;
  if (journal_ == nullptr) {
    return {};
  }
  journal_lines_.emplace(journal_->journal());
  return begin_run(now_us);
}

// The journal says where its lines begin, and a resume believes that.
Result<void, std::string> FileSink::begin_run(std::int64_t now_us) {
  const std::size_t newline_bytes = outcomes_ ? outcomes_->file.unwritten_bytes() : 0;
  if (outcomes_) {
    if (const auto written = outcomes_->file.write(); !written) {
      return Failure(written.error().message);
    }
  }
  if (outcomes_ && journal_->survives_power_cut()) {
    if (const auto synced = outcomes_->file.sync(); !synced) {
      return Failure(synced.error().message);
    }
  }
  const std::uint64_t bytes = outcomes_ ? outcomes_->file.bytes_before() + newline_bytes : 0;
  if (const auto begun = journal_->begin_run(options_.outcomes_path, bytes, now_us); !begun) {
    return Failure(begun.error().message);
  }
  return {};
}

Result<void, std::string> FileSink::open_file(const std::string& path,
                                              std::optional<Target>& target) {
  if (path.empty()) {
    return {};
  }
  auto opened = open_when_read(path);
  if (!opened) {
    return Failure(opened.error().message);
  }
  if (opened->bytes_before() > 0) {
    listener_.on_notice(NoticeLevel::info,
                        "outcome lines are added to a file that has some already", {"file", path});
  }
  target.emplace(Target{std::move(*opened)});
  return {};
}

Result<OutcomeFile, RunTrouble> FileSink::open_when_read(const std::string& path) {
  for (bool is_said = false;;) {
    auto opened = OutcomeFile::open(path, give_up_descriptor_, options_.calls);
    if (opened || !opened.error().may_be_tried_again || !options_.pause || given_up_.load()) {
      return opened;
    }
    if (!std::exchange(is_said, true)) {
      listener_.on_notice(
          NoticeLevel::warn,
          "nothing is sent until somebody reads the pipe of the outcomes; a signal ends this",
          {"file", path});
    }
    if (!options_.pause(reader_look_every)) {
      return opened;
    }
  }
}

// ---- Outcomes -----------------------------------------------------------------------------------

void FileSink::take(std::span<const OutcomeView> decided) {
  for (const OutcomeView& view : decided) {
    if (journal_lines_) {
      line_.clear();
      writer_.append(line_, *view.message, view.recipient_index, *view.outcome);
      journal_lines_->add(view, line_);
    } else if (outcomes_) {
      writer_.append(outcomes_->file.lines(), *view.message, view.recipient_index, *view.outcome);
    }
    if (errors_ && view.outcome->status != Status::accepted) {
      writer_.append(errors_->file.lines(), *view.message, view.recipient_index, *view.outcome);
    }
  }
}

Result<void, RunTrouble> FileSink::write(bool everything) {
  if (journal_lines_ && !is_journal_broken_) {
    if (auto written = write_journal(); !written) {
      is_journal_broken_ = !written.error().may_be_tried_again;
      return written;
    }
  }
  for (std::optional<Target>* const target : targets()) {
    if (!*target || (*target)->is_broken) {
      continue;
    }
    OutcomeFile& file = (*target)->file;
    if (auto written = everything ? file.write() : file.write_if_full(); !written) {
      (*target)->is_broken = !written.error().may_be_tried_again;
      return written;
    }
  }
  return {};
}

Result<void, RunTrouble> FileSink::write_journal() {
  if (auto written = journal_lines_->write(); !written) {
    return written;
  }
  if (outcomes_) {
    journal_lines_->take_written(outcomes_->file.lines());
  }
  return {};
}

bool FileSink::has_unwritten() const {
  const auto lacks = [](const std::optional<Target>& target) {
    return target && !target->is_broken && target->file.unwritten_bytes() > 0;
  };
  const bool in_journal =
      journal_lines_ && !is_journal_broken_ && journal_lines_->unwritten_count() > 0;
  return in_journal || lacks(outcomes_) || lacks(errors_);
}

void FileSink::give_up() {
  given_up_.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(give_up_descriptor_, &one, sizeof(one));
}

// ---- The end ------------------------------------------------------------------------------------

std::vector<std::string> FileSink::finish() {
  if (journal_lines_) {
    if (const auto written = write_journal(); !written) {
      return {written.error().message};  // nor are its lines
    }
  }
  std::vector<std::string> lost;
  for (std::optional<Target>* const target : targets()) {
    if (!*target) {
      continue;
    }
    if (const auto written = (*target)->file.write(); !written) {
      const std::string hint =
          journal_ == nullptr
              ? ""
              : "; `ringpost journal export " + journal_->journal().path() + "` prints all of them";
      lost.push_back(written.error().message + hint);
    }
  }
  if (outcomes_ && journal_ != nullptr && journal_->survives_power_cut()) {
    if (const auto synced = outcomes_->file.sync(); !synced) {
      lost.push_back(synced.error().message);
    }
  }
  return lost;
}

std::vector<LostLines> FileSink::lost_lines() const {
  std::vector<LostLines> lost;
  // What the journal has not taken was kept from the outcome file, too.
  const std::uint64_t kept_back = journal_lines_ ? journal_lines_->unwritten_count() : 0;
  if (const std::uint64_t count = outcomes_ ? outcomes_->file.unwritten_lines() + kept_back : 0;
      count > 0) {
    lost.push_back({outcomes_->file.path(), count});
  }
  if (const std::uint64_t count = errors_ ? errors_->file.unwritten_lines() : 0; count > 0) {
    lost.push_back({errors_->file.path(), count});
  }
  return lost;
}

}  // namespace ringpost::run
