// The templates that lines of a run define, for the jobs below them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "codec/job/job_reader.h"
#include "codec/job/template_source.h"
#include "engine/run/line_blocks.h"
#include <ringpost/base.h>

namespace ringpost::run {

struct TemplateRegistryOptions {
  codec::JobReaderOptions reader;
  std::int64_t date_us = 0;  // Unix time, for composed messages
  // Of jobs that name none and have no content of their own; null: they are refused.
  codec::MessageTemplatePtr default_template;
};

// Thread: whoever cuts lines defines, one at a time; all others are any's.
class TemplateRegistry : public codec::TemplateSource {
 public:
  explicit TemplateRegistry(const TemplateRegistryOptions& options);

  // What the line defines, or why it cannot be used, is known from here on.
  void define(const DefinitionLine& line);
  // Why such a line defines nothing, for its own outcome: asked once, by whoever has the line.
  // Nothing: it is a good one.
  [[nodiscard]] std::optional<codec::JobError> take_error(std::uint32_t source, std::uint64_t line);
  [[nodiscard]] Result<codec::MessageTemplatePtr, codec::JobError> find(
      Bytes name, const codec::Source& where) override;

 private:
  using Place = std::pair<std::uint32_t, std::uint64_t>;  // of a line: its file, its number
  struct Definition {
    Place place;
    std::string shown_place;           // FILE:LINE
    codec::MessageTemplatePtr source;  // null: it cannot be used
    std::string why;
  };

  [[nodiscard]] std::optional<codec::JobError> refusal(const codec::DefinitionNote& note) const;
  [[nodiscard]] std::string unknown(Bytes name) const;

  const TemplateRegistryOptions options_;
  codec::JobReader reader_;

  std::mutex mutex_;  // guards all below
  std::map<std::string, Definition, std::less<>> definitions_;
  std::size_t bytes_ = 0;                    // of the lines and what they name
  std::map<Place, codec::JobError> errors_;  // of lines that are in some reader's hand
};

}  // namespace ringpost::run
