// The problem: whoever names a provider should have to say nothing that the provider's pages say,
// and yet be able to say anything himself. The idea: a preset is laid under the settings of an
// endpoint when all of them have come together, key by key, so that whatever was said anywhere is
// stronger by being there; only keys that are two ways to say one thing look at each other. Limits:
// a rate that is said anywhere takes the place of all that a preset has; what is not obeyed is kept
// apart, to be told.
#include "tools/settings/preset_layer.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/spelling.h"
#include "codec/text/wildcard.h"
#include "tools/presets/preset_list.h"
#include "tools/presets/preset_value.h"
#include "tools/process/quota_limits.h"
#include "tools/process/wording.h"
#include "tools/settings/applied.h"
#include "tools/settings/endpoint_setting.h"
#include "tools/settings/endpoint_url.h"
#include "tools/settings/key_table.h"

namespace ringpost::cli {

namespace {

std::string without_capitals(Bytes text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), codec::lower);
  return lower;
}

template <typename Map>
std::vector<std::string_view> names_in(const Map& map) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : map) {
    names.push_back(name);
  }
  return names;
}

// Lays one preset under the settings of one endpoint.
class PresetLayering {
 public:
  PresetLayering(const std::string& name, SettingMap& settings, LaidPreset& laid)
      : name_(name), settings_(settings), laid_(laid) {}

  Applied lay() {
    if (auto chosen = lay_region(); !chosen) {
      return chosen;
    }
    if (auto chosen = lay_plan(); !chosen) {
      return chosen;
    }
    for (const auto& [key, value] : laid_.preset.endpoint) {
      lay_value(key, value, Layer::preset);
    }
    lay_rates();
    return {};
  }

 private:
  // Of what stands there and cannot.
  Applied offence(std::string_view key, std::string_view text) const {
    return Failure(fmt::format("{}: {}", place_of_setting(name_, settings_, key), text));
  }

  // `what` of this word, of those that the preset has; nullptr is an offence of its own.
  template <typename Map>
  Result<const typename Map::mapped_type*, std::string> find(std::string_view what,
                                                             const Map& known) const {
    const std::string& word = settings_.at(std::string(what)).text();
    const auto found = known.find(word);
    if (found != known.end()) {
      return &found->second;
    }
    const std::string& id = laid_.preset.id;
    const auto names = names_in(known);
    const std::string text =
        names.empty() ? fmt::format("preset {} has no {}s", id, what)
                      : fmt::format("{} (preset {} has {})", codec::unknown_word(what, word, names),
                                    id, joined(names, ", "));
    return Failure(offence(what, text).error());
  }

  Applied lay_region() {
    const Preset& preset = laid_.preset;
    if (settings_.contains("region")) {
      const auto host = find("region", preset.regions);
      if (!host) {
        return Failure(host.error());
      }
      // `config show` prints both.
      const auto own = settings_.find("host");
      if (own != settings_.end() && own->second.text() != **host) {
        return offence("region", fmt::format("its host is {}, and another one stands beside it; "
                                             "keep one",
                                             in_quotes(**host)));
      }
      if (own != settings_.end()) {
        return {};
      }
      settings_["host"] = {
          {**host},
          Layer::preset,
          fmt::format("preset {}, region {}", preset.id, settings_.at("region").text())};
    }
    if (settings_.contains("host") || preset.endpoint.contains("host")) {
      return {};
    }
    const std::string what =
        preset.regions.empty()
            ? fmt::format("no host of its own: host = \"...\" under [endpoint.{}] says it", name_)
            : fmt::format(
                  "a host for each region: region = \"...\" under [endpoint.{}] picks one of {}",
                  name_, joined(names_in(preset.regions), ", "));
    return Failure(fmt::format("endpoint.{}: preset {} has {}", name_, preset.id, what));
  }

  Applied lay_plan() {
    if (!settings_.contains("plan")) {
      return {};
    }
    const auto plan = find("plan", laid_.preset.plans);
    if (!plan) {
      return Failure(plan.error());
    }
    for (const auto& [key, value] : **plan) {
      lay_value(key, value, Layer::plan);
    }
    return {};
  }

  void lay_value(const std::string& key, const PresetSetting& value, Layer layer) {
    if (key == "rate") {
      note_rates(value, layer);
      return;
    }
    const EndpointKey* const known = find_endpoint_key(key);
    if (known == nullptr || known->apply == nullptr) {
      laid_.unheld.push_back({key, value.texts, value.origin});
      return;
    }
    if (settings_.contains(key) || is_said_otherwise(key)) {
      return;
    }
    std::vector<std::string> texts = key == "ports" ? ports_wanted(value.texts) : value.texts;
    if (!texts.empty()) {
      settings_[key] = {std::move(texts), layer, value.origin};
    }
  }

  // By another key.
  [[nodiscard]] bool is_said_otherwise(std::string_view key) const {
    const auto auth = settings_.find("auth");
    const bool nobody_logs_in = auth != settings_.end() && auth->second.text() == "none";
    if (key == "ports") {
      return settings_.contains("port");
    }
    if (key == "username") {
      return nobody_logs_in;
    }
    return key == "username_is_password" && (nobody_logs_in || settings_.contains("username"));
  }

