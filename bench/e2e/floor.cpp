// The floor: the least that a client can spend on handing messages to a server.
//
//   floor MESSAGES --port N [--ca FILE] [--sessions N] [--depth N]
//
// The problem: microseconds a message mean little by themselves, since they change with the machine
// and with what else runs on it. The idea: the same messages, to the same server, in the same run,
// by a program that does nothing else: before its clock starts the flights (RSET, MAIL, RCPT and
// BDAT LAST of each message) stand in memory as one stretch of octets; then it encrypts, sends, and
// counts replies. No JSON, no outcomes, no retries, no timers.
//
// It cannot cheat: every reply has to be 250, there have to be four for each message, and whoever
// runs it holds the server's record against the messages. Like ringpost, a session has at most
// --depth messages and 4 MB in flight; half of them leave together, so that the server has the
// other half to work on. One thread goes from session to session with blocking calls, which costs
// less than a ring here: each call moves half a flight.
//
// MESSAGES has for each message a line "OCTETS ID RECIPIENT" and behind it the content. The memory
// of what was built before is counted in prebuilt_megabytes and stands in the peak, too.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
// clang-format on

#include "bench/e2e/floor_session.h"
#include <ringpost/base.h>
#include <ringpost/limits.h>

namespace ringpost::bench {

namespace {

constexpr std::uint64_t replies_per_message = 4;

struct Options {
  std::string messages;
  std::string ca_file;  // empty: in clear, without a login
  std::uint16_t port = 0;
  std::size_t sessions = 10;
  std::size_t depth = limits::flight_messages_max;
};

// All transactions, one behind the other; transaction i ends at ends[i].
struct Flights {
  std::string octets;
  std::vector<std::size_t> ends;

  [[nodiscard]] std::size_t begin_of(std::size_t message) const {
    return message == 0 ? 0 : ends[message - 1];
  }
};

struct Used {
  double cpu_seconds = 0;
  std::chrono::steady_clock::time_point at;
};

Used used_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime), std::chrono::steady_clock::now()};
}

// "OCTETS ID RECIPIENT" and the transaction's commands from it; returns the octets of content.
Result<std::size_t, std::string> append_commands(std::string_view line, std::string& out) {
  std::size_t octets = 0;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), octets);
  const std::size_t recipient = line.rfind(' ');
  if (parsed.ec != std::errc() || recipient == std::string_view::npos) {
    return Failure(fmt::format("no head of a message: {}", line));
  }
  fmt::format_to(std::back_inserter(out),
                 "RSET\r\nMAIL FROM:<news@example.com> SIZE={}\r\nRCPT TO:<{}>\r\nBDAT {} LAST\r\n",
                 octets, line.substr(recipient + 1), octets);
  return octets;
}

Result<Flights, std::string> build_flights(const std::string& file) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "re"),
                                                               &std::fclose);
  if (!stream) {
    return Failure(fmt::format("{}: {}", file, std::strerror(errno)));
  }
  Flights flights;
  // Commands are shorter than an eighth of the least content, so that this is all there is to get.
  flights.octets.reserve(std::filesystem::file_size(file) * 9 / 8);
  std::array<char, 1024> line;
  while (std::fgets(line.data(), line.size(), stream.get()) != nullptr) {
    const std::string_view text(line.data());
    auto content = append_commands(text.substr(0, text.find('\n')), flights.octets);
    if (!content) {
      return Failure(content.error());
    }
    const std::size_t before = flights.octets.size();
    flights.octets.resize(before + *content);
    if (std::fread(flights.octets.data() + before, 1, *content, stream.get()) != *content) {
      return Failure(fmt::format("{}: a message ends early", file));
    }
    flights.ends.push_back(flights.octets.size());
  }
  if (flights.ends.empty()) {
    return Failure(fmt::format("{}: no messages", file));
  }
  return flights;
}

struct Sender {
  FloorSession session;
  std::uint64_t messages_sent = 0;

  [[nodiscard]] std::size_t in_flight() const {
    return messages_sent - session.replies() / replies_per_message;
  }
};
using Senders = std::vector<std::unique_ptr<Sender>>;

class Run {
 public:
  Run(const Flights& flights, Senders& senders, std::size_t depth)
      : flights_(flights), senders_(senders), half_(std::max<std::size_t>(depth / 2, 1)) {}

