// Sessions of earlier connections, so that the next handshake to the same endpoint is a short one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::tls {

// Keeps the newest resumable session of each key; a channel makes the key of its host and of the
// context's verification settings, so that a session that was never verified cannot stand in for
// one that must be. Where there is no room the session that went unused longest leaves.
//
// Owns what it keeps: about 1 KB a session, secrets among it, wiped when it leaves. Lifetime:
// outlives every channel that was given it. Thread: one worker's, like the channels.
class TicketCache {
 public:
  explicit TicketCache(std::size_t sessions_max = 64);
  ~TicketCache();
  TicketCache(const TicketCache&) = delete;
  TicketCache& operator=(const TicketCache&) = delete;

  [[nodiscard]] std::size_t size() const { return kept_.size(); }
  void clear();

  // The rest is for channels alone; `session` is wolfSSL's WOLFSSL_SESSION.

  // A copy for one handshake, the caller's to free; nothing when there is none for this key.
  // A copy, because wolfSSL writes the new connection's secrets into the session it was given.
  [[nodiscard]] void* copy(std::string_view key);
  // Keeps a copy of `session` as the newest of its key.
  void keep(std::string_view key, void* session);
  // After a handshake that failed with it.
  void forget(std::string_view key);

 private:
  struct Kept {
    std::string key;
    void* session = nullptr;
    std::uint64_t used_at = 0;
  };
  [[nodiscard]] Kept* find(std::string_view key);
  void remove(Kept& kept);

  std::vector<Kept> kept_;
  std::size_t sessions_max_;
  std::uint64_t uses_ = 0;
};

}  // namespace ringpost::tls
