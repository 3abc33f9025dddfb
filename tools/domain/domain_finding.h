// What DNS says of a domain that mail is sent from, and what is missing there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/domain/dkim_record.h"
#include "tools/domain/dmarc_walk.h"
#include "tools/domain/dns_answer.h"
#include "tools/domain/spf_walk.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// What a provider needs of a sender's domain, as its preset says.
struct ProviderRecords {
  std::string name;               // "Amazon SES"; empty: nobody known
  std::string spf;                // "include:amazonses.com"; empty: not known
  std::vector<std::string> dkim;  // selectors; none: not known, or another for each account
  // The form of a key's record: its type, then its value with {selector} and {domain} in it, and
  // what is the account's in capitals; empty: not known.
  std::string dkim_record;
  // The domain in the envelope unless the user says another: with {domain}, a part of the sender's;
  // without, the provider's own; empty: the sender's.
  std::string envelope;
};

struct DomainRequest {
  std::string from;           // the domain of the From field
  std::string envelope_from;  // that of MAIL FROM; empty: as the provider has it
  ProviderRecords provider;
  std::vector<std::string> selectors;  // in the place of the provider's
  std::string one_click;               // the URL in List-Unsubscribe; empty: not known
};

enum class DkimStanding : std::uint8_t { usable, weak, missing, revoked, broken, failed };
[[nodiscard]] std::string_view name_of(DkimStanding standing);

struct DkimFinding {
  std::string selector;
  std::string name;  // that was asked for
  DkimStanding standing = DkimStanding::missing;
  std::string alias_of;  // where a CNAME led
  std::string text;
  std::optional<DkimRecord> record;
  std::string problem;
};

struct MxFinding {
  std::string domain;
  std::vector<std::string> hosts;
  bool is_null = false;     // RFC 7505: it takes no mail
  bool is_implied = false;  // none, and the domain has an address
  std::string error;        // DNS did not answer
};

struct OneClickFinding {
  std::string url;
  std::string host;
  bool resolves = false;
  std::string problem;
};

enum class DomainArea : std::uint8_t { spf, dkim, dmarc, mx, one_click };
[[nodiscard]] std::string_view name_of(DomainArea area);
enum class PointLevel : std::uint8_t { good, note, warning, problem };
[[nodiscard]] std::string_view name_of(PointLevel level);

// A record to add, or to have in the place of what is there.
struct DnsChange {
  bool replaces = false;
  std::string name;
  std::string type;
  std::string value;
};

struct DomainPoint {
  DomainArea area = DomainArea::spf;
  PointLevel level = PointLevel::good;
  std::string what;
  std::optional<DnsChange> change;
};

struct DomainFinding {
  std::string from;
  std::string envelope_from;
  std::string provider;
  std::string provider_spf;
  bool is_envelope_provider = false;  // whose SPF and MX are not the sender's matter
  SpfFinding spf;                     // of the envelope's domain, if it is not the provider's
  bool spf_aligned = false;
  std::vector<DkimFinding> dkim;
  DmarcFinding dmarc;
  std::vector<MxFinding> mx;  // of the envelope's domain, then of the other, if they differ
  std::optional<OneClickFinding> one_click;
  std::vector<DomainPoint> points;  // by area

  [[nodiscard]] bool ok() const;  // no problem among them
};

}  // namespace ringpost::cli
