// The problem: a slip in a preset would only show with the one provider that it is about. The idea:
// nothing that is not known may stand in the file, every value is tried when it is read, and all
// offences are told with their places. Limits: whether a value is true is the sources' matter.
#include "tools/presets/preset_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "codec/text/spelling.h"
#include "tools/presets/preset_key.h"
#include "tools/presets/reply_rule_setting.h"
#include "tools/presets/toml_offence.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

constexpr std::array<std::string_view, 14> top_keys = {
    "name",    "picked_by", "same_as", "headers", "notes",  "warning", "endpoint",
    "regions", "plans",     "forms",   "hints",   "server", "dns",     "reply"};
// What may be said of a key for people.
constexpr std::array<std::string_view, 4> described_keys = {"username", "password", "client_name",
                                                            "region"};

class PresetReader {
 public:
  explicit PresetReader(std::string_view id) : path_(fmt::format("{}.toml", id)) {
    preset_.id = id;
    source_ = fmt::format("preset {}", id);
  }

  [[nodiscard]] Result<Preset, UsageError> read(const toml::table& root) {
    check_keys(root, top_keys);
    read_text(root, "name", preset_.name);
    read_texts(root, "picked_by", preset_.picked_by);
    read_text(root, "same_as", preset_.same_as);
    read_texts(root, "headers", preset_.headers);
    read_texts(root, "notes", preset_.notes);
    read_text(root, "warning", preset_.warning);
    if (preset_.name.empty()) {
      offend(root.source(), "a preset needs a name");
    }
    if (!preset_.same_as.empty()) {
      check_that_nothing_differs(root);
    }
    if (const toml::table* const endpoint = section(root, "endpoint")) {
      read_settings(*endpoint, preset_.endpoint);
    }
    read_regions(root);
    read_plans(root);
    read_forms(root);
    read_server(root);
    read_replies(root);
    if (!offences_.empty()) {
      return Failure(usage_error_of(std::move(offences_), path_));
    }
    return std::move(preset_);
  }

 private:
  template <std::size_t count>
  void check_keys(const toml::table& table, const std::array<std::string_view, count>& known) {
    for (const auto& [key, node] : table) {
      if (std::find(known.begin(), known.end(), key.str()) == known.end()) {
        offend(key.source(), codec::unknown_word("key", key.str(), known));
      }
    }
  }

  void check_that_nothing_differs(const toml::table& root) {
    constexpr std::array<std::string_view, 4> own = {"name", "same_as", "notes", "warning"};
    for (const auto& [key, node] : root) {
      if (std::find(own.begin(), own.end(), key.str()) == own.end()) {
        offend(key.source(), fmt::format("{} comes from {}, as same_as says", key.str(),
                                         in_quotes(preset_.same_as)));
      }
    }
  }

  const toml::table* section(const toml::table& parent, std::string_view key) {
    const toml::node* const node = parent.get(key);
    if (node != nullptr && !node->is_table()) {
      offend(node->source(), fmt::format("{} is a section: [{}]", key, key));
    }
    return node == nullptr ? nullptr : node->as_table();
  }

  void read_text(const toml::table& table, std::string_view key, std::string& into) {
    const toml::node* const node = table.get(key);
    if (node == nullptr) {
      return;
    }
    const auto* const text = node->as_string();
    if (text == nullptr || text->get().empty()) {
      offend(node->source(), fmt::format("{}: it takes text in quotes", key));
      return;
    }
    into = text->get();
  }

  void read_texts(const toml::table& table, std::string_view key, std::vector<std::string>& into) {
    const toml::node* const node = table.get(key);
    if (node == nullptr) {
      return;
    }
    const toml::array* const array = node->as_array();
    if (array == nullptr || array->empty()) {
      offend(node->source(), fmt::format("{}: it takes a list of texts in quotes", key));
      return;
    }
    for (const toml::node& element : *array) {
      const auto* const text = element.as_string();
      if (text == nullptr || text->get().empty()) {
        offend(element.source(), fmt::format("{}: it takes texts in quotes", key));
      } else {
        into.push_back(text->get());
      }
    }
  }

