// What a sink says when it has stopped.
#pragma once

#include <optional>
#include <string>

#include "tools/sink/provider_limits.h"
#include "tools/sink/tally.h"
#include <ringpost/base.h>

namespace ringpost::sink {

struct CpuTime {
  Duration user{0};
  Duration system{0};

  [[nodiscard]] Duration total() const { return user + system; }
};

struct Summary {
  Tally tally;
  CpuTime cpu;
  Duration elapsed{0};
  std::size_t threads = 1;
  std::optional<LimitsReport> limits;  // of the provider that was played
  std::string record_failure;          // why the record ends early; empty: it is whole

  [[nodiscard]] double cpu_microseconds_per_message() const;
};

// Several lines for people.
[[nodiscard]] std::string summary_text(const Summary& summary);
// One JSON object with a LF behind it. Keys are only ever added.
[[nodiscard]] std::string summary_json(const Summary& summary);

}  // namespace ringpost::sink
