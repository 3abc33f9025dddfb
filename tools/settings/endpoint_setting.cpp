// The problem: an endpoint is said by a file, a URL and flags together, and whoever wrote the wrong
// word wants to hear where it stands. The idea: all of it becomes one map of settings, whose rows
// are applied in turn; then the rules of endpoints in general look at the whole, and the key that
// they blame has its origin in the map. Limits: one mistake at a time.
#include "tools/settings/endpoint_setting.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "engine/endpoint_check.h"
#include "engine/submission_port.h"
#include "tools/process/wording.h"
#include "tools/settings/applied.h"
#include "tools/settings/oauth_token.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t endpoint_name_bytes_max = 64;

bool is_of_url(const SettingMap& settings) {
  const auto host = settings.find("host");
  return host != settings.end() && host->second.layer == Layer::url;
}

void settle_ports(EndpointDraft& draft) {
  EndpointOptions& options = draft.options;
  const ListedPort first = draft.ports.empty() ? ListedPort{} : draft.ports.front();
  const auto number = draft.ports.empty() ? draft.port : first.port;
  const auto said = first.security ? first.security : draft.security;
  options.security = said.value_or(default_security(number.value_or(submission_port)));
  options.port = number.value_or(default_port(options.security));
  for (const ListedPort& listed : draft.ports) {
    const std::uint16_t port = listed.port;
    const bool is_first = options.ports.empty();
    const TransportSecurity security = is_first          ? options.security
                                       : listed.security ? *listed.security
                                       : draft.security  ? security_in_list(port, *draft.security)
                                                         : default_security(port);
    const auto is_known = [port](const PortOption& other) { return other.port == port; };
    if (std::none_of(options.ports.begin(), options.ports.end(), is_known)) {
      options.ports.push_back({port, security});
    }
  }
}

// No more than the provider allows, however many are wished for.
void settle_connections(EndpointDraft& draft) {
  draft.options.connections_grow = !draft.connections_are_fixed;
  draft.options.connections_allowed = draft.connections_allowed;
  if (draft.connections_allowed != 0) {
    draft.options.connections_max =
        std::min(draft.options.connections_max, draft.connections_allowed);
  }
}

// Two keys of which only one may stand there. What they say together is endpoint_offence()'s.
Applied check_pairs(const std::string& name, const SettingMap& settings) {
  for (const auto& [key, other] : keys_for_one_thing) {
    if (settings.contains(key) && settings.contains(other)) {
      return Failure(fmt::format("{}: it stands beside \"{}\"; keep one",
                                 place_of_setting(name, settings, key), other));
    }
  }
  const auto auth = settings.find("auth");
  const bool nobody_logs_in = auth != settings.end() && auth->second.text() == "none";
  if (nobody_logs_in && settings.contains("username")) {
    return Failure(
        fmt::format("{}: nobody logs in with auth = \"none\"{}; keep one",
                    place_of_setting(name, settings, "username"),
                    auth->second.layer == Layer::preset
                        ? fmt::format(" ({}), auth = \"auto\" has him", auth->second.origin)
                        : std::string()));
  }
  return {};
}

// The same of a token, behind what is wrong with the login itself.
std::optional<EndpointOffence> token_beside(const EndpointDraft& draft) {
  if (draft.has_token() && (!draft.password_file.empty() || !draft.password_command.empty())) {
    return EndpointOffence{"oauth_token", "it stands beside a password; keep one"};
  }
  return std::nullopt;
}

// The offence in the words of whoever wrote the settings.
std::string offence_text(const std::string& name, const SettingMap& settings,
                         const EndpointDraft& draft, const EndpointOffence& offence) {
  if (offence.rule == EndpointRule::login_in_clear && is_of_url(settings)) {
    return fmt::format(
        "{}: a user name needs TLS: without it the password could be read on the way (an "
        "[endpoint.NAME] with allow_plaintext_auth = true permits it)",
        place_of_setting(name, settings, "username"));
  }
  std::string_view key = offence.key;
  if (key == "oauth_token") {
    key = draft.oauth_token_file.empty() ? "oauth_token_command" : "oauth_token_file";
  }
  return fmt::format("{}: {}", place_of_setting(name, settings, key), offence.text);
}

Applied complete(const std::string& name, const SettingMap& settings, EndpointDraft& draft) {
  EndpointOptions& options = draft.options;
  options.name = name;
  settle_ports(draft);
  settle_connections(draft);
  if (draft.has_token()) {
    // Nothing is read yet: the engine does when it needs one, and again when it has expired.
    options.read_token =
        token_reader({.file = draft.oauth_token_file, .command = draft.oauth_token_command});
  }
  if (options.host.empty()) {
    return Failure(fmt::format("endpoint.{}: it has no host", name));
  }
  if (auto checked = check_pairs(name, settings); !checked) {
    return checked;
  }
  EndpointOptions with_user = options;
  if (draft.lacks_username()) {
    with_user.username = "-";  // it comes with the password, and there is one
  }
  auto offence = endpoint_offence(with_user);
  const auto beside = token_beside(draft);
  if (beside && (!offence || offence->key == beside->key)) {
    offence = beside;
  }
  return offence ? Applied(Failure(offence_text(name, settings, draft, *offence))) : Applied();
}

}  // namespace

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

std::string place_of_setting(const std::string& name, const SettingMap& settings,
                             std::string_view key) {
  const auto found = settings.find(key);
  if (found == settings.end()) {
    return is_of_url(settings) ? settings.at("host").origin : fmt::format("endpoint.{}", name);
  }
  const SettingValue& value = found->second;
  // A URL is short enough to find the word.
  return value.layer == Layer::url || value.layer == Layer::flag ||
                 value.layer == Layer::environment
             ? value.origin
             : fmt::format("{}: endpoint.{}.{}", value.origin, name, key);
}

void lay_send_wide(SettingMap& settings, const SettingMap& send_settings) {
  for (const EndpointKey& key : endpoint_keys()) {
    const auto said = send_settings.find(key.send_wide.name);
    const bool is_said = said != send_settings.end() && !key.send_wide.name.empty();
    const bool is_ports = key.name == "ports";
    const bool is_own = settings.contains(key.name) || (is_ports && settings.contains("port"));
    if (!is_said || (said->second.layer == Layer::file && is_own)) {
      continue;
    }
    settings.insert_or_assign(std::string(key.name), said->second);
    if (is_ports) {
      settings.erase("port");
    }
  }
}

Result<EndpointDraft, std::string> make_endpoint(const std::string& name,
                                                 const SettingMap& settings) {
  EndpointDraft draft;
  for (const auto& [key_name, value] : settings) {
    const EndpointKey* const key = find_endpoint_key(key_name);
    RP_ASSERT(key != nullptr && key->apply != nullptr);
    if (auto applied = key->apply(value, draft); !applied) {
      return Failure(
          fmt::format("{}: {}", place_of_setting(name, settings, key_name), applied.error()));
    }
  }
  if (auto completed = complete(name, settings, draft); !completed) {
    return Failure(std::move(completed.error()));
  }
  return draft;
}

}  // namespace ringpost::cli
