// The problem: an outcome is in a segment's journal before it is in the outcome file, and a kill
// may come between; lines of other segments and of mail that was not stored stand among its own.
// The idea: hashes of all lines that the last run of each journal has told; those that the file has
// behind the place where the run began are crossed out, and what is left is added. Limits: a file
// that was moved away is not looked for: its lines would be added to the new one a second time,
// where the server was killed between the two.
#include "tools/serve/spool/missing_outcomes.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_set>

#include <fmt/format.h>

#include "codec/journal/line_hash.h"
#include "queue/journal_outcomes.h"

namespace ringpost::serve {

namespace {

std::uint64_t hash_of(Bytes line) { return codec::hash_line(line).high; }

// Where the file is to be looked through from.
struct Told {
  std::unordered_set<std::uint64_t> lines;
  std::uint64_t from = std::numeric_limits<std::uint64_t>::max();
  struct Source {
    std::string path;
    std::size_t run_index = 0;
  };
  std::vector<Source> sources;
};

Result<void, std::string> collect(const std::string& journal, const std::string& outcomes_path,
                                  Told& told) {
  const auto reading = queue::read_journal(journal);
  if (!reading) {
    return {};  // whoever resumes it says why
  }
  const auto& runs = reading->history.runs();
  if (runs.empty() || runs.back().run.outcomes_path != outcomes_path || runs.back().end) {
    return {};
  }
  const std::size_t run_index = runs.size() - 1;
  told.from = std::min(told.from, runs.back().run.outcomes_bytes);
  told.sources.push_back({journal, run_index});
  const auto read =
      queue::for_each_outcome(journal, run_index, [&told](const codec::JournalOutcome& outcome) {
        told.lines.insert(hash_of(outcome.line));
        return true;
      });
  return read ? Result<void, std::string>() : Failure(read.error().message);
}

// Crosses out what is there. Returns where the last whole line ends, and in `torn` what is behind.
std::uint64_t cross_out(const std::string& path, Told& told, std::string& torn) {
  struct stat status {};
  const bool is_there = ::stat(path.c_str(), &status) == 0;
  const auto bytes = is_there ? static_cast<std::uint64_t>(status.st_size) : 0;
  std::uint64_t at = told.from <= bytes ? told.from : 0;
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  for (std::string line; std::getline(file, line);) {
    if (file.eof()) {
      torn = std::move(line);
      break;
    }
    at += line.size() + 1;
    line += '\n';
    told.lines.erase(hash_of(line));
  }
  return at;
}

Result<void, std::string> append(const std::string& path, std::uint64_t at, Bytes lines) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR | S_IRGRP);
  bool is_written = descriptor >= 0;
  while (is_written && !lines.empty()) {
    const ssize_t count = ::pwrite(descriptor, lines.data(), lines.size(), static_cast<off_t>(at));
    is_written = count > 0 || (count < 0 && errno == EINTR);
    const auto done = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    lines.remove_prefix(done);
    at += done;
  }
  const int error_number = errno;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!is_written) {
    return Failure(fmt::format("outcomes {}: add lines that a kill has kept from it: {}", path,
                               std::strerror(error_number)));
  }
  return {};
}

}  // namespace

Result<std::uint64_t, std::string> add_missing_outcomes(
    const std::vector<std::string>& journal_paths, const std::string& outcomes_path) {
  Told told;
  for (const std::string& journal : journal_paths) {
    if (auto collected = collect(journal, outcomes_path, told); !collected) {
      return Failure(std::move(collected.error()));
    }
  }
  if (told.lines.empty()) {
    return std::uint64_t{0};
  }
  std::string torn;
  std::uint64_t at = cross_out(outcomes_path, told, torn);
  std::string lines;
  std::uint64_t count = 0;
  bool is_ours = torn.empty();  // what is torn
  for (const Told::Source& source : told.sources) {
    const auto read = queue::for_each_outcome(
        source.path, source.run_index, [&](const codec::JournalOutcome& outcome) {
          if (told.lines.erase(hash_of(outcome.line)) > 0) {
            lines += outcome.line;
            ++count;
            is_ours = is_ours || outcome.line.starts_with(torn);
          }
          return true;
        });
    if (!read) {
      return Failure(read.error().message);
    }
  }
  if (count == 0) {
    return count;
  }
  if (!is_ours) {
    at += torn.size();
    lines.insert(0, "\n");
  }
  if (auto appended = append(outcomes_path, at, lines); !appended) {
    return Failure(std::move(appended.error()));
  }
  return count;
}

}  // namespace ringpost::serve
