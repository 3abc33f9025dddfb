// The problem: a file is to be sent once, across kills, and `send` knows how. The idea: its own
// parts (source, journal, planner, sink) around the messages of one file; only the engine between
// them is another one, which many files share, so ordinals carry the number of their file on the
// way. Limits: jobs that name files of this machine are refused, since whoever may put files into
// the folder shall not read others by it.
#include "tools/serve/watch/watched_file.h"

#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include "tools/process/exit_code.h"

namespace ringpost::serve {

namespace {

bool is_there(const std::string& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0;
}

Result<void, std::string> check_regular(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return Failure(path + ": it is no regular file");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<WatchedFile>, std::string> WatchedFile::open(
    std::uint32_t number, std::string name, const WatchedFolder::Paths& paths, std::int64_t now_us,
    const WatchedFileOptions& options) {
  std::unique_ptr<WatchedFile> file(new WatchedFile(number, std::move(name)));
  if (auto checked = check_regular(paths.job); !checked) {
    return Failure(std::move(checked.error()));
  }
  auto input = run::JobInput::open({paths.job}, -1);
  if (!input) {
    return Failure(std::move(input.error().message));
  }
  run::JournalSettings settings;
  settings.path = paths.journal;
  settings.resume = is_there(paths.journal);
  settings.program_version = options.program_version;
  auto opened = run::JournalBinding::open(settings, {paths.job}, NewlinePolicy::normalize, now_us);
  if (!opened) {
    return Failure(std::move(opened.error().message));
  }
  file->journal_ = std::move(*opened);
  if (auto completed = file->journal_->complete_outcomes(); !completed) {
    return Failure(std::move(completed.error().message));
  }
  file->has_known_jobs_ = settings.resume;
  file->planner_.emplace(file->journal_->history(), run::JournalPlannerOptions{});
  file->sink_ =
      std::make_unique<run::FileSink>(run::FileSinkOptions{.outcomes_path = paths.part,
                                                           .errors_path = {},
                                                           .endpoint_names = options.endpoint_names,
                                                           .has_one_file = true,
                                                           .pause = {}},
                                      *options.listener);
  if (auto begun = file->sink_->open(file->journal_.get(), now_us); !begun) {
    return Failure(std::move(begun.error()));
  }
  file->begin_source(std::move(*input));
  return file;
}

void WatchedFile::begin_source(run::JobInput input) {
  run::LineSourceOptions options;
  options.reader.recipients_max = journal_->recipients_max();
  options.reader.line_recipients_max = journal_->line_recipients_max();
  options.reader.line_hash = journal_->line_hash();
  options.date_us = journal_->date_us();
  options.hashes_lines = true;
  options.is_one_source = journal_->has_one_source();
  source_.emplace(std::move(input), options);
}

// ---- Messages -----------------------------------------------------------------------------------

void WatchedFile::next(Next& next) {
  if (put_back_) {
    next = std::move(*put_back_);
    put_back_.reset();
    return;
  }
  next.message.clear();
  next.fates.clear();
  next.words.clear();
  next.step = pull(next);
  has_ended_ = next.step == Step::end;
}

WatchedFile::Step WatchedFile::pull(Next& next) {
  using Pull = run::JobSource::Pull;
  const Pull pulled = source_->pull(next.message, 0);
  switch (pulled) {
    case Pull::nothing:
      return Step::nothing;
    case Pull::trouble:
      trouble_ = source_->words(0);
      return Step::nothing;
    case Pull::end:
      return Step::end;
    case Pull::message:
    case Pull::refused:
      break;
  }
  has_jobs_ = true;
  const auto plan = planner_->plan(next.message, next.fates);
  if (!plan) {
    trouble_ = plan.error().message;
    return Step::end;
  }
  Origin& origin = next.message.origin;
  origin.ordinal = codec::job_ordinal(number_, codec::index_of(origin.ordinal));
  if (*plan == run::Planner::Plan::skip) {
    return Step::nothing;
  }
  if (pulled == Pull::refused) {
    next.words = source_->words(0);
    return Step::refused;
  }
  return Step::message;
}

// ---- While messages are under way ---------------------------------------------------------------

Result<void, queue::JournalError> WatchedFile::append_intents(
    std::vector<codec::JournalIntent> intents) {
  for (codec::JournalIntent& intent : intents) {
    intent.ordinal = codec::job_ordinal(0, codec::index_of(intent.ordinal));
  }
  return journal_->journal().append_intents(intents);
}

void WatchedFile::take(const OutcomeView& decided) {
  ++told_[static_cast<std::size_t>(decided.outcome->status)];
  sink_->take({&decided, 1}, 0);
}

Result<void, run::RunTrouble> WatchedFile::write() { return sink_->write(true, 0); }

bool WatchedFile::is_all_invalid() const {
  std::uint64_t told = 0;
  for (const auto& count : told_) {
    told += count.load();
  }
  return !has_known_jobs_ && told == told_[static_cast<std::size_t>(Status::invalid)].load();
}

std::vector<std::string> WatchedFile::close(std::int64_t now_us, bool is_whole) {
  std::vector<std::string> lost = sink_->finish();
  journal_->end_run(now_us, is_whole ? cli::exit_all_accepted : cli::exit_terminated);
  return lost;
}

}  // namespace ringpost::serve
