// The problem: thirty settings, each a flag, a variable and a key of a file, would mean thirty
// times three pieces of code that drift apart. The idea: a table with a row for each, whose
// function takes the text and says what is wrong with it; what is said for all endpoints is the
// endpoint's own row. The layers are laid over each other before, as texts, and a row sees what has
// won. Limits: one mistake at a time; -q, -v and the log level decide together, behind the table.
#include "tools/settings/send_setting.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/spelling.h"
#include "tools/process/numbers.h"
#include "tools/process/statuses.h"
#include "tools/process/wording.h"
#include "tools/settings/applied.h"
#include "tools/settings/config_file.h"
#include "tools/settings/key_table.h"
#include "tools/settings/recipient_setting.h"

namespace ringpost::cli {

namespace {

// Nobody has more; a slip of the finger shall not start ten thousand threads.
constexpr std::uint64_t cores_limit = 256;

template <typename T>
struct Word {
  std::string_view text;
  T value;
};

// One of a few words, named with all the others when it is none.
template <typename T, std::size_t count>
Result<T, std::string> parse_word(Bytes text, const std::array<Word<T>, count>& words) {
  std::string names;
  for (const Word<T>& word : words) {
    if (word.text == text) {
      return word.value;
    }
    names += names.empty() ? "" : ", ";
    names += word.text;
  }
  return Failure(fmt::format("{} is none of {}", in_quotes(text), names));
}

constexpr std::array<Word<codec::NewlinePolicy>, 2> newline_words = {
    {{"normalize", codec::NewlinePolicy::normalize}, {"strict", codec::NewlinePolicy::strict}}};
constexpr std::array<Word<IoChoice>, 3> io_words = {
    {{"auto", IoChoice::automatic}, {"ring", IoChoice::ring}, {"epoll", IoChoice::epoll}}};
constexpr std::array<Word<bool>, 2> on_unknown_words = {{{"hold", false}, {"resend", true}}};
constexpr std::array<Word<queue::Durability>, 2> durability_words = {
    {{"process", queue::Durability::process}, {"power", queue::Durability::power}}};
constexpr std::array<Word<ProgressKind>, 5> progress_words = {{{"auto", ProgressKind::automatic},
                                                               {"block", ProgressKind::block},
                                                               {"plain", ProgressKind::plain},
                                                               {"json", ProgressKind::json},
                                                               {"none", ProgressKind::none}}};
constexpr std::array<Word<SummaryKind>, 2> summary_words = {
    {{"text", SummaryKind::text}, {"json", SummaryKind::json}}};
constexpr std::array<Word<bool>, 2> stats_words = {{{"none", false}, {"internal", true}}};
constexpr std::array<Word<LogLevel>, 4> level_words = {{{"error", LogLevel::error},
                                                        {"warn", LogLevel::warn},
                                                        {"info", LogLevel::info},
                                                        {"debug", LogLevel::debug}}};
constexpr std::array<Word<LogFormat>, 2> format_words = {
    {{"text", LogFormat::text}, {"json", LogFormat::json}}};

// Words between commas and white space.
std::vector<std::string> split_list(Bytes text) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(", \t\n");
    if (begin == Bytes::npos) {
      return words;
    }
    text.remove_prefix(begin);
    const std::size_t length = std::min(text.find_first_of(", \t\n"), text.size());
    words.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
}

Applied apply_fail_on(const SettingValue& value, SendDraft& draft) {
  std::array<std::string_view, status_count + 1> known;
  std::transform(statuses.begin(), statuses.end(), known.begin(),
                 [](Status status) { return name_of(status); });
  known[status_count] = "none";
  StatusSet classes;
  std::size_t word_count = 0;
  bool none = false;
  for (const std::string& text : value.texts) {
    for (const std::string& word : split_list(text)) {
      ++word_count;
      const auto* const found = std::find(known.begin(), known.end(), word);
      if (found == known.end()) {
        return Failure(codec::unknown_word("class", word, known) +
                       " (as in rejected,unknown; or none)");
      }
      const auto index = static_cast<std::size_t>(found - known.begin());
      if (index == static_cast<std::size_t>(Status::accepted)) {
        return Failure(std::string("accepted is no failure"));
      }
      if (index == status_count) {
        none = true;
      } else {
        classes.set(index);
      }
    }
  }
  if (word_count == 0 || (none && word_count > 1)) {
    return Failure(std::string("write classes such as rejected,unknown; or none alone"));
  }
  draft.settings.fail_on = classes;
  return {};
}

Applied apply_endpoint(const SettingValue& value, SendDraft& draft) {
  if (value.layer == Layer::environment) {
    draft.endpoints = split_list(value.text());
  } else {
    draft.endpoints = value.texts;
  }
  return {};
}

Applied apply_path(const SettingValue& value, std::string& into) {
  if (value.text().empty() || value.text().find('\0') != std::string::npos) {
    return Failure(std::string("it needs the name of a file"));
  }
  into = value.text();
  return {};
}

// `config show` writes the usual place with a tilde, which no shell has seen in a file.
Applied apply_state(const SettingValue& value, SendDraft& draft) {
  std::string folder;
  auto applied = apply_path(value, folder);
  const char* const home = std::getenv("HOME");
  if (folder.starts_with("~/") && home != nullptr) {
    folder.replace(0, 1, home);
  }
  draft.state_folder = folder == "none" ? std::string() : std::move(folder);
  return applied;
}

// Where `-` is standard output, so are its other names: a file that is opened once more would be
// written from two ends.
Applied apply_output(const SettingValue& value, std::string& into) {
  auto applied = apply_path(value, into);
  if (into == "/dev/stdout" || into == "/dev/fd/1" || into == "/proc/self/fd/1") {
    into = "-";
  }
  return applied;
}

// A number, because -v -v says more than -v.
Applied apply_verbose(const SettingValue& value, SendDraft& draft) {
  if (const auto boolean = parse_boolean(value.text())) {
    draft.verbosity = *boolean ? 1 : 0;
    return {};
  }
  return take(parse_number(value.text(), {.min = 0, .max = 100}), draft.verbosity);
}

constexpr std::string_view where = "Where to";
constexpr std::string_view results = "Results";
constexpr std::string_view run_group = "The run";
constexpr std::string_view messages = "Messages (stderr)";

constexpr SendKey own_keys[] = {
    {"endpoint", "-e", "NAME|URL",
     "Server: smtp[s]://user@host[:port], a name of ringpost.toml or of `ringpost presets`; "
     "repeatable, with =WEIGHT",
     where, "", SettingKind::text_list, true, apply_endpoint},
    {"state", "", "DIR|none", "Counts of rates, for other runs", where, "~/.local/state/ringpost",
     SettingKind::text, true, apply_state},
    {"outcomes", "-o", "FILE|-", "Outcome lines, one per recipient; - is stdout", results, "",
     SettingKind::text, true,
     [](const SettingValue& value, SendDraft& draft) {
       return apply_output(value, draft.settings.outcomes_path);
     }},
    {"errors", "", "FILE", "Outcome lines of what was not accepted", results, "", SettingKind::text,
     true,
     [](const SettingValue& value, SendDraft& draft) {
       return apply_output(value, draft.settings.errors_path);
     }},
    {"journal", "", "FILE", "Keep a journal there, from which --resume goes on", results, "",
     SettingKind::text, false,
     [](const SettingValue& value, SendDraft& draft) {
       return apply_path(value, draft.settings.journal.path);
     }},
    {"resume", "", "",
     "Go on with the run of --journal: send whom it has not sent to, and who was deferred or "
     "unsent",
     results, "", SettingKind::boolean, false,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_boolean(value.text()), draft.settings.journal.resume);
     }},
    {"on_unknown", "", "hold|resend", "What a resume does with what may have been accepted",
     results, "hold", SettingKind::text, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_word(value.text(), on_unknown_words),
                   draft.settings.journal.resend_unknown);
     }},
    {"durability", "", "process|power", "The journal survives a killed process, or a power cut",
     results, "process", SettingKind::text, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_word(value.text(), durability_words), draft.settings.journal.durability);
     }},
    {"repair", "", "", "Resume although the journal is damaged in its middle", results, "",
     SettingKind::boolean, false,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_boolean(value.text()), draft.settings.journal.repair);
     }},
    {"summary", "", "text|json", "The summary at the end", results, "text", SettingKind::text, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_word(value.text(), summary_words), draft.settings.summary);
     }},
    {"stats", "", "none|internal", "The summary tells what a message cost the machine", results,
     "none", SettingKind::text, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_word(value.text(), stats_words), draft.settings.internal_stats);
     }},
    {"fail_on", "", "CLASSES", "Only these end with an exit code other than 0: rejected,unknown",
     results, "", SettingKind::text_list, true, apply_fail_on},
    // Not in a file: whoever forgot it there would believe that mail went out.
    {"dry_run", "", "", "Check the jobs and send nothing", run_group, "", SettingKind::boolean,
     false,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_boolean(value.text()), draft.settings.dry_run);
     }},
    {"newlines", "", "strict|normalize", "Lone LF line ends", run_group, "normalize",
     SettingKind::text, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_newlines(value.text()), draft.settings.newlines);
     }},
    {"dialect", "", "NAME",
     "Lines are bodies for sendgrid, mailgun, postmark, ses, kumomta, nodemailer or listmonk",
     run_group, "", SettingKind::text, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_dialect(value.text()), draft.settings.dialect);
     }},
    {"cores", "", "N", "Worker threads", run_group, "1", SettingKind::number, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_number(value.text(), {.min = 1, .max = cores_limit}),
                   draft.settings.cores);
     }},
    {"readers", "", "N", "Threads that read and check jobs", run_group, "1", SettingKind::number,
     true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_number(value.text(), {.min = 1, .max = limits::readers_max}),
                   draft.settings.readers);
     }},
    {"outcome_threads", "", "N", "Threads that write outcomes", run_group, "1", SettingKind::number,
     true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_number(value.text(), {.min = 1, .max = limits::outcome_threads_max}),
                   draft.settings.outcome_threads);
     }},
    {"io", "", "auto|ring|epoll", "io_uring or epoll; auto: epoll where io_uring is refused",
     run_group, "auto", SettingKind::text, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_io(value.text()), draft.settings.io);
     }},
    {"deadline", "", "DURATION",
     "Try nothing more so long after the start; what is under way then has --drain", run_group, "",
     SettingKind::number, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_duration(value.text()), draft.settings.deadline);
     }},
    {"drain", "", "DURATION", "At the first signal, wait so long for what is under way", run_group,
     "30s", SettingKind::number, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_duration(value.text()), draft.settings.drain);
     }},
    {"progress", "", "auto|block|plain|json|none", "How far the run is; SIGUSR1 prints it at once",
     messages, "auto", SettingKind::text, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_word(value.text(), progress_words), draft.settings.progress);
     }},
    {"progress_every", "", "DURATION", "A line so often, where it is no block", messages, "10s",
     SettingKind::number, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_duration(value.text()), draft.settings.progress_every);
     }},
    {"log_level", "", "error|warn|info|debug", "What is worth a line", messages, "warn",
     SettingKind::text, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_word(value.text(), level_words), draft.settings.log.level);
     }},
    {"log_format", "", "text|json", "Form of log lines", messages, "text", SettingKind::text, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_word(value.text(), format_words), draft.settings.log.format);
     }},
    {"no_color", "", "", "No colours; NO_COLOR does the same", messages, "", SettingKind::boolean,
     true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_boolean(value.text()), draft.no_color);
     }},
    {"quiet", "-q", "", "Errors only: no progress, no summary", messages, "", SettingKind::boolean,
     true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_boolean(value.text()), draft.settings.quiet);
     }},
    {"verbose", "-v", "", "Log level info; twice: debug", messages, "", SettingKind::number, true,
     apply_verbose},
};