  // Whoever says how the connection is secured means the ports that are; all, when nobody did.
  [[nodiscard]] std::vector<std::string> ports_wanted(const std::vector<std::string>& texts) const {
    const auto said = settings_.find("security");
    std::vector<std::string> wanted;
    for (const std::string& text : texts) {
      const auto port = parse_preset_port(text);
      RP_ASSERT(port.has_value());
      if (said == settings_.end() || name_of(port->security) == said->second.text()) {
        wanted.push_back(text);
      }
    }
    return wanted;
  }

  // Each is a limit of its own; one of a plan takes the place of the same one below.
  void note_rates(const PresetSetting& value, Layer layer) {
    for (const std::string& text : value.texts) {
      const auto limit = parse_quota_limit(text);
      RP_ASSERT(limit.has_value());
      const bool is_replaced = std::any_of(rates_.begin(), rates_.end(), [&](const Rate& other) {
        return other.limit.unit == limit->unit && other.limit.period == limit->period;
      });
      if (!is_replaced) {
        rates_.push_back({*limit, layer, value.origin, text});
      }
    }
  }

  // The origin is that of the strongest layer which has one.
  void lay_rates() {
    if (rates_.empty() || settings_.contains("rate")) {
      return;
    }
    SettingValue& value = settings_["rate"];
    value = {{}, rates_.front().layer, rates_.front().origin};
    for (const Rate& rate : rates_) {
      value.texts.push_back(rate.text);
    }
  }

  struct Rate {
    QuotaLimit limit;
    Layer layer;
    std::string origin;
    std::string text;
  };

  const std::string& name_;
  SettingMap& settings_;
  LaidPreset& laid_;
  std::vector<Rate> rates_;
};

struct PresetChoice {
  std::string id;
  bool is_picked_by_host = false;
};

std::optional<PresetChoice> chosen_preset(const std::string& name, const SettingMap& settings) {
  if (const auto said = settings.find("preset"); said != settings.end()) {
    const std::string& id = said->second.text();
    return id == no_preset ? std::nullopt : std::optional(PresetChoice{id});
  }
  const auto host = settings.find("host");
  if (host == settings.end()) {
    return is_preset(name) ? std::optional(PresetChoice{name}) : std::nullopt;
  }
  Bytes text = host->second.text();
  static_cast<void>(take_absolute_dot(text));
  auto id = preset_of_host(text);
  return id ? std::optional(PresetChoice{std::move(*id), true}) : std::nullopt;
}

}  // namespace

LaidResult lay_preset(const std::string& name, SettingMap& settings) {
  const auto choice = chosen_preset(name, settings);
  if (!choice) {
    for (const std::string_view key : {"region", "plan"}) {
      if (settings.contains(key)) {
        return Failure(fmt::format("{}: it is one of a preset, and the endpoint has none",
                                   place_of_setting(name, settings, key)));
      }
    }
    return std::nullopt;
  }
  auto preset = load_preset(choice->id);
  if (!preset) {
    return Failure(
        fmt::format("{}: {}", place_of_setting(name, settings, "preset"), preset.error().message));
  }
  LaidPreset laid{std::move(*preset), choice->is_picked_by_host, {}};
  if (auto done = PresetLayering(name, settings, laid).lay(); !done) {
    return Failure(std::move(done.error()));
  }
  return laid;
}

std::vector<std::string> preset_warnings(const std::string& endpoint, const LaidPreset& laid) {
  const Preset& preset = laid.preset;
  std::vector<std::string> warnings;
  if (laid.is_picked_by_host) {
    warnings.push_back(fmt::format(
        "endpoint {}: the host is {}'s, and what preset {} says of it is used (see: ringpost "
        "presets show {}); preset = \"none\", or ?preset=none behind a URL, turns that off",
        endpoint, preset.name, preset.id, preset.id));
  }
  if (!preset.warning.empty()) {
    warnings.push_back(fmt::format("endpoint {}: {}", endpoint, preset.warning));
  }
  return warnings;
}

bool has_odd_username(const LaidPreset& laid, Bytes username) {
  const auto forms = laid.preset.forms.find("username");
  const std::string lower = without_capitals(username);
  return forms != laid.preset.forms.end() && !username.empty() &&
         std::none_of(forms->second.begin(), forms->second.end(), [&](const std::string& form) {
           return codec::fits_wildcard(lower, without_capitals(form));
         });
}

std::string login_hint(const LaidPreset& laid, Bytes username) {
  std::vector<std::string> parts;
  const auto add = [&](std::string_view key, std::string_view words) {
    const auto hint = laid.preset.hints.find(key);
    if (hint != laid.preset.hints.end()) {
      parts.push_back(fmt::format("{}{}", words, hint->second));
    }
  };
  if (has_odd_username(laid, username)) {
    add("username", "the user name should be: ");
  }
  add("password", "the password should be: ");
  add("region", "");
  return joined(parts, "; ");
}

}  // namespace ringpost::cli
