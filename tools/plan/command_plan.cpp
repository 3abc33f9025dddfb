// `ringpost plan`: how long a run will take, before it is begun. Jobs, or a template and its rows
// of recipients, are read as `validate` reads them and endpoints are chosen as for `send`; each
// transaction is told to the forecast of its endpoint as it is read, so that memory does not grow
// with the jobs. The state file's counts, and what was learnt, are read from a copy: a run that
// sends meanwhile is neither held up nor changed. Limits: a rate that is still to be found out is
// not foreseen, nor that work goes elsewhere when an endpoint is away.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/quota_keeper.h"
#include "engine/run/job_file_source.h"
#include "engine/run/job_source.h"
#include "engine/weighted_turns.h"
#include "queue/quota_file.h"
#include "tools/plan/plan_finding.h"
#include "tools/plan/plan_report.h"
#include "tools/plan/run_forecast.h"
#include "tools/probe/ehlo_reply.h"
#include "tools/process/log.h"
#include "tools/process/numbers.h"
#include "tools/process/standard_output.h"
#include "tools/process/unix_time.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"
#include "tools/send/recipient_flags.h"
#include "tools/send/run_files.h"
#include "tools/send/send_source.h"
#include "tools/settings/config_file.h"
#include "tools/settings/endpoint_choice.h"
#include "tools/settings/send_setting.h"
#include "tools/settings/state_folder.h"
#include "tools/settings/variable_check.h"

