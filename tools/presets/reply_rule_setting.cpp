// The problem: a rule that can never fit, or whose action means nothing for its scope, is worse
// than none, because somebody relies on it. The idea: a table says which actions a scope has, every
// key is tried when it is read, and what is written here is read back as the same rule. Limits: a
// rule that stands behind a broader one is not found out.
#include "tools/presets/reply_rule_setting.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/spelling.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

using protocol::ReplyRule;
using protocol::RuleAction;
using protocol::RuleScope;

constexpr std::array<std::string_view, 9> rule_keys = {
    "code", "enhanced", "text", "stage", "scope", "action", "window", "times", "hint"};

struct StageName {
  std::string_view name;
  Stage stage;
};
constexpr std::array<StageName, 8> stages = {{{"greeting", Stage::greeting},
                                              {"ehlo", Stage::ehlo},
                                              {"starttls", Stage::starttls},
                                              {"auth", Stage::auth},
                                              {"mail", Stage::mail},
                                              {"rcpt", Stage::rcpt},
                                              {"data", Stage::data},
                                              {"eod", Stage::eod}}};

std::string_view name_of_stage(Stage stage) {
  const auto found = std::find_if(stages.begin(), stages.end(),
                                  [&](const StageName& each) { return each.stage == stage; });
  RP_ASSERT(found != stages.end());
  return found->name;
}

constexpr std::int64_t times_max = 1000;

constexpr unsigned scopes_of(std::initializer_list<RuleScope> scopes) {
  unsigned set = 0;
  for (const RuleScope scope : scopes) {
    set |= 1u << static_cast<unsigned>(scope);
  }
  return set;
}

unsigned scopes_for(RuleAction action) {
  switch (action) {
    case RuleAction::reject:
    case RuleAction::retry:
      return scopes_of({RuleScope::recipient, RuleScope::message, RuleScope::sender});
    case RuleAction::split:
      return scopes_of({RuleScope::recipient});
    case RuleAction::reconnect:
      return scopes_of({RuleScope::session, RuleScope::login});
    case RuleAction::fewer_connections:
    case RuleAction::slow_down:
      return scopes_of(
          {RuleScope::session, RuleScope::login, RuleScope::account, RuleScope::machine});
    case RuleAction::pause:
    case RuleAction::stop:
      return scopes_of(
          {RuleScope::sender, RuleScope::login, RuleScope::account, RuleScope::machine});
    case RuleAction::renew_token:
      return scopes_of({RuleScope::login});
    case RuleAction::mistake:
      return scopes_of({RuleScope::session});
  }
  RP_ASSERT(false);
}

// "5.7.1", or the beginning of one and a star.
bool is_status_pattern(Bytes text) {
  const bool open = text.ends_with('*');
  const Bytes fixed = text.substr(0, text.size() - (open ? 1 : 0));
  if (fixed.size() < 2 || (fixed[0] != '4' && fixed[0] != '5') || fixed[1] != '.') {
    return false;
  }
  std::size_t dots = 0;
  for (std::size_t i = 1; i < fixed.size(); ++i) {
    const bool dot = fixed[i] == '.';
    dots += dot ? 1 : 0;
    if ((!dot && !codec::is_digit(fixed[i])) || (dot && i > 1 && fixed[i - 1] == '.')) {
      return false;
    }
  }
  return dots <= 2 && (open || (dots == 2 && !fixed.ends_with('.')));
}

class RuleReader {
 public:
  RuleReader(const toml::table& table, std::string_view source) : table_(table) {
    rule_.origin = fmt::format("{}, line {}", source, table.source().begin.line);
  }

  [[nodiscard]] Result<ReplyRule, std::vector<TomlOffence>> read() {
    check_keys();
    read_match();
    read_words();
    read_ruling();
    if (offences_.empty()) {
      return std::move(rule_);
    }
    return Failure(std::move(offences_));
  }

 private:
  void check_keys() {
    for (const auto& [key, node] : table_) {
      if (std::find(rule_keys.begin(), rule_keys.end(), key.str()) == rule_keys.end()) {
        offend(key.source(), codec::unknown_word("key", key.str(), rule_keys));
      }
    }
  }

  void read_match() {
    if (const auto code = number("code", 400, 599)) {
      rule_.code = static_cast<std::uint16_t>(*code);
    }
    if (const auto enhanced = text("enhanced")) {
      if (!is_status_pattern(*enhanced)) {
        offend("enhanced", fmt::format("{} is no status (write \"5.7.1\" or \"4.7.5*\")",
                                       in_quotes(*enhanced)));
      }
      rule_.enhanced = *enhanced;
    }
    if (const auto name = text("stage")) {
      const auto found = std::find_if(stages.begin(), stages.end(),
                                      [&](const StageName& each) { return each.name == *name; });
      if (found == stages.end()) {
        std::array<std::string_view, stages.size()> names;
        std::transform(stages.begin(), stages.end(), names.begin(),
                       [](const StageName& each) { return each.name; });
        offend("stage", codec::unknown_word("stage", *name, names));
      } else {
        rule_.stage = found->stage;
      }
    }
  }

