// One connection at a provider: what its limits say to each step of it, in the provider's words.
#pragma once

#include <cstdint>
#include <string>

#include "engine/server/server_observer.h"
#include "tools/sink/provider_limits.h"
#include <ringpost/base.h>

namespace ringpost::sink {

// Thread: its session's. Answers live until the next call.
class ProviderSession {
 public:
  // `limits` outlives it.
  ProviderSession(ProviderLimits& limits, std::uint64_t session)
      : limits_(limits), session_(session) {}
  ~ProviderSession() { over(); }
  ProviderSession(const ProviderSession&) = delete;
  ProviderSession& operator=(const ProviderSession&) = delete;

  [[nodiscard]] server::Answer greeting();
  // None where the secret is right, and taken.
  [[nodiscard]] server::Answer login(bool is_right);
  [[nodiscard]] server::Answer sender(const server::MailArguments& mail);
  [[nodiscard]] server::Answer recipient();
  // A refusal, or none.
  [[nodiscard]] server::Answer message(std::uint64_t bytes);
  // The message was accepted; the provider's own 2xx, or none.
  [[nodiscard]] server::Answer accepted(const server::IncomingMessage& message, Bytes host);
  // The connection does not count any more.
  void over();

 private:
  ProviderLimits& limits_;
  const std::uint64_t session_;
  Instant since_{};
  Instant mail_{};  // of this message
  std::uint64_t messages_ = 0;
  std::uint64_t recipients_ = 0;  // of this message
  bool counts_ = false;
  std::string words_;
};

[[nodiscard]] server::Answer answer_of(const ProviderReply& reply);

}  // namespace ringpost::sink
