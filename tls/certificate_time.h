// The two ways in which a certificate writes a time. Internal to tls/.
#pragma once

#include <cstdint>
#include <optional>

#include <ringpost/base.h>

namespace ringpost::tls {

// Takes UTCTime or GeneralizedTime off the front of `rest`: Unix time in seconds. Nothing when it
// is neither, or not in the form that RFC 5280 4.1.2.5 prescribes.
[[nodiscard]] std::optional<std::int64_t> take_time(Bytes& rest);

}  // namespace ringpost::tls
