#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/process/descriptor.h"
#include "tools/process/log.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"
#include "tools/settings/endpoint_setting.h"
#include "tools/sink/sink.h"

namespace ringpost::cli {

namespace {

using sink::ListenerKind;
using sink::Sink;
using sink::SinkOptions;
using sink::Summary;

constexpr const char* sink_examples =
    "RCPT to reject...@ gets 550, to defer...@ 450; a message to reject-data@ 554 at its end, to\n"
    "defer-data@ 451; MAIL from reject-mail@ 550, from defer-mail@ 450. SIGINT and SIGTERM end "
    "it.\n"
    "A fault hits so many messages in a hundred, at mail, rcpt, data, content or end, or at "
    "@STAGE,\n"
    "which may be greeting, ehlo, starttls or auth, too. The record has what was taken all the "
    "same.\n"
    "\n"
    "Examples:\n"
    "  ringpost sink                                   # ports 2587 and 2465, user "
    "ringpost/ringpost\n"
    "  ringpost sink --record got.jsonl --latency 50ms # an ESP 50 ms away, and what it took\n"
    "  ringpost sink --no-chunking --no-pipelining     # as Amazon SES\n"
    "  ringpost sink --fault all=1 --fault 421@greeting=5 --fault-seed 7  # a bad day\n";

// What the flags are parsed into; numbers stay text until the command runs.
struct SinkFlags {
  SinkOptions options;
  std::string threads = "1";
  std::string size_max = "52428800";
  std::string recipients_max = "1000";
  std::string sessions_max = "16384";
  std::string messages_max = "0";
  std::string messages_per_session_max = "0";
  std::string latency = "0";
  std::string greeting_latency = "0";
  std::string idle_timeout = "5m";
  std::string duration = "0";
  Duration run_for{0};
  std::string password_file;
  std::string mechanisms = "plain,login";
  std::string token_file;
  std::string token_uses = "0";
  std::vector<std::string> faults;
  std::string fault_seed;
  std::string late_by = "2s";
  std::string octet_time = "1s";
  std::string ready_file;
  std::string summary = "text";
};

void add_extension_flags(CLI::App& command, server::Extensions& extensions) {
  const std::pair<const char*, bool*> switches[] = {
      {"starttls", &extensions.starttls},
      {"pipelining", &extensions.pipelining},
      {"chunking", &extensions.chunking},
      {"8bitmime", &extensions.eight_bit_mime},
      {"smtputf8", &extensions.smtputf8},
      {"size", &extensions.size},
      {"enhancedstatuscodes", &extensions.enhanced_status_codes},
      {"dsn", &extensions.dsn},
      {"auth", &extensions.auth},
  };
  for (const auto& [name, offered] : switches) {
    const bool is_auth = std::strcmp(name, "auth") == 0;
    command
        .add_flag_callback(
            fmt::format("--no-{}", name), [offered = offered] { *offered = false; },
            is_auth ? "Do not offer AUTH, and let everybody in" : "Do not offer it")
        ->group("Extensions");
  }
}

void add_listener_flags(CLI::App& command, SinkFlags& flags) {
  SinkOptions& options = flags.options;
  const char* const group = "Listeners";
  command.add_option("--listen", options.listen_starttls, "STARTTLS listener, or none")
      ->type_name("ADDR:PORT")
      ->capture_default_str()
      ->group(group);
  command.add_option("--listen-tls", options.listen_tls, "TLS from the first octet, or none")
      ->type_name("ADDR:PORT")
      ->capture_default_str()
      ->group(group);
  command.add_option("--listen-plain", options.listen_plain, "No TLS: a relay without login")
      ->type_name("ADDR:PORT")
      ->group(group);
  command.add_flag("--plain-auth", options.plain_auth, "Offer and require AUTH on --listen-plain")
      ->group(group);
  command
      .add_option("--cert", options.certificate_file,
                  "Certificate chain, with --key; else one is made")
      ->type_name("PEM")
      ->group(group);
  command.add_option("--key", options.key_file, "Its private key")->type_name("PEM")->group(group);
  command.add_option("--cert-out", options.certificate_out, "Where to write the made certificate")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--threads", flags.threads, "Threads, each with its own ring")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
}

void add_session_flags(CLI::App& command, SinkFlags& flags) {
  const char* const group = "Sessions";
  SinkOptions& options = flags.options;
  command.add_option("--user", options.account.user, "Who may log in")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--password-file", flags.password_file,
                  "Its first line is the password (default: ringpost)")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--auth", flags.mechanisms, "Mechanisms to announce, with commas, or all")
      ->type_name("NAMES")
      ->capture_default_str()
      ->group(group);
  command.add_option("--token-file", flags.token_file, "OAuth tokens that are good, one a line")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option("--token-uses", flags.token_uses,
                  "A token is good for so many logins, and then only the next one")
      ->type_name("N")
      ->group(group);
  command.add_option("--hostname", options.session.host_name, "Name in the greeting")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(group);
  command.add_option("--size-max", flags.size_max, "Octets of a message")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  command.add_option("--recipients-max", flags.recipients_max, "Recipients of a transaction")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  command.add_option("--sessions-max", flags.sessions_max, "Sessions at a time")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  command.add_option("--idle-timeout", flags.idle_timeout, "421 after so long a silence")
      ->type_name("DURATION")
      ->capture_default_str()
      ->group(group);
  command.add_option("--latency", flags.latency, "Each reply leaves so long after its command")
      ->type_name("DURATION")
      ->group(group);
  command.add_option("--latency-connect", flags.greeting_latency, "The greeting leaves so late")
      ->type_name("DURATION")
      ->group(group);
  command
      .add_option("--close-after", flags.messages_per_session_max,
                  "421 to MAIL after so many messages in a session")
      ->type_name("N")
      ->group(group);
  command
      .add_flag("--strict-close", options.session.strict_close,
                "End a session at its first violation")
      ->group(group);
}

void add_fault_flags(CLI::App& command, SinkFlags& flags) {
  const char* const group = "Faults";
  command
      .add_option(
          "--fault", flags.faults,
          "drop, 421, drop-reply, half-reply, garbage, noise, surplus, late, trickle, stall "
          "or all")
      ->type_name("NAME@STAGE=N")
      ->expected(1)
      ->take_all()
      ->group(group);
  command
      .add_option("--fault-seed", flags.fault_seed,
                  "Makes the same decisions again (default: drawn, and printed)")
      ->type_name("N")
      ->group(group);
  command.add_option("--fault-late", flags.late_by, "How late a late reply is")
      ->type_name("DURATION")
      ->capture_default_str()
      ->group(group);
  command.add_option("--fault-octet", flags.octet_time, "Pause behind each octet that trickles")
      ->type_name("DURATION")
      ->capture_default_str()
      ->group(group);
}

void add_run_flags(CLI::App& command, SinkFlags& flags) {
  const char* const group = "Record and run";
  command
      .add_option("--record", flags.options.record_file,
                  "A JSON line an accepted message, added to a new file or a record")
      ->type_name("FILE")
      ->group(group);
  command
      .add_flag("!--no-digest", flags.options.record_digests,
                "Record no SHA-256: long messages cost half as much")
      ->group(group);
  command
      .add_option("--record-content", flags.options.record_content_in,
                  "Store accepted messages as SESSION-MESSAGE.eml")
      ->type_name("DIR")
      ->group(group);
  command.add_option("--max-messages", flags.messages_max, "Stop after so many accepted messages")
      ->type_name("N")
      ->group(group);
  command.add_option("--duration", flags.duration, "Stop after so long")
      ->type_name("DURATION")
      ->group(group);
  command
      .add_option("--ready-file", flags.ready_file, "JSON with ports and certificate, when ready")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--summary", flags.summary, "The summary at the end")
      ->type_name("text|json")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->capture_default_str()
      ->group(group);
}

Result<void, std::string> read_numbers(SinkFlags& flags) {
  SinkOptions& options = flags.options;
  const std::tuple<const char*, const std::string*, std::uint64_t*> numbers[] = {
      {"--threads", &flags.threads, &options.threads},
      {"--size-max", &flags.size_max, &options.session.size_max},
      {"--recipients-max", &flags.recipients_max, &options.session.recipients_max},
      {"--sessions-max", &flags.sessions_max, &options.sessions_max},
      {"--token-uses", &flags.token_uses, &options.account.tokens.uses_max},
      {"--max-messages", &flags.messages_max, &options.messages_max},
      {"--close-after", &flags.messages_per_session_max, &options.session.messages_max},
  };
  for (const auto& [name, text, number] : numbers) {
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
  if (flags.mechanisms == "all") {
    for (std::size_t i = 0; i < auth_mechanism_count; ++i) {
      mechanisms.push_back(static_cast<AuthMechanism>(i));
    }
    return {};
  }
  for (Bytes rest = flags.mechanisms; !rest.empty();) {
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

// Everything that is not an option of the sink itself.
Result<void, std::string> complete(SinkFlags& flags) {
  for (std::string* const address :
       {&flags.options.listen_starttls, &flags.options.listen_tls, &flags.options.listen_plain}) {
    if (*address == "none") {
      address->clear();
    }
  }
  if (auto numbers = read_numbers(flags); !numbers) {
    return numbers;
  }
  for (const auto read : {read_mechanisms, read_tokens, read_password, read_faults}) {
    if (auto done = read(flags); !done) {
      return done;
    }
  }
  return {};
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

void add_sink_command(CLI::App& app, CommandResult& result) {
  CLI::App* const command = app.add_subcommand(
      "sink", "The embedded ESP: an SMTP submission server for tests and benchmarks");
  const auto flags = std::make_shared<SinkFlags>();
  add_listener_flags(*command, *flags);
  add_session_flags(*command, *flags);
  add_extension_flags(*command, flags->options.session.extensions);
  add_fault_flags(*command, *flags);
  add_run_flags(*command, *flags);
  command->footer(sink_examples);
  command->callback([flags, &result] { result.exit_code = run_sink(*flags); });
}

}  // namespace ringpost::cli
