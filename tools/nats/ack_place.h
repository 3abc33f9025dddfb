// What a JetStream server says of a message in the subject to which its acknowledgement goes.
#pragma once

#include <cstdint>
#include <optional>

#include <ringpost/base.h>

namespace ringpost::nats {

struct AckPlace {
  std::uint64_t deliveries = 0;
  std::uint64_t stream_sequence = 0;
  std::int64_t stored_us = 0;  // Unix time at which the stream took it
};

// Of "$JS.ACK.STREAM.CONSUMER.DELIVERIES.STREAM_SEQ.CONSUMER_SEQ.TIME.PENDING", or the longer form
// of servers with domains, "$JS.ACK.DOMAIN.ACCOUNT.STREAM...". Nothing: it is none.
[[nodiscard]] std::optional<AckPlace> read_ack_place(Bytes subject);

}  // namespace ringpost::nats
