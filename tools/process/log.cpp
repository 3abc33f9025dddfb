// The problem: words of servers and names of files get into lines that a terminal shows and a
// collector takes apart. The idea: a line is made by a function without side effects, which cuts
// and escapes what it is given, and leaves in one write. Limits: a line that cannot be written is
// lost, since there is no other place to say so; whoever reads stderr slowly slows down who logs.
#include "tools/process/log.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "codec/text/unix_date.h"
#include "tools/process/unix_time.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

// A line of a server's or a file's words is cut here: a log is read by people.
constexpr std::size_t field_bytes_max = 2048;

constexpr std::string_view color_off = "\x1b[0m";

std::string_view color_of(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "\x1b[31m";
    case LogLevel::warn:
      return "\x1b[33m";
    case LogLevel::info:
      return "\x1b[32m";
    case LogLevel::debug:
      return "\x1b[90m";
  }
  RP_ASSERT(false);
}

// Whether journald reads stderr (systemd.exec(5)).
bool stderr_is_journal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  return stream != nullptr && ::fstat(STDERR_FILENO, &status) == 0 &&
         fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

// sd-daemon(3): in front of a line that journald reads. Empty where something else reads it.
std::string_view priority_of(LogLevel level) {
  static const bool is_read_by_journal = stderr_is_journal();
  constexpr std::array<std::string_view, 4> priorities = {"<3>", "<4>", "<6>", "<7>"};
  return is_read_by_journal ? priorities[static_cast<std::size_t>(level)] : std::string_view();
}

bool needs_quotes(std::string_view value) {
  return value.empty() || value.find_first_of(" =\"\\") != std::string_view::npos;
}

void append_text_fields(std::string& line, std::initializer_list<LogField> fields) {
  for (const LogField& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    if (needs_quotes(field.value)) {
      codec::append_json_string_cut(line, field.value, field_bytes_max);
    } else {
      line += printable(field.value);
    }
  }
}

void append_json_fields(std::string& line, std::initializer_list<LogField> fields) {
  for (const LogField& field : fields) {
    line += ',';
    codec::append_json_string(line, field.name);
    line += ':';
    codec::append_json_string_cut(line, field.value, field_bytes_max);
  }
}

}  // namespace

std::string_view name_of(LogLevel level) {
  constexpr std::array<std::string_view, 4> names = {"error", "warn", "info", "debug"};
  return names[static_cast<std::size_t>(level)];
}

std::string log_line(const LogOptions& options, LogLevel level, std::int64_t timestamp_us,
                     std::string_view message, std::initializer_list<LogField> fields) {
  std::string line;
  if (options.format == LogFormat::json) {
    line += "{\"ts\":\"";
    codec::append_rfc3339(line, timestamp_us);
    line += fmt::format("\",\"level\":\"{}\",\"msg\":", name_of(level));
    codec::append_json_string_cut(line, message, field_bytes_max);
    append_json_fields(line, fields);
    line += "}\n";
    return line;
  }
  codec::append_rfc3339(line, timestamp_us);
  line += ' ';
  line += options.color ? color_of(level) : std::string_view{};
  line += fmt::format("{:<5}", name_of(level));
  line += options.color ? color_off : std::string_view{};
  line += ' ';
  line += printable(message);
  append_text_fields(line, fields);
  line += '\n';
  return line;
}

void Log::redirect(LineSink sink) {
  const std::lock_guard lock(mutex_);
  sink_ = std::move(sink);
}

void Log::write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!enabled(level)) {
    return;
  }
  const std::string line = log_line(options_, level, unix_time_us(), message, fields);
  const std::lock_guard lock(mutex_);
  if (sink_) {
    sink_(line);
  } else {
    write_to_stderr(std::string(priority_of(level)) + line);
  }
}

void Log::write(const EndpointNotice& notice) {
  const LogLevel level = notice.is_grave ? LogLevel::error : LogLevel::warn;
  if (notice.endpoint.empty()) {
    write(level, notice.message);
  } else {
    write(level, notice.message, {{"endpoint", notice.endpoint}});
  }
}

void write_to_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void print_error(std::string_view message) {
  const std::string_view priority = priority_of(LogLevel::error);
  std::string text = std::string(priority) + "ringpost: ";
  for (const char character : message) {
    text += character;
    text += character == '\n' ? priority : std::string_view();
  }
  text += '\n';
  write_to_stderr(text);
}

}  // namespace ringpost::cli
