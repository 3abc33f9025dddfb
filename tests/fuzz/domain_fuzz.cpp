// tools/domain: no record and no message of a stranger breaks a reader, and what is read means the
// same however it is written.
//
// Input: an octet that says which reader, then the record, or the message of DNS.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_input.h"
#include "tools/domain/dkim_record.h"
#include "tools/domain/dmarc_record.h"
#include "tools/domain/dns_message.h"
#include "tools/domain/domain_name.h"
#include "tools/domain/spf_record.h"
#include "tools/domain/spf_walk.h"
#include "tools/domain/tag_list.h"

using namespace ringpost;
using namespace ringpost::cli;

namespace {

// Tags written one behind the other, with white space where it does not count.
std::string written(const std::vector<Tag>& tags) {
  std::string text;
  for (const Tag& tag : tags) {
    text += " " + tag.name + "\t= " + tag.value + " ;";
  }
  return text;
}

void check_tags(Bytes text) {
  const auto tags = parse_tags(text);
  if (!tags) {
    RP_ASSERT(!tags.error().empty());
    return;
  }
  const std::string again = written(*tags);
  RP_ASSERT(parse_tags(again).value() == *tags);
  const auto key = parse_dkim(text);
  const auto same_key = parse_dkim(again);
  RP_ASSERT(key.has_value() == same_key.has_value());
  RP_ASSERT(!key || (key->bits == same_key->bits && key->is_revoked == same_key->is_revoked));
  RP_ASSERT(!key || key->bits <= text.size() * 8);
  if (is_dmarc(text) && is_dmarc(again)) {
    const auto policy = parse_dmarc(text);
    const auto same_policy = parse_dmarc(again);
    RP_ASSERT(policy.has_value() == same_policy.has_value());
    RP_ASSERT(!policy || (policy->policy == same_policy->policy && policy->percent <= 100));
  }
}

void check_spf(Bytes terms) {
  const std::string text = "v=spf1 " + std::string(terms);
  RP_ASSERT(is_spf(text));
  const auto record = parse_spf(text);
  if (!record) {
    RP_ASSERT(!record.error().empty());
    return;
  }
  std::string again = "V=SPF1";
  for (const SpfTerm& term : record->terms) {
    again += "   " + term.text;
  }
  const auto same = parse_spf(again);
  RP_ASSERT(same && same->terms == record->terms);
  // What is proposed in its place can be read, and lets the provider in.
  const auto better = parse_spf(spf_with({text}, "include:provider.example"));
  RP_ASSERT(record->terms.size() > 500 ||
            (better && better->terms.front().target == "provider.example"));

  // Every name has this record: the walk ends all the same.
  std::size_t asked = 0;
  const AskDns ask = [&](const std::vector<DnsQuestion>& questions) {
    asked += questions.size();
    return std::vector<DnsAnswer>(questions.size(), {DnsResult::found, {text}, {}, {}});
  };
  const SpfFinding found = walk_spf("a.example", "include:provider.example", ask);
  RP_ASSERT(asked <= 2 * found.lookups + 1);
  RP_ASSERT(found.standing != SpfStanding::usable || found.lookups <= spf_lookups_max);
  RP_ASSERT(found.standing == SpfStanding::usable || !found.problem.empty());
}

void check_message(Bytes message) {
  for (const DnsType type :
       {DnsType::a, DnsType::aaaa, DnsType::cname, DnsType::mx, DnsType::txt}) {
    const DnsAnswer answer = read_dns_message(message, {"a.example", type});
    RP_ASSERT((answer.result == DnsResult::found) == !answer.values.empty());
    RP_ASSERT((answer.result == DnsResult::failed) == !answer.error.empty());
    if (answer.result != DnsResult::failed) {
      // What stands behind the answers is not looked at.
      const DnsAnswer more = read_dns_message(std::string(message) + "more", {"A.EXAMPLE", type});
      RP_ASSERT(more.result == answer.result && more.values == answer.values);
    }
  }
}

void check_name(Bytes name) {
  const std::size_t labels = labels_of(name);
  RP_ASSERT(last_labels(name, labels) == name);
  for (std::size_t count = 1; count < std::min<std::size_t>(labels, 8); ++count) {
    const std::string_view last = last_labels(name, count);
    RP_ASSERT(name.ends_with(last) && (!is_domain_name(name) || labels_of(last) == count));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input = fuzz::own_copy(fuzz::FuzzInput(data, size).rest());
  if (input.empty()) {
    return 0;
  }
  const Bytes rest = Bytes(input).substr(1);
  switch (static_cast<unsigned char>(input.front()) % 4) {
    case 0:
      check_tags(rest);
      break;
    case 1:
      check_spf(rest);
      break;
    case 2:
      check_message(rest);
      break;
    default:
      check_name(rest);
      break;
  }
  return 0;
}
