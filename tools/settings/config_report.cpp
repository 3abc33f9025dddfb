// The problem: three files, variables and defaults make one configuration, and nobody sees which of
// them has won. The idea: the functions of a run put it together, and each setting carries its
// origin along; where a secret would come from is found out without reading it. Limits: flags are
// not a part of it; what is not shown, because a secret may stand in it, has to be put back before
// the text is a configuration again.
#include "tools/settings/config_report.h"

#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/presets/reply_rule_setting.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"
#include "tools/settings/endpoint_choice.h"
#include "tools/settings/endpoint_setting.h"
#include "tools/settings/secret.h"
#include "tools/settings/send_setting.h"
#include "tools/settings/variable_check.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t origin_column = 44;

// A JSON string is a TOML string too.
std::string toml_text(Bytes text) {
  std::string out;
  codec::append_json_string(out, text);
  return out;
}

bool is_plain(SettingKind kind, Bytes text) {
  if (text == "true" || text == "false") {
    return kind == SettingKind::boolean || kind == SettingKind::number;
  }
  const bool may_be_number = kind == SettingKind::number || kind == SettingKind::number_list ||
                             kind == SettingKind::rate_list;
  return may_be_number && !text.empty() && text.find_first_not_of("0123456789") == Bytes::npos;
}

std::string toml_value(const SettingValue& value, SettingKind kind) {
  std::vector<std::string> items;
  for (const std::string& text : value.texts) {
    items.push_back(is_plain(kind, text) ? text : toml_text(text));
  }
  return items.size() == 1 ? items.front() : fmt::format("[{}]", joined(items, ", "));
}

// Of what nobody has said and what has no default: that there is such a key.
void append_unset(std::string& out, std::string_view name, std::string_view type,
                  SettingKind kind) {
  std::string line = fmt::format("# {} =", name);
  line.resize(std::max(line.size() + 1, origin_column), ' ');
  out += fmt::format("{} # not set: {}\n", line,
                     kind == SettingKind::boolean ? "true|false"
                     : type.empty()               ? "N"
                                                  : type);
}

void append_line(std::string& out, std::string_view name, std::string_view value,
                 std::string_view origin) {
  std::string line = fmt::format("{} = {}", name, value);
  line.resize(std::max(line.size() + 1, origin_column), ' ');
  out += fmt::format("{} # {}\n", line, origin);
}

std::string send_section(const SettingMap& settings) {
  std::string out = "[send]\n";
  for (const SendKey& key : send_keys()) {
    const auto found = settings.find(key.name);
    if (found != settings.end()) {
      append_line(out, key.name, toml_value(found->second, key.kind), found->second.origin);
      continue;
    }
    if (!key.usual_text.empty()) {
      const SettingValue usual{{std::string(key.usual_text)}, Layer::file, ""};
      append_line(out, key.name, toml_value(usual, key.kind), "default");
    } else if (key.in_file) {
      append_unset(out, key.name, key.type, key.kind);
    }
  }
  return out;
}

// Those that a file has.
std::string serve_sections_of(const Configuration& configuration) {
  std::string out;
  for (const Section& section : serve_sections()) {
    const auto found = configuration.sections.find(section.name);
    if (found == configuration.sections.end()) {
      continue;
    }
    for (const SettingMap& settings : found->second) {
      out += "\n" + section.heading() + "\n";
      for (const SectionKey& key : section.keys) {
        const auto set = settings.find(key.name);
        const std::string usual = key.show({});
        if (set != settings.end()) {
          append_line(out, key.name, toml_value(set->second, key.kind), set->second.origin);
        } else if (!usual.empty()) {
          append_line(out, key.name, toml_value({{usual}, Layer::file, ""}, key.kind), "default");
        } else {
          append_unset(out, key.name, key.type, key.kind);
        }
      }
    }
  }
  return out;
}

// What a preset says and nothing obeys is no setting.
std::string unheld_lines(const ChosenEndpoint& endpoint) {
  std::string out;
  if (endpoint.preset) {
    for (const UnheldValue& value : endpoint.preset->unheld) {
      append_line(out, "# " + value.key,
                  toml_value({value.texts, Layer::preset, ""}, SettingKind::text),
                  value.origin + "; not obeyed by this version");
    }
  }
  return out;
}

// Of a key that nobody has said.
std::string_view default_origin(const EndpointKey& key, const EndpointDraft& draft) {
  const bool is_capped = key.name == "connections" && draft.connections_allowed != 0 &&
                         draft.options.connections_max < EndpointOptions{}.connections_max;
  return is_capped ? "max_connections" : "default";
}

std::string endpoint_section(const ChosenEndpoint& endpoint) {
  const std::string& name = endpoint.secret_name;
  const SettingMap& settings = endpoint.settings;
  const EndpointDraft& draft = endpoint.draft;
  const bool needs_quotes = name.find('.') != std::string::npos;
  std::string out = fmt::format("\n[endpoint.{}]\n", needs_quotes ? toml_text(name) : name);
  const bool has_ports = settings.contains("ports");
  for (const EndpointKey& key : endpoint_keys()) {
    const auto found = settings.find(key.name);
    if (found != settings.end()) {
      append_line(out, key.name,
                  key.is_secret ? "\"(not shown)\"" : toml_value(found->second, key.kind),
                  found->second.origin);
      continue;
    }
    const std::string value = key.show(draft);
    if (!value.empty() && !(has_ports && key.name == "port")) {
      append_line(out, key.name, toml_value({{value}, Layer::file, ""}, key.kind),
                  default_origin(key, draft));
    } else if (key.apply != nullptr && key.name != "port") {
      append_unset(out, key.name, key.type, key.kind);
    }
  }
  out += unheld_lines(endpoint);
  if (draft.logs_in() && !draft.has_token()) {
    const auto place = secret_place_text({name, draft.password_file, draft.password_command});
    out += fmt::format("# password: {}\n", place ? "from " + *place : "nowhere to be found");
  }
  return out;
}

