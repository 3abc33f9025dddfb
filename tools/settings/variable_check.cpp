// The problem: a variable with our prefix may be a slip, another version's, somebody else's or one
// of tools/dev, and only the first is worth stopping for. The idea: it is compared with the names
// of the table of settings; near one of them it is a slip, near none it is worth a warning. Limits:
// in RINGPOST_ENDPOINT_NAME_PASSWORD only the last word is compared, since any name may stand in
// the middle.
#include "tools/settings/variable_check.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

#include "codec/text/spelling.h"
#include "tools/process/log.h"
#include "tools/process/wording.h"
#include "tools/settings/send_setting.h"

namespace ringpost::cli {

namespace {

constexpr std::string_view variable_prefix = "RINGPOST_";
constexpr std::string_view endpoint_prefix = "ENDPOINT_";
constexpr std::string_view password_suffix = "_PASSWORD";

// Those of the program that are no setting of `send`, and those of tools/dev, which may stand in
// the environment of a run that it starts; all without the variable_prefix.
constexpr std::array<std::string_view, 2> other_names = {"CONFIG", "PASSWORD"};
constexpr std::array<std::string_view, 5> developer_names = {"CACHE", "CRASH_ROUNDS", "CRASH_SEED",
                                                             "EXAMPLE", "SOURCE_SUITE"};
constexpr std::string_view developer_suffix = "_SOURCE";

std::vector<std::string> known_names() {
  std::vector<std::string> names(other_names.begin(), other_names.end());
  for (const SendKey& key : send_keys()) {
    names.push_back(variable_of(key.name).substr(variable_prefix.size()));
  }
  return names;
}

bool is_developers(std::string_view name) {
  return name.ends_with(developer_suffix) ||
         std::find(developer_names.begin(), developer_names.end(), name) != developer_names.end();
}

// "ENDPOINT_SES_PASSWORD" for one that is about an endpoint and does not end like that.
std::string nearest_endpoint_name(std::string_view name) {
  const std::size_t last = name.rfind('_');
  const std::string_view endpoint = name.substr(0, last);
  if (!name.starts_with(endpoint_prefix) || endpoint.size() <= endpoint_prefix.size()) {
    return {};
  }
  constexpr std::array<std::string_view, 1> known = {password_suffix.substr(1)};
  const bool is_near = !codec::nearest_word(name.substr(last + 1), known).empty();
  return is_near ? std::string(endpoint) + std::string(password_suffix) : std::string();
}

void check_variable(std::string_view name, const std::vector<std::string>& known,
                    VariableCheck& check) {
  const bool is_password = name.starts_with(endpoint_prefix) && name.ends_with(password_suffix) &&
                           name.size() > endpoint_prefix.size() + password_suffix.size() - 1;
  if (is_password || is_developers(name) ||
      std::find(known.begin(), known.end(), name) != known.end()) {
    return;
  }
  const std::vector<std::string_view> words(known.begin(), known.end());
  std::string meant(codec::nearest_word(name, words));
  if (meant.empty()) {
    meant = nearest_endpoint_name(name);
  }
  const std::string shown = printable(std::string(variable_prefix) + std::string(name));
  if (meant.empty()) {
    check.warnings.push_back(
        fmt::format("the variable {} means nothing to this version of ringpost and is passed over; "
                    "those there are: ringpost manual ringpost.toml",
                    shown));
  } else {
    check.errors.push_back(
        fmt::format("unknown variable {}; did you mean {}{}?", shown, variable_prefix, meant));
  }
}

}  // namespace

std::string VariableCheck::error_text() const { return joined(errors, "\n"); }

VariableCheck check_variables() {
  VariableCheck result;
  const std::vector<std::string> known = known_names();
  for (char** place = environ; place != nullptr && *place != nullptr; ++place) {
    const std::string_view variable = *place;
    const std::size_t equals = std::min(variable.find('='), variable.size());
    // Empty ones count as not set, here as everywhere.
    if (variable.starts_with(variable_prefix) && equals + 1 < variable.size()) {
      check_variable(variable.substr(variable_prefix.size(), equals - variable_prefix.size()),
                     known, result);
    }
  }
  std::sort(result.errors.begin(), result.errors.end());
  std::sort(result.warnings.begin(), result.warnings.end());
  return result;
}

std::string errors_of_variables() {
  const VariableCheck check = check_variables();
  for (const std::string& warning : check.warnings) {
    print_error("warning: " + warning);
  }
  return check.error_text();
}

}  // namespace ringpost::cli