// Those of `send` itself, and behind those of a group the endpoint's keys that it has room for.
std::vector<SendKey> all_keys() {
  std::vector<SendKey> keys;
  for (const std::string_view group : {where, recipient_group, results, run_group, messages}) {
    if (group == recipient_group) {
      keys.insert(keys.end(), recipient_keys().begin(), recipient_keys().end());
    }
    for (const SendKey& key : own_keys) {
      if (key.group == group) {
        keys.push_back(key);
      }
    }
    for (const EndpointKey& key : endpoint_keys()) {
      if (!key.send_wide.name.empty() && key.send_wide.group == group) {
        keys.push_back(
            {key.send_wide.name, "", key.type, key.help, group, "", key.kind, true, nullptr, &key});
      }
    }
  }
  return keys;
}

// How far `name` is up in the layers; nothing when it is not set.
std::optional<Layer> layer_of(const SettingMap& settings, std::string_view name) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::nullopt : std::optional(found->second.layer);
}

// -q and -v are short for a level; the level itself counts when it stands as high or higher.
void settle_log_level(const SettingMap& settings, SendDraft& draft) {
  const auto exact = layer_of(settings, "log_level");
  const auto quiet = draft.settings.quiet ? layer_of(settings, "quiet") : std::nullopt;
  const auto verbose = draft.verbosity > 0 ? layer_of(settings, "verbose") : std::nullopt;
  std::optional<Layer> highest = exact;
  if (verbose && (!highest || *verbose < *highest)) {
    draft.settings.log.level = draft.verbosity > 1 ? LogLevel::debug : LogLevel::info;
    highest = verbose;
  }
  if (quiet && (!highest || *quiet < *highest)) {
    draft.settings.log.level = LogLevel::error;
  }
}