  void read_words() {
    const auto words = text("text");
    if (!table_.contains("text")) {
      offend(table_.source(), "a rule needs text, which stands in the words of the reply");
    } else if (words && words->find_first_not_of("* ") == std::string::npos) {
      offend("text", fmt::format("{} stands in any reply", in_quotes(*words)));
    }
    rule_.text = words.value_or("");
    rule_.hint = text("hint").value_or("");
  }

  void read_ruling() {
    const auto scope = word<RuleScope, protocol::rule_scope_count>("scope");
    const auto action = word<RuleAction, protocol::rule_action_count>("action");
    rule_.scope = scope.value_or(RuleScope::message);
    rule_.action = action.value_or(RuleAction::retry);
    if (scope && action) {
      if (const auto checked = check_action(*scope, *action); !checked) {
        offend("action", checked.error());
      }
    }
    if (const auto window = text("window")) {
      const auto length = parse_duration(*window);
      if (!length) {
        offend("window", length.error());
      } else if (action && *action != RuleAction::pause) {
        offend("window", "only a pause has a window");
      } else {
        rule_.window = *length;
      }
    }
    if (const auto times = number("times", 1, times_max)) {
      rule_.times = static_cast<std::uint32_t>(*times);
    }
  }

  std::optional<std::string> text(std::string_view key) {
    const toml::node* const node = table_.get(key);
    if (node == nullptr) {
      return std::nullopt;
    }
    const auto* const value = node->as_string();
    if (value == nullptr || value->get().empty()) {
      offend(node->source(), fmt::format("{} takes text in quotes", key));
      return std::nullopt;
    }
    return value->get();
  }

  std::optional<std::int64_t> number(std::string_view key, std::int64_t least, std::int64_t most) {
    const toml::node* const node = table_.get(key);
    if (node == nullptr) {
      return std::nullopt;
    }
    const auto* const value = node->as_integer();
    if (value == nullptr || value->get() < least || value->get() > most) {
      offend(node->source(), fmt::format("{} takes a number from {} to {}", key, least, most));
      return std::nullopt;
    }
    return value->get();
  }

  template <typename Word, std::size_t count>
  std::optional<Word> word(std::string_view key) {
    const auto name = text(key);
    if (!table_.contains(key)) {
      offend(table_.source(), fmt::format("a rule needs {}", key));
    }
    if (!name) {
      return std::nullopt;
    }
    std::array<std::string_view, count> names;
    for (std::size_t i = 0; i < count; ++i) {
      names[i] = name_of(static_cast<Word>(i));
    }
    const auto found = std::find(names.begin(), names.end(), *name);
    if (found == names.end()) {
      offend(key, fmt::format("{} (one of {})", codec::unknown_word(key, *name, names),
                              joined(names, ", ")));
      return std::nullopt;
    }
    return static_cast<Word>(found - names.begin());
  }

  void offend(std::string_view key, std::string what) {
    offend(table_.get(key)->source(), std::move(what));
  }
  void offend(const toml::source_region& where, std::string what) {
    offences_.push_back({where.begin, std::move(what)});
  }

  const toml::table& table_;
  ReplyRule rule_;
  std::vector<TomlOffence> offences_;
};

// As a basic string of TOML.
std::string quoted_toml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

Result<ReplyRule, std::vector<TomlOffence>> read_reply_rule(const toml::table& table,
                                                            std::string_view source) {
  return RuleReader(table, source).read();
}

std::string reply_rule_text(const ReplyRule& rule, std::string_view heading) {
  std::string out = fmt::format("{}\n", heading);
  if (rule.code != 0) {
    out += fmt::format("code = {}\n", rule.code);
  }
  if (!rule.enhanced.empty()) {
    out += fmt::format("enhanced = {}\n", quoted_toml(rule.enhanced));
  }
  out += fmt::format("text = {}\n", quoted_toml(rule.text));
  if (rule.stage) {
    out += fmt::format("stage = \"{}\"\n", name_of_stage(*rule.stage));
  }
  out +=
      fmt::format("scope = \"{}\"\naction = \"{}\"\n", name_of(rule.scope), name_of(rule.action));
  if (rule.window != Duration::zero()) {
    out += fmt::format("window = \"{}\"\n", duration_text(rule.window));
  }
  if (rule.times != 1) {
    out += fmt::format("times = {}\n", rule.times);
  }
  if (!rule.hint.empty()) {
    out += fmt::format("hint = {}\n", quoted_toml(rule.hint));
  }
  return out;
}

std::string rule_heading(Bytes endpoint) {
  const bool needs_quotes = endpoint.find_first_of(".:") != Bytes::npos;
  return fmt::format("[[endpoint.{}.reply]]",
                     needs_quotes ? quoted_toml(std::string(endpoint)) : std::string(endpoint));
}

Result<void, std::string> check_action(RuleScope scope, RuleAction action) {
  const unsigned scopes = scopes_for(action);
  if ((scopes >> static_cast<unsigned>(scope) & 1u) != 0) {
    return {};
  }
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < protocol::rule_scope_count; ++i) {
    if ((scopes >> i & 1u) != 0) {
      names.push_back(name_of(static_cast<RuleScope>(i)));
    }
  }
  return Failure(fmt::format("\"{}\" has no meaning for the scope \"{}\" (it has for {})",
                             name_of(action), name_of(scope), joined(names, ", ")));
}

}  // namespace ringpost::cli
