// What a job may ask for in `envelope.dsn` (RFC 3461), checked before it comes near a command.
#pragma once

#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::codec {

// Whether anything is asked for.
[[nodiscard]] bool is_requested(const DsnRequest& dsn);

// Each is false, and `dsn` unchanged, when the text is nothing that may be asked for.

// `NEVER`, or some of `SUCCESS`, `FAILURE` and `DELAY` with commas between them, each once (RFC
// 3461 4.1). Case does not count; upper case is what is kept.
[[nodiscard]] bool assign_notify(Bytes text, DsnRequest& dsn);

// `FULL` or `HDRS` (RFC 3461 4.3), likewise.
[[nodiscard]] bool assign_return_kind(Bytes text, DsnRequest& dsn);

// 1 to 100 printable ASCII characters, spaces among them (RFC 3461 4.4).
[[nodiscard]] bool assign_envelope_id(Bytes text, DsnRequest& dsn);

}  // namespace ringpost::codec
