// The problem: "587 starttls" and "14 recipients/s" are values of several parts, and what is wrong
// with one of them has to be told. The idea: a parser for each, and a way back for the second.
// Limits: periods are a second, a minute, an hour and a day.
#include "tools/presets/preset_value.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "tools/process/numbers.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

constexpr std::array<std::string_view, 3> security_names = {"starttls", "implicit", "none"};
constexpr std::array<std::string_view, 3> unit_names = {"messages", "recipients", "bytes"};

struct Period {
  std::string_view name;
  std::chrono::seconds length;
};
constexpr std::array<Period, 4> periods = {{{"s", std::chrono::seconds(1)},
                                            {"m", std::chrono::minutes(1)},
                                            {"h", std::chrono::hours(1)},
                                            {"d", std::chrono::hours(24)}}};

// Enough for any provider, and far from the end of 64 bits.
constexpr std::uint64_t amount_max = 1'000'000'000'000;

TransportSecurity usual_security(std::uint16_t port) {
  return port == 465 || port == 2465 ? TransportSecurity::implicit : TransportSecurity::starttls;
}

Failure<std::string> no_rate(Bytes text) {
  return Failure(fmt::format(
      "{} is no rate (write \"14/s\", \"14 recipients/s\"; units are messages, recipients and "
      "bytes, periods s, m, h and d)",
      in_quotes(text)));
}

}  // namespace

Result<PresetPort, std::string> parse_preset_port(Bytes text) {
  const std::size_t space = text.find(' ');
  const auto port = parse_port(text.substr(0, space));
  if (!port) {
    return Failure(port.error());
  }
  if (space == Bytes::npos) {
    return PresetPort{*port, usual_security(*port)};
  }
  const Bytes mode = text.substr(space + 1);
  const auto found = std::find(security_names.begin(), security_names.end(), mode);
  if (found == security_names.end()) {
    return Failure(fmt::format("{}: {} is none of \"starttls\", \"implicit\" and \"none\"",
                               in_quotes(text), in_quotes(mode)));
  }
  return PresetPort{*port, static_cast<TransportSecurity>(found - security_names.begin())};
}

Result<RateWindow, std::string> parse_rate_window(Bytes text) {
  const std::size_t slash = text.find('/');
  const Bytes counted = text.substr(0, slash);
  const std::size_t space = counted.find(' ');
  const auto amount = parse_number(counted.substr(0, space), {.min = 1, .max = amount_max});
  if (slash == Bytes::npos || !amount) {
    return no_rate(text);
  }
  RateWindow window{.amount = *amount};
  if (space != Bytes::npos) {
    const auto unit = std::find(unit_names.begin(), unit_names.end(), counted.substr(space + 1));
    if (unit == unit_names.end()) {
      return no_rate(text);
    }
    window.unit = static_cast<RateUnit>(unit - unit_names.begin());
  }
  const Bytes name = text.substr(slash + 1);
  const auto period = std::find_if(periods.begin(), periods.end(),
                                   [&](const Period& each) { return each.name == name; });
  if (period == periods.end()) {
    return no_rate(text);
  }
  window.period = period->length;
  return window;
}

std::string rate_window_text(const RateWindow& window) {
  const auto period = std::find_if(periods.begin(), periods.end(), [&](const Period& each) {
    return each.length == window.period;
  });
  RP_ASSERT(period != periods.end());
  return fmt::format("{} {}/{}", window.amount, unit_names[static_cast<std::size_t>(window.unit)],
                     period->name);
}

}  // namespace ringpost::cli
