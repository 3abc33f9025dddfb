// `ringpost sink`. The problem: forty flags, and tests that have to know when it listens, and
// where. The idea: flags stay texts until it runs, and are read by tables of a name and a place;
// the ready file is renamed into its place, so that it is there whole or not at all. What may wait
// for somebody is done while signals still end the program. Limits: an end is seen up to 50 ms
// late.
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/process/descriptor.h"
#include "tools/process/log.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"
#include "tools/program/sink_provider.h"
#include "tools/settings/endpoint_setting.h"
#include "tools/settings/send_setting.h"
#include "tools/sink/sink.h"

namespace ringpost::cli {

namespace {

using sink::ListenerKind;
using sink::Sink;
using sink::SinkOptions;
using sink::Summary;

constexpr const char* sink_examples =
    "RCPT to reject...@ gets 550, to defer...@ 450; a message to reject-data@ 554 at its end, to\n"
    "defer-data@ 451; MAIL from reject-mail@ 550, from defer-mail@ 450. A fault hits so many "
    "messages\n"
    "in a hundred, at mail, rcpt, data, content or end, or at @STAGE: greeting, ehlo, starttls, "
    "auth.\n"
    "\n"
    "Examples:\n"
    "  ringpost sink --record got.jsonl --latency 50ms # an ESP 50 ms away, and what it took\n"
    "  ringpost sink --profile ses --limit rate=14/s   # Amazon SES, and what came over its rate\n"
    "  ringpost sink --fault all=1 --fault 421@greeting=5 --fault-seed 7  # a bad day\n";

// What a sink does that plays nobody, and is told nothing else.
constexpr const char* usual_size_max = "52428800";
constexpr const char* usual_recipients_max = "1000";
constexpr const char* usual_mechanisms = "plain,login";

// What the flags are parsed into; numbers stay text until the command runs.
struct SinkFlags {
  SinkOptions options;
  ProviderFlags provider;
  std::string threads = "1";
  std::string io;
  std::string sessions_max = "16384";
  std::string messages_max = "0";
  std::string messages_per_session_max = "0";
  std::string latency = "0";
  std::string greeting_latency = "0";
  std::string idle_timeout = "5m";
  std::string duration = "0";
  Duration run_for{0};
  std::string password_file;
  std::string token_file;
  std::string token_uses = "0";
  std::vector<std::string> faults;
  std::string fault_seed;
  std::string late_by = "2s";
  std::string octet_time = "1s";
  std::string ready_file;
  std::string summary = "text";
};

// Not where the text is from the start: of a flag that nobody gave a provider decides.
FlagSpec usually(std::string usual, FlagSpec flag) {
  flag.usual = std::move(usual);
  return flag;
}

std::vector<FlagSpec> extension_flags(server::Extensions& extensions) {
  const std::pair<const char*, bool*> switches[] = {
      {"!--no-starttls", &extensions.starttls},
      {"!--no-pipelining", &extensions.pipelining},
      {"!--no-chunking", &extensions.chunking},
      {"!--no-8bitmime", &extensions.eight_bit_mime},
      {"!--no-smtputf8", &extensions.smtputf8},
      {"!--no-size", &extensions.size},
      {"!--no-enhancedstatuscodes", &extensions.enhanced_status_codes},
      {"!--no-dsn", &extensions.dsn},
  };
  std::vector<FlagSpec> flags;
  for (const auto& [name, offered] : switches) {
    flags.push_back({name, "", "Do not offer it", offered});
  }
  flags.push_back({"!--no-auth", "", "Do not offer AUTH, and let everybody in", &extensions.auth});
  return in_group("Extensions", std::move(flags));
}

std::vector<FlagSpec> listener_flags(SinkFlags& flags) {
  SinkOptions& options = flags.options;
  return in_group(
      "Listeners",
      {
          with_usual(
              {"--listen", "ADDR:PORT", "STARTTLS listener, or none", &options.listen_starttls}),
          usually(options.listen_tls,
                  {"--listen-tls", "ADDR:PORT", "TLS from the first octet, or none",
                   &flags.provider.listen_tls}),
          {"--listen-plain", "ADDR:PORT", "No TLS: a relay without login", &options.listen_plain},
          {"--plain-auth", "", "Offer and require AUTH on --listen-plain", &options.plain_auth},
          {"--cert", "PEM", "Certificate chain, with --key; else one is made",
           &options.certificate_file},
          {"--key", "PEM", "Its private key", &options.key_file},
          {"--cert-out", "FILE", "Where to write the made certificate", &options.certificate_out},
          with_usual({"--threads", "N", "Threads, each with its own sockets", &flags.threads}),
          {"--io", "auto|ring|epoll", "As for send (default: RINGPOST_IO, or auto)", &flags.io},
      });
}

std::vector<FlagSpec> session_flags(SinkFlags& flags) {
  SinkOptions& options = flags.options;
  return in_group(
      "Sessions",
      {
          usually(options.account.user, {"--user", "NAME", "Who may log in", &flags.provider.user}),
          {"--password-file", "FILE", "Its first line is the password (default: ringpost)",
           &flags.password_file},
          usually(usual_mechanisms,
                  {"--auth", "NAMES", "Mechanisms to announce, with commas, or all",
                   &flags.provider.mechanisms}),
          {"--token-file", "FILE", "OAuth tokens that are good, one a line", &flags.token_file},
          {"--token-uses", "N", "A token is good for so many logins, and then only the next one",
           &flags.token_uses},
          usually(options.session.host_name,
                  {"--hostname", "NAME", "Name in the greeting", &flags.provider.host_name}),
          usually(usual_size_max,
                  {"--size-max", "N", "Octets of a message", &flags.provider.size_max}),
          usually(usual_recipients_max, {"--recipients-max", "N", "Recipients of a transaction",
                                         &flags.provider.recipients_max}),
          with_usual({"--sessions-max", "N", "Sessions at a time", &flags.sessions_max}),
          with_usual(
              {"--idle-timeout", "DURATION", "421 after so long a silence", &flags.idle_timeout}),
          {"--latency", "DURATION", "Each reply leaves so long after its command", &flags.latency},
          {"--latency-connect", "DURATION", "The greeting leaves so late", &flags.greeting_latency},
          {"--close-after", "N", "421 to MAIL after so many messages in a session",
           &flags.messages_per_session_max},
          {"--strict-close", "", "End a session at its first violation",
           &options.session.strict_close},
      });
}

std::vector<FlagSpec> fault_flags(SinkFlags& flags) {
  FlagSpec fault{
      "--fault", "NAME@STAGE=N",
      "drop, 421, drop-reply, half-reply, garbage, noise, surplus, late, trickle, stall or all",
      &flags.faults};
  fault.takes_words_behind = true;
  return in_group(
      "Faults",
      {
          std::move(fault),
          {"--fault-seed", "N", "Makes the same decisions again (default: drawn, and printed)",
           &flags.fault_seed},
          with_usual({"--fault-late", "DURATION", "How late a late reply is", &flags.late_by}),
          with_usual({"--fault-octet", "DURATION", "Pause behind each octet that trickles",
                      &flags.octet_time}),
      });
}

std::vector<FlagSpec> run_flags(SinkFlags& flags) {
  SinkOptions& options = flags.options;
  FlagSpec summary =
      with_usual({"--summary", "text|json", "The summary at the end", &flags.summary});
  summary.words = {"text", "json"};
  return in_group(
      "Record and run",
      {
          {"--record", "FILE", "A JSON line an accepted message, added to a new file or a record",
           &options.record_file},
          {"!--no-digest", "", "Record no SHA-256: long messages cost half as much",
           &options.record_digests},
          {"--record-content", "DIR", "Store accepted messages as SESSION-MESSAGE.eml",
           &options.record_content_in},
          {"--max-messages", "N", "Stop after so many accepted messages", &flags.messages_max},
          {"--duration", "DURATION", "Stop after so long; SIGINT and SIGTERM end it, too",
           &flags.duration},
          {"--ready-file", "FILE", "JSON with ports and certificate, when ready",
           &flags.ready_file},
          std::move(summary),
      });
}

Result<void, std::string> read_numbers(SinkFlags& flags) {
  SinkOptions& options = flags.options;
  const std::tuple<const char*, const std::string*, std::uint64_t*> numbers[] = {
      {"--threads", &flags.threads, &options.threads},
      {"--size-max", &flags.provider.size_max, &options.session.size_max},
      {"--recipients-max", &flags.provider.recipients_max, &options.session.recipients_max},
      {"--sessions-max", &flags.sessions_max, &options.sessions_max},
      {"--token-uses", &flags.token_uses, &options.account.tokens.uses_max},
      {"--max-messages", &flags.messages_max, &options.messages_max},
      {"--close-after", &flags.messages_per_session_max, &options.session.messages_max},
  };
  for (const auto& [name, text, number] : numbers) {
    if (text->empty()) {
      continue;  // as it is usual, or as a provider has it
    }
    const auto parsed = parse_number(*text, {.min = 0, .max = 1ull << 40});
    if (!parsed) {
      return Failure(fmt::format("{}: {}", name, parsed.error()));
    }
    *number = *parsed;
  }
  const std::tuple<const char*, const std::string*, Duration*> durations[] = {
      {"--latency", &flags.latency, &options.faults.reply_latency},
      {"--latency-connect", &flags.greeting_latency, &options.faults.greeting_latency},
      {"--idle-timeout", &flags.idle_timeout, &options.idle_timeout},
      {"--fault-late", &flags.late_by, &options.faults.late_by},
      {"--fault-octet", &flags.octet_time, &options.faults.octet_time},
      {"--duration", &flags.duration, &flags.run_for},
  };
  for (const auto& [name, text, duration] : durations) {
    const auto parsed = parse_duration(*text);
    if (!parsed) {
      return Failure(fmt::format("{}: {}", name, parsed.error()));
    }
    *duration = *parsed;
  }
  return {};
}

Result<void, std::string> read_io(SinkFlags& flags) {
  const auto io = flags.io.empty() ? io_of_environment() : parse_io(flags.io);
  if (!io) {
    return Failure((flags.io.empty() ? "" : "--io: ") + io.error());
  }
  flags.options.io = *io;
  return {};
}

Result<void, std::string> read_password(SinkFlags& flags) {
  if (flags.password_file.empty()) {
    return {};
  }
  std::ifstream file(flags.password_file);
  if (!std::getline(file, flags.options.account.password)) {
    return Failure(
        fmt::format("--password-file: {}: no password could be read", flags.password_file));
  }
  return {};
}

Result<void, std::string> read_mechanisms(SinkFlags& flags) {
  std::vector<AuthMechanism>& mechanisms = flags.options.session.mechanisms;
  mechanisms.clear();
  const std::string& wanted = flags.provider.mechanisms;
  if (wanted == "all") {
    for (std::size_t i = 0; i < auth_mechanism_count; ++i) {
      mechanisms.push_back(static_cast<AuthMechanism>(i));
    }
    return {};
  }
  for (Bytes rest = wanted.empty() ? Bytes(usual_mechanisms) : Bytes(wanted); !rest.empty();) {
    const std::size_t length = std::min(rest.find(','), rest.size());
    const auto parsed = parse_auth(rest.substr(0, length));
    if (!parsed || !*parsed) {
      return Failure("--auth: " + (parsed ? "auto is none" : parsed.error()));
    }
    mechanisms.push_back(**parsed);
    rest.remove_prefix(std::min(length + 1, rest.size()));
  }
  return {};
}

Result<void, std::string> read_tokens(SinkFlags& flags) {
  if (flags.token_file.empty()) {
    return {};
  }
  std::ifstream file(flags.token_file);
  for (std::string line; std::getline(file, line);) {
    flags.options.account.tokens.tokens.push_back(std::move(line));
  }
  if (flags.options.account.tokens.tokens.empty()) {
    return Failure(fmt::format("--token-file: {}: no token could be read", flags.token_file));
  }
  return {};
}

Result<void, std::string> read_faults(SinkFlags& flags) {
  sink::FaultChances& chances = flags.options.faults.chances;
  for (const std::string& fault : flags.faults) {
    if (auto added = sink::add_fault(fault, chances); !added) {
      return Failure("--fault " + fault + ": " + added.error());
    }
  }
  if (flags.fault_seed.empty()) {
    chances.seed = std::random_device{}();
    return {};
  }
  const auto seed = parse_number(flags.fault_seed, {.min = 0, .max = 1ull << 40});
  if (!seed) {
    return Failure("--fault-seed: " + seed.error());
  }
  chances.seed = *seed;
  return {};
}

void take_texts(SinkFlags& flags) {
  SinkOptions& options = flags.options;
  const std::pair<const std::string*, std::string*> texts[] = {
      {&flags.provider.user, &options.account.user},
      {&flags.provider.host_name, &options.session.host_name},
      {&flags.provider.listen_tls, &options.listen_tls},
  };
  for (const auto& [given, option] : texts) {
    if (!given->empty()) {
      *option = *given;
    }
  }
}

// Everything that is not an option of the sink itself.
Result<void, std::string> complete(SinkFlags& flags) {
  take_texts(flags);
  for (std::string* const address :
       {&flags.options.listen_starttls, &flags.options.listen_tls, &flags.options.listen_plain}) {
    if (*address == "none") {
      address->clear();
    }
  }
  if (auto numbers = read_numbers(flags); !numbers) {
    return numbers;
  }
  for (const auto read : {read_io, read_mechanisms, read_tokens, read_password, read_faults}) {
    if (auto done = read(flags); !done) {
      return done;
    }
  }
  return play_provider(flags.provider, flags.options);
}

struct NamedListener {
  const char* name;
  ListenerKind kind;
};
constexpr NamedListener named_listeners[] = {{"starttls", ListenerKind::starttls},
                                             {"tls", ListenerKind::tls},
                                             {"plain", ListenerKind::plain}};

std::string ready_line(const Sink& running, const sink::FaultChances& faults) {
  std::string line = "ringpost sink: listening:";
  for (const NamedListener& listener : named_listeners) {
    if (running.port(listener.kind) != 0) {
      line += fmt::format(" {}={}", listener.name, running.address(listener.kind));
    }
  }
  if (!running.certificate_file().empty()) {
    line += fmt::format(" certificate={}", running.certificate_file());
  }
  if (faults.any()) {
    line += fmt::format(" fault-seed={}", faults.seed);
  }
  return line + "\n";
}

// Appears whole: whoever waits for the file never reads half of it.
Result<void, std::string> write_ready_file(const Sink& running, const std::string& path) {
  std::string json = fmt::format(R"({{"pid":{},"ports":{{)", ::getpid());
  std::string addresses;
  const char* separator = "";
  for (const NamedListener& listener : named_listeners) {
    const bool is_on = running.port(listener.kind) != 0;
    json += fmt::format(R"({}"{}":{})", separator, listener.name,
                        is_on ? std::to_string(running.port(listener.kind)) : "null");
    addresses += fmt::format(R"({}"{}":{})", separator, listener.name,
                             is_on ? '"' + running.address(listener.kind) + '"' : "null");
    separator = ",";
  }
  json += fmt::format(R"(}},"addresses":{{{}}},"certificate":)", addresses);
  if (running.certificate_file().empty()) {
    json += "null";
  } else {
    codec::append_json_string(json, running.certificate_file());
  }
  json += "}\n";
  const std::string temporary = path + ".part";
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file << json;
  file.close();
  if (file.fail() || std::rename(temporary.c_str(), path.c_str()) != 0) {
    return Failure(fmt::format("--ready-file: {} could not be written", path));
  }
  return {};
}

// Until a signal, the end of --duration, or --max-messages.
void wait_for_end(const Sink& running, const sigset_t& signals, Duration run_for) {
  using namespace std::chrono_literals;
  const Instant end =
      run_for == Duration::zero() ? never : std::chrono::steady_clock::now() + run_for;
  while (!running.finished() && std::chrono::steady_clock::now() < end) {
    const Duration left = end == never ? 50ms : end - std::chrono::steady_clock::now();
    const Duration pause = std::clamp<Duration>(left, 1ms, 50ms);
    const timespec timeout{0, static_cast<long>(pause.count())};
    if (::sigtimedwait(&signals, nullptr, &timeout) > 0) {
      return;
    }
  }
}

// Of a FIFO, here, where signals still end the program. No descriptor for another file.
Descriptor wait_for_reader(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISFIFO(status.st_mode)) {
    return Descriptor(-1);
  }
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor >= 0 || errno != ENXIO) {
    return Descriptor(descriptor);
  }
  write_to_stderr(fmt::format("ringpost sink: waiting until somebody reads {}\n", printable(path)));
  return Descriptor(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
}

int run_sink(SinkFlags flags) {
  if (auto completed = complete(flags); !completed) {
    print_error(completed.error());
    return exit_usage;
  }
  // Held open until the sink has it open, too.
  const Descriptor record_pipe = wait_for_reader(flags.options.record_file);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto running = Sink::start(flags.options);
  if (!running) {
    print_error("sink: " + running.error());
    return exit_usage;
  }
  if (const std::string& notice = (*running)->io_notice(); !notice.empty()) {
    write_to_stderr("ringpost sink: " + notice + "\n");
  }
  write_to_stderr(ready_line(**running, flags.options.faults.chances));
  if (!flags.ready_file.empty()) {
    if (auto written = write_ready_file(**running, flags.ready_file); !written) {
      print_error(written.error());
      return exit_usage;
    }
  }
  wait_for_end(**running, signals, flags.run_for);
  const Summary summary = (*running)->stop();
  const std::string text = flags.summary == "json" ? summary_json(summary) : summary_text(summary);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  if (!summary.record_failure.empty()) {
    print_error("sink: the record is incomplete: " + summary.record_failure);
    return exit_outcomes_lost;
  }
  return exit_all_accepted;
}

}  // namespace

CommandSpec sink_command() {
  const auto flags = std::make_shared<SinkFlags>();
  CommandSpec command{
      .name = "sink",
      .summary = "The embedded ESP: an SMTP submission server for tests and benchmarks"};
  for (std::vector<FlagSpec>& group :
       std::array{listener_flags(*flags), session_flags(*flags),
                  in_group("Sessions", provider_flags(flags->provider)),
                  extension_flags(flags->options.session.extensions), fault_flags(*flags),
                  run_flags(*flags)}) {
    std::move(group.begin(), group.end(), std::back_inserter(command.flags));
  }
  command.examples = sink_examples;
  command.run = [flags] { return run_sink(*flags); };
  return command;
}

}  // namespace ringpost::cli
