// Whether a server's certificate leads to a CA that is trusted: RFC 5280 section 6 over every path
// that what the server sent allows. Internal to tls/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tls/path_fault.h"
#include "tls/trust_store.h"
#include <ringpost/base.h>

namespace ringpost::tls {

// Bounds of one handshake, for servers that would make a client work. A path of today has three or
// four certificates, and its verification takes as many signatures less one.
inline constexpr std::size_t path_certificates_max = 12;  // the leaf and the anchor among them
inline constexpr std::size_t sent_certificates_max =
    32;                                                 // what stands behind them is not looked at
inline constexpr std::size_t path_signatures_max = 48;  // checked
inline constexpr std::size_t path_steps_max = 512;      // issuers considered

// What a server's owner has to do who sends more than sent_certificates_max.
inline constexpr std::string_view send_fewer =
    "the server's owner must make it send its own certificate and those of the CAs above it, and "
    "no "
    "others";

// `sent` are the certificates of the server, its own first, the others in any order; only those
// that belong to a path count. Good is a path whose last certificate is trusted by itself. Of all
// that was wrong with all paths the fault is the one that says most.
[[nodiscard]] Result<void, PathFault> check_path(std::span<const Bytes> sent,
                                                 const TrustStore& trusted,
                                                 std::int64_t unix_seconds);

}  // namespace ringpost::tls
