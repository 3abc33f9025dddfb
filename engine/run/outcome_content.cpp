// Problem: whoever names a job file as the place of outcome lines would have them appended to it;
// but a file of outcome lines may begin with what a crash has torn or a power cut has blanked.
//
// Idea: each line is read up to its status, no further, and is an outcome, the beginning of one, or
// something else. One outcome is enough to trust the file, and something else is enough to refuse
// it where there is none.
//
// Limits: the first 256 KiB are looked at, and what stands in a value is not checked to be JSON.
#include "engine/run/outcome_content.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "codec/text/shown_text.h"
#include "engine/run/descriptor.h"

namespace ringpost::run {

namespace {

// Ids and addresses, which stand before the status, are much shorter.
constexpr std::size_t outcome_head_bytes = 256u << 10;

// What one line is: an outcome, the beginning of one, or neither.
enum class LineKind : std::uint8_t { outcome, torn, other };

// The fields of an outcome line that may stand before its status, whoever has written it anew.
constexpr std::array<std::string_view, 18> outcome_fields = {
    "id",       "rcpt_id",  "rcpt", "status", "code", "enhanced", "text", "stage",    "queue_id",
    "attempts", "endpoint", "peer", "ts",     "ms",   "bytes",    "tags", "metadata", "reason"};

// Reads the fields of a line up to its status.
class LineReader {
 public:
  explicit LineReader(Bytes line) : rest_(line) {}

  LineKind kind() {
    if (!take('{')) {
      return other();
    }
    bool has_id = false;
    bool has_recipient = false;
    while (true) {
      Bytes name;
      if (!take_text(name) || !take(':')) {
        return other();
      }
      if (std::find(outcome_fields.begin(), outcome_fields.end(), name) == outcome_fields.end()) {
        return LineKind::other;
      }
      if (name == "status") {
        const bool is_whole = take_text(name);
        return !is_whole ? other() : has_id && has_recipient ? LineKind::outcome : LineKind::other;
      }
      has_id = has_id || name == "id";
      has_recipient = has_recipient || name == "rcpt";
      if (!take_value() || !take(',')) {
        return other();
      }
    }
  }

 private:
  // Something else stood there, or the line ended before it was whole.
  [[nodiscard]] LineKind other() const { return ended_ ? LineKind::torn : LineKind::other; }

  void skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r"), rest_.size()));
  }

  bool take(char wanted) {
    skip_space();
    ended_ = rest_.empty();
    if (ended_ || rest_.front() != wanted) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool take_text(Bytes& text) {
    if (!take('"')) {
      return false;
    }
    for (std::size_t at = 0; at < rest_.size(); ++at) {
      if (rest_[at] == '"') {
        text = rest_.substr(0, at);
        rest_.remove_prefix(at + 1);
        return true;
      }
      at += rest_[at] == '\\' ? 1U : 0U;
    }
    ended_ = true;
    return false;
  }

  // Up to the comma behind it; its brackets are counted and not told apart.
  bool take_value() {
    std::size_t depth = 0;
    while (true) {
      skip_space();
      if (rest_.empty()) {
        ended_ = true;
        return false;
      }
      const char next = rest_.front();
      if (Bytes text; next == '"') {
        if (!take_text(text)) {
          return false;
        }
        continue;
      }
      if (depth == 0 && (next == ',' || next == '}')) {
        return true;
      }
      depth += next == '{' || next == '[' ? 1U : 0U;
      depth -= (next == '}' || next == ']') && depth > 0 ? 1U : 0U;
      rest_.remove_prefix(1);
    }
  }

  Bytes rest_;
  bool ended_ = false;
};

// What is there, for whoever has named the wrong file. Octets that are no text would only be noise.
std::string beginning_of(Bytes head) {
  constexpr std::size_t words_bytes_max = 40;
  const Bytes words = head.substr(0, std::min(head.find('\n'), words_bytes_max));
  const bool is_text = std::none_of(words.begin(), words.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') || c == 0x7f;
  });
  return is_text ? fmt::format("it begins with {}", codec::in_quotes(words))
                 : std::string("it is no text");
}

}  // namespace

bool holds_outcome_lines(Bytes head) {
  bool has_other = false;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size());
    Bytes line = head.substr(0, end);
    head.remove_prefix(std::min(end + 1, head.size()));
    line.remove_prefix(std::min(line.find_first_not_of('\0'), line.size()));
    switch (LineReader(line).kind()) {
      case LineKind::outcome:
        return true;
      case LineKind::torn:
        break;
      case LineKind::other:
        has_other = true;
        break;
    }
  }
  return !has_other;
}

Result<void, std::string> check_outcome_content(Bytes flag, const std::string& path) {
  struct stat status {};
  if (path.empty() || path == "-" || ::stat(path.c_str(), &status) != 0 ||
      !S_ISREG(status.st_mode) || status.st_size == 0) {
    return {};
  }
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  std::string head(outcome_head_bytes, '\0');
  const ssize_t count = file.get() < 0 ? -1 : ::pread(file.get(), head.data(), head.size(), 0);
  if (count < 0) {
    return {};  // who may write it and not read it has no copy of anything
  }
  head.resize(static_cast<std::size_t>(count));
  if (holds_outcome_lines(head)) {
    return {};
  }
  return Failure(
      fmt::format("{} {}: it holds something else than outcome lines ({}), and they are not added "
                  "to that; name another file, or move this one away",
                  flag, codec::printable(path), beginning_of(head)));
}

}  // namespace ringpost::run
