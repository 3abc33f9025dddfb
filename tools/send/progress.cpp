// The problem: a block that is drawn over and lines that scroll share one terminal. The idea: as
// long as a block is drawn, log lines come by here and go where it stands, and it is drawn anew
// below them. Each change leaves in one write, so that nothing flickers. Whoever reads jobs from
// the terminal, or writes outcomes to it, gets lines in the place of the block, as where there is
// no terminal. Limits: what is printed past the log lands behind the block; a terminal that breaks
// the lines of a drawn block anew when it becomes narrower keeps some of its rows above.
#include "tools/send/progress.h"

#include <algorithm>
#include <chrono>
#include <unistd.h>

#include <fmt/format.h>

#include "tools/process/terminal.h"
#include "tools/send/progress_report.h"
#include "tools/send/send_source.h"

namespace ringpost::cli {

namespace {

bool talks_to_terminal(const SendSettings& settings) {
  const bool writes = settings.outcomes_path == "-" || settings.errors_path == "-";
  return reads_terminal(settings) || (writes && ::isatty(STDOUT_FILENO) == 1);
}

ProgressKind kind_of(const SendSettings& settings) {
  if (settings.quiet) {
    return ProgressKind::none;
  }
  if (settings.progress != ProgressKind::automatic) {
    return settings.progress;
  }
  return can_draw(STDERR_FILENO) && !talks_to_terminal(settings) ? ProgressKind::block
                                                                 : ProgressKind::plain;
}

}  // namespace

Progress::Progress(const SendSettings& settings, Log& log)
    : kind_(kind_of(settings)),
      every_seconds_(std::chrono::duration<double>(settings.progress_every).count()),
      color_(settings.color),
      log_(log) {
  if (kind_ == ProgressKind::block) {
    log_.redirect([this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      std::string out;
      erase(out);
      out += line;
      draw(out);
      write_to_stderr(out);
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
    case ProgressKind::block: {
      std::string out;
      erase(out);
      drawn_ = progress_block(facts, terminal_size(STDERR_FILENO).value_or(TerminalSize{}), color_);
      draw(out);
      write_to_stderr(out);
      break;
    }
    case ProgressKind::plain:
    case ProgressKind::json:
      if (facts.seconds - shown_at_seconds_ < every_seconds_) {
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

void Progress::print(const RunFacts& facts) {
  const std::lock_guard lock(mutex_);
  std::string out;
  erase(out);
  if (kind_ == ProgressKind::json) {
    out += progress_json(facts);
  } else {
    const std::size_t columns = terminal_size(STDERR_FILENO).value_or(TerminalSize{}).columns;
    for (const std::string& line : progress_block(facts, {columns, 1000}, color_)) {
      out += line + "\n";
    }
  }
  draw(out);
  write_to_stderr(out);
}

void Progress::clear() {
  const std::lock_guard lock(mutex_);
  std::string out;
  erase(out);
  drawn_.clear();
  if (!out.empty()) {
    write_to_stderr(out);
  }
}

// From wherever the block ends up to its first column, and everything below it away.
void Progress::erase(std::string& out) const {
  if (drawn_.empty()) {
    return;
  }
  out += "\r";
  if (drawn_.size() > 1) {
    out += fmt::format("\x1b[{}A", drawn_.size() - 1);
  }
  out += "\x1b[J";
}

void Progress::draw(std::string& out) const {
  for (std::size_t i = 0; i < drawn_.size(); ++i) {
    out += (i == 0 ? "" : "\r\n") + drawn_[i];
  }
}

}  // namespace ringpost::cli
