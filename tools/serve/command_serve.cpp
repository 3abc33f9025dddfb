// `ringpost serve`: what it does is serve_run.cpp. A password to be hashed is read from standard
// input, since arguments are seen by everybody.
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "tls/sasl_crypto.h"
#include "tools/process/log.h"
#include "tools/process/service_manager.h"
#include "tools/process/signal_watch.h"
#include "tools/process/standard_output.h"
#include "tools/program/commands.h"
#include "tools/serve/serve_run.h"
#include "tools/serve/serve_settings.h"
#include "tools/serve/user_accounts.h"

namespace ringpost::cli {

namespace {

constexpr const char* serve_examples =
    R"(Exit codes: 0 stopped by a signal, and everybody was answered; 2 usage; 11 outcome lines were
lost; 130/143 stopped before that. SIGHUP opens the file of outcomes anew and reads the
configuration: endpoints, rates, routes, passwords, users, tokens and certificates change, no
session ends, and what needs a start is named. A wrong one is refused whole.

Where it listens stands in [[listen.smtp]] and [[listen.http]] of ringpost.toml, what else it takes
jobs from in [[watch]] and [nats], who is told of outcomes in [[webhook]], the rest in [serve] and
[[serve.route]]: `ringpost manual ringpost.toml` lists the keys. With reply = "stored" a client is
answered from a spool. Another machine has to log in under TLS, by SMTP. By HTTP: POST /v1/jobs and
/v1/inject, GET /v1/stats, /metrics, /healthz and /readyz.

Examples:
  ringpost serve -e ses --listen-smtp 127.0.0.1:2525 --outcomes outcomes.jsonl
  ringpost serve -e ses --listen-http 127.0.0.1:8025
  curl --data-binary @jobs.jsonl http://127.0.0.1:8025/v1/jobs
  ringpost serve -c /etc/ringpost/ringpost.toml
  ringpost serve --hash-password < password    # for a line NAME:HASH of `users`)";

int print_password_hash() {
  std::string password;
  if (!std::getline(std::cin, password) || password.empty()) {
    print_error("--hash-password: a line with a password is read from standard input");
    return exit_usage;
  }
  return print_data(serve::hash_of_password(password, tls::sasl_crypto()) + "\n");
}

int run_serve_command(const ServeFlags& flags) {
  if (flags.hashes_password) {
    return print_password_hash();
  }
  const ServiceManager manager = ServiceManager::from_environment();
  const PasswordVariables variables = PasswordVariables::take();
  const auto read_settings = [&] { return read_serve_settings(flags, variables); };
  const auto settings = read_settings();
  if (!settings) {
    print_error(settings.error().message);
    return exit_usage;
  }
  SignalWatch watch;
  Log log(settings->log);
  return run_serve(*settings, read_settings, flags.ready_file, watch, manager, log);
}

}  // namespace

CommandSpec serve_command() {
  const auto flags = std::make_shared<ServeFlags>();
  ServeFlags& at = *flags;
  CommandSpec command{.name = "serve",
                      .summary = "Mail by SMTP or HTTP, answered with the provider's own reply"};
  command.flags = {
      {"-e,--endpoint", "NAME|URL", "Server, as for send; repeatable, with =WEIGHT", &at.endpoints},
      {"-c,--config", "FILE", "Read this file instead of the usual ones", &at.config_path},
      {"--listen-smtp", "ADDRESS:PORT", "Listen here in place of [[listen.smtp]]", &at.listen_smtp},
      {"--listen-http", "ADDRESS:PORT", "Listen here in place of [[listen.http]]", &at.listen_http},
      {"-o,--outcomes", "FILE", "Outcome lines, one per recipient, are added there",
       &at.outcomes_path},
      {"--drain", "DURATION", "At the first signal, wait so long for what is under way [30s]",
       &at.drain},
      {"--cores", "N", "Worker threads [1]", &at.cores},
      {"--io", "auto|ring|epoll", "As for send [auto]", &at.io},
      {"--state", "DIR|none", "Counts of rates, for other runs", &at.state},
      {"--log-level", "error|warn|info|debug", "What is worth a line [warn]", &at.log_level},
      {"--log-format", "text|json", "Form of log lines [text]", &at.log_format},
      {"--ready-file", "FILE", "JSON with what listens, when it does", &at.ready_file},
      {"--hash-password", "", "Print the hash of a password read from stdin, and end",
       &at.hashes_password}};
  command.examples = serve_examples;
  command.run = [flags] { return run_serve_command(*flags); };
  return command;
}

}  // namespace ringpost::cli
