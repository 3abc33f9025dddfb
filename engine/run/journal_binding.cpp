// Problem: a run that was killed has left a journal and outcome files, which may not say the same.
//
// Idea: the journal has the last word. It goes on only with the job files that it was begun with,
// and before anything else happens the outcome files of earlier runs get the lines that they lack.
//
// Limits: where something else stands behind the lines, or the file is gone, nothing is repaired,
// and the remark says so.
#include "engine/run/journal_binding.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "engine/run/descriptor.h"
#include "queue/job_file_sample.h"
#include "queue/journal_outcomes.h"

namespace ringpost::run {

namespace {

RunTrouble trouble_of(const queue::JournalError& error) {
  return {error.message, false, error.may_be_tried_again};
}

RunTrouble usage(std::string message) { return {std::move(message), true, false}; }

Result<std::vector<codec::JournalFile>, RunTrouble> samples_of(
    const std::vector<std::string>& files, codec::LineHashKind hash) {
  std::vector<codec::JournalFile> samples;
  for (const std::string& path : files.empty() ? std::vector<std::string>{"-"} : files) {
    auto sample = queue::sample_job_file(path, hash);
    if (!sample) {
      return Failure(usage(sample.error().message));
    }
    samples.push_back(std::move(*sample));
  }
  return samples;
}

bool write_all(const FileCalls& calls, int descriptor, Bytes octets, std::uint64_t offset) {
  while (!octets.empty()) {
    const ssize_t count =
        calls.pwrite(descriptor, octets.data(), octets.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return false;
    }
    octets.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return true;
}

// As many octets as `room` has.
bool read_all(int descriptor, std::string& room, std::uint64_t offset) {
  std::size_t filled = 0;
  while (filled < room.size()) {
    const ssize_t count = ::pread(descriptor, room.data() + filled, room.size() - filled,
                                  static_cast<off_t>(offset + filled));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      errno = count == 0 ? EIO : errno;
      return false;
    }
    filled += static_cast<std::size_t>(count);
  }
  return true;
}

// Whether this may be what is left of the line: the front of it, and after a power cut NUL where
// its octets had not come to the disk.
bool is_left_of(Bytes there, Bytes line, bool after_power_cut) {
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (there[i] != line[i] && !(after_power_cut && there[i] == '\0')) {
      return false;
    }
  }
  return true;
}

// The end of an outcome file, line by line as the journal has it.
struct OutcomeTail {
  const std::string& path;
  int descriptor;
  const FileCalls& calls;
  std::uint64_t at;     // where the line at hand belongs
  std::uint64_t bytes;  // of the file
  bool after_power_cut;
  bool is_foreign = false;  // something else stands there
  int error_number = 0;
  std::string there = {};  // scratch

  // Whether there may be another line to complete.
  bool complete(Bytes line) {
    const auto count = at < bytes ? std::min<std::uint64_t>(bytes - at, line.size()) : 0;
    there.resize(count);
    const bool is_read = read_all(descriptor, there, at);
    if (is_read && !is_left_of(there, line, after_power_cut)) {
      is_foreign = true;
      return false;
    }
    const bool is_whole = is_read && there == line;
    if (!is_read || (!is_whole && !write_all(calls, descriptor, line, at))) {
      error_number = errno;
      return false;
    }
    at += line.size();
    return true;
  }
};

}  // namespace

Result<std::unique_ptr<JournalBinding>, RunTrouble> JournalBinding::open(
    const JournalSettings& settings, const std::vector<std::string>& files,
    codec::NewlinePolicy newlines, std::int64_t now_us) {
  auto samples = samples_of(files, codec::LineHashKind::xxh3_128);
  if (!samples) {
    return Failure(std::move(samples.error()));
  }
  std::unique_ptr<JournalBinding> run(new JournalBinding);
  run->program_version_ = settings.program_version;
  run->file_calls_ = settings.file_calls;
  run->durability_ = settings.durability;
  if (!settings.resume) {
    for (codec::JournalFile& file : *samples) {
      if (settings.files_grow) {
        file.size_bytes = queue::job_file_size_unknown;
        file.sample = queue::job_file_grows;
      }
    }
    run->header_ = {now_us, now_us, newlines, std::move(*samples)};
    auto created =
        queue::Journal::create(settings.path, run->header_, settings.durability, settings.calls);
    if (!created) {
      // Without a system call that failed, it is the file that is the wrong one.
      RunTrouble trouble = trouble_of(created.error());
      trouble.usage = created.error().error_number == 0;
      return Failure(std::move(trouble));
    }
    run->journal_ = std::move(*created);
    return run;
  }
  auto resumed =
      queue::Journal::resume(settings.path, settings.durability, settings.repair, settings.calls);
  if (!resumed) {
    return Failure(trouble_of(resumed.error()));
  }
  run->resumed_ = true;
  run->journal_ = std::move(resumed->journal);
  run->history_ = std::move(resumed->history);
  run->header_ = run->history_.header();
  if (resumed->cut_bytes > 0) {
    run->remark_ = fmt::format("{}: the last {} octets were never finished, and are cut",
                               settings.path, resumed->cut_bytes);
  }
  const codec::LineHashKind hash = run->header_.line_hash();
  if (hash != codec::LineHashKind::xxh3_128) {
    samples = samples_of(files, hash);
  }
  if (!samples) {
    return Failure(std::move(samples.error()));
  }
  if (const auto difference = queue::job_files_difference(run->header_.files, *samples)) {
    return Failure(
        usage(fmt::format("{}: {}; a journal goes on only with the job files it was begun with",
                          settings.path, *difference)));
  }
  if (run->header_.newlines != newlines) {
    return Failure(usage(settings.path + ": it was begun with another --newlines"));
  }
  return run;
}

