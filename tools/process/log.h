// Messages to whoever runs the program: one line a call, to stderr.
//
// Callers pass no secrets and no message content. Control characters of what they pass are escaped,
// so that a server's words cannot steer a terminal or forge a line.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>

#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::cli {

enum class LogLevel : std::uint8_t { error, warn, info, debug };
enum class LogFormat : std::uint8_t { text, json };

[[nodiscard]] std::string_view name_of(LogLevel level);

struct LogOptions {
  LogLevel level = LogLevel::warn;  // this and what is graver is written
  LogFormat format = LogFormat::text;
  bool color = false;
};

// As in endpoint=ses.
struct LogField {
  std::string_view name;
  std::string_view value;
};

// `2026-11-20T20:31:07.412Z warn  connection refused endpoint=ses`, or the same as one JSON object
// with the members ts, level, msg and the fields. `timestamp_us` is Unix time. A newline is at its
// end.
[[nodiscard]] std::string log_line(const LogOptions& options, LogLevel level,
                                   std::int64_t timestamp_us, std::string_view message,
                                   std::initializer_list<LogField> fields = {});

// Thread-safe. A line leaves in one write(2), so that lines of several processes do not mix.
class Log {
 public:
  // Receives whole lines instead of stderr, one call at a time: for a progress block that must step
  // aside, and for tests.
  using LineSink = std::function<void(std::string_view line)>;

  explicit Log(LogOptions options = {}) : options_(options) {}

  [[nodiscard]] bool enabled(LogLevel level) const { return level <= options_.level; }
  void redirect(LineSink sink);

  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
  // With the endpoint that it is about, if it is about one.
  void write(const EndpointNotice& notice);
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::error, message, fields);
  }
  void warn(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::warn, message, fields);
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::info, message, fields);
  }
  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::debug, message, fields);
  }

 private:
  const LogOptions options_;
  std::mutex mutex_;  // guards sink_ and the order of lines
  LineSink sink_;
};

// Writes all of `text` to stderr, whatever signals come; what cannot be written is lost.
void write_to_stderr(std::string_view text);
// "ringpost: MESSAGE" on stderr, for what ends the program. Each line of a message stays a line.
void print_error(std::string_view message);

}  // namespace ringpost::cli
