// `ringpost report`: what outcome files say, without a journal and without the run that wrote them.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "tools/bench/bench_file.h"
#include "tools/process/log.h"
#include "tools/process/standard_output.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"
#include "tools/report/bench_report_page.h"
#include "tools/report/failure_csv.h"
#include "tools/report/outcome_files.h"
#include "tools/report/outcome_report.h"
#include "tools/report/outcome_series.h"
#include "tools/report/outcome_tally.h"
#include "tools/report/report_page.h"
#include "tools/send/run_files.h"
#include <ringpost/limits.h>

namespace ringpost::cli {

namespace {

constexpr const char* report_examples =
    R"(Of several lines about one recipient of a message, in one file or in several in the order of
their runs, the last has the last word. csv is the list of all who have no message.
Files of `bench --json` are compared: a table of runs, and with --html a curve of each.
Exit codes: 0 all lines were outcomes, 3 some were not, 2 usage, or a file could not be opened.

Examples:
  ringpost report outcomes.jsonl
  ringpost report monday.jsonl retried.jsonl.zst --format markdown > report.md
  ringpost report outcomes.jsonl --html report.html
  ringpost report outcomes.jsonl --format csv > failed.csv
  ringpost report before.json after.json --html bench.html)";

struct ReportFlags {
  std::vector<std::string> files;
  std::string format = "text";
  std::string page;
  std::size_t top = 20;
};

int code_of(const OutcomeFilesRead& read) {
  return read.bad_lines > 0 ? exit_invalid_input : exit_all_accepted;
}

std::vector<std::string> remarks_of(const OutcomeFilesRead& read) {
  std::vector<std::string> remarks = read.remarks;
  if (read.bad_lines > 0) {
    remarks.push_back(fmt::format("{} line{} no outcome{}: {}", grouped_digits(read.bad_lines),
                                  read.bad_lines == 1 ? " is" : "s are",
                                  read.bad_lines == 1 ? "" : "s", read.first_bad));
  }
  return remarks;
}

int run_csv(const ReportFlags& flags) {
  StandardOutput output;
  const auto read =
      write_failure_csv(flags.files, [&output](std::string_view row) { output.write(row); });
  if (!read) {
    print_error(read.error());
    return exit_usage;
  }
  if (!output.flush()) {
    return report_failure(output);
  }
  for (const std::string& remark : remarks_of(*read)) {
    print_error(remark);
  }
  return code_of(*read);
}

bool is_same_file(const std::string& one, const std::string& other) {
  std::error_code error;
  return std::filesystem::equivalent(one, other, error) && !error;
}

// Whole or not at all, since somebody may be looking at the one before.
Result<void, std::string> write_page(const std::string& path, const std::string& page) {
  const std::string unfinished = path + ".unfinished";
  std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
  file << page;
  file.close();
  std::error_code error;
  if (file) {
    std::filesystem::rename(unfinished, path, error);
  }
  if (!file || error) {
    const std::string why = error ? error.message() : std::strerror(errno);
    std::filesystem::remove(unfinished, error);
    return Failure(fmt::format("{}: the page could not be written: {}", path, why));
  }
  return {};
}

int run_bench_report(const ReportFlags& flags) {
  if (flags.format == "csv") {
    print_error("--format csv is the list of who has no message, and a benchmark keeps none");
    return exit_usage;
  }
  std::vector<BenchFile> files;
  for (const std::string& path : flags.files) {
    auto read = is_bench_file(path)
                    ? read_bench_file(path)
                    : Failure(path +
                              " is none of `bench --json`, and others are: ask for a report "
                              "of benchmarks and for one of outcomes by themselves");
    if (!read) {
      print_error(read.error());
      return exit_usage;
    }
    files.push_back(std::move(*read));
  }
  if (!flags.page.empty()) {
    if (const auto written = write_page(flags.page, bench_files_page(files)); !written) {
      print_error(written.error());
      return exit_outcomes_lost;
    }
  }
  return print_data(flags.format == "json"       ? bench_files_json(files)
                    : flags.format == "markdown" ? bench_files_markdown(files)
                                                 : bench_files_text(files));
}

int run_report(const ReportFlags& flags) {
  if (const auto checked = check_files_read(flags.files, "outcome file"); !checked) {
    print_error(checked.error());
    return exit_usage;
  }
  if (::isatty(STDIN_FILENO) == 1 &&
      std::find(flags.files.begin(), flags.files.end(), "-") != flags.files.end()) {
    print_error("reading outcome lines from the terminal; Ctrl-D on an empty line ends them");
  }
  for (const std::string& file : flags.files) {
    if (!flags.page.empty() && is_same_file(file, flags.page)) {
      print_error(fmt::format("--html: {} is read; name another file for the page", file));
      return exit_usage;
    }
  }
  if (std::any_of(flags.files.begin(), flags.files.end(), is_bench_file)) {
    return run_bench_report(flags);
  }
  if (flags.format == "csv") {
    if (!flags.page.empty()) {
      print_error("--html and --format csv are two reports: ask for one after the other");
      return exit_usage;
    }
    return run_csv(flags);
  }
  const auto tally = std::make_unique<OutcomeTally>();
  OutcomeSeries series;
  const auto read =
      read_outcome_files(flags.files, [&](const OutcomeRecord& record, std::uint64_t) {
        tally->add(record);
        if (!flags.page.empty()) {
          series.add(record);
        }
      });
  if (!read) {
    print_error(read.error());
    return exit_usage;
  }
  ReportInput input{.files = flags.files, .remarks = remarks_of(*read), .groups_shown = flags.top};
  if (!tally->knows_all()) {
    input.remarks.push_back(fmt::format("beyond {} recipients each line counted, repeated or not",
                                        grouped_digits(limits::known_addresses_max)));
  }
  if (!flags.page.empty()) {
    const auto written = write_page(flags.page, report_page(input, *tally, series));
    if (!written) {
      print_error(written.error());
      return exit_outcomes_lost;
    }
  }
  const int printed = print_data(flags.format == "json"       ? report_json(input, *tally)
                                 : flags.format == "markdown" ? report_markdown(input, *tally)
                                                              : report_text(input, *tally));
  return printed != 0 ? printed : code_of(*read);
}

}  // namespace

CommandSpec report_command() {
  const auto flags = std::make_shared<ReportFlags>();
  CommandSpec command{.name = "report",
                      .summary = "Who got a message, who did not and why, from outcome files"};
  FlagSpec files{"FILE", "", "Outcome files, .zst and .gz too, or files of bench; - is stdin",
                 &flags->files};
  files.is_required = true;
  FlagSpec format{"--format", "text|markdown|json|csv", "What is printed", &flags->format};
  format.words = {"text", "markdown", "json", "csv"};
  command.flags = {
      files,
      with_usual(format),
      {"--html", "FILE", "Write a page with charts there, too", &flags->page},
      with_usual({"--top", "N", "How many reasons are shown", NumberTarget{&flags->top, 1, 1000}})};
  command.examples = report_examples;
  command.run = [flags] { return run_report(*flags); };
  return command;
}

}  // namespace ringpost::cli
