// The problem: a key has a name, a help, a check, a default and a way to be shown, and whoever adds
// one forgets some of them. The idea: all of that is one row, with a function from text to the
// draft and one back; what the second says of a draft that nobody has written to is the default, so
// it cannot differ from them. Limits: a row looks at its own value alone; what keys say together is
// engine/endpoint_check's. A key of a later version has a row without a function, and is refused.
#include "tools/settings/key_table.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codec/mail/header_text.h"
#include "codec/mail/idempotency_header.h"
#include "codec/smtp/sasl.h"
#include "codec/text/ascii.h"
#include "codec/text/spelling.h"
#include "tools/presets/preset_list.h"
#include "tools/presets/preset_value.h"
#include "tools/process/numbers.h"
#include "tools/process/quota_limits.h"
#include "tools/process/wording.h"
#include "tools/settings/applied.h"
#include "tools/settings/endpoint_url.h"

namespace ringpost::cli {

namespace {

// More than one machine has ports for, and few enough that a slip of the finger shows.
constexpr std::uint64_t connections_limit = 50'000;
constexpr std::uint64_t weight_limit = 1000;

// For `text` when there is an offence, and otherwise into `into`.
Applied take_checked(std::optional<std::string> offence, const std::string& text,
                     std::string& into) {
  if (offence) {
    return Failure(std::move(*offence));
  }
  into = text;
  return {};
}

Result<TransportSecurity, std::string> parse_security(Bytes text) {
  if (text == "starttls") {
    return TransportSecurity::starttls;
  }
  if (text == "implicit") {
    return TransportSecurity::implicit;
  }
  if (text == "none") {
    return TransportSecurity::none;
  }
  return Failure(
      fmt::format("{} is none of \"starttls\", \"implicit\" and \"none\"", in_quotes(text)));
}

Applied apply_port(const SettingValue& value, EndpointDraft& draft) {
  return take(parse_port(value.text()), draft.port);
}

// Each may say how it is secured: "587 starttls".
Applied apply_ports(const SettingValue& value, EndpointDraft& draft) {
  for (const std::string& text : value.texts) {
    if (text.find(' ') == std::string::npos) {
      const auto listed = parse_ports({&text, 1});
      if (!listed) {
        return Failure(listed.error());
      }
      for (const std::uint16_t port : *listed) {
        draft.ports.push_back({port, std::nullopt});
      }
      continue;
    }
    const auto port = parse_preset_port(text);
    if (!port) {
      return Failure(port.error());
    }
    draft.ports.push_back({port->port, port->security});
  }
  return {};
}

Applied apply_preset(const SettingValue& value, EndpointDraft& draft) {
  if (value.text() != no_preset) {
    if (const auto found = preset_text(value.text()); !found) {
      return Failure(found.error().message);
    }
  }
  draft.preset = value.text();
  return {};
}

Applied apply_auth(const SettingValue& value, EndpointDraft& draft) {
  draft.nobody_logs_in = value.text() == "none";
  return draft.nobody_logs_in ? Applied() : take(parse_auth(value.text()), draft.options.auth);
}

Applied apply_max_connections(const SettingValue& value, EndpointDraft& draft) {
  return take(parse_number(value.text(), {.min = 1, .max = connections_limit}),
              draft.connections_allowed);
}

// A list of a file, or commas.
Applied apply_rates(const SettingValue& value, EndpointDraft& draft) {
  return take(parse_quota_limits(joined(value.texts, ",")), draft.options.rates);
}

Applied apply_rate_counts(const SettingValue& value, EndpointDraft& draft) {
  const std::string& text = value.text();
  if (text != "messages" && text != "recipients") {
    return Failure(fmt::format("{} is neither messages nor recipients", in_quotes(text)));
  }
  draft.options.unknown_rate = text == "messages" ? QuotaUnit::messages : QuotaUnit::recipients;
  return {};
}

Result<std::uint32_t, std::string> parse_connections(Bytes text) {
  if (text == "auto") {
    return EndpointOptions{}.connections_max;
  }
  const auto number = parse_number(text, {.min = 1, .max = connections_limit});
  if (!number) {
    return Failure(number.error() + ", or auto");
  }
  return static_cast<std::uint32_t>(*number);
}

Applied apply_connections(const SettingValue& value, EndpointDraft& draft) {
  draft.connections_are_fixed = value.text() != "auto";
  return take(parse_connections(value.text()), draft.options.connections_max);
}

// How far messages run ahead: "auto", "off", or how many may be in flight.
struct PipelineSetting {
  PipeliningOption pipelining = PipeliningOption::automatic;
  std::uint32_t messages_in_flight_max = 0;
};

Result<PipelineSetting, std::string> parse_pipeline(Bytes text) {
  PipelineSetting setting;
  if (text == "auto") {
    return setting;
  }
  if (text == "off") {
    setting.pipelining = PipeliningOption::off;
    return setting;
  }
  const auto number = parse_number(text, {.min = 1, .max = limits::flight_messages_limit});
  if (!number) {
    return Failure(fmt::format("{} is neither auto, off nor a number of messages from 1 to {}",
                               in_quotes(text), limits::flight_messages_limit));
  }
  setting.messages_in_flight_max = static_cast<std::uint32_t>(*number);
  return setting;
}

Result<bool, std::string> parse_chunking(Bytes text) {
  if (text == "auto" || text == "off") {
    return text == "auto";
  }
  return Failure(fmt::format("{} is neither auto nor off", in_quotes(text)));
}

Applied apply_timeout(const SettingValue& value, Duration& into) {
  Applied taken = take(parse_duration(value.text()), into);
  if (taken && into < std::chrono::milliseconds(1)) {
    return Failure(std::string("a timeout of less than a millisecond lets nothing succeed"));
  }
  return taken;
}

Applied apply_client_name(const SettingValue& value, EndpointDraft& draft) {
  Bytes host = value.text();
  static_cast<void>(take_absolute_dot(host));  // which EHLO has no room for (RFC 5321 4.1.1.1)
  const std::string name(host);
  // An address literal, RFC 5321 4.1.3.
  if (host.size() > 2 && host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    host.remove_prefix(host.starts_with("IPv6:") ? 5 : 0);
  }
  return take_checked(host_offence(host), name, draft.options.client_name);
}

Applied apply_not_empty(const SettingValue& value, std::string& into) {
  if (value.text().empty() || value.text().find('\0') != std::string::npos) {
    return Failure(std::string("it is empty, or has a NUL"));
  }
  into = value.text();
  return {};
}

Applied apply_idempotency_header(const SettingValue& value, EndpointDraft& draft) {
  const std::string& name = value.text();
  if (!codec::is_field_name(name) || name.size() > codec::idempotency_name_bytes_max) {
    return Failure(fmt::format("{} is not the name of a header field", in_quotes(name)));
  }
  draft.options.idempotency_header = name;
  return {};
}

Applied apply_host(const SettingValue& value, EndpointDraft& draft) {
  Bytes host = value.text();
  draft.options.host_is_absolute = take_absolute_dot(host);
  auto offence = host_offence(host);
  if (offence && host.find(':') != Bytes::npos) {
    *offence += "; a port stands in `port`, and how it is secured in `security`";
  }
  return take_checked(std::move(offence), std::string(host), draft.options.host);
}

Applied apply_pipelining(const SettingValue& value, EndpointDraft& draft) {
  const auto setting = parse_pipeline(value.text());
  if (!setting) {
    return Failure(setting.error());
  }
  draft.options.pipelining = setting->pipelining;
  draft.options.messages_in_flight_max = setting->messages_in_flight_max;
  return {};
}

Applied apply_username(const SettingValue& value, EndpointDraft& draft) {
  return take_checked(username_offence(value.text()), value.text(), draft.options.username);
}

// What rows are made of: how a text becomes a member, and the member a text.
using Draft = EndpointDraft;
using Options = EndpointOptions;

template <auto member>
Applied apply_file(const SettingValue& value, Draft& draft) {
  return apply_not_empty(value, draft.options.*member);
}

template <auto member>
Applied apply_place(const SettingValue& value, Draft& draft) {
  return apply_not_empty(value, draft.*member);
}

template <auto member, auto parse>
Applied apply_with(const SettingValue& value, Draft& draft) {
  return take(parse(value.text()), draft.options.*member);
}

template <auto member>
Applied apply_pause(const SettingValue& value, Draft& draft) {
  return apply_timeout(value, draft.options.*member);
}

template <auto member, std::uint64_t min, std::uint64_t max>
Applied apply_count(const SettingValue& value, Draft& draft) {
  return take(parse_number(value.text(), {.min = min, .max = max}), draft.options.*member);
}

Applied apply_username_is_password(const SettingValue& value, Draft& draft) {
  return take(parse_boolean(value.text()), draft.username_is_password);
}

std::string show_nothing(const Draft& /*draft*/) { return {}; }

std::string show_rates(const Draft& draft) {
  std::vector<std::string> texts;
  for (const QuotaLimit& limit : draft.options.rates) {
    texts.push_back(quota_limit_text(limit));
  }
  return joined(texts, ",");
}

template <auto member>
std::string show_count(const Draft& draft) {
  return fmt::format("{}", draft.options.*member);
}

template <auto member>
std::string show_pause(const Draft& draft) {
  return duration_text(draft.options.*member);
}

template <auto member>
std::string show_boolean(const Draft& draft) {
  return draft.options.*member ? "true" : "false";
}

std::string show_port(const Draft& draft) { return fmt::format("{}", draft.options.port); }

std::string show_security(const Draft& draft) {
  return std::string(name_of(draft.options.security));
}

std::string show_auth(const Draft& draft) {
  return draft.nobody_logs_in ? "none" : auth_text(draft.options.auth);
}

std::string show_pipelining(const Draft& draft) {
  if (draft.options.pipelining == PipeliningOption::off) {
    return "off";
  }
  const std::uint32_t messages = draft.options.messages_in_flight_max;
  return messages == 0 ? "auto" : fmt::format("{}", messages);
}

std::string show_chunking(const Draft& draft) { return draft.options.chunking ? "auto" : "off"; }

Applied apply_security(const SettingValue& value, Draft& draft) {
  return take(parse_security(value.text()), draft.security);
}

constexpr bool is_path = true;
constexpr bool is_secret = true;
constexpr SendWide own_only = {};
constexpr std::string_view where = "Where to";
constexpr std::string_view run = "The run";

// In the order in which they are shown.
constexpr EndpointKey keys[] = {
    {"preset", "NAME|none", "The provider, whose preset is laid under these keys",
     SettingKind::text, !is_path, !is_secret, own_only, apply_preset, show_nothing},
    {"region", "NAME", "Which of the preset's hosts", SettingKind::text, !is_path, !is_secret,
     own_only, apply_place<&Draft::region>, show_nothing},
    {"plan", "NAME", "Which of the preset's plans the account has", SettingKind::text, !is_path,
     !is_secret, own_only, apply_place<&Draft::plan>, show_nothing},
    {"host", "HOST", "Name or address of the server", SettingKind::text, !is_path, !is_secret,
     own_only, apply_host, show_nothing},
    {"port", "N", "Its port", SettingKind::number, !is_path, !is_secret, own_only, apply_port,
     show_port},
    {"ports",
     "N,N",
     "Ports to try, in this order, until one serves",
     SettingKind::number_list,
     !is_path,
     !is_secret,
     {"ports", where},
     apply_ports,
     show_nothing},
    {"security", "starttls|implicit|none", "How TLS comes onto the connection", SettingKind::text,
     !is_path, !is_secret, own_only, apply_security, show_security},
    {"username", "NAME", "Who logs in; nobody without it", SettingKind::text, !is_path, !is_secret,
     own_only, apply_username, show_nothing},
    {"password_file", "FILE", "A file whose first line is the password", SettingKind::text, is_path,
     !is_secret, own_only, apply_place<&Draft::password_file>, show_nothing},
    {"password_command", "COMMAND", "A command that prints the password", SettingKind::text,
     !is_path, is_secret, own_only, apply_place<&Draft::password_command>, show_nothing},
    {"oauth_token_file", "FILE", "A file with an OAuth access token, read when it is needed",
     SettingKind::text, is_path, !is_secret, own_only, apply_place<&Draft::oauth_token_file>,
     show_nothing},
    {"oauth_token_command", "COMMAND", "A command that prints an OAuth access token",
     SettingKind::text, !is_path, is_secret, own_only, apply_place<&Draft::oauth_token_command>,
     show_nothing},
    {"username_is_password", "BOOLEAN", "The password is the user name, too", SettingKind::boolean,
     !is_path, !is_secret, own_only, apply_username_is_password, show_nothing},
    {"auth", "MECHANISM|auto|none", "The mechanism to log in with", SettingKind::text, !is_path,
     !is_secret, own_only, apply_auth, show_auth},
    {"allow_plaintext_auth", "BOOLEAN", "Log in without TLS, too", SettingKind::boolean, !is_path,
     !is_secret, own_only, apply_with<&Options::allow_plaintext_auth, parse_boolean>, show_nothing},
    {"ca_file", "FILE", "PEM with CAs that are trusted beside the system's", SettingKind::text,
     is_path, !is_secret, own_only, apply_file<&Options::ca_file>, show_nothing},
    {"client_certificate", "FILE", "PEM, for servers that ask who we are", SettingKind::text,
     is_path, !is_secret, own_only, apply_file<&Options::client_certificate_file>, show_nothing},
    {"client_key", "FILE", "Its private key", SettingKind::text, is_path, !is_secret, own_only,
     apply_file<&Options::client_key_file>, show_nothing},
    {"verify", "BOOLEAN", "Whether the certificate must be good", SettingKind::boolean, !is_path,
     !is_secret, own_only, apply_with<&Options::verify_certificate, parse_boolean>,
     show_boolean<&Options::verify_certificate>},
    {"connections",
     "N|auto",
     "Connections to each endpoint",
     SettingKind::number,
     !is_path,
     !is_secret,
     {"connections", where},
     apply_connections,
     show_count<&Options::connections_max>},
    {"max_connections", "N", "Connections that the provider allows", SettingKind::number, !is_path,
     !is_secret, own_only, apply_max_connections, show_nothing},
    {"rate",
     "N[/s|/m|/h|/d]",
     "At most so much to each endpoint: 14/s, or 14/s,50000 recipients/d",
     SettingKind::rate_list,
     !is_path,
     !is_secret,
     {"rate", where},
     apply_rates,
     show_rates},
    {"pipelining",
     "auto|off|N",
     "Messages in flight on a connection, where the server allows it",
     SettingKind::text,
     !is_path,
     !is_secret,
     {"pipeline", where},
     apply_pipelining,
     show_pipelining},
    {"chunking",
     "auto|off",
     "Use BDAT where announced",
     SettingKind::text,
     !is_path,
     !is_secret,
     {"chunking", where},
     apply_with<&Options::chunking, parse_chunking>,
     show_chunking},
    {"recipients_per_message",
     "N",
     "Recipients of one transaction",
     SettingKind::number,
     !is_path,
     !is_secret,
     {"max_recipients", where},
     apply_count<&Options::recipients_max, 1, limits::job_recipients_max>,
     show_count<&Options::recipients_max>},
    {"messages_per_connection", "N", "Messages of a connection before it is replaced",
     SettingKind::number, !is_path, !is_secret, own_only,
     apply_count<&Options::messages_per_connection_max, 1, 1'000'000'000>, show_nothing},
    {"bytes_per_message", "N", "Octets of a message; a larger one is invalid", SettingKind::number,
     !is_path, !is_secret, own_only,
     apply_count<&Options::message_bytes_max, 1, std::uint64_t{1} << 40>, show_nothing},
    {"max_attempts",
     "N",
     "Attempts of a message after a 4xx or a lost connection",
     SettingKind::number,
     !is_path,
     !is_secret,
     {"max_attempts", run},
     apply_count<&Options::attempts_max, 1, 1000>,
     show_count<&Options::attempts_max>},
    {"max_refusals",
     "N",
     "Stop an endpoint that only says the same no; 0: never",
     SettingKind::number,
     !is_path,
     !is_secret,
     {"max_refusals", run},
     apply_count<&Options::equal_refusals_max, 0, 1'000'000'000>,
     show_count<&Options::equal_refusals_max>},
    {"patience",
     "DURATION",
     "Wait so long for an endpoint that is away [10m; 1m if it never worked]",
     SettingKind::number,
     !is_path,
     !is_secret,
     {"patience", run},
     apply_with<&Options::patience, parse_duration>,
     show_nothing},
    {"retry_pause", "DURATION", "Pause before the second attempt of a message", SettingKind::number,
     !is_path, !is_secret, own_only, apply_pause<&Options::retry_pause_first>,
     show_pause<&Options::retry_pause_first>},
    {"weight", "N", "Share of the jobs that name no endpoint", SettingKind::number, !is_path,
     !is_secret, own_only, apply_with<&Options::weight, parse_weight>,
     show_count<&Options::weight>},
    {"client_name", "NAME", "Our name in EHLO", SettingKind::text, !is_path, !is_secret, own_only,
     apply_client_name, show_nothing},
    {"idempotency_header", "NAME", "Header field that carries a message's idempotency key",
     SettingKind::text, !is_path, !is_secret, own_only, apply_idempotency_header, show_nothing},
    {"connect_timeout", "DURATION", "For a connection", SettingKind::number, !is_path, !is_secret,
     own_only, apply_pause<&Options::connect_timeout>, show_pause<&Options::connect_timeout>},
    {"tls_timeout", "DURATION", "For a TLS handshake", SettingKind::number, !is_path, !is_secret,
     own_only, apply_pause<&Options::tls_timeout>, show_pause<&Options::tls_timeout>},
    {"command_timeout", "DURATION", "For a reply", SettingKind::number, !is_path, !is_secret,
     own_only, apply_pause<&Options::command_timeout>, show_pause<&Options::command_timeout>},
    {"end_of_data_timeout", "DURATION", "For the reply to a message", SettingKind::number, !is_path,
     !is_secret, own_only, apply_pause<&Options::end_of_data_timeout>,
     show_pause<&Options::end_of_data_timeout>},
    {"max_connection_idle", "DURATION", "When the server ends an idle connection",
     SettingKind::number, !is_path, !is_secret, own_only,
     apply_pause<&Options::connection_idle_max>, show_nothing},
    {"max_connection_age", "DURATION", "When the server ends any connection", SettingKind::number,
     !is_path, !is_secret, own_only, apply_pause<&Options::connection_age_max>, show_nothing},
    {"rate_counts", "messages|recipients", "What the provider's rate counts, where nobody knows it",
     SettingKind::text, !is_path, !is_secret, own_only, apply_rate_counts, show_nothing},
    {"queue_id", "TEXT", "Where the id stands in a 2xx; not supported yet", SettingKind::text,
     !is_path, !is_secret, own_only, nullptr, show_nothing},
};

}  // namespace

std::span<const EndpointKey> endpoint_keys() { return keys; }

const EndpointKey* find_endpoint_key(Bytes name) {
  const auto* const found =
      std::find_if(std::begin(keys), std::end(keys),
                   [name](const EndpointKey& key) { return key.name == name; });
  return found == std::end(keys) ? nullptr : found;
}

Result<void, std::string> check_value(Bytes name, const SettingValue& value) {
  const EndpointKey* const key = find_endpoint_key(name);
  RP_ASSERT(key != nullptr && key->apply != nullptr);
  EndpointDraft scratch;
  return key->apply(value, scratch);
}

Result<std::uint32_t, std::string> parse_weight(Bytes text) {
  const auto number = parse_number(text, {.min = 1, .max = weight_limit});
  if (!number) {
    return Failure(number.error());
  }
  return static_cast<std::uint32_t>(*number);
}

Result<std::vector<std::uint16_t>, std::string> parse_ports(std::span<const std::string> texts) {
  std::vector<std::uint16_t> ports;
  for (const std::string& text : texts) {
    for (Bytes rest = text; ports.empty() || !rest.empty();) {
      const std::size_t length = std::min(rest.find(','), rest.size());
      const auto port = parse_port(rest.substr(0, length));
      if (!port) {
        return Failure(port.error());
      }
      ports.push_back(*port);
      rest.remove_prefix(std::min(length + 1, rest.size()));
    }
  }
  if (ports.empty()) {
    return Failure(std::string("no port stands in the list"));
  }
  return ports;
}

Result<std::optional<AuthMechanism>, std::string> parse_auth(Bytes text) {
  using Parsed = std::optional<AuthMechanism>;
  if (text == "auto") {
    return Parsed();
  }
  if (const Parsed mechanism = codec::find_mechanism(text)) {
    return mechanism;
  }
  std::vector<std::string> names = {"auto"};
  for (const codec::MechanismTraits& traits : codec::mechanism_table()) {
    names.push_back(auth_text(traits.mechanism));
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string mistake = codec::unknown_word("mechanism", text, known);
  const std::string last = names.back();
  names.pop_back();
  return Failure(fmt::format("{} (there are {} and {})", mistake, joined(names, ", "), last));
}

std::string auth_text(std::optional<AuthMechanism> auth) {
  std::string text(auth ? codec::name_of(*auth) : "auto");
  for (char& character : text) {
    character = codec::lower(character);
  }
  return text;
}

std::string_view name_of(TransportSecurity security) {
  switch (security) {
    case TransportSecurity::starttls:
      return "starttls";
    case TransportSecurity::implicit:
      return "implicit";
    case TransportSecurity::none:
      return "none";
  }
  RP_ASSERT(false);
}

}  // namespace ringpost::cli
