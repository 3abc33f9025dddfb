// Problem: jobs are lines or rows, all of them or some, to everybody or not, and a mistake in any
// of what says so has to be seen before the first file is written. Idea: what can be opened and
// checked is, in open(); what depends on the journal's beginning follows in begin(). Limits: with a
// journal or a selection one reader keeps the order, so that a resume finds what the run before it
// has found.
#include "tools/send/send_source.h"

#include <algorithm>
#include <atomic>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "tools/process/log.h"
#include "tools/process/wording.h"
#include <ringpost/limits.h>

namespace ringpost::cli {

namespace {

bool has_template(const SendSettings& settings) {
  return !settings.recipients.template_path.empty();
}

}  // namespace

const std::vector<std::string>& input_files(const SendSettings& settings) {
  return settings.recipients.are_rows() ? settings.recipients.files : settings.files;
}

std::vector<std::string> journal_files(const SendSettings& settings) {
  std::vector<std::string> files = input_files(settings);
  if (has_template(settings)) {
    files.push_back(settings.recipients.template_path);
  }
  return files;
}

bool reads_standard_input(const SendSettings& settings) {
  const std::vector<std::string>& files = input_files(settings);
  return files.empty() || std::find(files.begin(), files.end(), "-") != files.end();
}

bool reads_terminal(const SendSettings& settings) {
  return reads_standard_input(settings) && ::isatty(STDIN_FILENO) == 1;
}

void say_who_is_read(const SendSettings& settings) {
  if (reads_terminal(settings)) {
    print_error(
        fmt::format("reading {} from the terminal, {} a line; Ctrl-D on an empty line ends "
                    "them",
                    settings.recipients.are_rows() ? "recipients" : "jobs",
                    settings.recipients.are_rows() ? "one" : "one JSON object"));
  }
}

Result<std::unique_ptr<SendSource>, std::string> SendSource::open(const SendSettings& settings,
                                                                  int stop_descriptor,
                                                                  std::int64_t now_us) {
  std::unique_ptr<SendSource> source(new SendSource(settings));
  Result<void, std::string> opened = source->open_template(now_us).and_then(
      [&] { return source->open_jobs(stop_descriptor, now_us); });
  opened = opened ? source->open_lists() : std::move(opened);
  opened = opened ? source->open_selection() : std::move(opened);
  if (!opened) {
    return Failure(std::move(opened.error()));
  }
  return source;
}

// A dry run is one thread.
std::size_t SendSource::readers() const {
  const bool keeps_order =
      settings_.selection.selects() || (settings_.dedupe && !settings_.journal.path.empty());
  return settings_.dry_run || keeps_order ? 1 : settings_.readers;
}

run::LineBlocksOptions SendSource::input_options(std::size_t readers) const {
  run::LineBlocksOptions options{.readers = readers};
  if (settings_.recipients.are_rows()) {
    options.rows = run::RowOptions{settings_.recipients.delimiter};
  }
  return options;
}

// Null without a template.
Result<codec::MessageTemplatePtr, std::string> SendSource::compile(std::int64_t date_us) const {
  if (!template_) {
    return codec::MessageTemplatePtr();
  }
  const RecipientSettings& recipients = settings_.recipients;
  auto compiled = codec::MessageTemplate::compile(
      template_->definition,
      {.date_us = date_us, .missing = recipients.missing, .verp = recipients.verp},
      template_->identity);
  if (!compiled) {
    return Failure(fmt::format("{}: {}", recipients.template_path, compiled.error().message()));
  }
  return codec::MessageTemplatePtr(std::move(*compiled));
}

// What it asks for may be wrong in ways that only compiling finds.
Result<void, std::string> SendSource::open_template(std::int64_t now_us) {
  const RecipientSettings& recipients = settings_.recipients;
  if (!has_template(settings_)) {
    return add_shared_values(recipients.shared, line_values_);
  }
  auto file = read_template_file(recipients.template_path, recipients.shared);
  if (!file) {
    return Failure(std::move(file.error()));
  }
  files_read_ = file->files_read;
  template_.emplace(std::move(*file));
  auto compiled = compile(now_us);
  if (!compiled) {
    return Failure(std::move(compiled.error()));
  }
  return add_shared_values(recipients.shared, line_values_);
}

Result<void, std::string> SendSource::open_jobs(int stop_descriptor, std::int64_t now_us) {
  auto input =
      run::JobInput::open(input_files(settings_), stop_descriptor, input_options(readers()));
  if (!input) {
    return Failure(std::move(input.error().message));
  }
  bytes_total_ = input->bytes_total();
  if (settings_.recipients.are_rows()) {
    return open_recipients(std::move(*input), now_us);
  }
  input_.emplace(std::move(*input));
  return {};
}

Result<void, std::string> SendSource::open_recipients(run::JobInput input, std::int64_t now_us) {
  const RecipientSettings& recipients = settings_.recipients;
  auto compiled = compile(now_us);
  if (!compiled) {
    return Failure(std::move(compiled.error()));
  }
  auto source = run::RecipientSource::open(
      std::move(input), recipients.files,
      {.message = std::move(*compiled),
       .shared = template_->definition.merge,
       .may_lack_values = recipients.missing == codec::MissingPolicy::empty,
       .hashes_lines = false,
       .instead = settings_.selection.instead,
       .moment = static_cast<std::uint64_t>(now_us)});
  if (!source) {
    return Failure(std::move(source.error()));
  }
  recipients_ = source->get();
  source_ = std::move(*source);
  return {};
}

Result<void, std::string> SendSource::open_lists() {
  const run::Repeats repeats = settings_.dedupe                  ? run::Repeats::left_out
                               : settings_.recipients.are_rows() ? run::Repeats::counted
                                                                 : run::Repeats::sent;
  if (settings_.suppression_files.empty() && repeats == run::Repeats::sent) {
    return {};
  }
  auto lists =
      run::RecipientLists::open(settings_.suppression_files, repeats, input_files(settings_));
  if (!lists) {
    return Failure(std::move(lists.error().message));
  }
  lists_ = std::move(*lists);
  warnings_ = lists_->warnings();
  return {};
}

Result<void, std::string> SendSource::begin(run::JobFileSource& files, run::JournalBinding* journal,
                                            std::int64_t date_us) {
  auto compiled = compile(date_us);
  if (!compiled) {
    return Failure(std::move(compiled.error()));
  }
  if (recipients_ != nullptr) {
    recipients_->begin(std::move(*compiled), journal != nullptr);
  } else {
    source_ = std::make_unique<run::LineSource>(
        std::move(*input_),
        run::LineSourceOptions{
            .reader = {.newlines = settings_.newlines,
                       .files = &files,
                       .recipients_max = journal != nullptr ? journal->recipients_max()
                                                            : limits::job_recipients_max,
                       .line_recipients_max = journal != nullptr ? journal->line_recipients_max()
                                                                 : limits::journal_recipients_max,
                       .line_hash = journal != nullptr ? journal->line_hash()
                                                       : codec::LineHashKind::xxh3_128,
                       .values = &line_values_,
                       .missing = settings_.recipients.missing,
                       .verp = settings_.recipients.verp,
                       .dialect = settings_.dialect},
            .date_us = date_us,
            .hashes_lines = journal != nullptr,
            .is_one_source = journal != nullptr && journal->has_one_source(),
            .default_template = std::move(*compiled)});
  }
  begin_selection(date_us);
  return {};
}

Result<void, std::string> SendSource::open_selection() {
  const SelectionSettings& selection = settings_.selection;
  if (!selection.retry_from.empty()) {
    auto retry = run::RetryPlanner::open(selection.retry_from);
    if (!retry) {
      return Failure(std::move(retry.error().message));
    }
    retry_ = std::move(*retry);
  }
  if (selection.sample) {
    auto total = count_jobs();
    if (!total) {
      return Failure(std::move(total.error()));
    }
    sample_ = run::JobSample{*selection.sample, *total, 0};
  }
  return {};
}

// A resume has the date of its first run, so that the sample is the same.
void SendSource::begin_selection(std::int64_t date_us) {
  const SelectionSettings& selection = settings_.selection;
  if (sample_) {
    sample_->seed = static_cast<std::uint64_t>(date_us);
    warnings_.push_back(fmt::format("--sample takes {} of {}, by the seed {}",
                                    grouped_digits(std::min(sample_->wanted, sample_->total)),
                                    grouped_digits(sample_->total), sample_->seed));
  }
  if (!selection.limit && !sample_ && selection.only.empty() && selection.instead.empty()) {
    return;
  }
  selection_ = std::make_unique<run::JobSelection>(
      *source_,
      run::JobSelectionOptions{
          .limit = selection.instead.empty() ? selection.limit : std::optional<std::uint64_t>(1),
          .sample = sample_,
          .only = selection.only,
          .instead = selection.instead});
}

Result<std::uint64_t, std::string> SendSource::count_jobs() const {
  const std::vector<std::string>& files = input_files(settings_);
  if (reads_standard_input(settings_)) {
    return Failure(
        std::string("--sample reads its files twice, and standard input can be read "
                    "once; write it to a file"));
  }
  const std::atomic<bool> ends{false};
  auto count = cli::count_jobs(files, input_options(1), ends);
  if (!count) {
    return Failure(std::move(count.error()));
  }
  return **count;
}

void SendSource::begin_counting() {
  constexpr std::uint64_t bytes_max = 64u << 20;
  constexpr std::uint64_t packed_share = 8;  // of it, where files are compressed
  const std::vector<std::string>& files = input_files(settings_);
  const bool is_packed = std::any_of(files.begin(), files.end(), [](const std::string& file) {
    return file.ends_with(".gz") || file.ends_with(".zst");
  });
  const bool is_countable = bytes_total_ > 0 && !reads_standard_input(settings_) &&
                            bytes_total_ <= bytes_max / (is_packed ? packed_share : 1);
  if (is_countable && !counter_.is_started()) {
    counter_.start(files, input_options(1));
  }
}

std::optional<std::uint64_t> SendSource::jobs_total() const {
  const SelectionSettings& selection = settings_.selection;
  std::optional<std::uint64_t> total =
      sample_ ? std::min(sample_->wanted, sample_->total) : counter_.count();
  if (!selection.instead.empty()) {
    total = 1;
  } else if (selection.limit) {
    total = std::min(total.value_or(*selection.limit), *selection.limit);
  }
  return selection.only.empty() ? total : std::nullopt;
}

run::Planner* SendSource::planner(run::Planner* inner) {
  if (!retry_) {
    return inner;
  }
  retry_->set_inner(inner);
  return retry_.get();
}

std::optional<std::string> SendSource::last_remark() const {
  if (!lists_ || settings_.dedupe || lists_->repeated() == 0) {
    return std::nullopt;
  }
  const std::uint64_t count = lists_->repeated();
  return fmt::format("{} recipient{} an address that occurs before{}; --dedupe sends to each once",
                     grouped_digits(count), count == 1 ? " has" : "s have",
                     lists_->has_counted_all()
                         ? std::string()
                         : fmt::format(" among the first {} addresses",
                                       grouped_digits(limits::counted_addresses_max)));
}

}  // namespace ringpost::cli
