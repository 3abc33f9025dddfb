#include "tools/settings/endpoint_setting.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "codec/mail/header_text.h"
#include "codec/mail/idempotency_header.h"
#include "codec/smtp/sasl.h"
#include "codec/text/ascii.h"
#include "codec/text/spelling.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"
#include "tools/settings/endpoint_url.h"
#include "tools/settings/submission_port.h"

namespace ringpost::cli {

namespace {

using Applied = Result<void, std::string>;

constexpr std::size_t endpoint_name_bytes_max = 64;
// More than one machine has ports for, and few enough that a slip of the finger shows.
constexpr std::uint64_t connections_limit = 50'000;
constexpr std::uint64_t weight_limit = 1000;

template <typename T, typename U>
Applied take(Result<T, std::string> parsed, U& into) {
  if (!parsed) {
    return Failure(std::move(parsed.error()));
  }
  into = static_cast<U>(std::move(*parsed));
  return {};
}

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
  draft.ports.clear();
  for (const std::string& text : value.texts) {
    std::uint16_t port = 0;
    if (auto taken = take(parse_port(text), port); !taken) {
      return taken;
    }
    draft.ports.push_back(port);
  }
  if (draft.ports.empty()) {
    return Failure(std::string("no port stands in the list"));
  }
  draft.port = draft.ports.front();
  return {};
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

constexpr auto apply_ca_file = [](const SettingValue& value, EndpointDraft& draft) {
  return apply_not_empty(value, draft.options.ca_file);
};

constexpr std::array<EndpointKey, 33> keys = {{
    {"host", SettingKind::text, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       Bytes host = value.text();
       draft.options.host_is_absolute = take_absolute_dot(host);
       auto offence = host_offence(host);
       if (offence && host.find(':') != Bytes::npos) {
         *offence += "; a port stands in `port`, and how it is secured in `security`";
       }
       return take_checked(std::move(offence), std::string(host), draft.options.host);
     }},
    {"port", SettingKind::number, false, apply_port},
    {"ports", SettingKind::number_list, false, apply_port},
    {"security", SettingKind::text, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_security(value.text()), draft.security);
     }},
    {"username", SettingKind::text, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take_checked(username_offence(value.text()), value.text(), draft.options.username);
     }},
    {"password_file", SettingKind::text, true,
     [](const SettingValue& value, EndpointDraft& draft) {
       return apply_not_empty(value, draft.password_file);
     }},
    {"password_command", SettingKind::text, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return apply_not_empty(value, draft.password_command);
     }},
    {"oauth_token_file", SettingKind::text, true,
     [](const SettingValue& value, EndpointDraft& draft) {
       return apply_not_empty(value, draft.oauth_token_file);
     }},
    {"oauth_token_command", SettingKind::text, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return apply_not_empty(value, draft.oauth_token_command);
     }},
    {"auth", SettingKind::text, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_auth(value.text()), draft.options.auth);
     }},
    {"allow_plaintext_auth", SettingKind::boolean, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_boolean(value.text()), draft.options.allow_plaintext_auth);
     }},
    {"ca_file", SettingKind::text, true, apply_ca_file},
    {"client_certificate", SettingKind::text, true,
     [](const SettingValue& value, EndpointDraft& draft) {
       return apply_not_empty(value, draft.options.client_certificate_file);
     }},
    {"client_key", SettingKind::text, true,
     [](const SettingValue& value, EndpointDraft& draft) {
       return apply_not_empty(value, draft.options.client_key_file);
     }},
    {"verify", SettingKind::boolean, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_boolean(value.text()), draft.options.verify_certificate);
     }},
    {"connections", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_connections(value.text()), draft.options.connections_max);
     }},
    {"rate", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_rate(value.text()), draft.options.messages_per_second_max);
     }},
    {"pipelining", SettingKind::text, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       const auto setting = parse_pipeline(value.text());
       if (!setting) {
         return Result<void, std::string>(Failure(setting.error()));
       }
       setting->apply_to(draft.options);
       return Result<void, std::string>();
     }},
    {"chunking", SettingKind::text, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_chunking(value.text()), draft.options.chunking);
     }},
    {"recipients_per_message", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_recipients_max(value.text()), draft.options.recipients_max);
     }},
    {"messages_per_connection", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_number(value.text(), {.min = 1, .max = 1'000'000'000}),
                   draft.options.messages_per_connection_max);
     }},
    {"max_attempts", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_attempts_max(value.text()), draft.options.attempts_max);
     }},
    {"max_refusals", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_refusals_max(value.text()), draft.options.equal_refusals_max);
     }},
    {"patience", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_duration(value.text()), draft.options.patience);
     }},
    {"retry_pause", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return apply_timeout(value, draft.options.retry_pause_first);
     }},
    {"weight", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return take(parse_weight(value.text()), draft.options.weight);
     }},
    {"client_name", SettingKind::text, false, apply_client_name},
    {"idempotency_header", SettingKind::text, false, apply_idempotency_header},
    {"connect_timeout", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return apply_timeout(value, draft.options.connect_timeout);
     }},
    {"tls_timeout", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return apply_timeout(value, draft.options.tls_timeout);
     }},
    {"command_timeout", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return apply_timeout(value, draft.options.command_timeout);
     }},
    {"end_of_data_timeout", SettingKind::number, false,
     [](const SettingValue& value, EndpointDraft& draft) {
       return apply_timeout(value, draft.options.end_of_data_timeout);
     }},
    {"preset", SettingKind::text, false, nullptr},
}};

