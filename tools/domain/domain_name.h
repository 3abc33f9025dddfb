// Names in DNS, as text: no dot at the end, letters as they came.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <ringpost/base.h>

namespace ringpost::cli {

// Whether this can be asked for as it stands: labels of 1 to 63 letters, digits, hyphens and
// underscores, 253 octets at most.
[[nodiscard]] bool is_domain_name(Bytes name);
// The same, but for a host of mail: two labels at least, no underscore, no digits alone at the end.
[[nodiscard]] bool is_mail_domain(Bytes name);

[[nodiscard]] std::size_t labels_of(Bytes name);
// The last `count` labels, of which it has at least one; all, where there are fewer.
[[nodiscard]] std::string_view last_labels(Bytes name, std::size_t count);
// In lower case, without the dot at the end.
[[nodiscard]] std::string plain_name(Bytes name);

}  // namespace ringpost::cli
