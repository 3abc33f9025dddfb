// Files that a job names: raw_file, text_file, html_file and attachments[].path.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "codec/job/file_source.h"
#include "engine/run/file_role.h"

namespace ringpost::run {

// Paths that are not absolute start at `base_directory`, or where the program was started when that
// is empty, as they would for curl; not at the job file, which may be standard input. Symbolic
// links are followed: who writes the jobs may read the files. Thread: any, once it is set up.
class JobFileSource : public codec::FileSource {
 public:
  explicit JobFileSource(std::string base_directory = {})
      : base_directory_(std::move(base_directory)) {}

  // Files that the run writes: no job gets them. Before the first read().
  void set_refused(std::vector<FileIdentity> files) { refused_ = std::move(files); }

  [[nodiscard]] Result<void, codec::FileError> read(Bytes path, std::size_t bytes_max,
                                                    std::string& content) override;

 private:
  std::string base_directory_;
  std::vector<FileIdentity> refused_;
};

}  // namespace ringpost::run
