// The field by which a provider knows a message again that it was given before.
#pragma once

#include <string>

#include "codec/job/job.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// What may be in the value: the bound of the providers that document one.
inline constexpr std::size_t idempotency_value_bytes_max = 256;
inline constexpr std::size_t idempotency_name_bytes_max = 64;

// `name: value` with its CRLF, to stand in front of the job's content in a transaction with those
// of its recipients that are not decided. Empty when the job has no key, or when the message has
// the field already: whoever wrote it knows better.
//
// The value is the job's key. When some other recipient of the job was accepted, or may have been,
// a hash of these follows: the provider would take the rest of the recipients for a repetition and
// drop them. So the same recipients under the same circumstances get the same value, and two
// transactions of which both can be accepted never do. A value that is too long, or not made of
// visible ASCII, is replaced by a hash of the key.
[[nodiscard]] std::string idempotency_header(const Job& job, Bytes name);

}  // namespace ringpost::codec
