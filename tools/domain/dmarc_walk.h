// The DMARC record that holds for a domain, and the domain that mail is counted to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/domain/dmarc_record.h"
#include "tools/domain/dns_answer.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct DmarcFinding {
  std::string domain;                 // that was asked for
  std::string organization;           // its organisational domain
  std::string found_at;               // whose record holds; empty: none does
  std::string text;                   // the record
  std::optional<DmarcRecord> record;  // empty: there is none, or none that can be read
  std::string problem;                // why there is none that can be read, or DNS did not answer
  bool may_come_later = false;        // DNS did not answer

  // What receivers are asked to do with mail of this domain that fails.
  [[nodiscard]] DmarcPolicy policy() const {
    return !record              ? DmarcPolicy::none
           : found_at == domain ? record->policy
                                : record->subdomain_policy;
  }
};

// At most eight questions.
[[nodiscard]] DmarcFinding walk_dmarc(std::string_view domain, const AskDns& ask);

}  // namespace ringpost::cli
