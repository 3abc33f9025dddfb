// The problem: a setting may be a flag, a variable or a line of a file, and has to mean the same in
// all of them. The idea: CLI11 hands over texts and parses nothing: a flag is a setting with its
// origin, the strongest layer above variables and files, and the tables of keys say what it means.
// Limits: CLI11 keeps references to where the texts go, so these have addresses of their own for as
// long as the app lives.
#include "tools/send/send_flags.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tools/settings/config_file.h"
#include "tools/settings/endpoint_choice.h"
#include "tools/settings/recipient_setting.h"
#include "tools/settings/send_setting.h"
#include "tools/settings/variable_check.h"

namespace ringpost::cli {

namespace {

constexpr const char* send_examples =
    R"(Exit codes: 0 all accepted, 2 usage, 3 invalid lines, 4 rejected, 5 deferred or unsent,
6 unknown, 7 no usable endpoint, 11 outcomes not written, 129/130/143 stopped by a signal.
Every flag is also a variable, as RINGPOST_OUTCOMES, and a key of [send] in ringpost.toml.
Passwords come from password_file, password_command, $CREDENTIALS_DIRECTORY/NAME or
RINGPOST_PASSWORD; never from a flag.

Examples:
  ringpost send -e sendgrid -o outcomes.jsonl jobs.jsonl.zst
  make-jobs | ringpost send -e ses --rate 14/s --errors failed.jsonl
  ringpost send -e ses --template news.toml --recipients list.csv --dedupe -o outcomes.jsonl
  ringpost send -e ses=3 -e mailgun=1 --fail-on rejected,unknown jobs.jsonl)";

// What its settings name is read now or later.
std::vector<FileRole> files_of(const ChosenEndpoint& endpoint) {
  std::vector<FileRole> roles;
  for (const auto& [name, value] : endpoint.settings) {
    if (find_endpoint_key(name)->is_path) {
      roles.push_back(
          {"the " + name + " of endpoint " + endpoint.draft.options.name, value.text()});
    }
  }
  return roles;
}

std::string environment_text(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

struct SendFlags::State {
  // What was given for one key of [send].
  struct Flag {
    const SendKey* key = nullptr;
    std::vector<std::string> texts;     // of a flag that takes a value
    std::optional<std::int64_t> times;  // of a switch; below zero for --quiet=false
  };
  std::vector<Flag> flags;  // as many as there are keys, so that addresses last
  std::vector<std::string> files;
  std::string config_path;

  [[nodiscard]] SettingMap settings() const;
};

SettingMap SendFlags::State::settings() const {
  SettingMap given;
  for (const Flag& flag : flags) {
    if (flag.texts.empty() && !flag.times) {
      continue;
    }
    const SendKey* const key = flag.key;
    SettingValue value{flag.texts, Layer::flag, flag_of(key->name)};
    if (flag.times) {
      const bool is_boolean = key->kind == SettingKind::boolean;
      const std::int64_t times = std::max<std::int64_t>(*flag.times, 0);
      value.texts = {std::to_string(is_boolean ? std::min<std::int64_t>(times, 1) : times)};
    } else if (key->kind != SettingKind::text_list) {
      // The last where one is meant, as every tool does for a flag that a script adds to.
      value.texts = {flag.texts.back()};
    }
    given[std::string(key->name)] = std::move(value);
  }
  return given;
}

SendFlags::SendFlags() : state_(std::make_shared<State>()) {
  for (const SendKey& key : send_keys()) {
    state_->flags.push_back({.key = &key, .texts = {}, .times = {}});
  }
}

void SendFlags::describe(CommandSpec& command) const {
  State& state = *state_;
  command.flags.push_back(
      {"FILE", "", "Job files, .zst and .gz too; - or none is stdin", &state.files});
  for (State::Flag& flag : state.flags) {
    const SendKey& key = *flag.key;
    const std::string separator = key.short_flag.empty() ? "" : ",";
    FlagSpec spec{std::string(key.short_flag) + separator + flag_of(key.name),
                  std::string(key.type), key.help_text(), &flag.texts, std::string(key.group)};
    if (key.type.empty()) {
      spec.target = &flag.times;
    }
    command.flags.push_back(std::move(spec));
    if (key.name == "endpoint") {
      command.flags.push_back({"-c,--config", "FILE", "Read this file instead of the usual ones",
                               &state.config_path, std::string(key.group)});
    }
  }
  command.examples = send_examples;
}

Result<SendSettings, UsageError> SendFlags::settings() const {
  const std::string config_path =
      state_->config_path.empty() ? environment_text("RINGPOST_CONFIG") : state_->config_path;
  const auto configuration = load_configuration(config_path);
  if (!configuration) {
    return Failure(configuration.error());
  }
  VariableCheck variables = check_variables();
  if (!variables.errors.empty()) {
    return Failure(UsageError{variables.error_text()});
  }
  SettingMap layered = configuration->send;
  lay_over(layered, settings_of_environment());
  lay_over(layered, state_->settings());
  auto draft = make_send_draft(layered);
  if (!draft) {
    return Failure(UsageError{std::move(draft.error())});
  }
  SendSettings settings = std::move(draft->settings);
  settings.files = state_->files;
  if (auto checked = check_recipient_settings(settings); !checked) {
    return Failure(UsageError{std::move(checked.error())});
  }
  settings.warnings = std::move(variables.warnings);
  for (const std::string& path : configuration->files) {
    settings.files_read.push_back({"the configuration file", path});
  }
  const bool needs_endpoint = !settings.dry_run || !draft->endpoints.empty();
  if (!needs_endpoint) {
    return settings;
  }
  auto endpoints = choose_endpoints(*draft, layered, *configuration);
  if (!endpoints) {
    return Failure(std::move(endpoints.error()));
  }
  if (!settings.dry_run) {
    if (auto read = read_passwords(*endpoints); !read) {
      return Failure(std::move(read.error()));
    }
  }
  if (!settings.dry_run) {
    settings.state_folder = choose_state_folder(*draft, *endpoints, settings.warnings);
  }
  for (std::string& warning : endpoint_warnings(*endpoints)) {
    settings.warnings.push_back(std::move(warning));
  }
  for (ChosenEndpoint& endpoint : *endpoints) {
    for (FileRole& role : files_of(endpoint)) {
      settings.files_read.push_back(std::move(role));
    }
    EndpointOptions& options = endpoint.draft.options;
    if (endpoint.preset) {
      const bool has_name = endpoint.settings.contains("username");
      settings.login_hints[options.name] =
          login_hint(*endpoint.preset, has_name ? options.username : std::string());
    }
    settings.endpoints.push_back(std::move(options));
  }
  return settings;
}

}  // namespace ringpost::cli
