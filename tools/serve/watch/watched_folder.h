// Where the files of a watched folder stand, and how they move: job files come into the folder by
// being renamed, and leave it when they are done.
//
//   FOLDER/x.jsonl                      a job file, from when it came until it is done
//   FOLDER/x.jsonl.journal              while it is sent
//   FOLDER/x.jsonl.part                 outcome lines meanwhile
//   FOLDER/done/x.jsonl                 when each of its recipients has an outcome,
//   FOLDER/done/x.jsonl.outcomes.jsonl  and those
//   FOLDER/bad/x.jsonl                  what could not be sent, with x.jsonl.reason beside it, and
//                                       with the journal and the outcomes, where there are any
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tools/process/descriptor.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// Errors are sentences that name the file. Thread: one.
class WatchedFolder {
 public:
  struct Paths {
    std::string job;
    std::string journal;
    std::string part;
  };

  // Makes `done` and `bad`, and locks the folder against other processes.
  [[nodiscard]] static Result<std::unique_ptr<WatchedFolder>, std::string> open(
      const std::string& path);

  // "x.jsonl", "x.jsonl.gz" and "x.jsonl.zst", unless it begins with a dot.
  [[nodiscard]] static bool is_job_name(Bytes name);
  [[nodiscard]] Paths paths_of(const std::string& name) const;
  // Names of job files, in their order, `count_max` at most.
  [[nodiscard]] std::vector<std::string> job_names(std::size_t count_max) const;
  // What a file that has just come is called from now on: its own name, unless one of that name is
  // done or bad already. Of one with a journal nothing changes.
  [[nodiscard]] Result<std::string, std::string> take(const std::string& name) const;

  // It leaves with its outcomes: a kill in the middle leaves what recover() understands.
  [[nodiscard]] Result<void, std::string> finish(const std::string& name) const;
  // The same into `bad`, with the reason beside it.
  [[nodiscard]] Result<void, std::string> set_aside(const std::string& name, Bytes reason) const;
  // What a killed finish() or set_aside() has left is brought to its end.
  [[nodiscard]] Result<void, std::string> recover() const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit WatchedFolder(std::string path) : path_(std::move(path)) {}
  // Of a file in one of the folders within, or of that itself.
  [[nodiscard]] std::string within(Bytes folder, const std::string& name) const;
  [[nodiscard]] Result<void, std::string> move(const std::string& name, Bytes destination) const;

  std::string path_;
  cli::Descriptor lock_;
};

}  // namespace ringpost::serve
