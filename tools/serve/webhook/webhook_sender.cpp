// The problem: outcomes are told to others while the engine goes on, however slow those are. The
// idea: whoever decides writes a line into memory that is bounded, and one thread does all the
// rest: requests, files, waiting. Where a file cannot be written its lines wait in memory, and with
// more of them than may be the intake takes nothing new. Limits: a program that is killed tells
// nobody what was in memory; its outcome file has it.
#include "tools/serve/webhook/webhook_sender.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "engine/run/outcome_content.h"
#include "tls/sasl_crypto.h"
#include "tools/process/numbers.h"
#include "tools/process/program_version.h"
#include "tools/process/unix_time.h"
#include "tools/process/wording.h"
#include "tools/serve/webhook/dead_letters.h"
#include "tools/serve/webhook/signature.h"
#include "tools/settings/secret.h"

namespace ringpost::serve {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t secret_bytes_max = 4096;
// How often a file is tried again that could not be written.
constexpr auto file_pause = std::chrono::seconds(1);
// The same refusal is said once in so long.
constexpr auto words_pause = std::chrono::seconds(30);
// listmonk takes one bounce a request; it answers from its database.
constexpr std::size_t bounce_requests_max = 4;

Result<std::string, std::string> read_line_of(const std::string& path, std::string_view key) {
  auto content = cli::read_private_file(path, secret_bytes_max);
  if (!content) {
    return Failure(fmt::format("{} {}: {}", key, path, content.error()));
  }
  while (content->ends_with('\n') || content->ends_with('\r')) {
    content->pop_back();
  }
  if (content->empty()) {
    return Failure(fmt::format("{} {}: it is empty", key, path));
  }
  return content;
}

WebhookLimits limits_of(const cli::WebhookOptions& options) {
  WebhookLimits limits;
  limits.batch_max = options.batch_max;
  limits.delay = options.delay;
  limits.retry_for = options.retry_for;
  limits.queue_bytes = options.queue_bytes;
  limits.seed = (std::uint64_t{std::random_device()()} << 32) | std::random_device()();
  if (options.format == cli::WebhookFormat::listmonk) {
    limits.batch_max = 1;
    limits.delay = Duration::zero();
    limits.requests_max = bounce_requests_max;
  }
  return limits;
}

std::string words_of_answer(const WebhookAnswer& answer) {
  if (answer.code == 0) {
    return answer.words;
  }
  constexpr int redirection = 300;
  constexpr int client_error = 400;
  const bool is_redirection = answer.code >= redirection && answer.code < client_error;
  return fmt::format("HTTP {}{}{}", answer.code,
                     is_redirection ? " (redirects are not followed)" : "",
                     answer.words.empty() ? "" : ": " + cli::printable(answer.words));
}

}  // namespace

struct WebhookSender::Hook {
  Hook(const cli::WebhookOptions& from, Instant now)
      : options(from), webhook(limits_of(from), now) {}

  const cli::WebhookOptions options;
  std::string key;  // empty: nothing is signed
  std::string password;
  bool is_on_loopback = false;
  Webhook webhook;
  std::atomic<bool> is_away{false};

  // Of the thread.
  std::string last_words;  // that were said of a refusal
  Instant said_at{};
  bool is_file_broken = false;
  Instant file_again_at{};
};

WebhookSender::WebhookSender(std::span<const std::string> endpoint_names, cli::Log& log)
    : log_(log), writer_(endpoint_names) {}

Result<std::unique_ptr<WebhookSender>, std::string> WebhookSender::start(
    const std::vector<cli::WebhookOptions>& options, std::span<const std::string> endpoint_names,
    cli::Log& log) {
  std::unique_ptr<WebhookSender> sender(new WebhookSender(endpoint_names, log));
  for (const cli::WebhookOptions& one : options) {
    if (auto added = sender->add_hook(one); !added) {
      return Failure(fmt::format("[[webhook]] {}: {}", one.name, added.error()));
    }
  }
  auto poster = HttpPoster::open();
  if (!poster) {
    return Failure(std::move(poster.error()));
  }
  sender->poster_ = std::move(*poster);
  sender->thread_ = std::thread([it = sender.get()] { it->run(); });
  return sender;
}

Result<void, std::string> WebhookSender::add_hook(const cli::WebhookOptions& options) {
  auto hook = std::make_unique<Hook>(options, Clock::now());
  if (!options.secret_file.empty()) {
    auto content = cli::read_private_file(options.secret_file, secret_bytes_max);
    auto key = content ? webhook_key_of(*content) : std::move(content);
    if (!key) {
      return Failure(fmt::format("secret_file {}: {}", options.secret_file, key.error()));
    }
    hook->key = std::move(*key);
  }
  if (!options.password_file.empty()) {
    auto password = read_line_of(options.password_file, "password_file");
    if (!password) {
      return Failure(std::move(password.error()));
    }
    hook->password = std::move(*password);
  }
  if (auto checked = run::check_outcome_content("dead_letters", options.dead_letters); !checked) {
    return checked;
  }
  if (auto opened = append_dead_letters(options.dead_letters, {}); !opened) {
    return Failure("dead_letters " + opened.error());
  }
  const auto url = cli::parse_webhook_url(options.url);
  hook->is_on_loopback = url && url->is_loopback;
  hooks_.push_back(std::move(hook));
  return {};
}

