// The problem: outcome files are there when something went wrong, too: cut off in the middle of a
// line by a full disk or a power cut, or in the middle of a compressed block. The idea: the last
// line of a file may be anything; of other lines that are none the first is named, and all others
// count. Limits: lines are read one by one, by one thread.
#include "tools/report/outcome_files.h"

#include <utility>

#include <fmt/format.h>

#include "codec/template/merge_data.h"
#include "codec/template/merge_json.h"
#include "engine/run/job_input.h"

namespace ringpost::cli {

namespace {

class Reading {
 public:
  Reading(const OutcomeHook& hook, OutcomeFilesRead& read) : hook_(hook), read_(read) {}

  void take(const run::JobInput::Line& line) {
    if (has_doubt_ && line.source == doubtful_source_) {
      settle(true);  // it was not the last one of its file
    }
    settle(false);
    auto record = record_of(line);
    if (record) {
      hook_(*record, read_.lines++);
      return;
    }
    has_doubt_ = true;
    doubtful_source_ = line.source;
    doubt_ = fmt::format("{}:{}: {}", line.file, line.number, record.error());
  }

  void finish() { settle(false); }

 private:
  Result<OutcomeRecord, std::string> record_of(const run::JobInput::Line& line) {
    if (line.too_long) {
      return Failure(std::string("no outcome line: it is too long"));
    }
    if (!json_.read(line.text, values_)) {
      return Failure(std::string("no outcome line: it is no JSON object"));
    }
    return read_outcome_record(values_);
  }

  void settle(bool is_within_file) {
    if (!std::exchange(has_doubt_, false)) {
      return;
    }
    if (!is_within_file) {
      read_.remarks.push_back(doubt_ + " (the last line: was the file cut off?)");
      return;
    }
    if (read_.bad_lines++ == 0) {
      read_.first_bad = std::move(doubt_);
    }
  }

  const OutcomeHook& hook_;
  OutcomeFilesRead& read_;
  codec::MergeJson json_;
  codec::MergeData values_;
  bool has_doubt_ = false;
  std::uint32_t doubtful_source_ = 0;
  std::string doubt_;
};

}  // namespace

Result<OutcomeFilesRead, std::string> read_outcome_files(const std::vector<std::string>& files,
                                                         const OutcomeHook& hook) {
  auto input = run::JobInput::open(files, -1);
  if (!input) {
    return Failure(std::move(input.error().message));
  }
  OutcomeFilesRead read;
  Reading reading(hook, read);
  run::JobInput::Line line;
  for (;;) {
    const auto more = input->next(line);
    if (!more) {
      read.remarks.push_back(more.error().message + " (what stands before it is counted)");
    } else if (!*more) {
      break;
    } else {
      reading.take(line);
    }
  }
  reading.finish();
  return read;
}

}  // namespace ringpost::cli
