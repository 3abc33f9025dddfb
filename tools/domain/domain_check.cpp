// The problem: mail that is accepted is lost later, at receivers, for want of a record that nobody
// looked for. The idea: ask for what they ask for, in the order in which they use it, and leave
// judging to domain_points. Limits: which selector signs, and with what d=, only a message shows;
// what is asked for is what the provider is known to use, or what the user says.
#include "tools/domain/domain_check.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "codec/mail/address.h"
#include "codec/text/ascii.h"
#include "codec/text/shown_text.h"
#include "tools/domain/domain_name.h"
#include "tools/domain/domain_points.h"

namespace ringpost::cli {

namespace {

constexpr std::string_view domain_mark = "{domain}";

DkimFinding read_dkim(std::string selector, std::string name, const DnsAnswer& answer) {
  DkimFinding found;
  found.selector = std::move(selector);
  found.name = std::move(name);
  found.alias_of = answer.alias_of;
  if (answer.result == DnsResult::failed) {
    found.standing = DkimStanding::failed;
    found.problem = answer.error;
    return found;
  }
  if (answer.values.empty()) {
    return found;
  }
  found.text = answer.values.front();
  found.standing = DkimStanding::broken;
  if (answer.values.size() > 1) {
    found.problem = fmt::format("{} TXT records, and which one counts is chance (RFC 6376 3.6.2.2)",
                                answer.values.size());
    return found;
  }
  auto record = parse_dkim(found.text);
  if (!record) {
    found.problem = std::move(record.error());
    return found;
  }
  found.record = *record;
  if (record->is_revoked) {
    found.standing = DkimStanding::revoked;
  } else if (record->key == DkimKey::rsa && record->bits < rsa_bits_min) {
    found.standing = DkimStanding::weak;
  } else if (!record->sha256) {
    found.problem = "h= allows no SHA-256, and receivers take no other (RFC 8301)";
  } else if (!record->serves_mail) {
    found.problem = "s= says that it is not for mail";
  } else {
    found.standing = DkimStanding::usable;
  }
  return found;
}

std::vector<DkimFinding> ask_dkim(const std::vector<std::string>& selectors,
                                  const std::string& domain, const AskDns& ask) {
  std::vector<DnsQuestion> questions;
  for (const std::string& selector : selectors) {
    questions.push_back({selector + "._domainkey." + domain, DnsType::txt});
  }
  const std::vector<DnsAnswer> answers = ask(questions);
  std::vector<DkimFinding> found;
  for (std::size_t index = 0; index < selectors.size(); ++index) {
    found.push_back(read_dkim(selectors[index], questions[index].name, answers[index]));
  }
  return found;
}

bool has_key(const std::vector<DkimFinding>& keys) {
  return std::any_of(keys.begin(), keys.end(),
                     [](const DkimFinding& key) { return key.standing != DkimStanding::missing; });
}

std::vector<DkimFinding> find_keys(const DomainRequest& request, const DmarcFinding& dmarc,
                                   const AskDns& ask) {
  const auto& selectors = request.selectors.empty() ? request.provider.dkim : request.selectors;
  if (selectors.empty()) {
    return {};
  }
  std::vector<DkimFinding> keys = ask_dkim(selectors, request.from, ask);
  const bool may_be_above =
      dmarc.organization != request.from && !(dmarc.record && dmarc.record->strict_dkim);
  if (!has_key(keys) && may_be_above) {
    std::vector<DkimFinding> above = ask_dkim(selectors, dmarc.organization, ask);
    if (has_key(above)) {
      return above;
    }
  }
  return keys;
}

MxFinding find_mx(const std::string& domain, const AskDns& ask) {
  const std::vector<DnsAnswer> answers =
      ask({{domain, DnsType::mx}, {domain, DnsType::a}, {domain, DnsType::aaaa}});
  MxFinding found;
  found.domain = domain;
  const DnsAnswer& hosts = answers.front();
  if (hosts.result == DnsResult::failed) {
    found.error = hosts.error;
    return found;
  }
  found.hosts = hosts.values;
  found.is_null = found.hosts.size() == 1 && found.hosts.front().empty();
  found.is_implied = found.hosts.empty() &&
                     std::any_of(answers.begin() + 1, answers.end(),
                                 [](const DnsAnswer& address) { return !address.values.empty(); });
  return found;
}

OneClickFinding check_one_click(const std::string& url, const AskDns& ask) {
  constexpr std::string_view scheme = "https://";
  OneClickFinding found;
  found.url = url;
  const bool is_https = codec::equal_without_case(Bytes(url).substr(0, scheme.size()), scheme);
  if (!is_https) {
    found.problem = "it is no https:// URL, and RFC 8058 3.1 wants one";
    return found;
  }
  const Bytes rest = Bytes(url).substr(scheme.size());
  Bytes host = rest.substr(0, rest.find_first_of("/?#"));
  host = host.substr(0, host.rfind(':'));
  if (!is_domain_name(host)) {
    found.problem = fmt::format("{} is no name of a host", codec::in_quotes(host));
    return found;
  }
  found.host = plain_name(host);
  const std::vector<DnsAnswer> answers =
      ask({{found.host, DnsType::a}, {found.host, DnsType::aaaa}});
  found.resolves = std::any_of(answers.begin(), answers.end(),
                               [](const DnsAnswer& answer) { return !answer.values.empty(); });
  if (!found.resolves) {
    found.problem = answers.front().result == DnsResult::failed
                        ? fmt::format("{}: {}", found.host, answers.front().error)
                        : fmt::format("{} has no address", found.host);
  }
  return found;
}

std::string envelope_of(const DomainRequest& request) {
  if (!request.envelope_from.empty()) {
    return request.envelope_from;
  }
  std::string domain =
      request.provider.envelope.empty() ? std::string(domain_mark) : request.provider.envelope;
  const std::size_t at = domain.find(domain_mark);
  return at == std::string::npos ? domain : domain.replace(at, domain_mark.size(), request.from);
}

bool is_aligned(const DomainFinding& found, const DmarcFinding& envelope) {
  const bool strict = found.dmarc.record && found.dmarc.record->strict_spf;
  return strict ? found.from == found.envelope_from
                : found.dmarc.organization == envelope.organization;
}

}  // namespace

std::string_view name_of(DkimStanding standing) {
  constexpr std::string_view names[] = {"usable", "weak", "missing", "revoked", "broken", "failed"};
  return names[static_cast<std::size_t>(standing)];
}

std::string_view name_of(DomainArea area) {
  constexpr std::string_view names[] = {"spf", "dkim", "dmarc", "mx", "one_click"};
  return names[static_cast<std::size_t>(area)];
}

std::string_view name_of(PointLevel level) {
  constexpr std::string_view names[] = {"good", "note", "warning", "problem"};
  return names[static_cast<std::size_t>(level)];
}

bool DomainFinding::ok() const {
  return std::none_of(points.begin(), points.end(),
                      [](const DomainPoint& point) { return point.level == PointLevel::problem; });
}

Result<std::string, std::string> read_sender_domain(Bytes text) {
  const std::string address =
      text.find('@') == Bytes::npos ? "x@" + std::string(text) : std::string(text);
  const auto mailbox = codec::parse_mailbox(address);
  if (!mailbox) {
    return Failure(fmt::format("{} is no domain: {}", codec::in_quotes(text),
                               codec::text_of(mailbox.error())));
  }
  std::string domain = plain_name(Bytes(mailbox->address).substr(mailbox->address.rfind('@') + 1));
  return is_mail_domain(domain)
             ? Result<std::string, std::string>(std::move(domain))
             : Failure(fmt::format("{} is no domain of mail", codec::in_quotes(domain)));
}

DomainFinding check_domain_of(const DomainRequest& request, const AskDns& ask) {
  DomainFinding found;
  found.from = request.from;
  found.envelope_from = envelope_of(request);
  found.is_envelope_provider = request.envelope_from.empty() &&
                               !request.provider.envelope.empty() &&
                               request.provider.envelope.find(domain_mark) == std::string::npos;
  found.provider = request.provider.name;
  found.provider_spf = request.provider.spf;
  found.dmarc = walk_dmarc(found.from, ask);
  const bool same = found.envelope_from == found.from;
  found.spf_aligned = same || is_aligned(found, walk_dmarc(found.envelope_from, ask));
  found.dkim = find_keys(request, found.dmarc, ask);
  if (!found.is_envelope_provider) {
    found.spf = walk_spf(found.envelope_from, found.provider_spf, ask);
    found.mx.push_back(find_mx(found.envelope_from, ask));
  }
  if (!same) {
    found.mx.push_back(find_mx(found.from, ask));
  }
  if (!request.one_click.empty()) {
    found.one_click = check_one_click(request.one_click, ask);
  }
  std::optional<SpfFinding> cost;
  if (const std::size_t colon = found.provider_spf.find(':');
      !found.is_envelope_provider && !found.spf.provider_after && colon != std::string::npos) {
    cost = walk_spf(std::string_view(found.provider_spf).substr(colon + 1), {}, ask);
  }
  found.points = judge_domain(found, request.provider, cost ? &*cost : nullptr);
  return found;
}

}  // namespace ringpost::cli
