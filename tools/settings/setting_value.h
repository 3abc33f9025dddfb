// One setting as somebody wrote it, wherever that was: the common form of flags, variables and
// files, so that each is read by the same code and blamed by name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::cli {

// Who said it; the first has the last word.
enum class Layer : std::uint8_t { flag, environment, url, file, plan, preset };

struct SettingValue {
  std::vector<std::string> texts;  // one, unless it was written as a list
  Layer layer = Layer::file;
  std::string origin = {};  // "--rate", "RINGPOST_RATE", "./ringpost.toml:12:8"

  // For keys that take one word. Precondition: there is one.
  [[nodiscard]] const std::string& text() const {
    RP_ASSERT(!texts.empty());
    return texts.front();
  }
};

using SettingMap = std::map<std::string, SettingValue, std::less<>>;

// What a key takes in a file. A whole number may stand where a text with a unit may.
enum class SettingKind : std::uint8_t {
  text,
  number,  // a number, or text such as "10k", "14/s" or "auto"
  boolean,
  text_list,  // a text or a list of texts
  number_list,
  rate_list,  // a number, a text such as "14/s", or a list of them
};

// Two ways to say one thing, of which an endpoint has one.
inline constexpr std::pair<std::string_view, std::string_view> keys_for_one_thing[] = {
    {"port", "ports"},
    {"password_file", "password_command"},
    {"oauth_token_file", "oauth_token_command"},
};

// Adds what `upper` says on top of `lower`.
inline void lay_over(SettingMap& lower, const SettingMap& upper) {
  for (const auto& [name, value] : upper) {
    lower.insert_or_assign(name, value);
  }
}

}  // namespace ringpost::cli
