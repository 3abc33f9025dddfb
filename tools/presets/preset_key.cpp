// The problem: presets say more of an endpoint than this version obeys, and slips in them shall
// show all the same. The idea: a table of their keys with a check for each. Limits: a value is
// checked by itself; what users may write is another table (tools/settings/key_table).
#include "tools/presets/preset_key.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "tools/presets/preset_value.h"
#include "tools/process/numbers.h"
#include "tools/process/quota_limits.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

using Checked = Result<void, std::string>;

template <typename T>
Checked done(const Result<T, std::string>& parsed) {
  if (!parsed) {
    return Failure(parsed.error());
  }
  return {};
}

Checked check_text(Bytes text) {
  const bool is_printable = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != '\x7f';
  });
  if (text.empty() || !is_printable) {
    return Failure(fmt::format("{} is empty or has control characters", in_quotes(text)));
  }
  return {};
}

Checked check_host(Bytes text) {
  const bool is_host = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return codec::is_alphanumeric(c) || c == '.' || c == '-';
  });
  return is_host ? Checked{} : Failure(fmt::format("{} is no name of a host", in_quotes(text)));
}

template <const std::string_view& first, const std::string_view& second>
Checked check_either(Bytes text) {
  if (text == first || text == second) {
    return {};
  }
  return Failure(fmt::format("{} is neither \"{}\" nor \"{}\"", in_quotes(text), first, second));
}
constexpr std::string_view word_auto = "auto";
constexpr std::string_view word_none = "none";
constexpr std::string_view word_messages = "messages";
constexpr std::string_view word_recipients = "recipients";

Checked check_queue_id(Bytes text) {
  constexpr Bytes id = "{id}";
  const std::size_t at = text.find(id);
  const bool once = at != Bytes::npos && text.find(id, at + 1) == Bytes::npos;
  if (text == "none" || (once && text != id)) {
    return {};
  }
  return Failure(
      fmt::format("{} is neither \"none\" nor text around one {}", in_quotes(text), in_quotes(id)));
}

Checked check_connections(Bytes text) {
  return done(parse_number(text, {.min = 1, .max = 50'000}));
}
Checked check_count(Bytes text) { return done(parse_number(text, {.min = 1, .max = 1'000'000})); }
Checked check_bytes(Bytes text) {
  return done(parse_number(text, {.min = 1000, .max = std::uint64_t{1} << 32}));
}
Checked check_boolean(Bytes text) { return done(parse_boolean(text)); }
Checked check_port(Bytes text) { return done(parse_preset_port(text)); }
Checked check_rate(Bytes text) { return done(parse_quota_limit(text)); }
Checked check_duration(Bytes text) {
  const auto duration = parse_duration(text);
  if (duration && *duration < std::chrono::seconds(1)) {
    return Failure(fmt::format("{} is shorter than a second", in_quotes(text)));
  }
  return done(duration);
}

constexpr std::array<PresetKey, 16> keys = {{
    {"host", PresetKind::text, check_host},
    {"ports", PresetKind::texts, check_port},
    {"username", PresetKind::text, check_text},
    {"username_is_password", PresetKind::boolean, check_boolean},
    {"auth", PresetKind::text, check_either<word_auto, word_none>},
    {"connections", PresetKind::number, check_connections},
    {"max_connections", PresetKind::number, check_connections},
    {"messages_per_connection", PresetKind::number, check_count},
    {"recipients_per_message", PresetKind::number, check_count},
    {"bytes_per_message", PresetKind::number, check_bytes},
    {"max_connection_idle", PresetKind::text, check_duration},
    {"max_connection_age", PresetKind::text, check_duration},
    {"rate", PresetKind::texts, check_rate},
    {"rate_counts", PresetKind::text, check_either<word_messages, word_recipients>},
    {"idempotency_header", PresetKind::text, check_text},
    {"queue_id", PresetKind::text, check_queue_id},
}};

}  // namespace

std::span<const PresetKey> preset_keys() { return keys; }

const PresetKey* find_preset_key(Bytes name) {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const PresetKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

}  // namespace ringpost::cli
