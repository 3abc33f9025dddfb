// The problem: a preset says what a client needs to know, and the sink has to say the same from the
// other side. The idea: what its [server] says is told word for word, the caps of its [endpoint]
// are kept, and it refuses in the words of the first rule whose action belongs to the limit; where
// no rule has them, in those of [[server.refusal]], which is looked at first. Flags of the sink
// itself are stronger. Limits: a rule has a piece of the words, so that is all that is said of
// them.
#include "tools/program/sink_provider.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "codec/smtp/smtp_capability.h"
#include "codec/text/spelling.h"
#include "engine/protocol/reply_rules.h"
#include "tools/presets/preset_list.h"
#include "tools/presets/preset_value.h"
#include "tools/process/numbers.h"
#include "tools/process/quota_limits.h"
#include "tools/process/wording.h"
#include "tools/settings/key_table.h"

namespace ringpost::cli {

namespace {

using protocol::ReplyRule;
using protocol::RuleAction;
using sink::CapSetting;
using sink::ProviderChange;
using sink::ProviderLimit;
using sink::ProviderProfile;
using sink::ProviderReply;
using sink::SinkOptions;

// Sessions have none of their own where a provider's is kept.
constexpr std::uint64_t no_size_limit = std::uint64_t{1} << 40;
constexpr std::size_t no_recipient_limit = std::size_t{1} << 30;

// ---- Words -------------------------------------------------------------------------------------

ProviderReply reply_of(const ReplyRule& rule, ProviderLimit limit) {
  ProviderReply reply = sink::usual_reply(limit);
  std::string status = rule.enhanced;
  if (status.ends_with('*')) {
    status.back() = '0';
  }
  if (rule.code != 0) {
    reply.code = rule.code;
  } else if (!status.empty()) {
    reply.code = status.front() == '4' ? 451 : 550;
  }
  reply.text = status.empty() ? rule.text : fmt::format("{} {}", status, rule.text);
  std::replace(reply.text.begin(), reply.text.end(), '*', ' ');
  if (rule.stage == ringpost::Stage::mail) {
    reply.stage = server::Stage::mail;
  }
  return reply;
}

struct LimitAction {
  ProviderLimit limit;
  RuleAction action;
  std::uint16_t code = 0;    // of the rule; 0: any
  bool is_of_login = false;  // said at AUTH, or never there
};
constexpr std::array<LimitAction, 6> limit_actions = {{
    {ProviderLimit::rate, RuleAction::slow_down},
    {ProviderLimit::quota, RuleAction::pause},
    {ProviderLimit::connections, RuleAction::fewer_connections},
    {ProviderLimit::recipients, RuleAction::split},
    {ProviderLimit::bytes, RuleAction::reject, 552},
    {ProviderLimit::login, RuleAction::stop, 0, true},
}};

void take_words_of_rules(const std::vector<ReplyRule>& rules, ProviderProfile& profile) {
  for (const LimitAction& each : limit_actions) {
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const ReplyRule& one) {
      const bool is_of_login = one.stage == ringpost::Stage::auth;
      const bool is_of_greeting = one.stage == ringpost::Stage::greeting;
      return one.action == each.action && is_of_login == each.is_of_login && !is_of_greeting &&
             (each.code == 0 || one.code == each.code);
    });
    if (rule != rules.end()) {
      profile.replies[static_cast<std::size_t>(each.limit)] = reply_of(*rule, each.limit);
    }
  }
}

server::Stage stage_named(Bytes name) {
  return name == "greeting" ? server::Stage::greeting
         : name == "auth"   ? server::Stage::auth
         : name == "mail"   ? server::Stage::mail
                            : server::Stage::end;
}

// The file has been checked when it was read.
void take_words_of_server(const PresetServer& server, ProviderProfile& profile) {
  for (const PresetRefusal& refusal : server.refusals) {
    const ProviderLimit limit = *sink::provider_limit_named(refusal.limit);
    ProviderReply& reply = profile.replies[static_cast<std::size_t>(limit)];
    std::from_chars(refusal.reply.data(), refusal.reply.data() + 3, reply.code);
    reply.text = refusal.reply.substr(4);
    if (!refusal.stage.empty()) {
      reply.stage = stage_named(refusal.stage);
    }
  }
  profile.accepted = server.accepted;
}