// The user's, as they would be written, and how many of the preset's stand behind them.
std::string rule_sections(const ChosenEndpoint& endpoint,
                          const std::vector<protocol::ReplyRule>& rules) {
  std::string out;
  for (const protocol::ReplyRule& rule : rules) {
    out += fmt::format("\n# {}\n{}", rule.origin,
                       reply_rule_text(rule, rule_heading(endpoint.secret_name)));
  }
  if (endpoint.preset && !endpoint.preset->preset.replies.empty()) {
    out += fmt::format("# and {} for replies of preset {}\n",
                       counted(endpoint.preset->preset.replies.size(), "rule"),
                       endpoint.preset->preset.id);
  }
  return out;
}

// What a run would fail for, or the server refuse.
std::vector<std::string> login_warnings(const ChosenEndpoint& endpoint) {
  const EndpointDraft& draft = endpoint.draft;
  std::vector<std::string> warnings;
  if (auto missing = missing_username(endpoint)) {
    warnings.push_back(std::move(*missing));
  }
  const SecretPlace place{endpoint.secret_name, draft.password_file, draft.password_command};
  if (draft.logs_in() && !draft.has_token() && !secret_place_text(place)) {
    warnings.push_back(
        fmt::format("endpoint {}: there is no password for its user name", draft.options.name));
  }
  const auto& preset = endpoint.preset;
  if (preset && has_odd_username(*preset, draft.options.username)) {
    const auto hint = preset->preset.hints.find("username");
    warnings.push_back(fmt::format(
        "endpoint {}: {} is no user name as {} gives them{}", draft.options.name,
        in_quotes(draft.options.username), preset->preset.name,
        hint == preset->preset.hints.end() ? std::string() : "; it should be: " + hint->second));
  }
  return warnings;
}

std::string head(const Configuration& configuration) {
  if (configuration.files.empty()) {
    return fmt::format("# no file; looked for {}\n", joined(default_config_paths(), ", "));
  }
  return fmt::format("# from {}\n", joined(configuration.files, ", "));
}

}  // namespace

Result<EffectiveSettings, UsageError> load_effective_settings(const std::string& named) {
  const char* const variable = std::getenv("RINGPOST_CONFIG");
  const bool by_variable = named.empty() && variable != nullptr;
  auto configuration = load_configuration(by_variable ? variable : named);
  if (!configuration) {
    return Failure(std::move(configuration.error()));
  }
  if (const std::string wrong = check_variables().error_text(); !wrong.empty()) {
    return Failure(UsageError{wrong});
  }
  EffectiveSettings effective{std::move(*configuration), {}};
  effective.send = effective.configuration.send;
  lay_over(effective.send, settings_of_environment());
  return effective;
}

Result<std::string, UsageError> effective_configuration(const std::string& named) {
  auto effective = load_effective_settings(named);
  if (!effective) {
    return Failure(std::move(effective.error()));
  }
  if (auto draft = make_send_draft(effective->send); !draft) {
    return Failure(UsageError{std::move(draft.error())});
  }
  std::string text = head(effective->configuration) + send_section(effective->send);
  for (const auto& [name, settings] : effective->configuration.endpoints) {
    const auto rules = effective->configuration.rules_of(name);
    const auto endpoint = complete_endpoint(name, settings, rules);
    if (!endpoint) {
      return Failure(UsageError{endpoint.error()});
    }
    text += endpoint_section(*endpoint) + rule_sections(*endpoint, rules);
  }
  return text + serve_sections_of(effective->configuration);
}

Result<ConfigurationCheck, UsageError> check_configuration(const std::string& named) {
  auto effective = load_effective_settings(named);
  if (!effective) {
    return Failure(std::move(effective.error()));
  }
  std::string errors;
  const auto note = [&errors](const std::string& error) {
    errors += errors.empty() ? "" : "\n";
    errors += error;
  };
  const auto send_draft = make_send_draft(effective->send);
  if (!send_draft) {
    note(send_draft.error());
  } else if (!send_draft->endpoints.empty()) {
    const auto chosen = choose_endpoints(*send_draft, effective->send, effective->configuration);
    if (!chosen) {
      note(chosen.error().message);
    }
  }
  ConfigurationCheck check;
  std::vector<ChosenEndpoint> endpoints;
  for (const auto& [name, settings] : effective->configuration.endpoints) {
    auto endpoint = complete_endpoint(name, settings, effective->configuration.rules_of(name));
    if (!endpoint) {
      note(endpoint.error());
      continue;
    }
    for (std::string& warning : login_warnings(*endpoint)) {
      check.warnings.push_back(std::move(warning));
    }
    endpoints.push_back(std::move(*endpoint));
  }
  if (!errors.empty()) {
    return Failure(UsageError{std::move(errors)});
  }
  for (std::string& warning : check_variables().warnings) {
    check.warnings.push_back(std::move(warning));
  }
  for (std::string& warning : endpoint_warnings(endpoints)) {
    check.warnings.push_back(std::move(warning));
  }
  for (const std::string& file : effective->configuration.files) {
    check.text += fmt::format("{}: ok\n", file);
  }
  if (effective->configuration.files.empty()) {
    check.text = fmt::format("no file; looked for {}\n", joined(default_config_paths(), ", "));
  }
  return check;
}

}  // namespace ringpost::cli
