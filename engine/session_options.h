// What an endpoint's options mean for each of its sessions: the one translation, for whoever opens
// some.
#pragma once

#include "engine/protocol/session.h"
#include "tls/context.h"
#include <ringpost/config.h>

namespace ringpost::engine {

[[nodiscard]] protocol::TlsMode tls_mode_of(TransportSecurity security);

// All but what is each opener's own: `sasl`, whose cache and source of chance live with him, and
// `credentials`, since sessions of an engine are given a Login by the gate. Asks the machine for
// its name where the endpoint has none.
[[nodiscard]] protocol::SessionOptions session_options(const EndpointOptions& endpoint);

// Whom its sessions trust, and who they are to a server that asks for a certificate.
[[nodiscard]] tls::ContextOptions tls_options(const EndpointOptions& endpoint);

}  // namespace ringpost::engine