  void read_settings(const toml::table& table, PresetSettings& into) {
    for (const auto& [name, node] : table) {
      const PresetKey* const key = find_preset_key(name.str());
      if (key == nullptr) {
        std::vector<std::string_view> known;
        for (const PresetKey& each : preset_keys()) {
          known.push_back(each.name);
        }
        offend(name.source(), codec::unknown_word("key", name.str(), known));
        continue;
      }
      auto texts = texts_of(node, *key);
      if (!texts.empty()) {
        into[std::string(name.str())] = {std::move(texts), origin(node)};
      }
    }
  }

  // None, and an offence, when the key does not take it.
  std::vector<std::string> texts_of(const toml::node& node, const PresetKey& key) {
    std::vector<const toml::node*> nodes = {&node};
    if (const toml::array* const array = node.as_array();
        array != nullptr && key.kind == PresetKind::texts) {
      nodes.clear();
      for (const toml::node& element : *array) {
        nodes.push_back(&element);
      }
      if (nodes.empty()) {
        offend(node.source(), fmt::format("{}: the list is empty", key.name));
      }
    }
    std::vector<std::string> texts;
    for (const toml::node* const each : nodes) {
      auto text = text_of(*each, key);
      if (!text) {
        offend(each->source(), fmt::format("{}: {}", key.name, text.error()));
        return {};
      }
      texts.push_back(std::move(*text));
    }
    return texts;
  }

  static Result<std::string, std::string> text_of(const toml::node& node, const PresetKey& key) {
    std::optional<std::string> text;
    std::string_view wanted = "text in quotes";
    switch (key.kind) {
      case PresetKind::text:
      case PresetKind::texts:
        text = node.value_exact<std::string>();
        break;
      case PresetKind::number:
        wanted = "a number";
        if (const auto number = node.value_exact<std::int64_t>()) {
          text = fmt::format("{}", *number);
        }
        break;
      case PresetKind::boolean:
        wanted = "true or false";
        if (const auto boolean = node.value_exact<bool>()) {
          text = *boolean ? "true" : "false";
        }
        break;
    }
    if (!text) {
      return Failure(fmt::format("it takes {}", wanted));
    }
    if (const auto checked = key.check(*text); !checked) {
      return Failure(checked.error());
    }
    return std::move(*text);
  }

  void read_regions(const toml::table& root) {
    const toml::table* const regions = section(root, "regions");
    if (regions == nullptr) {
      return;
    }
    const PresetKey* const host = find_preset_key("host");
    for (const auto& [name, node] : *regions) {
      auto text = text_of(node, *host);
      if (!text) {
        offend(node.source(), fmt::format("{}: {}", name.str(), text.error()));
      } else {
        preset_.regions.emplace(name.str(), std::move(*text));
      }
    }
  }

  void read_plans(const toml::table& root) {
    const toml::table* const plans = section(root, "plans");
    if (plans == nullptr) {
      return;
    }
    for (const auto& [name, node] : *plans) {
      if (const toml::table* const plan = node.as_table()) {
        read_settings(*plan, preset_.plans[std::string(name.str())]);
      } else {
        offend(name.source(), "a plan is a section: [plans.NAME]");
      }
    }
  }

  void read_forms(const toml::table& root) {
    if (const toml::table* const forms = section(root, "forms")) {
      check_keys(*forms, described_keys);
      for (const auto& [key, node] : *forms) {
        read_texts(*forms, key.str(), preset_.forms[std::string(key.str())]);
      }
    }
    if (const toml::table* const hints = section(root, "hints")) {
      check_keys(*hints, described_keys);
      for (const auto& [key, node] : *hints) {
        read_text(*hints, key.str(), preset_.hints[std::string(key.str())]);
      }
    }
  }

