// The problem: a benchmark shall use what a run would use, and may be varied in what it sends and
// in how it is sent. The idea: the endpoint is chosen and completed as for `send`, with the flags
// of this command above its settings, and a value that is varied is applied by the same row of the
// same table. Limits: one attempt a message, since a benchmark times answers and no patience.
#include "tools/bench/bench_settings.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "codec/mail/address.h"
#include "tools/bench/loopback_check.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"
#include "tools/settings/config_file.h"
#include "tools/settings/key_table.h"
#include "tools/settings/send_setting.h"
#include "tools/settings/variable_check.h"

namespace ringpost::cli {

namespace {

constexpr auto usual_duration = std::chrono::seconds(10);
constexpr auto longest = std::chrono::hours(24);
constexpr std::uint64_t size_min = 512;
constexpr std::uint64_t size_max = 64'000'000;
constexpr std::uint64_t recipients_max = 1000;
constexpr double rate_max = 1e7;
constexpr std::size_t values_max = 50;

// What may be varied, and is no key of an endpoint.
constexpr std::string_view varied_loads[] = {"rate", "size", "recipients"};
constexpr std::string_view varied_keys[] = {"connections", "pipeline", "chunking"};

bool stands_in(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

Result<double, std::string> parse_rate(std::string_view text) {
  constexpr std::pair<std::string_view, double> units[] = {{"/s", 1}, {"/m", 60}, {"/h", 3600}};
  double seconds = 1;
  std::string_view number = text;
  for (const auto& [unit, length] : units) {
    if (number.ends_with(unit)) {
      number.remove_suffix(unit.size());
      seconds = length;
    }
  }
  double factor = 1;
  if (number.ends_with('k')) {
    number.remove_suffix(1);
    factor = 1000;
  }
  double count = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
  const double rate = count * factor / seconds;
  if (error != std::errc{} || end != number.data() + number.size() || !(rate > 0) ||
      rate > rate_max) {
    return Failure(in_quotes(text) + " is no rate (write 1000/s, 50/m or 2k/s)");
  }
  return rate;
}

Result<std::vector<std::uint64_t>, std::string> parse_sizes(const std::vector<std::string>& texts) {
  std::vector<std::uint64_t> sizes;
  for (const std::string& list : texts) {
    for (const std::string& text : parts_of(list)) {
      const auto size = parse_number(text, {size_min, size_max});
      if (!size) {
        return Failure(size.error());
      }
      sizes.push_back(*size);
    }
  }
  return sizes;
}

Result<void, std::string> read_time(std::string_view flag, const std::string& text,
                                    Duration& time) {
  const auto parsed = parse_duration(text);
  if (!parsed || *parsed > longest) {
    return Failure(fmt::format("{}: {}", flag, parsed ? "24h at most" : parsed.error()));
  }
  time = *parsed;
  return {};
}

Result<void, std::string> read_length(const BenchFlags& flags, LoadSettings& load) {
  if (!flags.count.empty()) {
    const auto count = parse_number(flags.count, {1, 1'000'000'000});
    if (!count) {
      return Failure("--count: " + count.error());
    }
    load.count = *count;
  }
  if (!flags.duration.empty() || !load.count) {
    Duration duration = usual_duration;
    if (!flags.duration.empty()) {
      if (auto read = read_time("--duration", flags.duration, duration); !read) {
        return read;
      }
    }
    if (duration < std::chrono::milliseconds(1)) {
      return Failure(std::string("--duration: from 1ms to 24h"));
    }
    load.duration = duration;
  }
  if (!flags.warmup.empty()) {
    if (auto read = read_time("--warmup", flags.warmup, load.warmup); !read) {
      return read;
    }
  }
  return read_time("--drain", flags.drain, load.drain);
}

Result<void, std::string> read_mail(const BenchFlags& flags, LoadSettings& load) {
  const bool is_generated = flags.jobs_path.empty();
  if (!is_generated && (!flags.sizes.empty() || flags.recipients != "1" || !flags.from.empty() ||
                        !flags.to.empty())) {
    return Failure(std::string(
        "--jobs has the messages: --size, --recipients, --from and --to are about generated ones"));
  }
  load.jobs_path = flags.jobs_path;
  auto sizes = parse_sizes(flags.sizes.empty() ? std::vector<std::string>{"2k"} : flags.sizes);
  if (!sizes) {
    return Failure("--size: " + sizes.error());
  }
  load.sizes = std::move(*sizes);
  const auto recipients = parse_number(flags.recipients, {1, recipients_max});
  if (!recipients) {
    return Failure("--recipients: " + recipients.error());
  }
  load.recipients = *recipients;
  load.from = flags.from.empty() ? "bench@example.com" : flags.from;
  load.to = flags.to;
  std::vector<std::string> addresses = load.to;
  addresses.push_back(load.from);
  for (const std::string& address : addresses) {
    if (const auto valid = codec::validate_address(address); !valid) {
      return Failure("--from, --to: " + codec::describe(valid.error(), address));
    }
  }
  return {};
}

Result<void, std::string> read_load(const BenchFlags& flags, LoadSettings& load) {
  if (!flags.rate.empty()) {
    const auto rate = parse_rate(flags.rate);
    if (!rate) {
      return Failure("--rate: " + rate.error());
    }
    load.rate = *rate;
  }
  if (auto read = read_length(flags, load); !read) {
    return read;
  }
  return read_mail(flags, load);
}

Result<void, std::string> read_judgement(const BenchFlags& flags, BenchSettings& settings) {
  if (!flags.thresholds.empty()) {
    auto thresholds = parse_thresholds(flags.thresholds);
    if (!thresholds) {
      return Failure("--threshold: " + thresholds.error());
    }
    settings.thresholds = std::move(*thresholds);
  }
  const auto tolerance = parse_number(flags.tolerance, {0, 1000});
  if (!tolerance) {
    return Failure("--tolerance: " + tolerance.error());
  }
  settings.tolerance = static_cast<double>(*tolerance) / 100;
  settings.base_path = flags.base_path;
  settings.hdr_path = flags.hdr_path;
  settings.json = flags.json;
  return {};
}

SettingMap flag_settings(const BenchFlags& flags) {
  SettingMap given;
  const auto add = [&given](const char* key, const std::string& text) {
    if (!text.empty()) {
      given[key] = {{text}, Layer::flag, flag_of(key)};
    }
  };
  add("connections", flags.connections);
  add("pipeline", flags.pipeline);
  add("chunking", flags.chunking);
  add("cores", flags.cores);
  add("io", flags.io);
  return given;
}

Result<void, UsageError> read_endpoint(const BenchFlags& flags, BenchSettings& settings) {
  const char* const variable = std::getenv("RINGPOST_CONFIG");
  const bool by_variable = flags.config_path.empty() && variable != nullptr;
  const auto configuration = load_configuration(by_variable ? variable : flags.config_path);
  if (!configuration) {
    return Failure(configuration.error());
  }
  if (std::string wrong = check_variables().error_text(); !wrong.empty()) {
    return Failure(UsageError{std::move(wrong)});
  }
  SettingMap layered = configuration->send;
  lay_over(layered, settings_of_environment());
  lay_over(layered, flag_settings(flags));
  auto draft = make_send_draft(layered);
  if (!draft) {
    return Failure(UsageError{std::move(draft.error())});
  }
  draft->endpoints.clear();
  if (!flags.endpoint.empty()) {
    draft->endpoints.push_back(flags.endpoint);
  }
  auto chosen = choose_endpoints(*draft, layered, *configuration, EndpointPlace::argument);
  if (!chosen) {
    return Failure(std::move(chosen.error()));
  }
  if (!flags.owns_endpoint) {
    if (auto checked = check_loopback(chosen->front().draft.options.host); !checked) {
      return Failure(UsageError{std::move(checked.error())});
    }
  } else if (flags.jobs_path.empty() && flags.to.empty() &&
             !check_loopback(chosen->front().draft.options.host)) {
    return Failure(UsageError{
        "--i-own-this-endpoint: say with --to who gets the messages (the address of the provider's "
        "mailbox simulator, or one of yours), or give --jobs FILE"});
  }
  if (auto read = read_passwords(*chosen); !read) {
    return Failure(std::move(read.error()));
  }
  settings.endpoint = std::move(chosen->front());
  settings.cores = draft->settings.cores;
  settings.io = draft->settings.io;
  settings.log = draft->settings.log;
  EndpointOptions& options = settings.endpoint.draft.options;
  options.attempts_max = 1;
  options.equal_refusals_max = 0;
  return {};
}

}  // namespace

Result<void, std::string> set_varied(const std::string& name, const std::string& value,
                                     ChosenEndpoint& endpoint, LoadSettings& load) {
  if (name == "rate") {
    const auto rate = parse_rate(value);
    load.rate = rate.value_or(0);
    return rate ? Result<void, std::string>() : Failure(rate.error());
  }
  if (name == "size") {
    auto sizes = parse_sizes({value});
    if (sizes) {
      load.sizes = std::move(*sizes);
    }
    return sizes ? Result<void, std::string>() : Failure(sizes.error());
  }
  if (name == "recipients") {
    const auto recipients = parse_number(value, {1, recipients_max});
    load.recipients = recipients.value_or(1);
    return recipients ? Result<void, std::string>() : Failure(recipients.error());
  }
  return find_send_key(name)->of_endpoint->apply({{value}, Layer::flag, "--vary"}, endpoint.draft);
}

namespace {

// Each value is tried on a copy, so that a mistake in the last one costs no run.
Result<void, std::string> read_varied(const BenchFlags& flags, BenchSettings& settings) {
  if (flags.vary.empty()) {
    return {};
  }
  const std::size_t equals = std::min(flags.vary.find('='), flags.vary.size());
  const std::string name = flags.vary.substr(0, equals);
  const bool is_known = stands_in(name, varied_loads) || stands_in(name, varied_keys);
  if (!is_known || equals + 1 >= flags.vary.size()) {
    return Failure(fmt::format("--vary: {}: write NAME=VALUE,VALUE with one of {}, {}",
                               in_quotes(flags.vary), joined(varied_keys, ", "),
                               joined(varied_loads, ", ")));
  }
  if (!settings.load.jobs_path.empty() && (name == "size" || name == "recipients")) {
    return Failure("--vary: --jobs has the messages, and what they are is not varied");
  }
  settings.varied = name;
  settings.values = parts_of(std::string_view(flags.vary).substr(equals + 1));
  if (settings.values.size() > values_max) {
    return Failure(fmt::format("--vary: more than {} values", values_max));
  }
  for (const std::string& value : settings.values) {
    ChosenEndpoint endpoint = settings.endpoint;
    LoadSettings load = settings.load;
    if (auto set = set_varied(name, value, endpoint, load); !set) {
      return Failure(fmt::format("--vary: {}: {}", name, set.error()));
    }
  }
  return {};
}

}  // namespace

Result<BenchSettings, UsageError> read_bench_settings(const BenchFlags& flags) {
  BenchSettings settings;
  if (auto read = read_load(flags, settings.load); !read) {
    return Failure(UsageError{std::move(read.error())});
  }
  if (auto read = read_judgement(flags, settings); !read) {
    return Failure(UsageError{std::move(read.error())});
  }
  if (auto read = read_endpoint(flags, settings); !read) {
    return Failure(std::move(read.error()));
  }
  if (auto read = read_varied(flags, settings); !read) {
    return Failure(UsageError{std::move(read.error())});
  }
  return settings;
}

}  // namespace ringpost::cli
