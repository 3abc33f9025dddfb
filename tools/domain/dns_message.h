// A message of DNS (RFC 1035 4), as far as an answer needs it.
#pragma once

#include "tools/domain/dns_answer.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// What `message` answers to `question`, CNAMEs followed within it. It is of a stranger: whatever
// does not hold together is `failed`, with words.
[[nodiscard]] DnsAnswer read_dns_message(Bytes message, const DnsQuestion& question);

}  // namespace ringpost::cli