namespace ringpost::cli {

namespace {

constexpr const char* plan_examples =
    R"(Nothing is sent and no password is read. Rates of the endpoint, of its preset and plan, and
the counts of its state file say when each message may go; connections and reply time how fast.
A rate that an earlier run has found out holds as it does for send.
Exit codes: 0 all lines are jobs, 3 some are not, 2 usage, or a file could not be read.

Examples:
  ringpost plan jobs.jsonl.zst -e m365
  ringpost plan jobs.jsonl -e ses --rate 14/s --reply-time 30ms
  ringpost plan --template news.json --recipients list.csv -e ses
  ringpost plan jobs.jsonl -e ses=3 -e mailgun=1 --json | jq .duration_s)";

constexpr auto usual_reply_time = std::chrono::milliseconds(50);

struct PlanFlags {
  RecipientFlags jobs;
  std::vector<std::string> endpoints;
  std::string config_path;
  std::vector<std::string> connections;
  std::vector<std::string> rates;
  std::vector<std::string> pipeline;
  std::vector<std::string> max_recipients;
  std::vector<std::string> state;
  std::vector<std::string> newlines;
  std::vector<std::string> dialect;
  std::string reply_time;
  bool json = false;
};

struct PlanSettings {
  std::vector<ChosenEndpoint> endpoints;
  codec::NewlinePolicy newlines = codec::NewlinePolicy::normalize;
  std::optional<codec::Dialect> dialect;
  std::string state_folder;  // empty: no counts are known
  std::optional<Duration> reply_time;
};

SettingMap settings_of(const PlanFlags& flags) {
  SettingMap given;
  const auto add = [&given](const char* key, const std::vector<std::string>& texts) {
    if (!texts.empty()) {
      given[key] = {texts, Layer::flag, flag_of(key)};
    }
  };
  const auto last = [](const std::vector<std::string>& texts) {
    return texts.empty() ? texts : std::vector<std::string>{texts.back()};
  };
  add("endpoint", flags.endpoints);
  add("connections", last(flags.connections));
  add("rate", last(flags.rates));
  add("pipeline", last(flags.pipeline));
  add("max_recipients", last(flags.max_recipients));
  add("state", last(flags.state));
  add("newlines", last(flags.newlines));
  add("dialect", last(flags.dialect));
  return given;
}

Result<PlanSettings, UsageError> read_settings(const PlanFlags& flags) {
  const char* const variable = std::getenv("RINGPOST_CONFIG");
  const bool by_variable = flags.config_path.empty() && variable != nullptr;
  const auto configuration = load_configuration(by_variable ? variable : flags.config_path);
  if (!configuration) {
    return Failure(configuration.error());
  }
  if (std::string wrong = errors_of_variables(); !wrong.empty()) {
    return Failure(UsageError{std::move(wrong)});
  }
  SettingMap layered = configuration->send;
  lay_over(layered, settings_of_environment());
  lay_over(layered, settings_of(flags));
  auto draft = make_send_draft(layered);
  if (!draft) {
    return Failure(UsageError{std::move(draft.error())});
  }
  auto endpoints = choose_endpoints(*draft, layered, *configuration);
  if (!endpoints) {
    return Failure(std::move(endpoints.error()));
  }
  PlanSettings settings;
  settings.endpoints = std::move(*endpoints);
  settings.newlines = draft->settings.newlines;
  settings.dialect = draft->settings.dialect;
  settings.state_folder = draft->state_folder.value_or(usual_state_folder());
  if (!flags.reply_time.empty()) {
    const auto time = parse_duration(flags.reply_time);
    if (!time || *time > std::chrono::minutes(10)) {
      return Failure(UsageError{"--reply-time: " + (time ? "10m at most" : time.error())});
    }
    settings.reply_time = *time;
  }
  return settings;
}

// ---- The counts so far -------------------------------------------------------------------------

// What was learnt is known as long as it is to a run.
void copy_counts(queue::QuotaFile& file, queue::QuotaMemory& memory) {
  const queue::LearntLimits learnt = file.learnt();
  if (engine::still_holds(learnt, queue::read_quota_clocks().unix_ns)) {
    memory.set_learnt(learnt);
  }
  const std::lock_guard lock(file);
  for (std::size_t index = 0; index < queue::quota_logs; ++index) {
    memory.log(index) = file.logs()[index];
  }
}

// Opening a state file mends and moves it, so a copy is opened. Nothing: there is none to be read.
bool read_counts(const std::string& folder, const EndpointOptions& endpoint,
                 queue::PrivateQuotaMemory& memory) {
  const std::filesystem::path path =
      std::filesystem::path(folder) / queue::quota_file_name(endpoint.host, endpoint.username);
  std::error_code error;
  if (folder.empty() || !std::filesystem::is_regular_file(path, error)) {
    return false;
  }
  std::string copies =
      (std::filesystem::temp_directory_path(error) / "ringpost-plan-XXXXXX").string();
  if (error || ::mkdtemp(copies.data()) == nullptr) {
    return false;
  }
  const std::filesystem::path copy = std::filesystem::path(copies) / path.filename();
  bool is_read = std::filesystem::copy_file(path, copy, error);
  if (is_read) {
    const auto opened = queue::QuotaFile::open(copy.string(), queue::read_quota_clocks());
    is_read = opened.has_value();
    if (is_read) {
      copy_counts(*opened->file, memory);
    }
  }
  std::filesystem::remove_all(copies, error);
  return is_read;
}

// ---- How an endpoint is spoken to --------------------------------------------------------------

struct Way {
  ForecastWay way = ForecastWay::lock_step;
  bool is_known = true;
};

Way way_of(const ChosenEndpoint& endpoint) {
  const EndpointOptions& options = endpoint.draft.options;
  if (options.pipelining == PipeliningOption::off) {
    return {};
  }
  if (!endpoint.preset || endpoint.preset->preset.server.ehlo.empty()) {
    return {.is_known = false};
  }
  const std::string announced = "server\n" + joined(endpoint.preset->preset.server.ehlo, "\n");
  const SubmissionMode mode = submission_mode(codec::parse_capabilities(announced));
  if (mode == SubmissionMode::lock_step) {
    return {};
  }
  if (options.pipelining == PipeliningOption::within) {
    return {.way = ForecastWay::within};
  }
  const bool flies = mode == SubmissionMode::flights && options.chunking;
  return {.way = flies ? ForecastWay::flights : ForecastWay::across};
}

// EHLO, AUTH, and STARTTLS with another EHLO.
std::uint32_t opening_replies(const EndpointOptions& options) {
  const std::uint32_t hello = options.security == TransportSecurity::starttls ? 3 : 1;
  return hello + (options.username.empty() ? 0 : 1);
}

// As many as work where nothing but their number is in the way, as of Route::grow().
std::uint32_t sessions_of(const EndpointOptions& options) {
  constexpr std::uint32_t grown_max = 256;
  const bool grows = options.connections_grow && !options.rates.empty();
  const std::uint32_t most =
      options.connections_allowed != 0 ? options.connections_allowed : grown_max;
  return grows ? std::max(options.connections_max, most) : options.connections_max;
}

// An account's limits, with those that earlier runs have found out: a rate where none is told.
EndpointOptions with_learnt(EndpointOptions options, const queue::LearntLimits& learnt) {
  const bool has_rate = learnt.rate_amount > 0 && learnt.rate_length_ns > 0;
  if (has_rate && options.rates.empty() && options.unknown_rate &&
      learnt.rate_unit == static_cast<std::uint64_t>(*options.unknown_rate)) {
    options.rates = {{.unit = *options.unknown_rate,
                      .period = QuotaPeriod::second,
                      .window = {learnt.rate_amount, Duration(learnt.rate_length_ns)}}};
  }
  const auto lower = [](auto limit, std::uint64_t known) {
    const bool is_lower = known > 0 && (limit == 0 || known < limit);
    return is_lower ? static_cast<decltype(limit)>(known) : limit;
  };
  options.connections_max = lower(options.connections_max, learnt.sessions_max);
  options.connections_allowed = lower(options.connections_allowed, learnt.sessions_max);
  options.messages_per_connection_max =
      lower(options.messages_per_connection_max, learnt.session_messages_max);
  return options;
}

// Whether there is room for the next session before one ends; flights use sessions up faster than
// they are opened.
bool has_successors(const EndpointOptions& options, ForecastWay way) {
  return way != ForecastWay::flights && (options.connections_allowed == 0 ||
                                         options.connections_allowed > options.connections_max);
}

ForecastOptions forecast_options(const EndpointOptions& options, Duration reply_time, Way way,
                                 Instant start) {
  return {.rates = options.rates,
          .sessions = sessions_of(options),
          .session_messages_max = options.messages_per_connection_max,
          .way = way.way,
          .flight_messages = static_cast<std::uint32_t>(options.messages_in_flight_max > 0
                                                            ? options.messages_in_flight_max
                                                            : limits::flight_messages_max),
          .has_successors = has_successors(options, way.way),
          .reply_time = reply_time,
          .opening_replies = opening_replies(options),
          .start = start};
}

// ---- The run -----------------------------------------------------------------------------------

class Planning {
 public:
  explicit Planning(const PlanSettings& settings) {
    const Instant start = std::chrono::steady_clock::now();
    found_.starts_unix_us = unix_time_us();
    found_.reply_time = settings.reply_time.value_or(usual_reply_time);
    found_.reply_time_is_presumed = !settings.reply_time;
    for (const ChosenEndpoint& endpoint : settings.endpoints) {
      auto memory = std::make_unique<queue::PrivateQuotaMemory>();
      const bool is_read = read_counts(settings.state_folder, endpoint.draft.options, *memory);
      const EndpointOptions options = with_learnt(endpoint.draft.options, memory->learnt());
      found_.counts_are_known = found_.counts_are_known || is_read;
      const Way way = way_of(endpoint);
      PlannedEndpoint planned;
      planned.name = options.name;
      planned.options = forecast_options(options, found_.reply_time, way, start);
      planned.rate_is_learnt = endpoint.draft.options.rates.empty() && !options.rates.empty();
      planned.way_is_known = way.is_known;
      forecasts_.push_back(std::make_unique<RunForecast>(planned.options, *memory));
      recipients_max_.push_back(std::min<std::uint64_t>(std::max(options.recipients_max, 1u),
                                                        forecasts_.back()->recipients_max()));
      found_.endpoints.push_back(std::move(planned));
      memories_.push_back(std::move(memory));
      turns_.add(std::max(options.weight, 1u));
    }
  }

