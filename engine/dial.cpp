// The problem: of the addresses of a name some refuse, some never answer, and one may be well.
// Tried one by one, each silent one costs the whole time-out. The idea: RFC 8305 5, attempts side
// by side, a new one each 250 ms, and the first that stands is taken. Losers are closed at once,
// and the dial lives on beside its winner until their operations have ended.
#include "engine/dial.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/pause.h"
#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

// A name with a hundred addresses shall not use up the sockets of the sessions.
constexpr std::size_t attempts_max = 16;
constexpr std::size_t addresses_told_max = 4;

bool same_everywhere(const std::vector<std::string>& texts) {
  return std::all_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text == texts.front(); });
}

}  // namespace

void Dial::begin(std::vector<io::SocketAddress> addresses, Duration timeout, Instant give_up_at) {
  RP_ASSERT(state_ == State::idle && !addresses.empty());
  state_ = State::dialing;
  addresses_ = std::move(addresses);
  timeout_ = addresses_.size() > 1 ? std::min<Duration>(timeout, limits::connect_timeout_of_several)
                                   : timeout;
  give_up_at_ = give_up_at;
  begin_next();
}

// Begins with the next address whose socket can be had, and fails when there is nothing to wait
// for.
void Dial::begin_next() {
  const Instant now = io_.now();
  next_at_ = never;
  while (next_ < addresses_.size() && under_way() < attempts_max) {
    const io::SocketAddress& address = addresses_[next_];
    const auto handle = io_.open(address);
    if (!handle && handle.error().error_number == EAFNOSUPPORT) {
      ++next_;
      note_failure(address.text(), handle.error().message());
      continue;
    }
    if (!handle) {
      // Descriptors or memory are short: no fault of the server's. Those under way may do.
      local_error_ = handle.error().message();
      break;
    }
    ++next_;
    attempts_.push_back({*handle, address.text(), now, address});
    io_.connect(*handle, address, owner_);
    break;
  }
  if (under_way() == 0) {
    state_ = State::failed;
  } else if (next_ < addresses_.size()) {
    next_at_ = now + limits::connection_attempt_delay;
  }
}

void Dial::complete(const io::Completion& completion) {
  const bool is_close = completion.operation == io::Operation::close;
  // The handle of one that is closed may be another one's by now.
  const auto found = std::find_if(attempts_.begin(), attempts_.end(), [&](const Attempt& attempt) {
    const bool awaited = is_close ? attempt.closing && !attempt.closed : attempt.connecting;
    return attempt.handle == completion.handle && awaited;
  });
  RP_ASSERT(found != attempts_.end());
  if (is_close) {
    found->closed = true;
  } else {
    found->connecting = false;
    if (state_ == State::dialing && !found->closing && completion.result >= 0) {
      const Attempt winner = *found;
      attempts_.erase(found);
      connected(winner);
      return;
    }
    if (state_ == State::dialing && !found->closing) {
      fail_attempt(*found, std::strerror(-completion.result));
      begin_next();
    }
  }
  std::erase_if(attempts_,
                [](const Attempt& attempt) { return !attempt.connecting && attempt.closed; });
}

void Dial::connected(const Attempt& winner) {
  state_ = State::connected;
  handle_ = winner.handle;
  address_ = winner.address;
  socket_address_ = winner.socket_address;
  others_left_ = next_ < addresses_.size() || under_way() > 0;
  for (Attempt& attempt : attempts_) {
    if (attempt.closing) {
      continue;
    }
    if (attempt.began_at < winner.began_at) {
      note_failure(attempt.address, "slower than " + winner.address);
    }
    close(attempt);
  }
}

void Dial::expire(Instant now) {
  if (state_ != State::dialing) {
    return;
  }
  for (Attempt& attempt : attempts_) {
    const bool late = now >= attempt.began_at + timeout_ || now >= give_up_at_;
    if (!attempt.closing && late) {
      timed_out_ = true;
      fail_attempt(attempt, "no answer in " + pause_text(now - attempt.began_at));
    }
  }
  if (now >= give_up_at_) {
    next_ = addresses_.size();
  }
  if (now >= next_at_ || under_way() == 0) {
    begin_next();
  }
}

void Dial::stop() {
  if (state_ == State::dialing) {
    state_ = State::stopped;
  }
  for (Attempt& attempt : attempts_) {
    if (!attempt.closing) {
      close(attempt);
    }
  }
}

Instant Dial::deadline() const {
  if (state_ != State::dialing) {
    return never;
  }
  Instant deadline = std::min(next_at_, give_up_at_);
  for (const Attempt& attempt : attempts_) {
    if (!attempt.closing) {
      deadline = std::min(deadline, attempt.began_at + timeout_);
    }
  }
  return deadline;
}

bool Dial::owns(io::Handle handle) const {
  return std::any_of(attempts_.begin(), attempts_.end(),
                     [&](const Attempt& attempt) { return attempt.handle == handle; });
}

protocol::CloseReason Dial::failure() const {
  if (failed_.empty()) {
    return protocol::reason_of(protocol::CloseKind::io_error, Stage::connect, local_error_);
  }
  std::string detail;
  if (failed_.size() == 1) {
    detail = failed_.front() + ": " + why_.front();
  } else if (same_everywhere(why_)) {
    detail = why_.front() + " by " + std::to_string(failed_.size()) + " addresses, the first " +
             failed_.front();
  } else {
    for (std::size_t i = 0; i < std::min(failed_.size(), addresses_told_max); ++i) {
      detail += (i == 0 ? "" : "; ") + failed_[i] + ": " + why_[i];
    }
    if (failed_.size() > addresses_told_max) {
      detail += "; and " + std::to_string(failed_.size() - addresses_told_max) + " more";
    }
  }
  if (timed_out_) {
    detail += "; the port may be blocked on the way (587, 465 and 2525 are the ports to try)";
  }
  return protocol::reason_of(
      timed_out_ ? protocol::CloseKind::timeout : protocol::CloseKind::connect_failed,
      Stage::connect, timed_out_ ? "no connection to " + detail : detail);
}

void Dial::fail_attempt(Attempt& attempt, std::string why) {
  note_failure(attempt.address, std::move(why));
  close(attempt);
}

void Dial::note_failure(std::string address, std::string why) {
  failed_.push_back(std::move(address));
  why_.push_back(std::move(why));
}

void Dial::close(Attempt& attempt) {
  attempt.closing = true;
  io_.close(attempt.handle, owner_);
}

std::size_t Dial::under_way() const {
  return static_cast<std::size_t>(
      std::count_if(attempts_.begin(), attempts_.end(),
                    [](const Attempt& attempt) { return attempt.connecting && !attempt.closing; }));
}

}  // namespace ringpost::engine
