// Who wants to know what a session takes in: the record, or nobody.
#pragma once

#include <array>
#include <cstdint>

#include "tools/sink/tally.h"
#include <ringpost/base.h>

namespace ringpost::sink {

// A message whose 250 stands in the reply queue. All views are the session's and die with the call.
struct AcceptedMessage {
  std::uint64_t session = 0;
  std::uint64_t message = 0;  // within the session, from 1
  Bytes queue_id;
  Bytes sender;      // without brackets; empty is the null sender
  Bytes recipients;  // the accepted ones, each with a LF behind it
  std::uint64_t bytes = 0;
  Bytes user;         // empty: not logged in
  Bytes tls_version;  // empty: in clear
  bool chunked = false;
  // Of the session, up to and including this message.
  const std::array<std::uint64_t, violation_count>& violations;
};

// Called by one session's observer, on its thread: content() as often as needed, then accepted() or
// discarded().
class MessageObserver {
 public:
  MessageObserver() = default;
  MessageObserver(const MessageObserver&) = delete;
  MessageObserver& operator=(const MessageObserver&) = delete;
  virtual ~MessageObserver() = default;

  // The next octets of the message under way, dot-stuffing taken off.
  virtual void content(Bytes octets) = 0;
  virtual void accepted(const AcceptedMessage& message) = 0;
  // What content() said so far came to nothing.
  virtual void discarded() = 0;
};

}  // namespace ringpost::sink