// ---- Caps and changes --------------------------------------------------------------------------

Result<CapSetting, std::string> parse_rate_cap(Bytes value) {
  if (value == "none") {
    return CapSetting{.limit = ProviderLimit::rate};
  }
  const auto rate = parse_quota_limit(value);
  if (!rate) {
    return Failure(rate.error());
  }
  return CapSetting{.limit = ProviderLimit::rate, .rate = *rate};
}

Result<CapSetting, std::string> parse_duration_cap(ProviderLimit limit, Bytes value) {
  const auto duration =
      value == "none" ? Result<Duration, std::string>(Duration::zero()) : parse_duration(value);
  if (!duration) {
    return Failure(duration.error());
  }
  if (*duration == Duration::zero() && value != "none") {
    return Failure(std::string("it is a time, or none"));
  }
  return CapSetting{.limit = limit, .duration = *duration};
}

Result<CapSetting, std::string> parse_number_cap(ProviderLimit limit, Bytes value) {
  const auto number = value == "none"
                          ? Result<std::uint64_t, std::string>(std::uint64_t{0})
                          : parse_number(value, {.min = 1, .max = std::uint64_t{1} << 40});
  if (!number) {
    return Failure(number.error());
  }
  return CapSetting{.limit = limit, .number = *number};
}

struct CapKey {
  std::string_view preset_key;
  std::string_view name;
};
// The caps of an endpoint, as a sink calls them.
constexpr std::array<CapKey, 7> cap_keys = {{
    {"rate", "rate"},
    {"max_connections", "connections"},
    {"messages_per_connection", "messages"},
    {"recipients_per_message", "recipients"},
    {"bytes_per_message", "bytes"},
    {"max_connection_idle", "idle"},
    {"max_connection_age", "age"},
}};

// Values of presets were checked when they were read.
void lay_caps(const PresetSettings& settings, sink::ProviderCaps& caps) {
  for (const CapKey& key : cap_keys) {
    if (const auto found = settings.find(key.preset_key); found != settings.end()) {
      for (const std::string& text : found->second.texts) {
        if (const auto cap = parse_cap(fmt::format("{}={}", key.name, text))) {
          lay(*cap, caps);
        }
      }
    }
  }
}

// "454 for 60s", in the words of a rule that has this code, or of the rate's.
Result<sink::ProviderOutage, std::string> parse_outage(Bytes text,
                                                       const std::vector<ReplyRule>& rules,
                                                       const ProviderReply& of_rate) {
  constexpr Bytes between = " for ";
  const std::size_t at = text.find(between);
  if (at == Bytes::npos) {
    return Failure(
        fmt::format("{} is no limit (rate=7/s) and no outage (454 for 60s)", in_quotes(text)));
  }
  const auto code = parse_number(text.substr(0, at), {.min = 400, .max = 599});
  const auto length = parse_duration(text.substr(at + between.size()));
  if (!code || !length) {
    return Failure(code ? length.error() : code.error());
  }
  ProviderReply reply = sink::usual_reply(ProviderLimit::outage);
  reply.code = static_cast<std::uint16_t>(*code);
  reply.text.front() = *code >= 500 ? '5' : '4';
  const auto rule = std::find_if(rules.begin(), rules.end(), [&](const ReplyRule& one) {
    return one.code == *code && one.stage != ringpost::Stage::auth &&
           one.action == RuleAction::slow_down;
  });
  if (rule != rules.end()) {
    reply = reply_of(*rule, ProviderLimit::outage);
  }
  reply.stage = of_rate.stage;
  return sink::ProviderOutage{.reply = std::move(reply), .length = *length};
}

Result<ProviderChange, std::string> parse_change(Bytes text, const std::vector<ReplyRule>& rules,
                                                 const ProviderProfile& profile) {
  const std::size_t colon = text.find(':');
  if (colon == Bytes::npos) {
    return Failure(std::string("it is TIME:LIMIT, as in 300s:rate=7/s"));
  }
  const auto at = parse_duration(text.substr(0, colon));
  if (!at) {
    return Failure(at.error());
  }
  const Bytes what = text.substr(colon + 1);
  if (what.find('=') == Bytes::npos) {
    auto outage = parse_outage(what, rules, profile.reply(ProviderLimit::rate));
    if (!outage) {
      return Failure(outage.error());
    }
    return ProviderChange{.at = *at, .what = std::move(*outage)};
  }
  const auto cap = parse_cap(what);
  if (!cap) {
    return Failure(cap.error());
  }
  return ProviderChange{.at = *at, .what = *cap};
}