WebhookSender::~WebhookSender() { static_cast<void>(finish(Duration::zero())); }

// ---- Outcomes in --------------------------------------------------------------------------------

void WebhookSender::hear(const Message& message, std::size_t recipient_index,
                         const Outcome& outcome) {
  const bool is_refusal = outcome.status == Status::rejected;
  const Instant now = Clock::now();
  bool is_new = false;
  {
    const std::lock_guard lock(writer_mutex_);
    line_.clear();
    for (const auto& hook : hooks_) {
      if (hook->options.format == cli::WebhookFormat::listmonk && !is_refusal) {
        continue;
      }
      if (line_.empty()) {
        writer_.append(line_, message, recipient_index, outcome);
      }
      is_new = hook->webhook.add(line_, now) || is_new;
    }
  }
  if (is_new) {
    poster_->wake();
  }
}

bool WebhookSender::is_stuck() const {
  return std::any_of(hooks_.begin(), hooks_.end(),
                     [](const auto& hook) { return hook->webhook.is_stuck(); });
}

void WebhookSender::add(Bytes line) {
  if (hooks_.front()->webhook.add(line, Clock::now())) {
    poster_->wake();
  }
}

bool WebhookSender::has_room_for(Bytes line) const {
  return hooks_.front()->webhook.has_room_for(line);
}

bool WebhookSender::is_idle() const {
  return std::all_of(hooks_.begin(), hooks_.end(),
                     [](const auto& hook) { return hook->webhook.is_idle(); });
}

std::vector<WebhookFigures> WebhookSender::figures() const {
  std::vector<WebhookFigures> all;
  for (const auto& hook : hooks_) {
    const WebhookCounts counts = hook->webhook.counts();
    all.push_back({.name = hook->options.name,
                   .is_away = hook->is_away.load(),
                   .delivered = counts.delivered,
                   .dead_letters = counts.dead_letters,
                   .requests_taken = counts.requests_taken,
                   .requests_put_off = counts.requests_put_off,
                   .requests_refused = counts.requests_refused,
                   .waiting = counts.waiting,
                   .bytes_waiting = counts.bytes_waiting,
                   .bytes_waiting_max = hook->options.queue_bytes});
  }
  return all;
}

// ---- The thread ---------------------------------------------------------------------------------

void WebhookSender::run() {
  while (true) {
    bool is_over = ends_.load();
    const Instant ends_at{Instant::duration(ends_at_.load())};
    const Instant now = Clock::now();
    if (is_over && now >= ends_at) {
      poster_->cancel_all();
      for (const auto& hook : hooks_) {
        hook->webhook.give_up();
      }
    }
    for (const auto& hook : hooks_) {
      begin_requests(*hook, now);
      const bool is_written = write_dead(*hook);
      is_over = is_over && hook->webhook.is_idle() && (is_written || now >= ends_at);
    }
    if (is_over) {
      return;
    }
    const Instant until = ends_.load() ? std::min(due(), ends_at) : due();
    constexpr Duration longest = std::chrono::minutes(1);
    poster_->wait(until == never
                      ? longest
                      : std::clamp<Duration>(until - Clock::now(), Duration::zero(), longest));
  }
}

Instant WebhookSender::due() const {
  Instant due = never;
  for (const auto& hook : hooks_) {
    due = std::min(due, std::max(hook->webhook.due(), Instant{}));
    due = hook->is_file_broken ? std::min(due, hook->file_again_at) : due;
  }
  return due;
}

