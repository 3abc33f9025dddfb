// The field by which a provider knows a message again that it was given before.
#pragma once

#include <string>

#include "codec/job/delivery.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// What may be in the value: the bound of the providers that document one.
inline constexpr std::size_t idempotency_value_bytes_max = 256;
inline constexpr std::size_t idempotency_name_bytes_max = 64;

// `name: value` with its CRLF, to stand in front of the message's content in a transaction with
// those of the delivery's recipients that are not decided. Empty when the message has no key, or
// has the field already: whoever wrote it knows better.
//
// The value is the message's key. When some other recipient of it may have been accepted, a hash of
// these follows: the provider would take the rest of the recipients for a repetition and drop them.
// They are the recipients of all deliveries before this one, which go out beside it, and those of
// its own that were accepted, or may have been. So the same recipients under the same circumstances
// get the same value, and two transactions of which both can be accepted never do. A value that is
// too long, or not made of visible ASCII, is replaced by a hash of the key.
[[nodiscard]] std::string idempotency_header(const Delivery& delivery, Bytes name);

}  // namespace ringpost::codec
