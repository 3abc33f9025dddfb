// The problem: a misspelt key that is passed over is a run without its rate, and a file that lies
// there by somebody else's hand may name commands to run. The idea: the tree is compared with the
// tables of keys, each value is tried at once, and all offences are told with their places, whether
// an endpoint is used or not; what goes on is text with its origin, as from flags and variables. A
// file that was found, not named, must be this user's or root's. Limits: of text that is no TOML
// the first mistake is told.
#include "tools/settings/config_file.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "codec/text/spelling.h"
#include "tools/presets/reply_rule_setting.h"
#include "tools/process/descriptor.h"
#include "tools/process/numbers.h"
#include "tools/settings/endpoint_setting.h"
#include "tools/settings/secret.h"
#include "tools/settings/send_setting.h"

namespace ringpost::cli {

namespace {

// Nobody writes more by hand, and the parser holds all of it as a tree.
constexpr std::size_t file_bytes_max = 1u << 20;

struct Offence {
  toml::source_position position;
  std::string text;
};

// Reads one file's tree into settings, and notes every offence on the way.
class TreeReader {
 public:
  explicit TreeReader(std::string path) : path_(std::move(path)) {
    const std::size_t slash = path_.rfind('/');
    folder_ = slash == std::string::npos ? "" : path_.substr(0, slash + 1);
    configuration_.files.push_back(path_);
  }

  [[nodiscard]] Result<Configuration, UsageError> read(const toml::table& root) {
    for (const auto& [key, node] : root) {
      if (key == "send") {
        read_send(node);
      } else if (key == "endpoint") {
        read_endpoints(node);
      } else if (is_group_of_sections(key)) {
        read_sections(key, node);
      } else {
        std::vector<std::string_view> known = {"endpoint", "send"};
        for (const Section& section : serve_sections()) {
          known.push_back(section.name.substr(0, section.name.find('.')));
        }
        offend(key.source(), codec::unknown_word(node.is_table() ? "section" : "key", key, known) +
                                 (node.is_table() ? ""
                                                  : " (keys stand under [send] or "
                                                    "[endpoint.NAME])"));
      }
    }
    if (offences_.empty()) {
      return std::move(configuration_);
    }
    return Failure(UsageError{message()});
  }

 private:
  void read_send(const toml::node& node) {
    const toml::table* const table = node.as_table();
    if (table == nullptr) {
      offend(node.source(), "send must be a section: [send]");
      return;
    }
    for (const auto& [name, value_node] : *table) {
      const SendKey* const key = find_send_key(name);
      if (key == nullptr || !key->in_file) {
        std::vector<std::string_view> known;
        for (const SendKey& candidate : send_keys()) {
          if (candidate.in_file) {
            known.push_back(candidate.name);
          }
        }
        offend(name.source(), codec::unknown_word("key", name, known));
        continue;
      }
      SendDraft scratch;
      read_value(name, value_node, key->kind, configuration_.send,
                 [&](const SettingValue& value) { return key->take(value, scratch); });
    }
  }

  void read_endpoints(const toml::node& node) {
    const toml::table* const table = node.as_table();
    if (table == nullptr) {
      offend(node.source(), "an endpoint has a name: [endpoint.NAME]");
      return;
    }
    for (const auto& [name, endpoint_node] : *table) {
      const toml::table* const endpoint = endpoint_node.as_table();
      if (endpoint == nullptr) {
        offend(name.source(), "an endpoint has a name: [endpoint.NAME]");
      } else if (const auto offence = endpoint_name_offence(name)) {
        offend(name.source(), *offence);
      } else {
        read_endpoint(*endpoint, std::string(name));
      }
    }
  }

  void read_endpoint(const toml::table& table, const std::string& endpoint) {
    SettingMap& settings = configuration_.endpoints[endpoint];
    for (const auto& [name, value_node] : table) {
      if (name == "reply") {
        read_reply_rules(value_node, endpoint);
        continue;
      }
      const EndpointKey* const key = find_endpoint_key(name);
      if (key == nullptr) {
        offend(name.source(), unknown_endpoint_key(name));
        continue;
      }
      if (key->apply == nullptr) {
        offend(name.source(), fmt::format("this version does not support {} yet", key->name));
        continue;
      }
      read_value(name, value_node, key->kind, settings,
                 [key](const SettingValue& value) { return check_value(key->name, value); });
      const auto stored = settings.find(std::string_view(name));
      if (key->is_path && stored != settings.end()) {
        complete_path(stored->second.texts.front());
      }
    }
  }

