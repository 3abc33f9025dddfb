// Which fault of a port an error of the machine, of TLS or of the session is.
#pragma once

#include "engine/protocol/close_reason.h"
#include "engine/protocol/session_state.h"
#include "tls/tls_error.h"
#include "tools/probe/probe_finding.h"

namespace ringpost::cli {

[[nodiscard]] ProbeFault fault_of(tls::TlsErrorKind kind);
// `error`: that of connect(2).
[[nodiscard]] ProbeFault fault_of_connect(int error);
// `state`: the one that the session had before it closed.
[[nodiscard]] ProbeFault fault_of(const protocol::CloseReason& reason,
                                  protocol::SessionState state);
// The step whose end is awaited in this state.
[[nodiscard]] ProbeStep step_of(protocol::SessionState state);

}  // namespace ringpost::cli