// "FILE:LINE:COLUMN: " of a setting, or the endpoint's name when there is no such setting.
std::string blame(const std::string& name, const SettingMap& settings, std::string_view key) {
  const auto found = settings.find(key);
  return found == settings.end()
             ? fmt::format("endpoint.{}", name)
             : fmt::format("{}: endpoint.{}.{}", found->second.origin, name, key);
}

// Precondition: auth_conflict() found nothing.
Applied check_token(const std::string& name, const SettingMap& settings,
                    const EndpointDraft& draft) {
  if (!draft.has_token()) {
    return {};
  }
  const char* const key =
      draft.oauth_token_file.empty() ? "oauth_token_command" : "oauth_token_file";
  const auto conflict = [&]() -> std::string_view {
    if (!draft.oauth_token_file.empty() && !draft.oauth_token_command.empty()) {
      return "it stands beside oauth_token_command; keep one";
    }
    if (!draft.password_file.empty() || !draft.password_command.empty()) {
      return "it stands beside a password; keep one";
    }
    if (draft.options.username.empty()) {
      return "a token needs a username, whose it is";
    }
    if (draft.options.security == TransportSecurity::none) {
      return "a token is not sent without TLS, whatever is allowed (RFC 6750 5.3)";
    }
    if (draft.options.auth && !codec::takes_token(*draft.options.auth)) {
      return "the mechanism of auth takes a password; xoauth2 and oauthbearer take a token";
    }
    return {};
  }();
  if (conflict.empty()) {
    return {};
  }
  return Failure(fmt::format("{}: {}", blame(name, settings, key), conflict));
}

Applied check_client_certificate(const std::string& name, const SettingMap& settings,
                                 const EndpointOptions& options) {
  const bool has_certificate = !options.client_certificate_file.empty();
  const char* const key = has_certificate ? "client_certificate" : "client_key";
  if (has_certificate == options.client_key_file.empty()) {
    return Failure(
        fmt::format("{}: client_certificate and client_key go together; there is only one of them",
                    blame(name, settings, key)));
  }
  if (has_certificate && options.security == TransportSecurity::none) {
    return Failure(
        fmt::format("{}: without TLS a certificate means nothing", blame(name, settings, key)));
  }
  return {};
}

Applied complete(const std::string& name, const SettingMap& settings, EndpointDraft& draft) {
  EndpointOptions& options = draft.options;
  options.name = name;
  options.security =
      draft.security.value_or(default_security(draft.port.value_or(submission_port)));
  options.port = draft.port.value_or(default_port(options.security));
  if (options.host.empty()) {
    return Failure(fmt::format("endpoint.{}: it has no host", name));
  }
  const char* const port_key = settings.contains("ports") ? "ports" : "port";
  if (settings.contains("ports") && settings.contains("port")) {
    return Failure(
        fmt::format("{}: it stands beside \"ports\"; keep one", blame(name, settings, "port")));
  }
  if (auto conflict = port_conflict(options.port, options.security)) {
    return Failure(fmt::format("{}: {}", blame(name, settings, port_key), *conflict));
  }
  const bool in_clear = options.security == TransportSecurity::none;
  if (in_clear && !options.username.empty() && !options.allow_plaintext_auth) {
    return Failure(
        fmt::format("{}: without TLS the password could be read on the way; allow_plaintext_auth = "
                    "true permits "
                    "it",
                    blame(name, settings, "username")));
  }
  if (auto conflict = auth_conflict(options)) {
    return Failure(fmt::format("{}: {}", blame(name, settings, "auth"), *conflict));
  }
  if (auto checked = check_token(name, settings, draft); !checked) {
    return checked;
  }
  return check_client_certificate(name, settings, options);
}

}  // namespace

