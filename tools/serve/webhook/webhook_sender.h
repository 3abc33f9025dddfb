// All webhooks of a program, with the thread that posts for them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "codec/job/outcome_writer.h"
#include "tools/process/log.h"
#include "tools/serve/figures/service_figures.h"
#include "tools/serve/outcome_receiver.h"
#include "tools/serve/webhook/http_poster.h"
#include "tools/serve/webhook/webhook.h"
#include "tools/serve/webhook/webhook_body.h"
#include "tools/settings/webhook_setting.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// What was left when all ended, of all hooks.
struct WebhookEnd {
  std::uint64_t dead_letters = 0;  // outcomes that went into files at the end
  std::uint64_t lost = 0;          // that no file took
};

// Any thread, but for finish().
class WebhookSender final : public OutcomeReceiver {
 public:
  // Reads secrets and passwords, and looks whether the files may be added to. The error is a
  // sentence. Endpoint names are those of outcome lines.
  [[nodiscard]] static Result<std::unique_ptr<WebhookSender>, std::string> start(
      const std::vector<cli::WebhookOptions>& options, std::span<const std::string> endpoint_names,
      cli::Log& log);
  // Everything that is left goes into the files.
  ~WebhookSender() override;

  void hear(const Message& message, std::size_t recipient_index, const Outcome& outcome) override;
  [[nodiscard]] bool is_stuck() const override;

  // A line, with its newline, for the only hook that there is; and whether that makes no dead
  // letter of another one.
  void add(Bytes line);
  [[nodiscard]] bool has_room_for(Bytes line) const;
  // Nothing waits for a receiver any more.
  [[nodiscard]] bool is_idle() const;

  [[nodiscard]] std::vector<WebhookFigures> figures() const;

  // What waits is tried once more, for so long at most, and the rest goes into the files, which is
  // said. Nothing is heard any more.
  [[nodiscard]] WebhookEnd finish(Duration at_most);

 private:
  struct Hook;

  WebhookSender(std::span<const std::string> endpoint_names, cli::Log& log);
  [[nodiscard]] Result<void, std::string> add_hook(const cli::WebhookOptions& options);
  void run();
  void begin_requests(Hook& hook, Instant now);
  void on_answer(Hook& hook, std::uint64_t number, const WebhookAnswer& answer);
  void say(Hook& hook, const WebhookAnswer& answer, Webhook::Fate fate, std::size_t count);
  [[nodiscard]] bool write_dead(Hook& hook);
  [[nodiscard]] Instant due() const;

  cli::Log& log_;
  std::vector<std::unique_ptr<Hook>> hooks_;
  std::unique_ptr<HttpPoster> poster_;
  BounceWriter bounces_;  // of the thread

  std::mutex writer_mutex_;  // guards the two below
  codec::OutcomeWriter writer_;
  std::string line_;

  std::atomic<bool> ends_{false};
  std::atomic<Instant::rep> ends_at_{0};
  std::thread thread_;
};

}  // namespace ringpost::serve
