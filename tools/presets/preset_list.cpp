// The problem: a preset is asked for by its name, by a host that belongs to its provider, or with a
// slip in it. The idea: files are read when they are asked for, and the search for a host reads all
// of them. Limits: what `same_as` names may not point further.
#include "tools/presets/preset_list.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/spelling.h"
#include "codec/text/wildcard.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

const PresetText* find_text(Bytes name) {
  const std::span<const PresetText> texts = preset_texts();
  const auto found = std::find_if(texts.begin(), texts.end(),
                                  [&](const PresetText& each) { return each.name == name; });
  return found == texts.end() ? nullptr : &*found;
}

std::string in_lower_letters(Bytes text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), codec::lower);
  return lower;
}

// What `same_as` says is looked up once: the other file may not say it again.
Result<Preset, UsageError> with_others(Preset own) {
  const PresetText* const text = find_text(own.same_as);
  auto other = text == nullptr ? Result<Preset, UsageError>(Failure(UsageError{}))
                               : parse_preset(text->name, text->text);
  if (!other || !other->same_as.empty()) {
    return Failure(UsageError{fmt::format("{}.toml: same_as: {} is no preset of its own", own.id,
                                          in_quotes(own.same_as))});
  }
  Preset both = std::move(*other);
  both.id = std::move(own.id);
  both.name = std::move(own.name);
  both.same_as = std::move(own.same_as);
  // The other is picked by its hosts, and no host fits two.
  both.picked_by.clear();
  if (!own.notes.empty()) {
    both.notes = std::move(own.notes);
  }
  if (!own.warning.empty()) {
    both.warning = std::move(own.warning);
  }
  return both;
}

std::string text_of_setting(const Preset& preset, std::string_view key) {
  const auto found = preset.endpoint.find(key);
  return found == preset.endpoint.end() ? std::string() : found->second.texts.front();
}

std::string limits_of(const Preset& preset) {
  struct Limit {
    std::string_view key;
    std::string_view words;
  };
  constexpr std::array<Limit, 4> limits = {{{"max_connections", "connections"},
                                            {"messages_per_connection", "messages a connection"},
                                            {"recipients_per_message", "recipients a message"},
                                            {"max_connection_idle", "idle"}}};
  std::vector<std::string> parts;
  if (const auto rate = preset.endpoint.find("rate"); rate != preset.endpoint.end()) {
    parts = rate->second.texts;
  }
  for (const Limit& limit : limits) {
    if (const std::string value = text_of_setting(preset, limit.key); !value.empty()) {
      parts.push_back(fmt::format("{} {}", value, limit.words));
    }
  }
  return joined(parts, ", ");
}

std::string host_of(const Preset& preset) {
  const std::string host = text_of_setting(preset, "host");
  if (!host.empty()) {
    return host;
  }
  return preset.regions.empty() ? "yours" : fmt::format("{} regions", preset.regions.size());
}

std::string line_of(const Preset& preset) {
  std::string line =
      fmt::format("{:<13} {:<28} {:<24} {:<13} {}", preset.id, preset.name, host_of(preset),
                  text_of_setting(preset, "ports"), limits_of(preset));
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

bool is_preset(Bytes name) { return find_text(name) != nullptr; }

std::vector<std::string_view> preset_names() {
  std::vector<std::string_view> names;
  for (const PresetText& each : preset_texts()) {
    names.push_back(each.name);
  }
  return names;
}

Result<std::string_view, UsageError> preset_text(Bytes name) {
  if (const PresetText* const found = find_text(name)) {
    return found->text;
  }
  const std::vector<std::string_view> names = preset_names();
  return Failure(UsageError{fmt::format(
      "{}\nThe presets are {}.", codec::unknown_word("preset", name, names), joined(names, ", "))});
}

Result<Preset, UsageError> load_preset(Bytes name) {
  const auto text = preset_text(name);
  if (!text) {
    return Failure(text.error());
  }
  auto preset = parse_preset(name, *text);
  if (!preset || preset->same_as.empty()) {
    return preset;
  }
  return with_others(std::move(*preset));
}

std::optional<std::string> preset_of_host(Bytes host) {
  const std::string lower = in_lower_letters(host);
  for (const PresetText& each : preset_texts()) {
    const auto preset = parse_preset(each.name, each.text);
    const bool fits =
        preset && std::any_of(preset->picked_by.begin(), preset->picked_by.end(),
                              [&](const std::string& pattern) {
                                return codec::fits_wildcard(lower, in_lower_letters(pattern));
                              });
    if (fits) {
      return preset->id;
    }
  }
  return std::nullopt;
}

Result<std::string, UsageError> preset_list_text() {
  std::string out;
  for (const PresetText& each : preset_texts()) {
    const auto preset = load_preset(each.name);
    if (!preset) {
      return Failure(preset.error());
    }
    out += line_of(*preset);
  }
  return out;
}

}  // namespace ringpost::cli
