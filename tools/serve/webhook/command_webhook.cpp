// `ringpost webhook resend`: what webhooks could not be told, told again. Letters that a file has
// are taken out of it; a file that is named is an outcome file, which is read and left as it is.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/template/merge_json.h"
#include "engine/run/job_input.h"
#include "tools/process/exit_code.h"
#include "tools/process/log.h"
#include "tools/process/numbers.h"
#include "tools/process/signal_watch.h"
#include "tools/process/standard_output.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"
#include "tools/report/outcome_record.h"
#include "tools/send/run_files.h"
#include "tools/serve/serve_settings.h"
#include "tools/serve/webhook/dead_letters.h"
#include "tools/serve/webhook/webhook_sender.h"

namespace ringpost::cli {

namespace {

using serve::TakenLetters;
using serve::WebhookSender;

constexpr const char* webhook_examples =
    R"(Without FILE, what the dead_letters of each [[webhook]] hold is taken out and sent to it;
what is not taken within --retry-for is put there again. A FILE holds outcome lines, as of a serve
that was killed: it is read and left as it is.

Exit codes: 0 all was taken; 5 some is in dead_letters again; 2 usage; 11 dead_letters could not be
written; 130/143 stopped by a signal, and the rest is in dead_letters.

Examples:
  ringpost webhook resend -c /etc/ringpost/ringpost.toml
  ringpost webhook resend --name hooks.example.com outcomes.jsonl)";

constexpr auto look_again = std::chrono::milliseconds(5);

struct WebhookFlags {
  std::string config_path;
  std::string name;
  std::string retry_for = "30s";
  std::vector<std::string> files;
};

class Resending {
 public:
  Resending(WebhookOptions options, const std::atomic<bool>& is_stopped, Log& log)
      : options_(std::move(options)), is_stopped_(is_stopped), log_(log) {}

  // The exit code.
  int send_letters();
  int send(const std::vector<std::string>& files);

 private:
  [[nodiscard]] Result<void, std::string> read(const std::vector<std::string>& files,
                                               WebhookSender& sender);
  [[nodiscard]] bool is_wanted(const run::JobInput::Line& line);
  [[nodiscard]] bool is_given_up(const WebhookSender& sender);