std::span<const EndpointKey> endpoint_keys() { return keys; }

const EndpointKey* find_endpoint_key(Bytes name) {
  const auto* const found = std::find_if(
      keys.begin(), keys.end(), [name](const EndpointKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : found;
}

std::optional<std::string> endpoint_name_offence(Bytes name) {
  const auto is_plain = [](char character) { return codec::is_alphanumeric(character); };
  const bool allowed =
      !name.empty() && is_plain(name.front()) &&
      std::all_of(name.begin(), name.end(), [is_plain](char character) {
        return is_plain(character) || character == '.' || character == '-' || character == '_';
      });
  if (!allowed) {
    return fmt::format(
        "{} is no name for an endpoint: letters, digits, dots, hyphens and underscores make one",
        in_quotes(name));
  }
  if (name.size() > endpoint_name_bytes_max) {
    return fmt::format("{} is longer than {} octets", in_quotes(name), endpoint_name_bytes_max);
  }
  return std::nullopt;
}

Result<EndpointDraft, std::string> make_endpoint(const std::string& name,
                                                 const SettingMap& settings) {
  EndpointDraft draft;
  for (const auto& [key_name, value] : settings) {
    const EndpointKey* const key = find_endpoint_key(key_name);
    RP_ASSERT(key != nullptr && key->apply != nullptr);
    if (auto applied = key->apply(value, draft); !applied) {
      return Failure(fmt::format("{}: {}", blame(name, settings, key_name), applied.error()));
    }
  }
  if (auto completed = complete(name, settings, draft); !completed) {
    return Failure(std::move(completed.error()));
  }
  return draft;
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

void PipelineSetting::apply_to(EndpointOptions& options) const {
  options.pipelining = pipelining;
  options.messages_in_flight_max = messages_in_flight_max;
}

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

std::string pipeline_text(const EndpointOptions& options) {
  if (options.pipelining == PipeliningOption::off) {
    return "off";
  }
  const std::uint32_t messages = options.messages_in_flight_max;
  return messages == 0 ? "auto" : fmt::format("{}", messages);
}

Result<bool, std::string> parse_chunking(Bytes text) {
  if (text == "auto" || text == "off") {
    return text == "auto";
  }
  return Failure(fmt::format("{} is neither auto nor off", in_quotes(text)));
}

Result<std::uint32_t, std::string> parse_recipients_max(Bytes text) {
  const auto number = parse_number(text, {.min = 1, .max = limits::job_recipients_max});
  if (!number) {
    return Failure(number.error());
  }
  return static_cast<std::uint32_t>(*number);
}

Result<std::uint32_t, std::string> parse_attempts_max(Bytes text) {
  const auto number = parse_number(text, {.min = 1, .max = 1000});
  if (!number) {
    return Failure(number.error());
  }
  return static_cast<std::uint32_t>(*number);
}

Result<std::uint32_t, std::string> parse_refusals_max(Bytes text) {
  const auto number = parse_number(text, {.min = 0, .max = 1'000'000'000});
  if (!number) {
    return Failure(number.error());
  }
  return static_cast<std::uint32_t>(*number);
}

Result<std::uint32_t, std::string> parse_weight(Bytes text) {
  const auto number = parse_number(text, {.min = 1, .max = weight_limit});
  if (!number) {
    return Failure(number.error());
  }
  return static_cast<std::uint32_t>(*number);
}

Result<std::optional<AuthMechanism>, std::string> parse_auth(Bytes text) {
  using Parsed = std::optional<AuthMechanism>;
  if (text == "auto") {
    return Parsed();
  }
  if (const Parsed mechanism = codec::find_mechanism(text)) {
    return mechanism;
  }
  constexpr std::array<std::string_view, auth_mechanism_count + 1> known = {
      "auto", "plain", "login", "cram-md5", "scram-sha-256", "xoauth2", "oauthbearer"};
  return Failure(codec::unknown_word("mechanism", text, known) +
                 " (there are auto, plain, login, cram-md5, scram-sha-256, xoauth2 and "
                 "oauthbearer)");
}

std::optional<std::string> auth_conflict(const EndpointOptions& options) {
  if (!options.auth) {
    return std::nullopt;
  }
  if (options.username.empty()) {
    return "a mechanism to log in with needs a user name";
  }
  if (options.security == TransportSecurity::none && codec::takes_token(*options.auth)) {
    return "a token is not sent without TLS, whatever is allowed (RFC 6750 5.3)";
  }
  return std::nullopt;
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