  [[nodiscard]] Result<void, std::string> finish() {
    bool waiting = true;
    while (waiting) {
      for (const auto& sender : senders_) {
        while (next_ < flights_.ends.size() && sender->in_flight() <= half_) {
          if (auto sent = send_half(*sender); !sent) {
            return sent;
          }
        }
      }
      waiting = false;
      for (const auto& sender : senders_) {
        if (sender->in_flight() > 0) {
          if (auto received = sender->session.receive(); !received) {
            return received;
          }
          waiting = true;
        }
      }
    }
    return check_count();
  }

 private:
  Result<void, std::string> send_half(Sender& sender) {
    const std::size_t begin = flights_.begin_of(next_);
    std::size_t count = 1;
    while (count < half_ && next_ + count < flights_.ends.size() &&
           flights_.ends[next_ + count] - begin <= limits::flight_bytes_max / 2) {
      ++count;
    }
    next_ += count;
    sender.messages_sent += count;
    return sender.session.send(
        Bytes(flights_.octets).substr(begin, flights_.ends[next_ - 1] - begin));
  }

  [[nodiscard]] Result<void, std::string> check_count() const {
    std::uint64_t replies = 0;
    for (const auto& sender : senders_) {
      replies += sender->session.replies();
    }
    const std::uint64_t expected = flights_.ends.size() * replies_per_message;
    if (replies != expected) {
      return Failure(fmt::format("{} replies instead of {}", replies, expected));
    }
    return {};
  }

  const Flights& flights_;
  Senders& senders_;
  const std::size_t half_;  // of the messages that may be in flight in a session
  std::size_t next_ = 0;
};

void print(const Options& options, const Flights& flights, const Used& before,
           const std::string& cipher) {
  const Used after = used_so_far();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto messages = static_cast<double>(flights.ends.size());
  const double seconds = std::chrono::duration<double>(after.at - before.at).count();
  fmt::print(
      R"({{"messages":{},"sessions":{},"seconds":{:.6f},"messages_per_second":{:.1f},)"
      R"("cpu_us_per_message":{:.4f},"peak_resident_megabytes":{:.1f},"prebuilt_megabytes":{:.1f},)"
      R"("cipher":"{}"}})"
      "\n",
      flights.ends.size(), options.sessions, seconds, messages / seconds,
      (after.cpu_seconds - before.cpu_seconds) / messages * 1e6,
      static_cast<double>(usage.ru_maxrss) / 1024,
      static_cast<double>(flights.octets.size()) / (1 << 20), cipher);
}

Result<void, std::string> run(const Options& options) {
  auto flights = build_flights(options.messages);
  if (!flights) {
    return Failure(flights.error());
  }
  using Context = std::unique_ptr<WOLFSSL_CTX, decltype(&wolfSSL_CTX_free)>;
  const Context context(options.ca_file.empty() ? nullptr : make_context(options.ca_file),
                        &wolfSSL_CTX_free);
  if (!options.ca_file.empty() && !context) {
    return Failure("TLS: no context could be made with " + options.ca_file);
  }
  Senders senders;
  const Used before = used_so_far();
  for (std::size_t i = 0; i < options.sessions; ++i) {
    senders.push_back(std::make_unique<Sender>());
    if (auto opened = senders.back()->session.open({options.port, context.get()}); !opened) {
      return opened;
    }
  }
  if (auto done = Run(*flights, senders, options.depth).finish(); !done) {
    return done;
  }
  print(options, *flights, before, senders.front()->session.cipher());
  for (const auto& sender : senders) {
    if (auto done = sender->session.quit(); !done) {
      return done;
    }
  }
  return {};
}

}  // namespace

}  // namespace ringpost::bench

int main(int argc, char** argv) {
  ringpost::bench::Options options;
  CLI::App app("The least that a client can spend on handing messages to a server");
  app.add_option("MESSAGES", options.messages, "As bench/e2e/sink_run.py writes them")->required();
  app.add_option("--port", options.port, "Of the server at 127.0.0.1")->required();
  app.add_option("--ca", options.ca_file, "STARTTLS with AUTH, and the CA; else in clear");
  app.add_option("--sessions", options.sessions, "Sessions")->check(CLI::Range(1, 10000));
  app.add_option("--depth", options.depth, "Messages in flight in a session");
  CLI11_PARSE(app, argc, argv);
  wolfSSL_Init();
  if (const auto done = ringpost::bench::run(options); !done) {
    fmt::print(stderr, "floor: {}\n", done.error());
    return 1;
  }
  return 0;
}
