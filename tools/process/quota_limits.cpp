// The problem: people write limits as providers do (14 a second, 50,000 recipients a day, half a
// message a second), and what counts them knows whole units in a window. The idea: a limit that is
// no whole number is so many whole units in a window of another length. Limits: what is less than
// one a month is refused, since nobody means it.
#include "tools/process/quota_limits.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "codec/text/ascii.h"

namespace ringpost::cli {

namespace {

struct UnitName {
  std::string_view name;
  QuotaUnit unit;
};
constexpr std::array<UnitName, 3> unit_names = {{{"messages", QuotaUnit::messages},
                                                 {"recipients", QuotaUnit::recipients},
                                                 {"bytes", QuotaUnit::octets}}};

struct PeriodName {
  std::string_view name;
  QuotaPeriod period;
};
constexpr std::array<PeriodName, quota_periods> period_names = {{{"s", QuotaPeriod::second},
                                                                 {"m", QuotaPeriod::minute},
                                                                 {"h", QuotaPeriod::hour},
                                                                 {"d", QuotaPeriod::day}}};

// One a month, and more than anybody sends.
constexpr double per_second_min = 3.8e-7;
constexpr double per_second_max = 1e12;

Bytes without_spaces(Bytes text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<double> amount_of(Bytes text) {
  double factor = 1;
  if (!text.empty() && (text.back() == 'k' || text.back() == 'K' || text.back() == 'M')) {
    factor = text.back() == 'M' ? 1e6 : 1e3;
    text.remove_suffix(1);
  }
  // from_chars alone takes "inf", "1e9" and "-1" too.
  const bool is_plain =
      !text.empty() && codec::is_digit(text.front()) && codec::is_digit(text.back()) &&
      std::all_of(text.begin(), text.end(),
                  [](char octet) { return codec::is_digit(octet) || octet == '.'; });
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped_at, error] = std::from_chars(text.data(), end, value);
  if (!is_plain || error != std::errc{} || stopped_at != end || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value * factor;
}

template <typename Names>
auto find_name(const Names& names, Bytes name) {
  return std::find_if(names.begin(), names.end(),
                      [name](const auto& known) { return known.name == name; });
}

// Windows hold whole units: 0.5 a second is one in two seconds, 14.5 are 14 in a little less.
RateWindow window_of(double amount, Duration length) {
  const double whole = std::max(1.0, std::floor(amount));
  const double share = whole / amount;
  return {.amount = static_cast<std::uint64_t>(whole),
          .length = share == 1.0
                        ? length
                        : Duration(std::llround(static_cast<double>(length.count()) * share))};
}

}  // namespace

Result<QuotaLimit, std::string> parse_quota_limit(Bytes text) {
  const Bytes trimmed = without_spaces(text);
  const std::size_t slash = std::min(trimmed.find('/'), trimmed.size());
  const Bytes period_name = slash < trimmed.size() ? trimmed.substr(slash + 1) : Bytes("s");
  Bytes rest = trimmed.substr(0, slash);
  const std::size_t space = std::min(rest.find(' '), rest.size());
  const Bytes unit_name = without_spaces(rest.substr(space));
  const std::optional<double> amount = amount_of(rest.substr(0, space));
  const auto* const unit = find_name(unit_names, unit_name.empty() ? "messages" : unit_name);
  const auto* const period = find_name(period_names, period_name);
  if (!amount || unit == unit_names.end() || period == period_names.end()) {
    return Failure(fmt::format(
        "\"{}\" is no rate (write 14/s, 500/h, 50000 recipients/d or 10M bytes/m)", text));
  }
  const Duration length = length_of(period->period);
  const double per_second = *amount / std::chrono::duration<double>(length).count();
  if (per_second < per_second_min || per_second > per_second_max) {
    return Failure(fmt::format("\"{}\" is out of range (leave it out for no limit)", text));
  }
  return QuotaLimit{unit->unit, period->period, window_of(*amount, length)};
}

Result<std::vector<QuotaLimit>, std::string> parse_quota_limits(Bytes text) {
  std::vector<QuotaLimit> limits;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    auto limit = parse_quota_limit(text.substr(begin, end - begin));
    if (!limit) {
      return Failure(std::move(limit.error()));
    }
    const bool is_there = std::any_of(limits.begin(), limits.end(), [&](const QuotaLimit& other) {
      return other.unit == limit->unit && other.period == limit->period;
    });
    if (is_there) {
      return Failure(fmt::format("\"{}\" has two limits of the same unit and period", text));
    }
    limits.push_back(*limit);
    begin = end + 1;
  }
  return limits;
}

std::string quota_limit_text(const QuotaLimit& limit) {
  std::string unit;
  for (const UnitName& known : unit_names) {
    if (known.unit == limit.unit && limit.unit != QuotaUnit::messages) {
      unit = fmt::format(" {}", known.name);
    }
  }
  std::string_view period;
  for (const PeriodName& known : period_names) {
    if (known.period == limit.period) {
      period = known.name;
    }
  }
  const double share = static_cast<double>(length_of(limit.period).count()) /
                       static_cast<double>(limit.window.length.count());
  const double amount = static_cast<double>(limit.window.amount) * share;
  const double rounded = std::round(amount * 1e6) / 1e6;
  return rounded == std::floor(rounded) ? fmt::format("{:.0f}{}/{}", rounded, unit, period)
                                        : fmt::format("{:.9g}{}/{}", rounded, unit, period);
}

}  // namespace ringpost::cli
