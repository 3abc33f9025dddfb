// The problem: mail that was stored is to be sent once, across kills and power cuts, also when a
// provider is away for hours, and a journal for that is there: that of `send`. The idea: a segment
// is a job file that is still written to, and a pass through it is a run of `send --journal`, the
// first one or a resume; so is another try for whom the engine could not send to. Limits: a pass
// ends when all of it is decided, so who was put off waits for the slowest message of the segment.
#include "tools/serve/spool/spool_segment.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "engine/run/parse_line.h"
#include "queue/directory_sync.h"
#include "tools/process/exit_code.h"

namespace ringpost::serve {

namespace {

bool is_there(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

std::uint64_t bytes_of_file(const std::string& path) {
  struct stat status {};
  const bool is_file = !path.empty() && ::stat(path.c_str(), &status) == 0 &&
                       S_ISREG(status.st_mode) && status.st_size > 0;
  return is_file ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

SegmentPaths segment_paths(const std::string& folder, std::uint32_t number) {
  const std::string stem = fmt::format("{}/{:010}", folder, number);
  return {stem + ".jsonl", stem + ".journal"};
}

// ---- A pass -------------------------------------------------------------------------------------

Result<void, std::string> SpoolSegment::begin_pass(const SegmentPassOptions& options,
                                                   std::string& remark) {
  if (file_ == nullptr) {
    auto file = SpoolFile::open(paths_.jobs, options.calls);
    if (!file) {
      return Failure(std::move(file.error().message));
    }
    file_ = std::move(*file);
  }
  run::JournalSettings settings;
  settings.path = paths_.journal;
  settings.resume = is_there(paths_.journal);
  settings.files_grow = true;
  settings.durability = queue::Durability::power;
  settings.calls = options.calls;
  settings.program_version = options.program_version;
  auto opened =
      run::JournalBinding::open(settings, {paths_.jobs}, NewlinePolicy::normalize, options.now_us);
  if (!opened) {
    return Failure(std::move(opened.error().message));
  }
  binding_ = std::move(*opened);
  remark = binding_->remark();
  if (auto begun = begin_run(options); !begun) {
    binding_.reset();
    return begun;
  }
  planner_.emplace(binding_->history(), run::JournalPlannerOptions{});
  lines_.emplace(*file_);
  reader_.emplace(codec::JobReaderOptions{});
  put_off.store(0);
  return {};
}

Result<void, std::string> SpoolSegment::begin_run(const SegmentPassOptions& options) {
  auto begun = binding_->begin_run(options.outcomes_path, bytes_of_file(options.outcomes_path),
                                   options.now_us);
  if (!begun) {
    return Failure(std::move(begun.error().message));
  }
  return {};
}

SpoolSegment::Step SpoolSegment::next(Message& message, std::vector<PriorFate>& fates,
                                      std::string& words) {
  if (put_back_) {
    PutBack again = std::move(*put_back_);
    put_back_.reset();
    message = std::move(again.message);
    fates = std::move(again.fates);
    words = std::move(again.words);
    return again.step;
  }
  Bytes line;
  const auto next = lines_->next(line);
  if (!next || !*next) {
    words = next ? paths_.jobs + ": a line is missing" : next.error().message;
    return Step::failed;
  }
  const run::JobInput::Line place{line, paths_.jobs, 0, lines_->index() + 1, lines_->index(),
                                  false};
  const auto parsed = run::parse_line(*reader_, place, binding_->date_us(), message);
  const auto index = static_cast<std::uint32_t>(lines_->index());
  message.origin.ordinal = codec::job_ordinal(0, index);
  message.origin.line_hash = codec::hash_line(line, binding_->line_hash()).high;
  const auto plan = planner_->plan(message, fates);
  if (!plan) {
    words = plan.error().message;
    return Step::failed;
  }
  message.origin.ordinal = codec::job_ordinal(number_, index);
  if (*plan == run::Planner::Plan::skip) {
    return Step::nothing;
  }
  if (!parsed) {
    words = parsed.error();
    return Step::refused;
  }
  return Step::message;
}

void SpoolSegment::put_back(Message& message, std::vector<PriorFate>& fates, Step step,
                            std::string words) {
  put_back_.emplace(PutBack{std::move(message), std::move(fates), step, std::move(words)});
}

void SpoolSegment::end_pass(std::int64_t now_us, bool is_told) {
  RP_ASSERT(under_way.load() == 0);
  if (is_told) {
    binding_->end_run(now_us, cli::exit_all_accepted);
  }
  put_back_.reset();
  reader_.reset();
  lines_.reset();
  planner_.reset();
  binding_.reset();
}

void SpoolSegment::rest() {
  RP_ASSERT(!is_in_pass());
  bytes_at_rest_ = bytes();
  file_.reset();
}

// ---- While messages are under way ---------------------------------------------------------------

Result<void, queue::JournalError> SpoolSegment::append_intents(
    std::span<const codec::JournalIntent> intents) {
  std::vector<codec::JournalIntent> own(intents.begin(), intents.end());
  for (codec::JournalIntent& intent : own) {
    intent.ordinal = codec::job_ordinal(0, codec::index_of(intent.ordinal));
  }
  return binding_->journal().append_intents(own);
}

void SpoolSegment::note(const OutcomeView& decided, Bytes line) {
  const Origin& origin = decided.message->origin;
  Noted noted;
  noted.outcome.ordinal = codec::job_ordinal(0, codec::index_of(origin.ordinal));
  noted.outcome.line_hash = origin.line_hash;
  noted.outcome.recipient_index = decided.recipient_index;
  noted.outcome.recipient_count =
      static_cast<std::uint32_t>(std::max<std::size_t>(1, decided.message->recipients.size()));
  noted.outcome.status = decided.outcome->status;
  noted.line_begin = noted_lines_.size();
  noted.line_bytes = line.size();
  noted_lines_ += line;
  noted_.push_back(noted);
}

Result<void, queue::JournalError> SpoolSegment::write_outcomes() {
  if (noted_.empty()) {
    return {};
  }
  batch_.clear();
  for (Noted& noted : noted_) {
    noted.outcome.line = Bytes(noted_lines_).substr(noted.line_begin, noted.line_bytes);
    batch_.push_back(noted.outcome);
  }
  auto appended = binding_->journal().append_outcomes(batch_);
  if (appended) {
    forget_outcomes();
  }
  return appended;
}

void SpoolSegment::forget_outcomes() {
  noted_.clear();
  noted_lines_.clear();
}

Result<void, std::string> SpoolSegment::remove() {
  if (::unlink(paths_.jobs.c_str()) != 0 && errno != ENOENT) {
    return Failure(fmt::format("{}: remove: {}", paths_.jobs, std::strerror(errno)));
  }
  if (auto synced = queue::sync_directory_of(paths_.jobs); !synced) {
    return Failure(std::move(synced.error().message));
  }
  if (::unlink(paths_.journal.c_str()) != 0 && errno != ENOENT) {
    return Failure(fmt::format("{}: remove: {}", paths_.journal, std::strerror(errno)));
  }
  return {};
}

}  // namespace ringpost::serve
