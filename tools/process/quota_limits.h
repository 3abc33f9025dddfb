// Limits as people write them in flags, variables and files: 14/s, 500/h, 50000 recipients/d.
#pragma once

#include <string>
#include <vector>

#include <ringpost/base.h>
#include <ringpost/quota.h>

namespace ringpost::cli {

// N [UNIT]/PERIOD: N with decimals or a suffix, UNIT one of messages (which may be left out),
// recipients, bytes, PERIOD one of s, m, h, d; without a PERIOD by the second. The error is a
// clause that quotes the text.
[[nodiscard]] Result<QuotaLimit, std::string> parse_quota_limit(Bytes text);

// Several with commas between them, which hold together; of the same unit and period one at most.
[[nodiscard]] Result<std::vector<QuotaLimit>, std::string> parse_quota_limits(Bytes text);

// The shortest text that parse_quota_limit() reads as the same: "14/s", "50000 recipients/d".
[[nodiscard]] std::string quota_limit_text(const QuotaLimit& limit);

}  // namespace ringpost::cli