  // "listen" of [[listen.smtp]].
  static bool is_group_of_sections(std::string_view name) {
    const std::span<const Section> all = serve_sections();
    return std::any_of(all.begin(), all.end(), [name](const Section& section) {
      return section.name.substr(0, section.name.find('.')) == name;
    });
  }

  // Of [serve] its own keys, and of that and of [listen] the sections within.
  void read_sections(const toml::key& group, const toml::node& node) {
    const toml::table* const table = node.as_table();
    const Section* const own = find_section(group.str());
    if (own != nullptr && own->is_list) {
      read_list(*own, node);
      return;
    }
    if (table == nullptr) {
      offend(node.source(), fmt::format("{} must be a section", group.str()));
      return;
    }
    SettingMap settings;
    std::vector<std::string_view> known;
    for (const Section& section : serve_sections()) {
      if (section.name.starts_with(std::string(group.str()) + ".")) {
        known.push_back(section.name.substr(group.str().size() + 1));
      }
    }
    for (const SectionKey& key : own == nullptr ? std::span<const SectionKey>() : own->keys) {
      known.push_back(key.name);
    }
    for (const auto& [name, value_node] : *table) {
      const Section* const within = find_section(fmt::format("{}.{}", group.str(), name.str()));
      if (within != nullptr) {
        read_list(*within, value_node);
      } else if (own != nullptr && own->find(name.str()) != nullptr) {
        read_section_value(*own, name, value_node, settings);
      } else {
        offend(name.source(), codec::unknown_word(own == nullptr ? "section" : "key", name, known));
      }
    }
    if (own != nullptr) {
      configuration_.sections[std::string(own->name)].push_back(std::move(settings));
    }
  }

  void read_list(const Section& section, const toml::node& node) {
    const toml::array* const tables = node.as_array();
    if (tables == nullptr || !tables->is_homogeneous(toml::node_type::table)) {
      offend(node.source(), fmt::format("it is a table of its own: {}", section.heading()));
      return;
    }
    for (const toml::node& each : *tables) {
      SettingMap settings;
      for (const auto& [name, value_node] : *each.as_table()) {
        if (section.find(name.str()) != nullptr) {
          read_section_value(section, name, value_node, settings);
          continue;
        }
        std::vector<std::string_view> known;
        for (const SectionKey& key : section.keys) {
          known.push_back(key.name);
        }
        offend(name.source(), codec::unknown_word("key", name, known));
      }
      configuration_.sections[std::string(section.name)].push_back(std::move(settings));
    }
  }

  void read_section_value(const Section& section, const toml::key& name, const toml::node& node,
                          SettingMap& settings) {
    const SectionKey& key = *section.find(name.str());
    ServeDraft scratch;
    read_value(name, node, key.kind, settings,
               [&](const SettingValue& value) { return key.apply(value, scratch); });
    const auto stored = settings.find(name.str());
    if (key.is_path && stored != settings.end()) {
      complete_path(stored->second.texts.front());
    }
  }

  void read_reply_rules(const toml::node& node, const std::string& endpoint) {
    const toml::array* const rules = node.as_array();
    if (rules == nullptr || !rules->is_homogeneous(toml::node_type::table)) {
      offend(node.source(),
             fmt::format("a rule is a table of its own: [[endpoint.{}.reply]]", endpoint));
      return;
    }
    for (const toml::node& each : *rules) {
      auto rule = read_reply_rule(*each.as_table(), path_);
      if (rule) {
        configuration_.reply_rules[endpoint].push_back(std::move(*rule));
        continue;
      }
      for (TomlOffence& offence : rule.error()) {
        offences_.push_back({offence.position, std::move(offence.text)});
      }
    }
  }

  // `apply` says whether the value is one that the key takes.
  template <typename Apply>
  void read_value(const toml::key& name, const toml::node& node, SettingKind kind,
                  SettingMap& settings, Apply apply) {
    auto texts = texts_of(node, kind);
    if (!texts) {
      offend(node.source(), fmt::format("{}: {}", name.str(), texts.error()));
      return;
    }
    const toml::source_position& begin = node.source().begin;
    SettingValue value{std::move(*texts), Layer::file,
                       fmt::format("{}:{}:{}", path_, begin.line, begin.column)};
    if (auto applied = apply(value); !applied) {
      offend(node.source(), fmt::format("{}: {}", name.str(), applied.error()));
      return;
    }
    settings[std::string(name)] = std::move(value);
  }

