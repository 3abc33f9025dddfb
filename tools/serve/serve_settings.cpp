// The problem: a server takes endpoints, rates and logs from where a run of `send` takes them, and
// sections of its own. The idea: the tables of `send` are asked with the flags of this command on
// top, and each section is applied by its rows. An endpoint that only a route names gets no other
// message: its weight is none. Limits: what a section lacks for its address is the listener's to
// say.
#include "tools/serve/serve_settings.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include "engine/protocol/reply_rules.h"
#include "tools/settings/config_file.h"
#include "tools/settings/endpoint_choice.h"
#include "tools/settings/send_setting.h"
#include "tools/settings/variable_check.h"

namespace ringpost::cli {

namespace {

SettingMap flag_settings(const ServeFlags& flags) {
  SettingMap given;
  const std::pair<const char*, const std::string*> texts[] = {{"drain", &flags.drain},
                                                              {"cores", &flags.cores},
                                                              {"state", &flags.state},
                                                              {"log_level", &flags.log_level},
                                                              {"log_format", &flags.log_format},
                                                              {"outcomes", &flags.outcomes_path},
                                                              {"io", &flags.io}};
  for (const auto& [key, text] : texts) {
    if (!text->empty()) {
      given[key] = {{*text}, Layer::flag, flag_of(key)};
    }
  }
  if (!flags.endpoints.empty()) {
    given["endpoint"] = {flags.endpoints, Layer::flag, "--endpoint"};
  }
  return given;
}

std::vector<ServeDraft> drafts_of(const Configuration& configuration, Bytes name) {
  std::vector<ServeDraft> drafts;
  const auto found = configuration.sections.find(name);
  if (found != configuration.sections.end()) {
    for (const SettingMap& settings : found->second) {
      apply_section(*find_section(name), settings, drafts.emplace_back());
    }
  }
  return drafts;
}

void read_sections(const Configuration& configuration, const ServeFlags& flags,
                   ServeSettings& settings) {
  for (const ServeDraft& draft : drafts_of(configuration, "serve")) {
    settings.serve = draft.serve;
  }
  for (const ServeDraft& draft : drafts_of(configuration, "serve.route")) {
    settings.routes.push_back(draft.route);
  }
  for (const ServeDraft& draft : drafts_of(configuration, "listen.smtp")) {
    settings.smtp.push_back(draft.smtp);
  }
  for (const ServeDraft& draft : drafts_of(configuration, "listen.http")) {
    settings.http.push_back(draft.http);
  }
  for (const ServeDraft& draft : drafts_of(configuration, "nats")) {
    settings.nats = draft.nats;
  }
  for (const ServeDraft& draft : drafts_of(configuration, "watch")) {
    settings.folders.push_back(draft.watch);
  }
  if (!flags.listen_smtp.empty()) {
    settings.smtp.assign(1, {});
    settings.smtp.front().address = flags.listen_smtp;
  }
  if (!flags.listen_http.empty()) {
    settings.http.assign(1, {});
    settings.http.front().address = flags.listen_http;
  }
}

// But for what a listener or a reload reads.
std::map<std::string, std::string> marks_of_sections(const Configuration& configuration) {
  std::map<std::string, std::string> marks;
  for (const auto& [name, all] : configuration.sections) {
    if (name == "serve" || name == "serve.route" || name.starts_with("listen.")) {
      continue;
    }
    std::string& mark = marks[name];
    for (const SettingMap& settings : all) {
      mark += "[]\n";
      for (const auto& [key, value] : settings) {
        mark += key + "\n";
        for (const std::string& text : value.texts) {
          mark += text + "\n";
        }
      }
    }
  }
  return marks;
}

Result<void, UsageError> check_routes(const std::vector<RouteOptions>& routes) {
  for (const RouteOptions& route : routes) {
    if (route.endpoint.empty() || (route.user.empty() && route.sender_domain.empty())) {
      return Failure(
          UsageError{"[[serve.route]]: a route says whose messages go where: endpoint, and user or "
                     "sender_domain"});
    }
  }
  return {};
}

Result<void, UsageError> check_spool(const ServeSettings& settings) {
  const bool stores = std::any_of(
      settings.smtp.begin(), settings.smtp.end(),
      [](const SmtpListenOptions& options) { return options.reply == ReplyWhen::stored; });
  if (stores && settings.serve.spool_folder.empty()) {
    return Failure(
        UsageError{"[[listen.smtp]]: reply = \"stored\" wants a place to store mail: [serve] spool "
                   "= \"DIR\""});
  }
  return {};
}

// Those that only a route names.
Result<void, UsageError> add_routed(const SendDraft& draft, const SettingMap& layered,
                                    const Configuration& configuration,
                                    const std::vector<RouteOptions>& routes,
                                    std::vector<ChosenEndpoint>& chosen) {
  for (const RouteOptions& route : routes) {
    const auto is_it = [&route](const ChosenEndpoint& one) {
      return one.draft.options.name == route.endpoint;
    };
    if (std::any_of(chosen.begin(), chosen.end(), is_it)) {
      continue;
    }
    SendDraft alone = draft;
    alone.endpoints = {route.endpoint};
    auto found = choose_endpoints(alone, layered, configuration);
    if (!found) {
      return Failure(UsageError{"[[serve.route]]: " + found.error().message});
    }
    found->front().draft.options.weight = 0;
    chosen.push_back(std::move(found->front()));
  }
  return {};
}

// Renewed in place, a file has another time or is another one.
std::string mark_of_file(const std::string& path) {
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) {
    return path;
  }
  return fmt::format("{} {} {} {}.{}", path, status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

void append_mark(std::string& mark, std::string_view part) {
  mark.append(part);
  mark.push_back('\n');
}

std::string mark_of(const ChosenEndpoint& endpoint) {
  const EndpointOptions& options = endpoint.draft.options;
  std::string mark;
  append_mark(mark, std::to_string(options.weight));
  append_mark(mark, options.password);
  for (const auto& [name, value] : endpoint.settings) {
    append_mark(mark, name);
    for (const std::string& text : value.texts) {
      append_mark(mark, text);
    }
  }
  if (options.reply_rules != nullptr) {
    for (const protocol::ReplyRule& rule : options.reply_rules->rules()) {
      for (const std::string_view part :
           {std::string_view(rule.enhanced), std::string_view(rule.text),
            std::string_view(rule.hint), protocol::name_of(rule.scope),
            protocol::name_of(rule.action),
            rule.stage ? name_of(*rule.stage) : std::string_view()}) {
        append_mark(mark, part);
      }
      append_mark(mark, fmt::format("{} {} {}", rule.code, rule.window.count(), rule.times));
    }
  }
  for (const std::string* const path :
       {&options.ca_file, &options.client_certificate_file, &options.client_key_file}) {
    append_mark(mark, mark_of_file(*path));
  }
  return mark;
}

Result<void, UsageError> read_endpoints(const SendDraft& draft, const SettingMap& layered,
                                        const Configuration& configuration,
                                        const PasswordVariables& variables,
                                        ServeSettings& settings) {
  auto chosen = choose_endpoints(draft, layered, configuration);
  if (!chosen) {
    return Failure(std::move(chosen.error()));
  }
  if (auto added = add_routed(draft, layered, configuration, settings.routes, *chosen); !added) {
    return added;
  }
  if (auto read = read_passwords(*chosen, variables); !read) {
    return Failure(std::move(read.error()));
  }
  settings.state_folder = choose_state_folder(draft, *chosen, settings.warnings);
  for (std::string& warning : endpoint_warnings(*chosen)) {
    settings.warnings.push_back(std::move(warning));
  }
  for (ChosenEndpoint& endpoint : *chosen) {
    EndpointOptions& options = endpoint.draft.options;
    settings.endpoint_marks[options.name] = mark_of(endpoint);
    if (endpoint.preset) {
      const bool has_name = endpoint.settings.contains("username");
      settings.login_hints[options.name] =
          login_hint(*endpoint.preset, has_name ? options.username : std::string());
    }
    settings.endpoints.push_back(std::move(options));
  }
  return {};
}

// Whoever was told that his mail is stored has it tried for as long as it is kept; who waits for an
// answer has his own time.
void give_patience(ServeSettings& settings) {
  for (EndpointOptions& endpoint : settings.endpoints) {
    if (!settings.serve.spool_folder.empty() && !endpoint.patience) {
      endpoint.patience = settings.serve.spool_keep;
    }
  }
}

}  // namespace

Result<Configuration, UsageError> read_serve_configuration(const std::string& config_path) {
  const char* const variable = std::getenv("RINGPOST_CONFIG");
  const bool by_variable = config_path.empty() && variable != nullptr;
  return load_configuration(by_variable ? variable : config_path);
}

Result<std::vector<WebhookOptions>, UsageError> read_webhooks(const Configuration& configuration) {
  std::vector<WebhookOptions> webhooks;
  for (ServeDraft& draft : drafts_of(configuration, "webhook")) {
    if (auto complete = complete_webhook(draft.webhook); !complete) {
      return Failure(UsageError{std::move(complete.error())});
    }
    for (const WebhookOptions& other : webhooks) {
      if (other.name == draft.webhook.name || other.dead_letters == draft.webhook.dead_letters) {
        return Failure(UsageError{fmt::format(
            "[[webhook]] {}: another one has this name or these dead_letters: name them apart, "
            "and give each a file of its own",
            other.name)});
      }
    }
    webhooks.push_back(std::move(draft.webhook));
  }
  return webhooks;
}

Result<ServeSettings, UsageError> read_serve_settings(const ServeFlags& flags,
                                                      const PasswordVariables& password_variables) {
  const auto configuration = read_serve_configuration(flags.config_path);
  if (!configuration) {
    return Failure(configuration.error());
  }
  VariableCheck variables = check_variables();
  if (!variables.errors.empty()) {
    return Failure(UsageError{variables.error_text()});
  }
  SettingMap layered = configuration->send;
  layered.erase("outcomes");  // those of a run are no server's
  lay_over(layered, settings_of_environment());
  lay_over(layered, flag_settings(flags));
  const auto draft = make_send_draft(layered);
  if (!draft) {
    return Failure(UsageError{draft.error()});
  }
  ServeSettings settings;
  read_sections(*configuration, flags, settings);
  settings.section_marks = marks_of_sections(*configuration);
  if (settings.smtp.empty() && settings.http.empty() && settings.nats.url.empty() &&
      settings.folders.empty()) {
    return Failure(UsageError{
        "nothing listens: write [[listen.smtp]], [[listen.http]], [[watch]] or [nats] with a url "
        "into ringpost.toml, or say "
        "--listen-smtp 127.0.0.1:2525 or --listen-http 127.0.0.1:8025"});
  }
  for (const WatchOptions& folder : settings.folders) {
    if (folder.path.empty()) {
      return Failure(UsageError{"[[watch]]: it has no path"});
    }
  }
  auto webhooks = read_webhooks(*configuration);
  if (!webhooks) {
    return Failure(std::move(webhooks.error()));
  }
  settings.webhooks = std::move(*webhooks);
  if (auto checked = check_routes(settings.routes); !checked) {
    return Failure(std::move(checked.error()));
  }
  if (auto checked = check_spool(settings); !checked) {
    return Failure(std::move(checked.error()));
  }
  settings.warnings = std::move(variables.warnings);
  if (auto read = read_endpoints(*draft, layered, *configuration, password_variables, settings);
      !read) {
    return Failure(std::move(read.error()));
  }
  if (!draft->settings.outcomes_path.empty()) {
    settings.serve.outcomes_path = draft->settings.outcomes_path;
  }
  settings.cores = draft->settings.cores;
  settings.io = draft->settings.io;
  give_patience(settings);
  for (SmtpListenOptions& listener : settings.smtp) {
    listener.io = settings.io;
  }
  settings.drain = draft->settings.drain;
  settings.log = draft->settings.log;
  return settings;
}

}  // namespace ringpost::cli