void WebhookSender::begin_requests(Hook& hook, Instant now) {
  const cli::WebhookOptions& options = hook.options;
  while (const Webhook::Batch* const batch = hook.webhook.begin(now)) {
    PostRequest request{.url = options.url,
                        .fields = {"Content-Type: application/json",
                                   fmt::format("User-Agent: ringpost/{}", cli::program_version()),
                                   "webhook-id: " + batch->id},
                        .body = {},
                        .username = options.username,
                        .password = hook.password,
                        .ca_file = options.ca_file,
                        .timeout = options.timeout,
                        .is_on_loopback = hook.is_on_loopback};
    if (options.format == cli::WebhookFormat::json) {
      request.body = array_of(batch->lines);
    } else {
      auto bounce = bounces_.write(Bytes(batch->lines).substr(0, batch->lines.size() - 1));
      if (!bounce) {
        constexpr int never_taken = 400;
        on_answer(hook, batch->number, {.code = never_taken, .words = bounce.error()});
        continue;
      }
      request.body = std::move(*bounce);
    }
    const std::int64_t seconds = cli::unix_time_us() / 1'000'000;
    request.fields.push_back(fmt::format("webhook-timestamp: {}", seconds));
    if (!hook.key.empty()) {
      request.fields.push_back("webhook-signature: " + webhook_signature(tls::sasl_crypto(),
                                                                         hook.key, batch->id,
                                                                         seconds, request.body));
    }
    poster_->post(std::move(request), [this, &hook, number = batch->number](const auto& answer) {
      on_answer(hook, number, answer);
    });
  }
}

void WebhookSender::on_answer(Hook& hook, std::uint64_t number, const WebhookAnswer& answer) {
  const std::uint64_t waiting = hook.webhook.counts().waiting;
  const Webhook::Fate fate = hook.webhook.answered(number, answer, Clock::now());
  say(hook, answer, fate, waiting);
}

void WebhookSender::say(Hook& hook, const WebhookAnswer& answer, Webhook::Fate fate,
                        std::size_t waiting) {
  const cli::WebhookOptions& options = hook.options;
  if (fate == Webhook::Fate::delivered) {
    if (hook.is_away.exchange(false)) {
      log_.warn("outcomes are taken again", {{"webhook", options.name}});
    }
    hook.last_words.clear();
    return;
  }
  const bool was_away = hook.is_away.exchange(is_worth_another_try(answer));
  if (fate == Webhook::Fate::put_off) {
    if (!was_away) {
      log_.warn(fmt::format("outcomes are not taken, and each batch is tried again for {}: {}",
                            cli::duration_text(options.retry_for), words_of_answer(answer)),
                {{"webhook", options.name}});
    }
    return;
  }
  const std::string words = words_of_answer(answer);
  const Instant now = Clock::now();
  if (words != hook.last_words || now - hook.said_at >= words_pause) {
    log_.error(fmt::format("outcomes were not delivered and are put into {}, from where `ringpost "
                           "webhook resend` sends them: {}; {} wait",
                           options.dead_letters, words, cli::counted(waiting, "outcome")),
               {{"webhook", options.name}});
    hook.last_words = words;
    hook.said_at = now;
  }
}

// True: all of them are written.
bool WebhookSender::write_dead(Hook& hook) {
  const Instant now = Clock::now();
  while (const Webhook::Dead* const dead = hook.webhook.dead()) {
    if (hook.is_file_broken && now < hook.file_again_at && !ends_.load()) {
      return false;
    }
    if (auto written = append_dead_letters(hook.options.dead_letters, dead->lines); !written) {
      if (!std::exchange(hook.is_file_broken, true)) {
        log_.error("dead letters cannot be written, and wait in memory: " + written.error(),
                   {{"webhook", hook.options.name}});
      }
      hook.file_again_at = now + file_pause;
      return false;
    }
    if (std::exchange(hook.is_file_broken, false)) {
      log_.warn("dead letters are written again", {{"webhook", hook.options.name}});
    }
    if (dead->had_no_room && now - hook.said_at >= words_pause) {
      log_.error(fmt::format("outcomes come faster than they are taken: with {} octets of them "
                             "waiting, those that came first are put into {}, from where `ringpost "
                             "webhook resend` sends them",
                             hook.options.queue_bytes, hook.options.dead_letters),
                 {{"webhook", hook.options.name}});
      hook.said_at = now;
    }
    hook.webhook.buried();
  }
  return true;
}

WebhookEnd WebhookSender::finish(Duration at_most) {
  WebhookEnd end;
  if (!thread_.joinable()) {
    return end;
  }
  std::vector<std::uint64_t> before;
  for (const auto& hook : hooks_) {
    before.push_back(hook->webhook.counts().dead_letters);
    hook->webhook.end_soon();
  }
  ends_at_.store((Clock::now() + at_most).time_since_epoch().count());
  ends_.store(true);
  poster_->wake();
  thread_.join();
  for (std::size_t i = 0; i < hooks_.size(); ++i) {
    const WebhookCounts counts = hooks_[i]->webhook.counts();
    const std::uint64_t dead = counts.dead_letters - before[i];
    end.dead_letters += dead;
    end.lost += counts.waiting;
    if (dead > 0) {
      log_.warn(fmt::format("{} went into {}: ringpost webhook resend",
                            cli::counted(dead, "outcome"), hooks_[i]->options.dead_letters),
                {{"webhook", hooks_[i]->options.name}});
    }
  }
  return end;
}

}  // namespace ringpost::serve