  using Texts = Result<std::vector<std::string>, std::string>;

  static Texts texts_of(const toml::node& node, SettingKind kind) {
    const bool takes_list = kind == SettingKind::text_list || kind == SettingKind::number_list ||
                            kind == SettingKind::rate_list;
    const toml::array* const array = node.as_array();
    std::vector<std::string> texts;
    if (array != nullptr && takes_list) {
      for (const toml::node& element : *array) {
        auto text = text_of(element, kind);
        if (!text) {
          return Failure(std::move(text.error()));
        }
        texts.push_back(std::move(*text));
      }
      if (texts.empty()) {
        return Failure(std::string("the list is empty"));
      }
      return texts;
    }
    auto text = text_of(node, kind);
    if (!text) {
      return Failure(std::move(text.error()));
    }
    texts.push_back(std::move(*text));
    return texts;
  }

  static Result<std::string, std::string> text_of(const toml::node& node, SettingKind kind) {
    const bool takes_number = kind == SettingKind::number || kind == SettingKind::number_list ||
                              kind == SettingKind::rate_list;
    if (const auto* const text = node.as_string();
        text != nullptr && kind != SettingKind::boolean) {
      return text->get();
    }
    if (const auto* const number = node.as_integer(); number != nullptr && takes_number) {
      return fmt::format("{}", number->get());
    }
    if (const auto* const number = node.as_floating_point(); number != nullptr && takes_number) {
      return fmt::format("{}", number->get());
    }
    const auto* const boolean = node.as_boolean();
    // A number too: `verbose = true` is -v.
    if (boolean != nullptr && (kind == SettingKind::boolean || kind == SettingKind::number)) {
      return std::string(boolean->get() ? "true" : "false");
    }
    return Failure(wanted(kind));
  }

  static std::string wanted(SettingKind kind) {
    switch (kind) {
      case SettingKind::text:
        return "it takes text in quotes";
      case SettingKind::number:
        return "it takes a number, or text with a unit in quotes";
      case SettingKind::boolean:
        return "it takes true or false";
      case SettingKind::text_list:
        return "it takes text in quotes, or a list of them";
      case SettingKind::number_list:
        return "it takes a number or a list of numbers";
      case SettingKind::rate_list:
        return "it takes a rate in quotes, as in \"14/s\", or a list of them";
    }
    RP_ASSERT(false);
  }

  // A file that moves with its configuration is found wherever ringpost is started.
  void complete_path(std::string& path) const {
    const char* const home = std::getenv("HOME");
    if (is_credential_name(path)) {
      path = credential_file(path);
    } else if (path.starts_with("~/") && home != nullptr) {
      path = std::string(home) + path.substr(1);
    } else if (!path.starts_with('/')) {
      path = folder_ + path;
    }
  }

  static std::string unknown_endpoint_key(std::string_view name) {
    if (name == "password") {
      return "a password does not stand in this file: write password_file or password_command";
    }
    std::vector<std::string_view> known;
    for (const EndpointKey& key : endpoint_keys()) {
      known.push_back(key.name);
    }
    known.emplace_back("reply");
    return codec::unknown_word("key", name, known);
  }

  void offend(const toml::source_region& where, std::string text) {
    offences_.push_back({where.begin, std::move(text)});
  }

  std::string message() {
    std::stable_sort(offences_.begin(), offences_.end(),
                     [](const Offence& a, const Offence& b) { return a.position < b.position; });
    std::string text;
    for (const Offence& offence : offences_) {
      text += text.empty() ? "" : "\n";
      text += fmt::format("{}:{}:{}: {}", path_, offence.position.line, offence.position.column,
                          offence.text);
    }
    return text;
  }

