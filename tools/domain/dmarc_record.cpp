// Tags that are not known are passed over, and so are values of those that are, but for the policy,
// as RFC 7489 6.3 has it: a record is of use as long as it says what to do.
#include "tools/domain/dmarc_record.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/shown_text.h"
#include "tools/domain/tag_list.h"

namespace ringpost::cli {

namespace {

constexpr std::string_view policy_names[] = {"none", "quarantine", "reject"};

std::optional<DmarcPolicy> policy_of(Bytes word) {
  for (const DmarcPolicy policy :
       {DmarcPolicy::none, DmarcPolicy::quarantine, DmarcPolicy::reject}) {
    if (codec::equal_without_case(word, name_of(policy))) {
      return policy;
    }
  }
  return std::nullopt;
}

bool says(const std::vector<Tag>& tags, std::string_view name, std::string_view value) {
  const std::string* const found = find_tag(tags, name);
  return found != nullptr && codec::equal_without_case(*found, value);
}

std::vector<std::string> addresses_of(Bytes list) {
  std::vector<std::string> addresses;
  while (!list.empty()) {
    const std::size_t end = list.find(',');
    const Bytes one = list.substr(0, end);
    list.remove_prefix(end == Bytes::npos ? list.size() : end + 1);
    const std::size_t begin = one.find_first_not_of(" \t");
    if (begin != Bytes::npos) {
      addresses.emplace_back(one.substr(begin, one.find_last_not_of(" \t") + 1 - begin));
    }
  }
  return addresses;
}

}  // namespace

std::string_view name_of(DmarcPolicy policy) {
  return policy_names[static_cast<std::size_t>(policy)];
}

bool is_dmarc(Bytes text) {
  const auto tags = parse_tags(text.substr(0, text.find(';')));
  return tags && !tags->empty() && tags->front() == Tag{"v", "DMARC1"};
}

Result<DmarcRecord, std::string> parse_dmarc(Bytes text) {
  const auto tags = parse_tags(text);
  if (!tags) {
    return Failure(tags.error());
  }
  DmarcRecord record;
  if (const std::string* const reports = find_tag(*tags, "rua")) {
    record.reports = addresses_of(*reports);
  }
  const std::string* const policy = find_tag(*tags, "p");
  const auto read = policy == nullptr ? std::nullopt : policy_of(*policy);
  // RFC 7489 6.6.3 6: with an address for reports a policy that is none counts as p=none.
  if (!read && record.reports.empty()) {
    return Failure(policy == nullptr ? std::string("it has no p=")
                                     : fmt::format("p= is {}, not none, quarantine or reject",
                                                   codec::in_quotes(*policy)));
  }
  record.policy = read.value_or(DmarcPolicy::none);
  record.subdomain_policy = record.policy;
  if (const std::string* const subdomains = find_tag(*tags, "sp")) {
    record.subdomain_policy = policy_of(*subdomains).value_or(record.policy);
  }
  record.strict_dkim = says(*tags, "adkim", "s");
  record.strict_spf = says(*tags, "aspf", "s");
  record.is_testing = says(*tags, "t", "y");
  record.suffix = says(*tags, "psd", "y")   ? DmarcSuffix::yes
                  : says(*tags, "psd", "n") ? DmarcSuffix::no
                                            : DmarcSuffix::unsaid;
  if (const std::string* const percent = find_tag(*tags, "pct")) {
    unsigned value = 0;
    const char* const end = percent->data() + percent->size();
    const auto [stop, error] = std::from_chars(percent->data(), end, value);
    record.percent = error == std::errc() && stop == end && value <= 100 ? value : 100;
  }
  return record;
}

}  // namespace ringpost::cli
