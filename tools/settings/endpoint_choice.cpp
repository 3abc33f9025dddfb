// The problem: -e takes a name or a URL, perhaps with a weight behind it; a setting may be said for
// all endpoints or for one; and a password that is in a common variable may be one ESP's while two
// are chosen. The idea: a URL and a section of a file come to the same map of settings, and what
// was said for all is put over it by its layer. A variable belongs to the first host that it was
// read for, and goes to no other. Limits: a URL that ends with `=` and digits is one with a weight.
#include "tools/settings/endpoint_choice.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include "codec/text/spelling.h"
#include "tools/presets/preset_list.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"
#include "tools/settings/endpoint_url.h"
#include "tools/settings/secret.h"
#include "tools/settings/state_folder.h"

namespace ringpost::cli {

namespace {

// codec::nearest_word() compares no longer words.
constexpr std::size_t comparable_bytes_max = 32;

struct Choice {
  Bytes endpoint;  // a name or a URL
  std::optional<std::uint32_t> weight;
};

// Takes `=3` off the end. What stands behind the last = and is no number belongs to a URL.
Result<Choice, std::string> split_weight(Bytes text) {
  const std::size_t equals = text.rfind('=');
  if (equals == Bytes::npos) {
    return Choice{text, std::nullopt};
  }
  const Bytes behind = text.substr(equals + 1);
  const bool is_number = !behind.empty() && behind.find_first_not_of("0123456789") == Bytes::npos;
  if (!is_number && is_endpoint_url(text)) {
    return Choice{text, std::nullopt};
  }
  const auto weight = parse_weight(behind);
  if (!weight) {
    return Failure(fmt::format("weight {}", weight.error()));
  }
  return Choice{text.substr(0, equals), *weight};
}

std::string unknown_endpoint(Bytes name, const Configuration& configuration) {
  std::vector<std::string_view> known;
  for (const auto& [known_name, settings] : configuration.endpoints) {
    if (known_name.size() <= comparable_bytes_max) {
      known.push_back(known_name);
    }
  }
  const auto presets = preset_names();
  known.insert(known.end(), presets.begin(), presets.end());
  std::string text = codec::unknown_word("endpoint", name, known);
  if (name.find_first_of(".:@") != Bytes::npos) {
    return text + " (a server's address begins with smtp:// or smtps://)";
  }
  if (configuration.files.empty()) {
    return text + " (no ringpost.toml was found)";
  }
  return text +
         fmt::format(" (there is no [endpoint.{}] in {})", name, joined(configuration.files, ", "));
}

// What the endpoint says of itself, with its name.
Result<std::pair<std::string, SettingMap>, std::string> own_settings(
    const Choice& choice, const Configuration& configuration) {
  if (is_endpoint_url(choice.endpoint)) {
    auto settings = settings_of_url(choice.endpoint);
    if (!settings) {
      return Failure(std::move(settings.error()));
    }
    Bytes host = settings->at("host").text();
    static_cast<void>(take_absolute_dot(host));
    return std::pair(std::string(host), std::move(*settings));
  }
  const auto found = configuration.endpoints.find(choice.endpoint);
  if (found == configuration.endpoints.end() && is_preset(choice.endpoint)) {
    const std::string preset(choice.endpoint);
    return std::pair(preset, SettingMap{{"preset", {{preset}, Layer::preset, "its name"}}});
  }
  if (found == configuration.endpoints.end()) {
    return Failure(unknown_endpoint(choice.endpoint, configuration));
  }
  return std::pair(found->first, found->second);
}

Result<ChosenEndpoint, std::string> choose_one(const Choice& choice,
                                               const SettingMap& send_settings,
                                               const Configuration& configuration) {
  auto own = own_settings(choice, configuration);
  if (!own) {
    return Failure(std::move(own.error()));
  }
  auto& [name, settings] = *own;
  lay_send_wide(settings, send_settings);
  auto rules = is_endpoint_url(choice.endpoint) ? std::vector<protocol::ReplyRule>()
                                                : configuration.rules_of(name);
  auto endpoint = complete_endpoint(std::move(name), std::move(settings), std::move(rules));
  if (endpoint && choice.weight) {
    endpoint->draft.options.weight = *choice.weight;
  }
  return endpoint;
}

std::string no_choice(const Configuration& configuration, EndpointPlace place) {
  const bool is_flag = place == EndpointPlace::flag;
  if (configuration.endpoints.empty()) {
    return fmt::format(
        "no endpoint: name the server {} smtps://USER@HOST, or its provider (`ringpost presets` "
        "lists "
        "them), or describe it as [endpoint.NAME] in ringpost.toml",
        is_flag ? "with -e" : "as in: ringpost probe");
  }
  std::vector<std::string_view> names;
  for (const auto& [name, settings] : configuration.endpoints) {
    names.push_back(name);
  }
  return fmt::format(
      "which endpoint? There are {}: {}", joined(names, ", "),
      is_flag ? "choose with -e, or endpoint = \"NAME\" under [send]" : "name one of them");
}

// Two URLs with one host get their ports into their names.
Result<void, std::string> make_names_unique(std::vector<ChosenEndpoint>& endpoints) {
  for (std::size_t later = 1; later < endpoints.size(); ++later) {
    EndpointOptions& options = endpoints[later].draft.options;
    const auto has_name = [&](const std::string& name) {
      return std::any_of(
          endpoints.begin(), endpoints.begin() + static_cast<std::ptrdiff_t>(later),
          [&](const ChosenEndpoint& other) { return other.draft.options.name == name; });
    };
    const bool is_url = endpoints[later].secret_name == options.host;
    if (is_url && has_name(options.name)) {
      options.name = fmt::format("{}:{}", options.host, options.port);
    }
    if (has_name(options.name)) {
      return Failure(fmt::format("endpoint {} is chosen twice", in_quotes(options.name)));
    }
  }
  return {};
}

// The mode of a file that its group or others may open; nothing for one that they may not.
std::optional<unsigned> mode_others_have(const std::string& path) {
  struct stat status {};
  const bool shared = !path.empty() && ::stat(path.c_str(), &status) == 0 &&
                      (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  return shared ? std::optional<unsigned>(status.st_mode & 0777U) : std::nullopt;
}

std::string no_password(const ChosenEndpoint& endpoint) {
  const EndpointOptions& options = endpoint.draft.options;
  const std::string whose =
      options.username.empty() ? std::string() : " for user " + in_quotes(options.username);
  const std::string hint = endpoint.preset ? login_hint(*endpoint.preset, options.username) : "";
  return fmt::format("endpoint {}: there is no password{}.\n{}{}{}", options.name, whose, hint,
                     hint.empty() ? "" : ".\n", ways_to_give_a_password(endpoint.secret_name));
}

// More than the provider allows, said by the user and not done.
std::optional<std::string> too_many_connections(const ChosenEndpoint& endpoint) {
  const auto wished = endpoint.settings.find("connections");
  const std::uint32_t allowed = endpoint.draft.connections_allowed;
  EndpointDraft draft;
  if (allowed == 0 || wished == endpoint.settings.end() ||
      !find_endpoint_key("connections")->apply(wished->second, draft) ||
      wished->second.text() == "auto" || draft.options.connections_max <= allowed) {
    return std::nullopt;
  }
  const auto cap = endpoint.settings.find("max_connections");
  return fmt::format(
      "endpoint {}: of {} connections {} opened, as max_connections says ({}); a larger one in "
      "its section allows more",
      endpoint.draft.options.name, draft.options.connections_max,
      allowed == 1 ? "1 is" : fmt::format("{} are", allowed), cap->second.origin);
}

}  // namespace

Result<ChosenEndpoint, std::string> complete_endpoint(std::string name, SettingMap settings,
                                                      std::vector<protocol::ReplyRule> rules) {
  auto laid = lay_preset(name, settings);
  if (!laid) {
    return Failure(std::move(laid.error()));
  }
  auto draft = make_endpoint(name, settings);
  if (!draft) {
    return Failure(std::move(draft.error()));
  }
  const auto of_preset = *laid ? (*laid)->preset.replies : std::vector<protocol::ReplyRule>();
  if (!rules.empty() || !of_preset.empty()) {
    draft->options.reply_rules =
        std::make_shared<const protocol::ReplyRules>(std::move(rules), of_preset);
  }
  return ChosenEndpoint{std::move(*draft), std::move(name), std::move(settings), std::move(*laid)};
}

std::optional<std::string> missing_username(const ChosenEndpoint& endpoint) {
  const EndpointDraft& draft = endpoint.draft;
  if (!endpoint.preset || endpoint.preset->is_picked_by_host || draft.nobody_logs_in ||
      draft.logs_in()) {
    return std::nullopt;
  }
  const Preset& preset = endpoint.preset->preset;
  const auto hint = preset.hints.find("username");
  return fmt::format(
      "endpoint {}: {} wants a user name{}: username = \"...\" under [endpoint.{}], or -e "
      "smtp://USER@{}; auth = \"none\" sends without one",
      draft.options.name, preset.name,
      hint == preset.hints.end() ? std::string() : fmt::format(" ({})", hint->second),
      endpoint.secret_name, draft.options.host);
}

Result<std::vector<ChosenEndpoint>, UsageError> choose_endpoints(const SendDraft& draft,
                                                                 const SettingMap& send_settings,
                                                                 const Configuration& configuration,
                                                                 EndpointPlace place) {
  std::vector<std::string> words = draft.endpoints;
  if (words.empty() && configuration.endpoints.size() == 1) {
    words.push_back(configuration.endpoints.begin()->first);
  }
  if (words.empty()) {
    return Failure(UsageError{no_choice(configuration, place)});
  }
  const auto said = send_settings.find("endpoint");
  const std::string origin = said == send_settings.end() ? "" : said->second.origin + ": ";
  std::vector<ChosenEndpoint> endpoints;
  for (const std::string& word : words) {
    const auto choice = split_weight(word);
    if (!choice) {
      return Failure(UsageError{origin + choice.error()});
    }
    auto chosen = choose_one(*choice, send_settings, configuration);
    if (!chosen) {
      return Failure(UsageError{origin + chosen.error()});
    }
    endpoints.push_back(std::move(*chosen));
  }
  if (auto named = make_names_unique(endpoints); !named) {
    return Failure(UsageError{origin + named.error()});
  }
  return endpoints;
}

Result<void, UsageError> read_passwords(std::vector<ChosenEndpoint>& endpoints, PasswordNeed need) {
  return read_passwords(endpoints, PasswordVariables::take(), need);
}

Result<void, UsageError> read_passwords(std::vector<ChosenEndpoint>& endpoints,
                                        const PasswordVariables& variables, PasswordNeed need) {
  std::map<std::string, std::string> host_of_variable;
  for (ChosenEndpoint& endpoint : endpoints) {
    EndpointOptions& options = endpoint.draft.options;
    const auto missing = missing_username(endpoint);
    if (missing && need == PasswordNeed::required) {
      return Failure(UsageError{*missing});
    }
    if (!endpoint.draft.logs_in()) {
      continue;
    }
    protect_process_memory();
    if (options.read_token) {
      continue;  // the engine reads it when it is needed
    }
    auto secret = read_secret({.endpoint_name = endpoint.secret_name,
                               .password_file = endpoint.draft.password_file,
                               .password_command = endpoint.draft.password_command},
                              variables);
    if (!secret) {
      return Failure(UsageError{fmt::format("endpoint {}: {}", options.name, secret.error())});
    }
    if (!*secret && need == PasswordNeed::optional) {
      continue;
    }
    if (!*secret) {
      return Failure(UsageError{no_password(endpoint)});
    }
    const std::string& variable = (*secret)->variable;
    const std::string& host = host_of_variable.emplace(variable, options.host).first->second;
    if (!variable.empty() && host != options.host) {
      return Failure(UsageError{fmt::format(
          "{} would go to {} and to {}, which are two servers: give each its own, as in {}",
          variable, host, options.host, password_variable(endpoint.secret_name))});
    }
    if (endpoint.draft.lacks_username()) {
      options.username = (*secret)->value;
    }
    options.password = std::move((*secret)->value);
  }
  return {};
}

std::vector<std::string> endpoint_warnings(const std::vector<ChosenEndpoint>& endpoints) {
  std::vector<std::string> warnings;
  for (const ChosenEndpoint& endpoint : endpoints) {
    const EndpointOptions& options = endpoint.draft.options;
    if (endpoint.preset) {
      for (std::string& warning : preset_warnings(options.name, *endpoint.preset)) {
        warnings.push_back(std::move(warning));
      }
    }
    if (auto too_many = too_many_connections(endpoint)) {
      warnings.push_back(std::move(*too_many));
    }
    if (options.security == TransportSecurity::none && !options.username.empty()) {
      warnings.push_back(fmt::format(
          "endpoint {}: the password goes out in clear, and anybody on the way can read it",
          options.name));
    }
    if (const auto mode = mode_others_have(options.client_key_file)) {
      warnings.push_back(fmt::format(
          "endpoint {}: other users may open client_key {} (its mode is {:03o}); mend it with: "
          "chmod 600 '{}'",
          options.name, in_quotes(options.client_key_file), *mode, options.client_key_file));
    }
    if (options.security != TransportSecurity::none && !options.verify_certificate) {
      warnings.push_back(fmt::format(
          "endpoint {}: its certificate is not verified, so anybody on the way can pose as {}",
          options.name, options.host));
    }
  }
  return warnings;
}

std::string choose_state_folder(const SendDraft& draft,
                                const std::vector<ChosenEndpoint>& endpoints,
                                std::vector<std::string>& warnings) {
  const bool has_rates =
      std::any_of(endpoints.begin(), endpoints.end(), [](const ChosenEndpoint& endpoint) {
        const EndpointOptions& options = endpoint.draft.options;
        return !options.rates.empty() || options.unknown_rate;
      });
  if (!has_rates || draft.state_folder) {
    return draft.state_folder.value_or("");
  }
  auto folder = make_usual_state_folder();
  if (!folder) {
    warnings.push_back(
        fmt::format("{}; what was sent is counted for this run alone (--state DIR "
                    "keeps it, --state none is quiet)",
                    folder.error()));
  }
  return folder.value_or("");
}

}  // namespace ringpost::cli