  const WebhookOptions options_;
  const std::atomic<bool>& is_stopped_;
  Log& log_;
  codec::MergeJson json_;
  codec::MergeData values_;
  std::uint64_t bad_lines_ = 0;
  std::uint64_t requests_taken_ = 0;
  Instant taken_at_{};  // when that number was seen first
};

int Resending::send_letters() {
  int code = exit_all_accepted;
  bool is_last = false;
  // What an earlier one has left comes first, then what has gathered since; but nothing twice.
  while (!is_last && !is_stopped_.load()) {
    auto letters = TakenLetters::take(options_.dead_letters);
    if (!letters) {
      print_error(letters.error());
      return exit_outcomes_lost;
    }
    if (*letters == nullptr) {
      return code;
    }
    is_last = !(*letters)->were_left();
    const int sent = send({(*letters)->path()});
    if (sent == exit_outcomes_lost || sent == exit_usage) {
      return sent;  // the next one finds them
    }
    if (auto done = (*letters)->done(); !done) {
      print_error(done.error());
      return exit_outcomes_lost;
    }
    code = std::max(code, sent);
  }
  return code;
}

int Resending::send(const std::vector<std::string>& files) {
  auto started = WebhookSender::start({options_}, {}, log_);
  if (!started) {
    print_error(started.error());
    return exit_usage;
  }
  WebhookSender& sender = **started;
  requests_taken_ = 0;
  taken_at_ = std::chrono::steady_clock::now();
  const auto read_whole = read(files, sender);
  while (!sender.is_idle() && !is_given_up(sender)) {
    std::this_thread::sleep_for(look_again);
  }
  const serve::WebhookEnd end = sender.finish(Duration::zero());
  if (!read_whole) {
    print_error(read_whole.error());
  }
  const serve::WebhookFigures figures = sender.figures().front();
  const int printed = print_data(fmt::format(
      "{}: {} delivered, {} in {}{}\n", options_.name, counted(figures.delivered, "outcome"),
      figures.dead_letters, options_.dead_letters,
      bad_lines_ == 0 ? "" : fmt::format(", {} passed over", counted(bad_lines_, "line"))));
  if (end.lost > 0 || !read_whole) {
    return exit_outcomes_lost;
  }
  return figures.dead_letters > 0 ? exit_deferred : printed;
}

// By a signal, or because nothing was taken for as long as a batch is tried.
bool Resending::is_given_up(const WebhookSender& sender) {
  const serve::WebhookFigures figures = sender.figures().front();
  const Instant now = std::chrono::steady_clock::now();
  if (figures.requests_taken != requests_taken_) {
    requests_taken_ = figures.requests_taken;
    taken_at_ = now;
  }
  return is_stopped_.load() || (figures.is_away && now - taken_at_ >= options_.retry_for);
}

// Once it is given up, all that is left passes through memory into the file.
Result<void, std::string> Resending::read(const std::vector<std::string>& files,
                                          WebhookSender& sender) {
  auto input = run::JobInput::open(files, -1);
  if (!input) {
    return Failure(std::move(input.error().message));
  }
  run::JobInput::Line line;
  std::string text;
  while (true) {
    const auto more = input->next(line);
    if (!more) {
      return Failure(more.error().message);
    }
    if (!*more) {
      return {};
    }
    if (!is_wanted(line)) {
      continue;
    }
    text.assign(line.text);
    text += '\n';
    while (sender.is_stuck() || (!sender.has_room_for(text) && !is_given_up(sender))) {
      std::this_thread::sleep_for(look_again);
    }
    sender.add(text);
  }
}

bool Resending::is_wanted(const run::JobInput::Line& line) {
  const bool is_object = !line.too_long && json_.read(line.text, values_);
  const auto record = is_object ? read_outcome_record(values_)
                                : Result<OutcomeRecord, std::string>(Failure(
                                      std::string("no outcome line: it is no JSON object")));
  if (!record) {
    if (bad_lines_++ == 0) {
      log_.warn(fmt::format("{}:{}: {}; passed over", line.file, line.number, record.error()));
    }
    return false;
  }
  const bool is_told = options_.format == WebhookFormat::json || record->status == Status::rejected;
  return record->is_final && is_told;
}

Result<std::vector<WebhookOptions>, UsageError> webhooks_named(const WebhookFlags& flags) {
  auto configuration = read_serve_configuration(flags.config_path);
  if (!configuration) {
    return Failure(std::move(configuration.error()));
  }
  auto webhooks = read_webhooks(*configuration);
  auto retry_for = parse_duration(flags.retry_for);
  if (!webhooks || !retry_for) {
    return Failure(webhooks ? UsageError{"--retry-for: " + retry_for.error()}
                            : std::move(webhooks.error()));
  }
  std::string names;
  std::vector<WebhookOptions> chosen;
  for (WebhookOptions& webhook : *webhooks) {
    names += (names.empty() ? "" : ", ") + webhook.name;
    webhook.retry_for = *retry_for;
    if (flags.name.empty() || webhook.name == flags.name) {
      chosen.push_back(std::move(webhook));
    }
  }
  if (names.empty()) {
    return Failure(UsageError{"there is no [[webhook]] in ringpost.toml; -c names another file"});
  }
  if (chosen.empty()) {
    return Failure(UsageError{
        fmt::format("--name: there is no webhook {}, but {}", in_quotes(flags.name), names)});
  }
  if (!flags.files.empty() && chosen.size() > 1) {
    return Failure(
        UsageError{"which webhook shall have these files? --name takes one of " + names});
  }
  return chosen;
}

int run_resend(const WebhookFlags& flags) {
  auto webhooks = webhooks_named(flags);
  if (!webhooks) {
    print_error(webhooks.error().message);
    return exit_usage;
  }
  if (auto checked = check_files_read(flags.files, "outcome file"); !checked) {
    print_error(checked.error());
    return exit_usage;
  }
  SignalWatch watch;
  Log log;
  std::atomic<bool> is_stopped{false};
  watch.start({.first_signal = [&is_stopped] { is_stopped.store(true); },
               .second_signal = [] {},
               .tick = {},
               .asked = {}});
  int code = exit_all_accepted;
  for (WebhookOptions& webhook : *webhooks) {
    Resending resending(std::move(webhook), is_stopped, log);
    code = std::max(code,
                    flags.files.empty() ? resending.send_letters() : resending.send(flags.files));
  }
  watch.stop();
  const int signal = watch.signal();
  const bool is_cut_short = signal != 0 && code != exit_outcomes_lost;
  return !is_cut_short ? code : signal == SIGINT ? exit_interrupted : exit_terminated;
}

}  // namespace

CommandSpec webhook_command() {
  const auto flags = std::make_shared<WebhookFlags>();
  CommandSpec resend{.name = "resend",
                     .summary = "Send what webhooks could not be told, or outcome files"};
  resend.flags = {
      {"FILE", "", "Outcome files; without any, the dead_letters", &flags->files},
      {"-c,--config", "FILE", "Read this file instead of the usual ones", &flags->config_path},
      {"--name", "NAME", "Of this [[webhook]] alone", &flags->name},
      {"--retry-for", "DURATION", "How long a batch is tried while it is not taken [30s]",
       &flags->retry_for}};
  resend.run = [flags] { return run_resend(*flags); };
  CommandSpec command{.name = "webhook",
                      .summary = "Outcomes for webhooks that were not delivered"};
  command.examples = webhook_examples;
  command.subcommands = {std::move(resend)};
  return command;
}

}  // namespace ringpost::cli
