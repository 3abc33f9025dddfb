#include "tools/send/send_flags.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/settings/config_file.h"
#include "tools/settings/endpoint_choice.h"
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
  ringpost send -e smtps://apikey@smtp.sendgrid.net -o outcomes.jsonl jobs.jsonl.zst
  make-jobs | ringpost send -e ses --rate 14/s --errors failed.jsonl
  ringpost send -e ses=3 -e mailgun=1 --fail-on rejected,unknown jobs.jsonl)";

// What its settings name is read now or later.
std::vector<FileRole> files_of(const ChosenEndpoint& endpoint) {
  const EndpointDraft& draft = endpoint.draft;
  std::vector<FileRole> roles;
  for (const auto& [key, path] : {std::pair{"ca_file", draft.options.ca_file},
                                  {"client_certificate", draft.options.client_certificate_file},
                                  {"client_key", draft.options.client_key_file},
                                  {"password_file", draft.password_file},
                                  {"oauth_token_file", draft.oauth_token_file}}) {
    if (!path.empty()) {
      roles.push_back({"the " + std::string(key) + " of endpoint " + draft.options.name, path});
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
    std::string key;
    std::vector<std::string> texts;  // of a flag that takes a value
    std::int64_t times = 0;          // of a switch; below zero for --quiet=false
    CLI::Option* option = nullptr;
  };
  // Each has an address of its own, because CLI11 keeps references to `texts`.
  std::vector<std::unique_ptr<Flag>> flags;
  std::vector<std::string> files;
  std::string config_path;

  void add_value(CLI::App& app, const char* key, const std::string& short_name, const char* type,
                 const char* help, const char* group);
  void add_switch(CLI::App& app, const char* key, const std::string& short_name, const char* help,
                  const char* group);
  [[nodiscard]] SettingMap settings() const;
};

void SendFlags::State::add_value(CLI::App& app, const char* key, const std::string& short_name,
                                 const char* type, const char* help, const char* group) {
  flags.push_back(std::make_unique<Flag>());
  Flag& flag = *flags.back();
  flag.key = key;
  // One value each time, or the option would swallow the files behind it. All are kept; settings()
  // takes the last where one is meant, as every tool does for a flag that a script adds to.
  flag.option = app.add_option(short_name + flag_of(key), flag.texts, help)
                    ->type_name(type)
                    ->expected(1)
                    ->allow_extra_args(false)
                    ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                    ->group(group);
}

void SendFlags::State::add_switch(CLI::App& app, const char* key, const std::string& short_name,
                                  const char* help, const char* group) {
  flags.push_back(std::make_unique<Flag>());
  Flag& flag = *flags.back();
  flag.key = key;
  flag.option = app.add_flag(short_name + flag_of(key), flag.times, help)->group(group);
}

SettingMap SendFlags::State::settings() const {
  SettingMap given;
  for (const auto& flag : flags) {
    if (flag->option->count() == 0) {
      continue;
    }
    const SendKey* const key = find_send_key(flag->key);
    RP_ASSERT(key != nullptr);
    SettingValue value{flag->texts, Layer::flag, flag_of(flag->key)};
    if (value.texts.empty()) {
      const bool is_boolean = key->kind == SettingKind::boolean;
      const std::int64_t times = std::max<std::int64_t>(flag->times, 0);
      value.texts = {std::to_string(is_boolean ? std::min<std::int64_t>(times, 1) : times)};
    } else if (key->kind != SettingKind::text_list) {
      value.texts = {flag->texts.back()};
    }
    given[flag->key] = std::move(value);
  }
  return given;
}

SendFlags::SendFlags() : state_(std::make_shared<State>()) {}

void SendFlags::add_to(CLI::App& app) {
  State& state = *state_;
  app.add_option("FILE", state.files, "Job files, .zst and .gz too; - or none is stdin")
      ->type_name("");
  const char* group = "Where to";
  state.add_value(app, "endpoint", "-e,", "NAME|URL",
                  "Server: smtp[s]://user@host[:port], or a name of ringpost.toml; repeatable, "
                  "with =WEIGHT",
                  group);
  app.add_option("-c,--config", state.config_path, "Read this file instead of the usual ones")
      ->type_name("FILE")
      ->group(group);
  state.add_value(app, "connections", "", "N|auto", "Connections to each endpoint [10]", group);
  state.add_value(app, "rate", "", "N[/s|/m|/h]", "Messages to each endpoint, at most", group);
  state.add_value(app, "pipeline", "", "auto|off|N",
                  "Messages in flight on a connection, where the server allows it [auto]", group);
  state.add_value(app, "chunking", "", "auto|off", "Use BDAT where announced [auto]", group);
  state.add_value(app, "max_recipients", "", "N", "Recipients of one transaction [100]", group);
  group = "Results";
  state.add_value(app, "outcomes", "-o,", "FILE|-", "Outcome lines, one per recipient; - is stdout",
                  group);
  state.add_value(app, "errors", "", "FILE", "Outcome lines of what was not accepted", group);
  state.add_value(app, "journal", "", "FILE", "Keep a journal there, from which --resume goes on",
                  group);
  state.add_switch(
      app, "resume", "",
      "Go on with the run of --journal: send whom it has not sent to, and who was deferred or "
      "unsent",
      group);
  state.add_value(app, "on_unknown", "", "hold|resend",
                  "What a resume does with what may have been accepted [hold]", group);
  state.add_value(app, "durability", "", "process|power",
                  "The journal survives a killed process, or a power cut [process]", group);
  state.add_switch(app, "repair", "", "Resume although the journal is damaged in its middle",
                   group);
  state.add_value(app, "summary", "", "text|json", "The summary at the end [text]", group);
  state.add_value(app, "stats", "", "none|internal",
                  "The summary tells what a message cost: system calls, allocations, copies [none]",
                  group);
  state.add_value(app, "fail_on", "", "CLASSES",
                  "Only these end with an exit code other than 0: rejected,unknown", group);
  group = "The run";
  state.add_switch(app, "dry_run", "", "Check the jobs and send nothing", group);
  state.add_value(app, "newlines", "", "strict|normalize", "Lone LF line ends [normalize]", group);
  state.add_value(app, "cores", "", "N", "Worker threads [1]", group);
  state.add_value(app, "max_attempts", "", "N",
                  "Attempts of a message after a 4xx or a lost connection, with pauses [5]", group);
  state.add_value(app, "max_refusals", "", "N",
                  "Stop an endpoint that only says the same no; 0: never [100]", group);
  state.add_value(app, "patience", "", "DURATION",
                  "Wait so long for an endpoint that is away [10m; 1m if it never worked]", group);
  state.add_value(app, "deadline", "", "DURATION",
                  "Try nothing more so long after the start; what is under way then has --drain",
                  group);
  state.add_value(app, "drain", "", "DURATION",
                  "At the first signal, wait so long for what is under way [30s]", group);
  group = "Messages (stderr)";
  state.add_value(app, "progress", "", "auto|block|plain|json|none", "How far the run is [auto]",
                  group);
  state.add_value(app, "log_level", "", "error|warn|info|debug", "What is worth a line [warn]",
                  group);
  state.add_value(app, "log_format", "", "text|json", "Form of log lines [text]", group);
  state.add_switch(app, "no_color", "", "No colours; NO_COLOR does the same", group);
  state.add_switch(app, "quiet", "-q,", "Errors only: no progress, no summary", group);
  state.add_switch(app, "verbose", "-v,", "Log level info; twice: debug", group);
  app.footer(send_examples);
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
  for (std::string& warning : endpoint_warnings(*endpoints)) {
    settings.warnings.push_back(std::move(warning));
  }
  for (ChosenEndpoint& endpoint : *endpoints) {
    for (FileRole& role : files_of(endpoint)) {
      settings.files_read.push_back(std::move(role));
    }
    settings.endpoints.push_back(std::move(endpoint.draft.options));
  }
  return settings;
}

}  // namespace ringpost::cli