  void add(const Message& job) {
    const auto index = endpoint_of(job.endpoint);
    if (!index) {
      add_invalid(
          fmt::format("a job names the endpoint {}, which is not chosen", in_quotes(job.endpoint)));
      return;
    }
    PlannedEndpoint& endpoint = found_.endpoints[*index];
    const std::uint64_t recipients = job.recipients.size();
    ++found_.jobs;
    found_.recipients += recipients;
    ++endpoint.messages;
    endpoint.recipients += recipients;
    const std::uint64_t octets = job.content.bytes();
    for (std::uint64_t left = recipients; left > 0;) {
      const std::uint64_t count = std::min(left, recipients_max_[*index]);
      forecasts_[*index]->add({.messages = 1, .recipients = count, .octets = octets});
      endpoint.octets += octets;
      left -= count;
    }
  }

  void add_invalid(std::string words) {
    if (found_.invalid++ == 0) {
      found_.first_invalid = std::move(words);
    }
  }

  PlanFinding finish() {
    for (std::size_t index = 0; index < forecasts_.size(); ++index) {
      found_.endpoints[index].forecast = forecasts_[index]->result();
    }
    return std::move(found_);
  }

 private:
  std::optional<std::size_t> endpoint_of(const std::string& name) {
    if (name.empty()) {
      return turns_.next([](std::size_t) { return true; });
    }
    for (std::size_t index = 0; index < found_.endpoints.size(); ++index) {
      if (found_.endpoints[index].name == name) {
        return index;
      }
    }
    return std::nullopt;
  }

