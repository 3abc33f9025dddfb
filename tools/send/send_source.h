// Where the jobs of `send` come from, as its settings say it: job files, with a template for those
// without content, or a template and recipients, and which of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/run/job_file_source.h"
#include "engine/run/job_input.h"
#include "engine/run/job_selection.h"
#include "engine/run/journal_binding.h"
#include "engine/run/line_source.h"
#include "engine/run/recipient_lists.h"
#include "engine/run/recipient_source.h"
#include "engine/run/retry_planner.h"
#include "tools/send/job_counter.h"
#include "tools/send/template_file.h"
#include "tools/settings/settings.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// The files of jobs or of recipients, as they were named; none are standard input.
[[nodiscard]] const std::vector<std::string>& input_files(const SendSettings& settings);
[[nodiscard]] bool reads_standard_input(const SendSettings& settings);
// The same, and somebody types there.
[[nodiscard]] bool reads_terminal(const SendSettings& settings);
// Tells them, who would else wait for a program that waits for them.
void say_who_is_read(const SendSettings& settings);
// Those by which a journal knows its run again: the template is one of them.
[[nodiscard]] std::vector<std::string> journal_files(const SendSettings& settings);

// What SendRun reads. Errors are sentences, of mistakes that were made on the command line.
class SendSource {
 public:
  // Opens everything and looks at whatever concerns all jobs, before anything is written.
  [[nodiscard]] static Result<std::unique_ptr<SendSource>, std::string> open(
      const SendSettings& settings, int stop_descriptor, std::int64_t now_us);

  // `journal` may be null. `date_us`: of messages, when the run or the one that it resumes began.
  // Whatever roles it has read have to be known to `files` by then.
  [[nodiscard]] Result<void, std::string> begin(run::JobFileSource& files,
                                                run::JournalBinding* journal, std::int64_t date_us);

  [[nodiscard]] run::JobSource& source() { return selection_ ? *selection_ : *source_; }
  // Null: to everybody.
  [[nodiscard]] run::RecipientFilter* filter() { return lists_.get(); }
  // The planner that goes by --retry-from, or the one that it is given.
  [[nodiscard]] run::Planner* planner(run::Planner* inner);
  // Files that the template names.
  [[nodiscard]] const std::vector<run::FileRole>& files_read() const { return files_read_; }
  [[nodiscard]] std::uint64_t bytes_total() const { return bytes_total_; }
  // Counts the jobs on a thread of its own, where that costs little. Once is enough.
  void begin_counting();
  // Of the run, as far as it is known by now.
  [[nodiscard]] std::optional<std::uint64_t> jobs_total() const;
  // To be said when it is opened, and when all was read.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] std::optional<std::string> last_remark() const;

 private:
  explicit SendSource(const SendSettings& settings) : settings_(settings) {}
  [[nodiscard]] std::size_t readers() const;
  [[nodiscard]] Result<void, std::string> open_template(std::int64_t now_us);
  [[nodiscard]] Result<void, std::string> open_jobs(int stop_descriptor, std::int64_t now_us);
  [[nodiscard]] Result<void, std::string> open_recipients(run::JobInput input, std::int64_t now_us);
  [[nodiscard]] Result<void, std::string> open_lists();
  [[nodiscard]] Result<void, std::string> open_selection();
  void begin_selection(std::int64_t date_us);
  [[nodiscard]] Result<std::uint64_t, std::string> count_jobs() const;
  [[nodiscard]] Result<codec::MessageTemplatePtr, std::string> compile(std::int64_t date_us) const;
  [[nodiscard]] run::LineBlocksOptions input_options(std::size_t readers) const;

  const SendSettings& settings_;
  std::optional<run::JobInput> input_;  // of job lines
  std::optional<TemplateFile> template_;
  codec::MergeData line_values_;  // of --set, for job lines
  run::RecipientSource* recipients_ = nullptr;
  std::unique_ptr<run::JobSource> source_;
  std::unique_ptr<run::RecipientLists> lists_;
  std::unique_ptr<run::RetryPlanner> retry_;
  std::optional<run::JobSample> sample_;
  std::unique_ptr<run::JobSelection> selection_;
  std::vector<run::FileRole> files_read_;
  std::vector<std::string> warnings_;
  std::uint64_t bytes_total_ = 0;
  JobCounter counter_;
};

}  // namespace ringpost::cli
