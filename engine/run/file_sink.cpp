// Problem: outcome lines are the only record of what was accepted, and each thing that holds them
// may run full, break, or stall behind a pipe.
//
// Idea: lines are made once and go through the journal, which alone is complete after a crash; each
// file keeps what it could not write. Where several threads make lines, each makes its own and
// hands over a batch of them at a time.
//
// Limits: who waits for room, and how long, is not decided here. What waits here is a write to a
// pipe that somebody reads slowly, until give_up().
#include "engine/run/file_sink.h"

#include <algorithm>
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
      give_up_descriptor_(::eventfd(0, EFD_CLOEXEC)) {
  RP_ASSERT(give_up_descriptor_ >= 0);
  for (std::size_t i = 0; i < options_.group_count; ++i) {
    groups_.push_back(std::make_unique<Group>(options_.endpoint_names));
  }
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
  for (const auto& group : groups_) {
    group->journal_lines.emplace(journal_->journal(), options_.has_one_file);
  }
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

void FileSink::take(std::span<const OutcomeView> decided, std::size_t group) {
  Group& self = *groups_[group];
  for (const OutcomeView& view : decided) {
    const auto append_to = [&self, &view](std::string& lines) {
      self.writer.append(lines, *view.message, view.recipient_index, *view.outcome);
    };
    if (self.journal_lines) {
      self.line.clear();
      append_to(self.line);
      self.journal_lines->add(view, self.line);
    } else if (outcomes_) {
      append_to(lines_for(outcomes_->file, self.outcomes));
    }
    if (errors_ && view.outcome->status != Status::accepted) {
      append_to(lines_for(errors_->file, self.errors));
    }
  }
}

Result<void, RunTrouble> FileSink::write(bool everything, std::size_t group) {
  const std::lock_guard lock(mutex_);
  if (auto handed_over = hand_over(*groups_[group]); !handed_over) {
    return handed_over;
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

// What the group has made, through the journal and to the files.
Result<void, RunTrouble> FileSink::hand_over(Group& group) {
  if (errors_ && !group.errors.empty()) {
    errors_->file.lines() += group.errors;
    group.errors.clear();
  }
  if (group.journal_lines && !is_journal_broken_) {
    if (auto written = write_journal(group); !written) {
      is_journal_broken_ = !written.error().may_be_tried_again;
      return written;
    }
  }
  if (outcomes_ && !group.outcomes.empty()) {
    outcomes_->file.lines() += group.outcomes;
    group.outcomes.clear();
  }
  return {};
}

Result<void, RunTrouble> FileSink::write_journal(Group& group) {
  if (auto written = group.journal_lines->write(); !written) {
    return written;
  }
  if (outcomes_) {
    group.journal_lines->take_written(outcomes_->file.lines());
  }
  return {};
}

bool FileSink::has_unwritten() const {
  const auto lacks = [](const std::optional<Target>& target) {
    return target && !target->is_broken && target->file.unwritten_bytes() > 0;
  };
  return lacks(outcomes_) || lacks(errors_) ||
         std::any_of(groups_.begin(), groups_.end(), [this](const auto& group) {
           return !group->outcomes.empty() || !group->errors.empty() ||
                  (group->journal_lines && !is_journal_broken_ &&
                   group->journal_lines->unwritten_count() > 0);
         });
}

void FileSink::give_up() {
  given_up_.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(give_up_descriptor_, &one, sizeof(one));
}

// ---- The end ------------------------------------------------------------------------------------

std::vector<std::string> FileSink::finish() {
  const std::lock_guard lock(mutex_);
  is_journal_broken_ = false;  // it is tried once more
  std::vector<std::string> lost;
  for (const auto& group : groups_) {
    if (const auto handed_over = hand_over(*group); !handed_over && lost.empty()) {
      lost.push_back(handed_over.error().message);
    }
  }
  if (!lost.empty()) {
    return lost;  // nor are its lines
  }
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
  std::uint64_t kept_back = 0;
  for (const auto& group : groups_) {
    kept_back += group->journal_lines ? group->journal_lines->unwritten_count() : 0;
  }
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