bool terminal_shows_color() {
  const char* const terminal = std::getenv("TERM");
  const char* const no_color = std::getenv("NO_COLOR");  // https://no-color.org
  const bool wanted = no_color == nullptr || *no_color == '\0';
  const bool able = terminal != nullptr && std::string_view(terminal) != "dumb";
  return wanted && able && ::isatty(STDERR_FILENO) == 1;
}

std::string replaced(Bytes name, char underscore) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', underscore);
  return text;
}

}  // namespace

Result<void, std::string> SendKey::take(const SettingValue& value, SendDraft& draft) const {
  return of_endpoint != nullptr ? check_value(of_endpoint->name, value) : apply(value, draft);
}

std::string SendKey::help_text() const {
  const std::string usual =
      of_endpoint != nullptr ? of_endpoint->show({}) : std::string(usual_text);
  return usual.empty() ? std::string(help) : fmt::format("{} [{}]", help, usual);
}

std::span<const SendKey> send_keys() {
  static const std::vector<SendKey> keys = all_keys();
  return keys;
}

const SendKey* find_send_key(Bytes name) {
  const std::span<const SendKey> keys = send_keys();
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [name](const SendKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::string flag_of(Bytes key_name) { return "--" + replaced(key_name, '-'); }

std::string variable_of(Bytes key_name) {
  std::string name = "RINGPOST_";
  for (const char character : key_name) {
    name.push_back(codec::upper(character));
  }
  return name;
}

SettingMap settings_of_environment() {
  SettingMap settings;
  for (const SendKey& key : send_keys()) {
    std::string name = variable_of(key.name);
    const char* const value = std::getenv(name.c_str());
    if (value != nullptr && *value != '\0') {
      settings[std::string(key.name)] = {{value}, Layer::environment, std::move(name)};
    }
  }
  return settings;
}

Result<SendDraft, std::string> make_send_draft(const SettingMap& settings) {
  SendDraft draft;
  for (const auto& [name, value] : settings) {
    const SendKey* const key = find_send_key(name);
    RP_ASSERT(key != nullptr);
    if (auto applied = key->take(value, draft); !applied) {
      return Failure(fmt::format("{}: {}", value.origin, applied.error()));
    }
  }
  const JournalSettings& journal = draft.settings.journal;
  if (journal.path.empty() && (journal.resume || journal.repair)) {
    return Failure(std::string(journal.resume ? "--resume" : "--repair") +
                   " needs the --journal that an earlier run has written");
  }
  if (journal.repair && !journal.resume) {
    return Failure(std::string("--repair goes with --resume"));
  }
  settle_log_level(settings, draft);
  draft.settings.color = !draft.no_color && terminal_shows_color();
  draft.settings.log.color = draft.settings.color;
  return draft;
}

Result<codec::NewlinePolicy, std::string> parse_newlines(Bytes text) {
  return parse_word(text, newline_words);
}

Result<IoChoice, std::string> parse_io(Bytes text) { return parse_word(text, io_words); }

Result<IoChoice, std::string> io_of_environment() {
  const std::string name = variable_of("io");
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    return IoChoice::automatic;
  }
  auto parsed = parse_io(value);
  return parsed ? std::move(parsed) : Failure(fmt::format("{}: {}", name, parsed.error()));
}

Result<codec::Dialect, std::string> parse_dialect(Bytes text) {
  if (const auto dialect = codec::dialect_of(text)) {
    return *dialect;
  }
  std::string names;
  for (const std::string_view name : codec::dialect_names()) {
    names += names.empty() ? "" : ", ";
    names += name;
  }
  return Failure(fmt::format("{} is none of {}", in_quotes(text), names));
}

Result<std::optional<codec::Dialect>, std::string> dialect_setting(const std::string& flag,
                                                                   const std::string& config_path) {
  SettingValue said{{flag}, Layer::flag, flag_of("dialect")};
  if (flag.empty()) {
    const char* const variable = std::getenv("RINGPOST_CONFIG");
    const bool by_variable = config_path.empty() && variable != nullptr;
    const auto configuration = load_configuration(by_variable ? variable : config_path);
    if (!configuration) {
      return Failure(configuration.error().message);
    }
    SettingMap layered = configuration->send;
    lay_over(layered, settings_of_environment());
    const auto found = layered.find("dialect");
    if (found == layered.end()) {
      return std::nullopt;
    }
    said = found->second;
  }
  auto dialect = parse_dialect(said.text());
  if (!dialect) {
    return Failure(said.origin + ": " + dialect.error());
  }
  return std::optional(*dialect);
}

}  // namespace ringpost::cli