  std::string path_;
  std::string folder_;
  Configuration configuration_;
  std::vector<Offence> offences_;
};

std::optional<std::string> distrust(const struct stat& status) {
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    return "it belongs to another user, and could run commands as you; use -c FILE to read it "
           "anyway";
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    return "every user may write it, and it could run commands as you; mend it with chmod o-w, or "
           "use -c FILE to read it anyway";
  }
  return std::nullopt;
}

Result<std::string, std::string> read_text(int descriptor) {
  std::string text;
  while (true) {
    const std::size_t length = text.size();
    text.resize(length + 16384);
    const ssize_t taken = ::read(descriptor, text.data() + length, text.size() - length);
    if (taken < 0 && errno != EINTR) {
      return Failure(std::string(std::strerror(errno)));
    }
    text.resize(length + static_cast<std::size_t>(std::max<ssize_t>(taken, 0)));
    if (text.size() > file_bytes_max) {
      return Failure(fmt::format("it is larger than {} octets", file_bytes_max));
    }
    if (taken == 0) {
      return text;
    }
  }
}

bool is_missing(const std::string& path) {
  return ::access(path.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

}  // namespace

Result<Configuration, UsageError> parse_configuration(Bytes text, const std::string& path) {
  try {
    return TreeReader(path).read(toml::parse(text, path));
  } catch (const toml::parse_error& error) {
    const toml::source_position& begin = error.source().begin;
    return Failure(UsageError{
        fmt::format("{}:{}:{}: {}", path, begin.line, begin.column, error.description())});
  }
}

Result<Configuration, UsageError> read_configuration_file(const std::string& path, Trust trust) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    return Failure(UsageError{fmt::format("{}: {}", path, std::strerror(errno))});
  }
  if (trust == Trust::found) {
    if (const auto offence = distrust(status)) {
      return Failure(UsageError{fmt::format("{}: {}", path, *offence)});
    }
  }
  const auto text = read_text(file.get());
  if (!text) {
    return Failure(UsageError{fmt::format("{}: {}", path, text.error())});
  }
  return parse_configuration(*text, path);
}

std::vector<std::string> default_config_paths() {
  std::vector<std::string> paths = {"/etc/ringpost/ringpost.toml"};
  const char* const config_home = std::getenv("XDG_CONFIG_HOME");
  const char* const home = std::getenv("HOME");
  // The XDG specification: a path that is not absolute is to be passed over.
  if (config_home != nullptr && *config_home == '/') {
    paths.push_back(fmt::format("{}/ringpost/ringpost.toml", config_home));
  } else if (home != nullptr && *home == '/') {
    paths.push_back(fmt::format("{}/.config/ringpost/ringpost.toml", home));
  }
  paths.emplace_back("./ringpost.toml");
  return paths;
}

Result<Configuration, UsageError> load_configuration(const std::string& named) {
  if (!named.empty()) {
    return read_configuration_file(named, Trust::named_by_user);
  }
  Configuration all;
  for (const std::string& path : default_config_paths()) {
    if (is_missing(path)) {
      continue;
    }
    const auto one = read_configuration_file(path, Trust::found);
    if (!one) {
      return Failure(one.error());
    }
    lay_over(all, *one);
  }
  return all;
}

std::vector<protocol::ReplyRule> Configuration::rules_of(Bytes endpoint) const {
  const auto found = reply_rules.find(endpoint);
  return found == reply_rules.end() ? std::vector<protocol::ReplyRule>() : found->second;
}

void lay_over(Configuration& lower, const Configuration& upper) {
  lower.files.insert(lower.files.end(), upper.files.begin(), upper.files.end());
  lay_over(lower.send, upper.send);
  for (const auto& [name, settings] : upper.endpoints) {
    SettingMap& below = lower.endpoints[name];
    // The stronger file's way replaces the other.
    for (const auto& [key, other] : keys_for_one_thing) {
      if (settings.contains(key) || settings.contains(other)) {
        below.erase(std::string(key));
        below.erase(std::string(other));
      }
    }
    lay_over(below, settings);
  }
  for (const auto& [name, maps] : upper.sections) {
    std::vector<SettingMap>& below = lower.sections[name];
    if (find_section(name)->is_list || below.empty()) {
      below = maps;
    } else {
      lay_over(below.front(), maps.front());
    }
  }
  for (const auto& [name, rules] : upper.reply_rules) {
    std::vector<protocol::ReplyRule>& below = lower.reply_rules[name];
    below.insert(below.begin(), rules.begin(), rules.end());
  }
}

}  // namespace ringpost::cli
