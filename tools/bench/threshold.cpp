// The problem: a pipeline wants a verdict, and a threshold that was mistyped must not be one that
// holds. The idea: a closed grammar, each word of which is known, and a series without a single
// time fails. Limits: percentiles are those of the report.
#include "tools/bench/threshold.h"

#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include "tools/bench/bench_report.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

std::string known_words() {
  std::string words = "rate, accepted, min, mean, max";
  for (const Percentile& each : percentiles) {
    words.append(", ").append(each.name);
  }
  words += "; in front of times may stand";
  for (const std::string_view name : series_names) {
    words.append(" ").append(name).append(".");
  }
  return words;
}

// "p99", "eod.p99", "accepted".
bool take_subject(std::string_view subject, Threshold& threshold) {
  const std::size_t dot = subject.find('.');
  std::string_view what = subject;
  for (std::size_t i = 0; dot != std::string_view::npos && i < series_names.size(); ++i) {
    if (series_names[i] == subject.substr(0, dot)) {
      threshold.series = static_cast<Series>(i);
      what = subject.substr(dot + 1);
    }
  }
  for (std::size_t i = 0; i < percentiles.size(); ++i) {
    if (percentiles[i].name == what) {
      threshold.percentile = i;
      return true;
    }
  }
  const bool is_of_series = what.size() != subject.size();
  using About = Threshold::About;
  constexpr std::pair<std::string_view, About> words[] = {{"min", About::min},
                                                          {"mean", About::mean},
                                                          {"max", About::max},
                                                          {"accepted", About::accepted},
                                                          {"rate", About::rate}};
  for (const auto& [word, about] : words) {
    if (word == what && !(is_of_series && about >= About::accepted)) {
      threshold.about = about;
      return true;
    }
  }
  return false;
}

std::optional<double> plain_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = error == std::errc{} && end == text.data() + text.size() && number >= 0;
  return is_whole ? std::optional(number) : std::nullopt;
}

Result<double, std::string> parse_limit(std::string_view text, Threshold::About about) {
  if (about == Threshold::About::accepted) {
    const auto percent =
        text.ends_with('%') ? plain_number(text.substr(0, text.size() - 1)) : std::nullopt;
    return percent && *percent <= 100 ? Result<double, std::string>(*percent / 100)
                                      : Failure(in_quotes(text) + " is no share (write 99.9%)");
  }
  if (about == Threshold::About::rate) {
    const auto rate = plain_number(text.ends_with("/s") ? text.substr(0, text.size() - 2) : text);
    return rate ? Result<double, std::string>(*rate)
                : Failure(in_quotes(text) + " is no rate (write 900/s)");
  }
  const auto time = parse_duration(text);
  return time
             ? Result<double, std::string>(std::chrono::duration<double, std::micro>(*time).count())
             : Failure(time.error());
}

Result<Threshold, std::string> parse_one(std::string_view text) {
  Threshold threshold;
  threshold.text = text;
  const std::size_t at = text.find_first_of("<>");
  if (at == std::string_view::npos) {
    return Failure(in_quotes(text) + " has neither < nor > (write p99<250ms)");
  }
  const bool is_equal_too = at + 1 < text.size() && text[at + 1] == '=';
  threshold.relation =
      text[at] == '<' ? (is_equal_too ? Threshold::Relation::at_most : Threshold::Relation::less)
                      : (is_equal_too ? Threshold::Relation::at_least : Threshold::Relation::more);
  const std::string_view subject = trimmed(text.substr(0, at));
  if (!take_subject(subject, threshold)) {
    return Failure(fmt::format("{} is nothing that is measured; there are {}", in_quotes(subject),
                               known_words()));
  }
  auto limit = parse_limit(trimmed(text.substr(at + (is_equal_too ? 2 : 1))), threshold.about);
  if (!limit) {
    return Failure(std::move(limit.error()));
  }
  threshold.limit = *limit;
  return threshold;
}

}  // namespace

std::optional<double> Threshold::value_in(const BenchFinding& finding) const {
  if (about == About::accepted) {
    return finding.accepted_share();
  }
  if (about == About::rate) {
    return finding.messages_per_second();
  }
  const TimeSummary& times = finding.of(series);
  if (times.count == 0) {
    return std::nullopt;
  }
  switch (about) {
    case About::min:
      return static_cast<double>(times.min);
    case About::mean:
      return times.mean;
    case About::max:
      return static_cast<double>(times.max);
    case About::percentile:
    case About::accepted:
    case About::rate:
      break;
  }
  return static_cast<double>(times.at[percentile]);
}

bool Threshold::is_held_by(const BenchFinding& finding) const {
  const auto value = value_in(finding);
  if (!value) {
    return false;
  }
  switch (relation) {
    case Relation::less:
      return *value < limit;
    case Relation::at_most:
      return *value <= limit;
    case Relation::more:
      return *value > limit;
    case Relation::at_least:
      return *value >= limit;
  }
  return false;
}

std::string Threshold::measured_text(const BenchFinding& finding) const {
  const auto value = value_in(finding);
  if (!value) {
    return "nothing was timed";
  }
  switch (about) {
    case About::accepted:
      return share_text(*value);
    case About::rate:
      return fmt::format("{:.1f}/s", *value);
    case About::percentile:
    case About::min:
    case About::mean:
    case About::max:
      break;
  }
  return micros_text(*value);
}

Result<std::vector<Threshold>, std::string> parse_thresholds(std::string_view text) {
  std::vector<Threshold> thresholds;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    auto one = parse_one(trimmed(text.substr(at, end - at)));
    if (!one) {
      return Failure(std::move(one.error()));
    }
    thresholds.push_back(std::move(*one));
    at = end + 1;
  }
  return thresholds;
}

}  // namespace ringpost::cli