  void read_server(const toml::table& root) {
    if (const toml::table* const server = section(root, "server")) {
      check_keys(*server, std::array<std::string_view, 5>{"ehlo", "ehlo_in_clear", "accepted",
                                                          "takes_any_username", "refusal"});
      read_texts(*server, "ehlo", preset_.server.ehlo);
      read_texts(*server, "ehlo_in_clear", preset_.server.ehlo_in_clear);
      read_text(*server, "accepted", preset_.server.accepted);
      if (const toml::node* const any = server->get("takes_any_username")) {
        preset_.server.takes_any_username = any->value_or(false);
        if (!any->is_boolean()) {
          offend(any->source(), "takes_any_username: it takes true or false");
        }
      }
      read_refusals(*server);
    }
    if (const toml::table* const dns = section(root, "dns")) {
      check_keys(*dns, std::array<std::string_view, 4>{"dkim", "dkim_record", "envelope", "spf"});
      read_text(*dns, "spf", preset_.dns.spf);
      read_texts(*dns, "dkim", preset_.dns.dkim);
      read_text(*dns, "dkim_record", preset_.dns.dkim_record);
      read_text(*dns, "envelope", preset_.dns.envelope);
    }
  }

  void read_refusals(const toml::table& server) {
    const toml::node* const node = server.get("refusal");
    if (node == nullptr) {
      return;
    }
    const toml::array* const refusals = node->as_array();
    if (refusals == nullptr || !refusals->is_homogeneous(toml::node_type::table)) {
      offend(node->source(), "a refusal is a table of its own: [[server.refusal]]");
      return;
    }
    for (const toml::node& each : *refusals) {
      read_refusal(*each.as_table());
    }
  }

  void read_refusal(const toml::table& table) {
    constexpr std::array<std::string_view, 9> limits = {
        "rate", "quota", "connections", "messages", "recipients", "bytes", "idle", "age", "login"};
    constexpr std::array<std::string_view, 4> stages = {"greeting", "auth", "mail", "eod"};
    check_keys(table, std::array<std::string_view, 3>{"limit", "stage", "reply"});
    PresetRefusal refusal;
    read_text(table, "limit", refusal.limit);
    read_text(table, "stage", refusal.stage);
    read_text(table, "reply", refusal.reply);
    if (std::find(limits.begin(), limits.end(), refusal.limit) == limits.end()) {
      offend(table.source(), codec::unknown_word("limit", refusal.limit, limits));
    }
    if (!refusal.stage.empty() &&
        std::find(stages.begin(), stages.end(), refusal.stage) == stages.end()) {
      offend(table.source(), codec::unknown_word("stage", refusal.stage, stages));
    }
    const auto code = parse_number(Bytes(refusal.reply).substr(0, 3), {.min = 400, .max = 599});
    if (!code || refusal.reply.size() < 5 || refusal.reply[3] != ' ') {
      offend(table.source(),
             "reply: it takes a code and words: \"421 4.7.0 Too many connections\"");
    }
    preset_.server.refusals.push_back(std::move(refusal));
  }

  void read_replies(const toml::table& root) {
    const toml::node* const node = root.get("reply");
    if (node == nullptr) {
      return;
    }
    const toml::array* const replies = node->as_array();
    if (replies == nullptr || !replies->is_homogeneous(toml::node_type::table)) {
      offend(node->source(), "a rule is a table of its own: [[reply]]");
      return;
    }
    for (const toml::node& each : *replies) {
      auto rule = read_reply_rule(*each.as_table(), source_);
      if (rule) {
        preset_.replies.push_back(std::move(*rule));
      } else {
        offences_.insert(offences_.end(), rule.error().begin(), rule.error().end());
      }
    }
  }

  std::string origin(const toml::node& node) const {
    return fmt::format("{}, line {}", source_, node.source().begin.line);
  }

  void offend(const toml::source_region& where, std::string text) {
    offences_.push_back({where.begin, std::move(text)});
  }

  std::string path_;
  std::string source_;
  Preset preset_;
  std::vector<TomlOffence> offences_;
};

}  // namespace

Result<Preset, UsageError> parse_preset(std::string_view id, Bytes text) {
  try {
    return PresetReader(id).read(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return Failure(usage_error_of({{error.source().begin, std::string(error.description())}},
                                  fmt::format("{}.toml", id)));
  }
}

}  // namespace ringpost::cli
