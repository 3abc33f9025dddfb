// What rows of `serve`'s sections make of a value, whichever section they are of.
#pragma once

#include <string>

#include "tools/process/numbers.h"
#include "tools/settings/applied.h"
#include "tools/settings/setting_value.h"

namespace ringpost::cli {

[[nodiscard]] inline Applied apply_some_text(const SettingValue& value, std::string& into) {
  if (value.text().empty() || value.text().find('\0') != std::string::npos) {
    return Failure(std::string("it is empty, or has a NUL"));
  }
  into = value.text();
  return {};
}

template <typename T>
[[nodiscard]] Applied apply_some_count(const SettingValue& value, NumberRange range, T& into) {
  return take(parse_number(value.text(), range), into);
}

[[nodiscard]] inline Applied apply_some_time(const SettingValue& value, Duration least,
                                             Duration& into) {
  Duration time{};
  Applied taken = take(parse_duration(value.text()), time);
  if (taken && time < least) {
    return Failure("it is less than " + duration_text(least));
  }
  if (taken) {
    into = time;
  }
  return taken;
}

}  // namespace ringpost::cli