Result<void, RunTrouble> JournalBinding::complete_outcomes() {
  for (std::size_t index = 0; resumed_ && index < history_.runs().size(); ++index) {
    if (auto completed = complete_outcomes_of(index); !completed) {
      return completed;
    }
  }
  return {};
}

// Of a run behind which another one has written to the same file, the lines are no end of it any
// more; and those of earlier runs that came to their end were completed then.
bool JournalBinding::may_lack_lines(std::size_t index) const {
  const std::vector<queue::RunHistory>& runs = history_.runs();
  const queue::RunHistory& run = runs[index];
  const auto writes_there = [&run](const queue::RunHistory& later) {
    return later.run.outcomes_path == run.run.outcomes_path;
  };
  const auto behind = runs.begin() + static_cast<std::ptrdiff_t>(index) + 1;
  return std::none_of(behind, runs.end(), writes_there) && run.outcome_count > 0 &&
         !run.run.outcomes_path.empty() && (behind == runs.end() || !run.end);
}

Result<void, RunTrouble> JournalBinding::complete_outcomes_of(std::size_t index) {
  const queue::RunHistory& run = history_.runs()[index];
  const std::string& path = run.run.outcomes_path;
  if (!may_lack_lines(index)) {
    return {};
  }
  const Descriptor file(path == "-" ? -1 : ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  const bool is_opened = file.get() >= 0 && ::fstat(file.get(), &status) == 0;
  if (!is_opened || !S_ISREG(status.st_mode)) {
    const bool is_gone = !is_opened && path != "-";
    remark_lost_lines(run, is_gone ? path + ": " + std::strerror(errno) : path);
    return {};
  }
  OutcomeTail tail{path,
                   file.get(),
                   file_calls_,
                   run.run.outcomes_bytes,
                   static_cast<std::uint64_t>(status.st_size),
                   run.run.survives_power_cut};
  const bool is_complete = tail.bytes >= tail.at + run.outcome_bytes;
  const bool is_last = index + 1 == history_.runs().size();
  if (is_complete && !(is_last && tail.after_power_cut)) {
    return {};
  }
  std::uint64_t left = run.outcome_count;  // those of later runs are elsewhere
  const auto complete = [&](const codec::JournalOutcome& outcome) {
    return left-- > 0 && tail.complete(outcome.line);
  };
  if (tail.bytes >= tail.at) {
    if (const auto read = queue::for_each_outcome(journal_->path(), index, complete); !read) {
      return Failure(trouble_of(read.error()));
    }
  }
  if (tail.error_number != 0) {
    return Failure(RunTrouble{path + ": " + std::strerror(tail.error_number), false, false});
  }
  if (tail.bytes < tail.at || tail.is_foreign) {
    remark_lost_lines(run, path + ": it is not as that run has left it");
  }
  return {};
}

// Of a run that came to its end nothing is missing, wherever its lines are now.
void JournalBinding::remark_lost_lines(const queue::RunHistory& run, const std::string& why) {
  if (run.end) {
    return;
  }
  remark_ += remark_.empty() ? "" : "\n";
  remark_ += fmt::format(
      "{}: where run {} wrote its outcome lines, and was killed, the last ones may be missing "
      "({}); `ringpost journal export --all` has them all",
      journal_->path(), run.run.number, why == "-" ? "standard output" : why);
}

Result<void, RunTrouble> JournalBinding::begin_run(const std::string& outcomes_path,
                                                   std::uint64_t outcomes_bytes,
                                                   std::int64_t now_us) {
  codec::JournalRun run;
  run.number = static_cast<std::uint32_t>(history_.runs().size() + 1);
  run.started_us = now_us;
  run.program_version = program_version_;
  run.outcomes_path = outcomes_path;
  run.outcomes_bytes = outcomes_bytes;
  if (auto appended = journal_->append_run(run); !appended) {
    return Failure(trouble_of(appended.error()));
  }
  return {};
}

void JournalBinding::end_run(std::int64_t now_us, int exit_code) {
  // Best effort: a journal without its end is a run that was killed, which a resume copes with.
  [[maybe_unused]] const auto appended =
      journal_->append_end({now_us, static_cast<std::uint8_t>(exit_code)});
}

}  // namespace ringpost::run
