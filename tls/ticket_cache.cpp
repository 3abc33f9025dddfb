// The problem: a full handshake costs several times a resumed one, in CPU and, with TLS 1.2, in
// round trips; and wolfSSL's own session cache is process-wide, behind a lock, and keyed by what
// the server sent rather than by what the client demanded.
//
// The idea: a short list, searched in a row: a worker talks to a handful of endpoints. What goes in
// and what comes out are copies: wolfSSL counts references to a session and then writes into it
// (TLS 1.3's resumption secret, each ticket that comes), so a session shared by two connections
// would join the ticket of one to the secret of the other, and the server would refuse it for good.
//
// Limits: one session a key, used again and again until a newer one comes; no expiry here, wolfSSL
// refuses a session past its lifetime when it is set.
#include "tls/ticket_cache.h"

#include <algorithm>
#include <utility>

// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
// clang-format on

namespace ringpost::tls {

TicketCache::TicketCache(std::size_t sessions_max) : sessions_max_(sessions_max) {
  RP_ASSERT(sessions_max > 0);
}

TicketCache::~TicketCache() { clear(); }

void TicketCache::clear() {
  for (const Kept& kept : kept_) {
    wolfSSL_SESSION_free(static_cast<WOLFSSL_SESSION*>(kept.session));
  }
  kept_.clear();
}

TicketCache::Kept* TicketCache::find(std::string_view key) {
  const auto kept = std::ranges::find(kept_, key, &Kept::key);
  return kept == kept_.end() ? nullptr : &*kept;
}

void* TicketCache::copy(std::string_view key) {
  Kept* kept = find(key);
  if (kept == nullptr) {
    return nullptr;
  }
  kept->used_at = ++uses_;
  return wolfSSL_SESSION_dup(static_cast<WOLFSSL_SESSION*>(kept->session));
}

void TicketCache::keep(std::string_view key, void* session) {
  void* copied = wolfSSL_SESSION_dup(static_cast<WOLFSSL_SESSION*>(session));
  if (copied == nullptr) {
    return;  // no memory for it: the next handshake is a full one
  }
  Kept* kept = find(key);
  if (kept == nullptr) {
    if (kept_.size() == sessions_max_) {
      remove(*std::ranges::min_element(kept_, {}, &Kept::used_at));
    }
    kept = &kept_.emplace_back(Kept{std::string(key), nullptr, 0});
  }
  wolfSSL_SESSION_free(static_cast<WOLFSSL_SESSION*>(std::exchange(kept->session, copied)));
  kept->used_at = ++uses_;
}

void TicketCache::forget(std::string_view key) {
  if (Kept* kept = find(key)) {
    remove(*kept);
  }
}

void TicketCache::remove(Kept& kept) {
  wolfSSL_SESSION_free(static_cast<WOLFSSL_SESSION*>(kept.session));
  std::swap(kept, kept_.back());
  kept_.pop_back();
}

}  // namespace ringpost::tls
