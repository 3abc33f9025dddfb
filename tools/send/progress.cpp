// The problem: a line that is drawn over and lines that scroll share one terminal. The idea: as
// long as a line is drawn, log lines come by here; the drawn one is taken away first, and the next
// call draws it anew. Where there is no terminal it is a line every ten seconds. Limits: what is
// printed past the log lands behind the drawn line; a terminal that is narrower than the line keeps
// the rows above its last one.
#include "tools/send/progress.h"

#include <cstdlib>
#include <unistd.h>

namespace ringpost::cli {

namespace {

constexpr double plain_interval_seconds = 10;
// Back to the first column, and everything to the right of it away.
constexpr std::string_view erase_line = "\r\x1b[K";

ProgressKind kind_of(const SendSettings& settings) {
  if (settings.quiet) {
    return ProgressKind::none;
  }
  if (settings.progress != ProgressKind::automatic) {
    return settings.progress;
  }
  const char* const terminal = std::getenv("TERM");
  const bool can_draw =
      ::isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
  return can_draw ? ProgressKind::block : ProgressKind::plain;
}

}  // namespace

Progress::Progress(const SendSettings& settings, Log& log) : kind_(kind_of(settings)), log_(log) {
  if (kind_ == ProgressKind::block) {
    log_.redirect([this](std::string_view line) {
      clear();
      write_to_stderr(line);
    });
  }
}

Progress::~Progress() {
  clear();
  log_.redirect({});
}

void Progress::show(const RunFacts& facts) {
  const std::lock_guard lock(mutex_);
  switch (kind_) {
    case ProgressKind::block:
      write_to_stderr(std::string(erase_line) + progress_text(facts));
      drawn_ = true;
      break;
    case ProgressKind::plain:
    case ProgressKind::json:
      if (facts.seconds - shown_at_seconds_ < plain_interval_seconds) {
        return;
      }
      shown_at_seconds_ = facts.seconds;
      write_to_stderr(kind_ == ProgressKind::json ? progress_json(facts)
                                                  : progress_text(facts) + "\n");
      break;
    case ProgressKind::automatic:
    case ProgressKind::none:
      break;
  }
}

void Progress::clear() {
  const std::lock_guard lock(mutex_);
  if (drawn_) {
    drawn_ = false;
    write_to_stderr(erase_line);
  }
}

}  // namespace ringpost::cli