Result<void, std::string> take_flags(const ProviderFlags& flags,
                                     const std::vector<ReplyRule>& rules,
                                     ProviderProfile& profile) {
  for (const std::string& text : flags.limits) {
    const auto cap = parse_cap(text);
    if (!cap) {
      return Failure(fmt::format("--limit {}: {}", text, cap.error()));
    }
    lay(*cap, profile.caps);
  }
  for (const std::string& text : flags.changes) {
    auto change = parse_change(text, rules, profile);
    if (!change) {
      return Failure(fmt::format("--change {}: {}", text, change.error()));
    }
    profile.changes.push_back(std::move(*change));
  }
  std::stable_sort(
      profile.changes.begin(), profile.changes.end(),
      [](const ProviderChange& left, const ProviderChange& right) { return left.at < right.at; });
  return {};
}

// ---- Announcements and logins ------------------------------------------------------------------

bool is_auth(const std::string& line) { return server::is_keyword(line, "AUTH"); }

// Those that a line of EHLO names and a sink knows.
std::vector<AuthMechanism> mechanisms_of(const std::vector<std::string>& keywords) {
  std::vector<AuthMechanism> mechanisms;
  for (const std::string& line : keywords) {
    for (Bytes rest = is_auth(line) ? Bytes(line).substr(4) : Bytes(); !rest.empty();) {
      rest.remove_prefix(1);  // a space, or the = of old servers
      const std::size_t length = std::min(rest.find(' '), rest.size());
      const auto known = codec::find_mechanism(rest.substr(0, length));
      if (known && std::find(mechanisms.begin(), mechanisms.end(), *known) == mechanisms.end()) {
        mechanisms.push_back(*known);
      }
      rest.remove_prefix(length);
    }
  }
  return mechanisms;
}

std::string auth_line(const std::vector<AuthMechanism>& mechanisms) {
  std::string line = "AUTH";
  for (const AuthMechanism mechanism : mechanisms) {
    line.append(" ").append(codec::name_of(mechanism));
  }
  return line;
}

// Mechanisms that the user has named take the place of the provider's.
void announce(const PresetServer& server, bool has_own_mechanisms, server::ServerOptions& session) {
  std::vector<std::string> inside = server.ehlo;
  std::vector<std::string> in_clear = server.ehlo_in_clear;
  if (has_own_mechanisms) {
    std::erase_if(inside, is_auth);
    std::erase_if(in_clear, is_auth);
  }
  if (std::none_of(inside.begin(), inside.end(), is_auth)) {
    inside.push_back(auth_line(session.mechanisms));
  } else {
    session.mechanisms = mechanisms_of(inside);
  }
  if (in_clear.empty()) {
    std::copy_if(inside.begin(), inside.end(), std::back_inserter(in_clear),
                 [](const std::string& line) { return !is_auth(line); });
    in_clear.emplace_back("STARTTLS");
  }
  session.announced = server::announcement_of(inside, session.extensions);
  session.announced_in_clear = server::announcement_of(in_clear, session.extensions);
}

void let_in(const Preset& preset, sink::AccountOptions& account) {
  const auto forms = preset.forms.find("username");
  const auto name = preset.endpoint.find("username");
  if (preset.endpoint.contains("username_is_password")) {
    account.user_is_password = true;
  } else if (preset.server.takes_any_username) {
    account.user_forms = {"*"};
  } else if (forms != preset.forms.end()) {
    account.user_forms = forms->second;
  } else if (name != preset.endpoint.end()) {
    account.user = name->second.texts.front();
  }
}

bool has_implicit_tls(const Preset& preset) {
  const auto ports = preset.endpoint.find("ports");
  return ports == preset.endpoint.end() ||
         std::any_of(ports->second.texts.begin(), ports->second.texts.end(),
                     [](const std::string& text) {
                       const auto port = parse_preset_port(text);
                       return port && port->security == TransportSecurity::implicit;
                     });
}

std::uint64_t announced_size(const PresetServer& server) {
  for (const std::string& line : server.ehlo) {
    if (server::is_keyword(line, "SIZE") && line.size() > 5) {
      const auto size = parse_number(Bytes(line).substr(5), {});
      return size ? *size : 0;
    }
  }
  return 0;
}

