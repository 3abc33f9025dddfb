// `ringpost probe`. The problem: who probes has half a configuration, and often no password yet.
// The idea: the endpoint is chosen and completed as for a run, so that what is probed is what would
// be used, but a password may be missing; a token is read once for all ports. The exit code says
// whether any port is usable. Limits: what variables and [send] say for all endpoints is not
// applied.
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/smtp/sasl.h"
#include "tools/domain/dns_client.h"
#include "tools/domain/domain_check.h"
#include "tools/domain/domain_name.h"
#include "tools/probe/probe_json.h"
#include "tools/probe/probe_report.h"
#include "tools/probe/probe_run.h"
#include "tools/process/log.h"
#include "tools/process/numbers.h"
#include "tools/process/standard_output.h"
#include "tools/process/terminal.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"
#include "tools/settings/config_file.h"
#include "tools/settings/endpoint_choice.h"
#include "tools/settings/endpoint_url.h"
#include "tools/settings/key_table.h"
#include "tools/settings/variable_check.h"

namespace ringpost::cli {

namespace {

constexpr const char* probe_examples =
    R"(ENDPOINT is smtp[s]://user@host[:port] or the name of an [endpoint.NAME]. Passwords come from
password_file, password_command, $CREDENTIALS_DIRECTORY/NAME or RINGPOST_PASSWORD; without one no
login is tried. No message is sent. Ports are probed side by side.
--from asks DNS what receivers will ask of mail from a domain: SPF (is the provider's part there, is
it within ten look-ups), DKIM (the provider's selectors), DMARC (policy, alignment), MX, and says
which record to add.
Exit codes: 0 a port is usable, 1 and --from found a problem, 2 usage, 7 no port is usable.

Examples:
  ringpost probe smtp://user@smtp.example.com --all-ports   # which port to use, and how
  ringpost probe ses                                        # an [endpoint.ses] of ringpost.toml
  ringpost probe smtps://smtp.example.com --transcript      # every line that was said
  ringpost probe mailjet --from example.com                 # what DNS lacks for this sender
  ringpost probe ses --json | jq '.ports[].certificate.days_left')";

constexpr std::size_t ports_max = 16;
constexpr auto timeout_max = std::chrono::minutes(10);

struct ProbeFlags {
  std::string endpoint;
  std::string config_path;
  std::vector<std::string> ports;
  bool all_ports = false;
  std::string timeout = "10s";
  bool json = false;
  bool transcript = false;
  bool no_color = false;
  std::string from;
  std::string envelope_from;
  std::vector<std::string> selectors;
  std::string one_click;
  std::string resolver;
};

// A sender's domain, and whom to ask about it.
struct DomainProbe {
  DomainRequest request;
  std::unique_ptr<DnsClient> dns;
};

Result<std::vector<std::uint16_t>, UsageError> read_ports(const ProbeFlags& flags) {
  std::vector<std::uint16_t> ports;
  if (!flags.ports.empty()) {
    auto listed = parse_ports(flags.ports);
    if (!listed) {
      return Failure(UsageError{"--ports: " + listed.error()});
    }
    ports = std::move(*listed);
  }
  if (flags.all_ports) {
    ports.insert(ports.end(), std::begin(known_ports), std::end(known_ports));
  }
  if (ports.size() > ports_max) {
    return Failure(UsageError{fmt::format("--ports: more than {} of them", ports_max)});
  }
  return ports;
}

Result<ChosenEndpoint, UsageError> read_endpoint(const ProbeFlags& flags) {
  const char* const variable = std::getenv("RINGPOST_CONFIG");
  const bool by_variable = flags.config_path.empty() && variable != nullptr;
  const auto configuration = load_configuration(by_variable ? variable : flags.config_path);
  if (!configuration) {
    return Failure(configuration.error());
  }
  if (std::string wrong = errors_of_variables(); !wrong.empty()) {
    return Failure(UsageError{std::move(wrong)});
  }
  SendDraft draft;
  if (!flags.endpoint.empty()) {
    draft.endpoints.push_back(flags.endpoint);
  }
  auto chosen = choose_endpoints(draft, {}, *configuration, EndpointPlace::argument);
  if (!chosen) {
    return Failure(std::move(chosen.error()));
  }
  if (auto read = read_passwords(*chosen, PasswordNeed::optional); !read) {
    return Failure(std::move(read.error()));
  }
  ChosenEndpoint endpoint = std::move(chosen->front());
  EndpointOptions& options = endpoint.draft.options;
  if (options.read_token) {
    // Once for all ports; a probe has time to wait for it.
    TokenResult token = options.read_token();
    if (!token) {
      return Failure(UsageError{fmt::format("endpoint {}: {}", options.name, token.error())});
    }
    options.password = std::move(token->value);
  }
  if (!codec::valid_credentials({options.username, options.password})) {
    return Failure(UsageError{fmt::format(
        "endpoint {}: user name or password have a line break or a NUL", options.name)});
  }
  return endpoint;
}

Result<ProbeRequest, UsageError> read_request(const ProbeFlags& flags) {
  ProbeRequest request;
  const auto timeout = parse_duration(flags.timeout);
  if (!timeout) {
    return Failure(UsageError{"--timeout: " + timeout.error()});
  }
  if (*timeout < std::chrono::milliseconds(1) || *timeout > timeout_max) {
    return Failure(UsageError{"--timeout: from 1ms to 10m"});
  }
  request.timeout = *timeout;
  auto ports = read_ports(flags);
  if (!ports) {
    return Failure(std::move(ports.error()));
  }
  request.ports = std::move(*ports);
  auto endpoint = read_endpoint(flags);
  if (!endpoint) {
    return Failure(std::move(endpoint.error()));
  }
  request.endpoint = std::move(*endpoint);
  request.is_configured = !is_endpoint_url(flags.endpoint);
  return request;
}

ProviderRecords records_of(const std::optional<LaidPreset>& laid) {
  if (!laid) {
    return {};
  }
  const Preset& preset = laid->preset;
  return {preset.name, preset.dns.spf, preset.dns.dkim, preset.dns.dkim_record,
          preset.dns.envelope};
}

Result<std::string, UsageError> read_domain(std::string_view flag, const std::string& text) {
  auto domain = read_sender_domain(text);
  return domain ? Result<std::string, UsageError>(std::move(*domain))
                : Failure(UsageError{fmt::format("{}: {}", flag, domain.error())});
}

Result<DomainRequest, UsageError> read_domain_request(const ProbeFlags& flags,
                                                      const ChosenEndpoint& endpoint) {
  DomainRequest request;
  auto from = read_domain("--from", flags.from);
  if (!from) {
    return Failure(std::move(from.error()));
  }
  request.from = std::move(*from);
  if (!flags.envelope_from.empty()) {
    auto envelope = read_domain("--envelope-from", flags.envelope_from);
    if (!envelope) {
      return Failure(std::move(envelope.error()));
    }
    request.envelope_from = std::move(*envelope);
  }
  for (const std::string& selector : flags.selectors) {
    if (!is_domain_name(selector)) {
      return Failure(UsageError{fmt::format(
          "--selector: {} is no selector: the part before ._domainkey", in_quotes(selector))});
    }
  }
  request.selectors = flags.selectors;
  request.one_click = flags.one_click;
  request.provider = records_of(endpoint.preset);
  return request;
}

// Empty: no --from.
Result<std::optional<DomainProbe>, UsageError> prepare_domain(const ProbeFlags& flags,
                                                              const ProbeRequest& request) {
  if (flags.from.empty()) {
    const bool asks = !flags.envelope_from.empty() || !flags.selectors.empty() ||
                      !flags.one_click.empty() || !flags.resolver.empty();
    return asks ? Failure(UsageError{"--envelope-from, --selector, --one-click and --resolver go "
                                     "with --from"})
                : Result<std::optional<DomainProbe>, UsageError>(std::nullopt);
  }
  auto domain = read_domain_request(flags, request.endpoint);
  if (!domain) {
    return Failure(std::move(domain.error()));
  }
  auto dns = DnsClient::create(
      {.resolver = flags.resolver, .timeout = request.timeout, .all_within = request.timeout * 4});
  if (!dns) {
    return Failure(UsageError{"--resolver: " + dns.error()});
  }
  return std::optional<DomainProbe>(DomainProbe{std::move(*domain), std::move(*dns)});
}

bool shows_color(const ProbeFlags& flags) {
  const char* const no_color = std::getenv("NO_COLOR");  // https://no-color.org
  const bool wanted = !flags.no_color && (no_color == nullptr || *no_color == '\0');
  return wanted && can_draw(STDOUT_FILENO);
}

int run(const ProbeFlags& flags) {
  const auto request = read_request(flags);
  if (!request) {
    print_error(request.error().message);
    return exit_usage;
  }
  auto domain = prepare_domain(flags, *request);
  if (!domain) {
    print_error(domain.error().message);
    return exit_usage;
  }
  for (const std::string& warning : endpoint_warnings({request->endpoint})) {
    print_error("warning: " + warning);
  }
  auto finding = run_probe(*request);
  if (!finding) {
    print_error(finding.error().message);
    return exit_usage;
  }
  if (*domain) {
    const auto ask = [&domain](const std::vector<DnsQuestion>& questions) {
      return (*domain)->dns->ask(questions);
    };
    finding->domain = check_domain_of((*domain)->request, ask);
  }
  const int printed =
      print_data(flags.json ? probe_json(*finding)
                            : probe_text(*finding, {.color = shows_color(flags),
                                                    .columns = text_columns(STDOUT_FILENO),
                                                    .transcript = flags.transcript}));
  const bool usable = std::any_of(finding->ports.begin(), finding->ports.end(),
                                  [](const PortFinding& port) { return port.usable(); });
  const bool lacks = finding->domain && !finding->domain->ok();
  return printed != 0 ? printed
         : !usable    ? exit_no_endpoint
         : lacks      ? exit_uncategorised
                      : exit_all_accepted;
}

}  // namespace

CommandSpec probe_command() {
  const auto flags = std::make_shared<ProbeFlags>();
  FlagSpec timeout = with_usual(
      {"--timeout", "DURATION", "For each step; all together four times that", &flags->timeout});
  timeout.may_be_repeated = true;
  CommandSpec command{.name = "probe",
                      .summary = "Try the ports of a server: DNS, TLS, extensions, login"};
  command.flags = {
      {"ENDPOINT", "", "URL or configured name; may be left out when one is configured",
       &flags->endpoint},
      {"-c,--config", "FILE", "Read this file instead of the usual ones", &flags->config_path},
      {"--ports", "LIST", "These instead of the endpoint's own: 587,465,2525", &flags->ports},
      {"--all-ports", "", "587, 465, 2525, 2587, 2465 and 25 (this one without credentials)",
       &flags->all_ports},
      std::move(timeout),
      {"--from", "DOMAIN", "Ask DNS about mail from there: SPF, DKIM, DMARC, MX", &flags->from},
      {"--envelope-from", "DOMAIN", "That of MAIL FROM, if it is another", &flags->envelope_from},
      {"--selector", "NAME,...", "Look for these DKIM keys, not the provider's", &flags->selectors},
      {"--one-click", "URL", "The one in List-Unsubscribe", &flags->one_click},
      {"--resolver", "HOST:PORT", "Ask this DNS server for --from", &flags->resolver},
      {"--json", "", "One JSON object instead of text", &flags->json},
      {"--transcript", "", "Every line of the dialogues", &flags->transcript},
      {"--no-color", "", "No colours; NO_COLOR does the same", &flags->no_color},
  };
  command.examples = probe_examples;
  command.run = [flags] { return run(*flags); };
  return command;
}

}  // namespace ringpost::cli