  PlanFinding found_;
  std::vector<std::unique_ptr<queue::PrivateQuotaMemory>> memories_;
  std::vector<std::unique_ptr<RunForecast>> forecasts_;
  std::vector<std::uint64_t> recipients_max_;
  engine::WeightedTurns turns_;
};

// False: a file could not be read to its end.
bool read_jobs(run::JobSource& source, Planning& planning) {
  bool is_whole = true;
  Message job;
  for (;;) {
    job.clear();
    switch (source.pull(job, 0)) {
      case run::JobSource::Pull::message:
        planning.add(job);
        break;
      case run::JobSource::Pull::nothing:
        break;
      case run::JobSource::Pull::refused:
        planning.add_invalid(std::string(source.words(0)));
        break;
      case run::JobSource::Pull::trouble:
        print_error(std::string(source.words(0)));
        is_whole = false;
        break;
      case run::JobSource::Pull::end:
        return is_whole;
    }
  }
}

// Of job files or rows. Errors are sentences.
Result<std::unique_ptr<SendSource>, std::string> open_jobs(const SendSettings& settings,
                                                           run::JobFileSource& files) {
  const char* const what = settings.recipients.are_rows() ? "file of recipients" : "job file";
  if (auto checked = check_files_read(input_files(settings), what); !checked) {
    return Failure(std::move(checked.error()));
  }
  const std::int64_t now_us = unix_time_us();
  say_who_is_read(settings);
  auto source = SendSource::open(settings, -1, now_us);
  if (source) {
    if (auto begun = (*source)->begin(files, nullptr, now_us); !begun) {
      return Failure(std::move(begun.error()));
    }
  }
  return source;
}

int run_plan(const PlanFlags& flags) {
  const auto settings = read_settings(flags);
  if (!settings) {
    print_error(settings.error().message);
    return exit_usage;
  }
  auto jobs = flags.jobs.settings();
  if (!jobs) {
    print_error(jobs.error());
    return exit_usage;
  }
  if (!jobs->recipients.are_rows()) {
    jobs->newlines = settings->newlines;
    jobs->dialect = settings->dialect;
  }
  run::JobFileSource files;
  const auto source = open_jobs(*jobs, files);
  if (!source) {
    print_error(source.error());
    return exit_usage;
  }
  for (const std::string& warning : endpoint_warnings(settings->endpoints)) {
    print_error("warning: " + warning);
  }
  Planning planning(*settings);
  const bool is_whole = read_jobs((*source)->source(), planning);
  const PlanFinding found = planning.finish();
  const int printed = print_data(flags.json ? plan_json(found) : plan_text(found));
  return printed != 0         ? printed
         : !is_whole          ? exit_usage
         : found.invalid != 0 ? exit_invalid_input
                              : exit_all_accepted;
}

}  // namespace

CommandSpec plan_command() {
  const auto flags = std::make_shared<PlanFlags>();
  CommandSpec command{.name = "plan",
                      .summary = "Say how long a run will take and what binds it; sends nothing"};
  command.flags = {
      {"FILE", "", "Job files, .zst and .gz too; - or none is stdin", &flags->jobs.files},
  };
  flags->jobs.describe(command);
  const std::vector<FlagSpec> others = {
      {"-e,--endpoint", "NAME|URL", "As for send; ses=3 gives a weight", &flags->endpoints},
      {"-c,--config", "FILE", "Read this file instead of the usual ones", &flags->config_path},
      {"--connections", "N|auto", "As for send", &flags->connections},
      {"--rate", "N[/s|/m|/h|/d]", "As for send", &flags->rates},
      {"--pipeline", "auto|off|N", "As for send", &flags->pipeline},
      {"--max-recipients", "N", "As for send", &flags->max_recipients},
      {"--state", "DIR|none", "Where counts of rates are kept; they are read only", &flags->state},
      {"--newlines", "strict|normalize", "Lone LF line ends [normalize]", &flags->newlines},
      {"--dialect", "NAME", "As for send", &flags->dialect},
      {"--reply-time", "DURATION", "From a command to its reply [50ms]", &flags->reply_time},
      {"--json", "", "One JSON object instead of text", &flags->json},
  };
  command.flags.insert(command.flags.end(), others.begin(), others.end());
  command.examples = plan_examples;
  command.run = [flags] { return run_plan(*flags); };
  return command;
}

}  // namespace ringpost::cli