Result<void, std::string> lay_plan(const std::string& plan, const Preset& preset,
                                   sink::ProviderCaps& caps) {
  if (plan.empty()) {
    return {};
  }
  const auto found = preset.plans.find(plan);
  if (found == preset.plans.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, settings] : preset.plans) {
      names.push_back(name);
    }
    return Failure(names.empty() ? fmt::format("--plan: {} has no plans", preset.id)
                                 : fmt::format("--plan: {} (there are {})",
                                               codec::unknown_word("plan", plan, names),
                                               joined(names, ", ")));
  }
  lay_caps(found->second, caps);
  return {};
}

Result<void, std::string> play(const Preset& preset, const ProviderFlags& flags,
                               SinkOptions& options, ProviderProfile& profile) {
  profile.name = preset.name;
  profile.caps.bytes = announced_size(preset.server);
  lay_caps(preset.endpoint, profile.caps);
  if (auto laid = lay_plan(flags.plan, preset, profile.caps); !laid) {
    return laid;
  }
  take_words_of_rules(preset.replies, profile);
  take_words_of_server(preset.server, profile);
  if (const auto auth = preset.endpoint.find("auth");
      auth != preset.endpoint.end() && auth->second.texts.front() == "none") {
    options.session.extensions.auth = false;
  }
  announce(preset.server, !flags.mechanisms.empty(), options.session);
  if (flags.user.empty()) {
    let_in(preset, options.account);
  }
  if (flags.listen_tls.empty() && !has_implicit_tls(preset)) {
    options.listen_tls.clear();
  }
  const auto host = preset.endpoint.find("host");
  if (flags.host_name.empty() && host != preset.endpoint.end()) {
    options.session.host_name = host->second.texts.front();
  }
  return {};
}

}  // namespace

Result<CapSetting, std::string> parse_cap(Bytes text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  const Bytes name = text.substr(0, equals);
  const Bytes value = text.substr(std::min(equals + 1, text.size()));
  std::vector<std::string_view> names;
  for (const CapKey& key : cap_keys) {
    names.push_back(key.name);
  }
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return Failure(fmt::format("{} (there are {})", codec::unknown_word("limit", name, names),
                               joined(names, ", ")));
  }
  const ProviderLimit limit = *sink::provider_limit_named(name);
  if (limit == ProviderLimit::rate) {
    return parse_rate_cap(value);
  }
  return limit == ProviderLimit::idle || limit == ProviderLimit::age
             ? parse_duration_cap(limit, value)
             : parse_number_cap(limit, value);
}

std::vector<FlagSpec> provider_flags(ProviderFlags& flags) {
  return {
      {"--profile", "PRESET", "Play the provider of this preset (ringpost presets)",
       &flags.profile},
      {"--plan", "NAME", "To an account of this plan", &flags.plan},
      {"--limit", "KEY=VALUE",
       "rate=, connections=, messages=, recipients=, bytes=, idle=, age=", &flags.limits},
      {"--change", "TIME:LIMIT", "Later: 300s:rate=7/s, 20s:connections=2, 60s:454 for 60s",
       &flags.changes},
  };
}

Result<void, std::string> play_provider(const ProviderFlags& flags, SinkOptions& options) {
  if (flags.profile.empty() && !flags.plan.empty()) {
    return Failure(std::string("--plan: it belongs to a provider (--profile PRESET)"));
  }
  if (flags.profile.empty() && flags.limits.empty() && flags.changes.empty()) {
    return {};
  }
  ProviderProfile profile;
  std::vector<ReplyRule> rules;
  if (!flags.profile.empty()) {
    const auto preset = load_preset(flags.profile);
    if (!preset) {
      return Failure("--profile: " + preset.error().message);
    }
    if (auto played = play(*preset, flags, options, profile); !played) {
      return played;
    }
    rules = preset->replies;
  }
  if (auto taken = take_flags(flags, rules, profile); !taken) {
    return taken;
  }
  if (flags.size_max.empty()) {
    options.session.size_max = no_size_limit;
  }
  if (flags.recipients_max.empty()) {
    options.session.recipients_max = no_recipient_limit;
  }
  options.provider = std::move(profile);
  return {};
}

}  // namespace ringpost::cli
