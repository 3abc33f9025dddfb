// The problem: a finding helps whoever can do something about it. The idea: each is a sentence with
// its weight, and where a record is missing or wrong, the record to have, as a zone file would say
// it. What a provider gives to each account alone is told as such: no value is made up. Limits: the
// policy for DMARC that is proposed is the one that changes nothing but starts reports.
#include "tools/domain/domain_points.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "codec/text/shown_text.h"
#include "tools/domain/domain_name.h"
#include "tools/domain/spf_record.h"

namespace ringpost::cli {

namespace {

using codec::in_quotes;
using codec::printable;

class Judge {
 public:
  Judge(const DomainFinding& found, const ProviderRecords& provider, const SpfFinding* cost)
      : found_(found), provider_(provider), cost_(cost) {}

  std::vector<DomainPoint> judge() {
    judge_spf();
    judge_dkim();
    judge_dmarc();
    for (const MxFinding& mx : found_.mx) {
      judge_mx(mx);
    }
    judge_one_click();
    return std::move(points_);
  }

 private:
  void say(DomainArea area, PointLevel level, std::string what,
           std::optional<DnsChange> change = std::nullopt) {
    points_.push_back({area, level, std::move(what), std::move(change)});
  }

  // ---- SPF -------------------------------------------------------------------------------------

  void judge_spf() {
    if (found_.is_envelope_provider) {
      say(DomainArea::spf, PointLevel::note,
          fmt::format("the envelope's domain is {}'s own ({}), and so is its SPF; an account that "
                      "has another: --envelope-from DOMAIN",
                      provider_.name, found_.envelope_from));
      return;
    }
    const SpfFinding& spf = found_.spf;
    const std::string& domain = spf.domain;
    const bool is_missing = !provider_.spf.empty() && !spf.provider_after;
    switch (spf.standing) {
      case SpfStanding::none:
        say(DomainArea::spf, provider_.spf.empty() ? PointLevel::warning : PointLevel::problem,
            fmt::format("{} has no SPF record", domain), spf_change());
        return;
      case SpfStanding::temperror:
        say(DomainArea::spf, PointLevel::problem,
            fmt::format("DNS did not answer: {}", printable(spf.problem)));
        break;
      case SpfStanding::permerror:
        say(DomainArea::spf, PointLevel::problem,
            fmt::format("receivers take the record of {} for broken (permerror): {}", domain,
                        printable(spf.problem)),
            spf.records.size() > 1 ? spf_change() : std::nullopt);
        break;
      case SpfStanding::usable:
        say(DomainArea::spf, PointLevel::good,
            fmt::format("{}: {} of {} look-ups, {} of {} void", domain, spf.lookups,
                        spf_lookups_max, spf.void_lookups, spf_void_lookups_max));
        break;
    }
    if (spf.provider_after) {
      say(DomainArea::spf, PointLevel::good,
          fmt::format("{} stands in the record of {}, reached after {} look-up{}", provider_.spf,
                      spf.provider_in, *spf.provider_after, *spf.provider_after == 1 ? "" : "s"));
    } else if (is_missing && spf.records.size() == 1 && spf.standing != SpfStanding::temperror) {
      say(DomainArea::spf, PointLevel::problem,
          fmt::format("{} of {} is missing{}", provider_.spf, provider_.name, spf_price()),
          spf_change());
    }
    judge_all();
    for (const std::string& warning : spf.warnings) {
      say(DomainArea::spf, PointLevel::warning, printable(warning));
    }
  }

  void judge_all() {
    if (found_.spf.standing != SpfStanding::usable) {
      return;
    }
    if (found_.spf.all == '+') {
      say(DomainArea::spf, PointLevel::problem,
          "+all lets everybody send for the domain, and counts for nothing at receivers");
    } else if (found_.spf.all == ' ') {
      say(DomainArea::spf, PointLevel::note,
          "without all at its end the record says nothing of other senders: ~all or -all");
    }
  }

  [[nodiscard]] std::string spf_price() const {
    if (cost_ == nullptr || cost_->standing != SpfStanding::usable) {
      return {};
    }
    const std::size_t all = found_.spf.lookups + 1 + cost_->lookups;
    return all > spf_lookups_max
               ? fmt::format(
                     ", and with it the record needs {} look-ups of {}: others must go first", all,
                     spf_lookups_max)
               : fmt::format("; with it the record needs {} look-up{} of {}", all,
                             all == 1 ? "" : "s", spf_lookups_max);
  }

  [[nodiscard]] std::optional<DnsChange> spf_change() const {
    if (provider_.spf.empty() && found_.spf.records.size() < 2) {
      return std::nullopt;
    }
    // What stands there already, by way of another record, is not wanted twice.
    const std::string wanted = found_.spf.provider_after ? std::string() : provider_.spf;
    return DnsChange{!found_.spf.records.empty(), found_.spf.domain, "TXT",
                     spf_with(found_.spf.records, wanted)};
  }

  // ---- DKIM ------------------------------------------------------------------------------------

  [[nodiscard]] bool signs() const {
    return std::any_of(found_.dkim.begin(), found_.dkim.end(),
                       [](const DkimFinding& key) { return key.standing == DkimStanding::usable; });
  }

  void judge_dkim() {
    if (found_.dkim.empty()) {
      const std::string form = provider_.dkim_record.empty()
                                   ? std::string()
                                   : fmt::format("; its keys are {}", provider_.dkim_record);
      say(DomainArea::dkim, PointLevel::warning,
          provider_.name.empty()
              ? "which selectors the provider uses is not known here: --selector NAME"
              : fmt::format("{} has other selectors for each account, or none that is known here: "
                            "its console shows them; --selector NAME{}",
                            provider_.name, form));
      return;
    }
    for (const DkimFinding& key : found_.dkim) {
      judge_key(key);
    }
  }

  void judge_key(const DkimFinding& key) {
    const auto level = signs() ? PointLevel::warning : PointLevel::problem;
    const auto way = key.alias_of.empty()
                         ? std::string()
                         : fmt::format(" (by CNAME to {})", printable(key.alias_of));
    switch (key.standing) {
      case DkimStanding::usable:
        judge_good_key(key, way);
        return;
      case DkimStanding::missing:
        say(DomainArea::dkim, signs() ? PointLevel::note : PointLevel::problem,
            fmt::format("{} is missing{}", key.name,
                        key.alias_of.empty()
                            ? std::string()
                            : fmt::format(": its CNAME leads to {}, which has no key",
                                          printable(key.alias_of))),
            signs() ? std::nullopt : std::optional<DnsChange>(dkim_change(key)));
        return;
      case DkimStanding::weak:
        say(DomainArea::dkim, level,
            fmt::format("{}{}: an RSA key of {} bits, and receivers take none below {}", key.name,
                        way, key.record->bits, rsa_bits_min));
        return;
      case DkimStanding::revoked:
        say(DomainArea::dkim, level,
            fmt::format("{}{}: the key is revoked (p= is empty)", key.name, way));
        return;
      case DkimStanding::broken:
        say(DomainArea::dkim, level,
            fmt::format("{}{}: {}", key.name, way, printable(key.problem)));
        return;
      case DkimStanding::failed:
        say(DomainArea::dkim, level,
            fmt::format("{}: DNS did not answer: {}", key.name, printable(key.problem)));
        return;
    }
  }

  void judge_good_key(const DkimFinding& key, const std::string& way) {
    const DkimRecord& record = *key.record;
    const std::string kind = record.key == DkimKey::rsa
                                 ? fmt::format("an RSA key of {} bits", record.bits)
                             : record.key == DkimKey::ed25519 ? "an Ed25519 key"
                                                              : "a key of a kind not known here";
    say(DomainArea::dkim, PointLevel::good, fmt::format("{}{}: {}", key.name, way, kind));
    if (record.key == DkimKey::rsa && record.bits < rsa_bits_wanted) {
      say(DomainArea::dkim, PointLevel::note,
          fmt::format("{}: {} bits are taken, {} are recommended (RFC 8301)", key.name, record.bits,
                      rsa_bits_wanted));
    }
    if (record.key != DkimKey::rsa) {
      say(DomainArea::dkim, PointLevel::warning,
          fmt::format("{}: many receivers know RSA alone: a second key of that kind beside it",
                      key.name));
    }
    if (record.is_testing) {
      say(DomainArea::dkim, PointLevel::warning,
          fmt::format("{}: t=y says that it is a test, and some receivers count it as none",
                      key.name));
    }
  }

  [[nodiscard]] DnsChange dkim_change(const DkimFinding& key) const {
    const std::string& form = provider_.dkim_record;
    const std::size_t space = form.find(' ');
    DnsChange change{false, key.name, "TXT or CNAME", {}};
    if (!form.empty()) {
      change.type = form.substr(0, space);
      change.value = space == std::string::npos ? std::string() : form.substr(space + 1);
      fill(change.value, "{selector}", key.selector);
      fill(change.value, "{domain}", found_.from);
    }
    if (change.value.empty()) {
      change.value = provider_.name.empty()
                         ? std::string("(as the provider shows it)")
                         : fmt::format("(as the console of {} shows it)", provider_.name);
    }
    return change;
  }

  static void fill(std::string& text, std::string_view mark, std::string_view value) {
    for (std::size_t at = text.find(mark); at != std::string::npos;
         at = text.find(mark, at + value.size())) {
      text.replace(at, mark.size(), value);
    }
  }

  // ---- DMARC -----------------------------------------------------------------------------------

  void judge_dmarc() {
    const DmarcFinding& dmarc = found_.dmarc;
    if (!dmarc.record) {
      std::optional<DnsChange> change;
      if (!dmarc.may_come_later) {
        change = DnsChange{
            !dmarc.problem.empty(), "_dmarc." + dmarc.organization, "TXT",
            fmt::format("v=DMARC1; p=none; rua=mailto:postmaster@{}", dmarc.organization)};
      }
      say(DomainArea::dmarc, PointLevel::problem,
          dmarc.may_come_later ? fmt::format("DNS did not answer: {}", printable(dmarc.problem))
          : dmarc.problem.empty()
              ? fmt::format("{} has no DMARC record, which large receivers ask of bulk senders",
                            dmarc.domain)
              : printable(dmarc.problem),
          std::move(change));
    } else {
      judge_policy(dmarc);
    }
    judge_alignment();
  }

  void judge_policy(const DmarcFinding& dmarc) {
    say(DomainArea::dmarc, PointLevel::good,
        fmt::format(
            "_dmarc.{} asks receivers for {}{}", dmarc.found_at, name_of(dmarc.policy()),
            dmarc.found_at == dmarc.domain
                ? std::string()
                : fmt::format(" for mail of {}, which has no record of its own", dmarc.domain)));
    if (!dmarc.problem.empty()) {
      say(DomainArea::dmarc, PointLevel::warning, printable(dmarc.problem));
    }
    if (dmarc.policy() == DmarcPolicy::none) {
      say(DomainArea::dmarc, PointLevel::note,
          "p=none protects nobody from mail that others send in the domain's name");
    }
    if (dmarc.record->reports.empty()) {
      say(DomainArea::dmarc, PointLevel::note, "without rua= nobody is told what receivers see");
    }
    if (dmarc.record->percent < 100 || dmarc.record->is_testing) {
      say(DomainArea::dmarc, PointLevel::note,
          dmarc.record->is_testing
              ? std::string("t=y: receivers are asked not to act yet")
              : fmt::format("pct={}: for a part of the mail only", dmarc.record->percent));
    }
  }

  void judge_alignment() {
    const bool strict = found_.dmarc.record && found_.dmarc.record->strict_spf;
    const bool spf_counts = found_.spf_aligned && found_.spf.standing == SpfStanding::usable &&
                            (provider_.spf.empty() || found_.spf.provider_after);
    if (found_.is_envelope_provider) {
      say(DomainArea::dmarc, PointLevel::note,
          fmt::format("{} in the envelope is not aligned with {}: DMARC passes by DKIM alone",
                      found_.envelope_from, found_.from));
    } else if (found_.spf_aligned) {
      say(DomainArea::dmarc, PointLevel::good,
          fmt::format("the envelope's domain {} is aligned ({})", found_.envelope_from,
                      strict ? "aspf=s" : "relaxed"));
    } else {
      say(DomainArea::dmarc, signs() ? PointLevel::warning : PointLevel::problem,
          strict ? fmt::format("the envelope's domain {} is not {} itself, which aspf=s wants",
                               found_.envelope_from, found_.from)
                 : fmt::format("the envelope's domain {} belongs to another organisation than {}: "
                               "only DKIM can pass",
                               found_.envelope_from, found_.from));
    }
    if (found_.dkim.empty() || signs() || spf_counts ||
        found_.dmarc.policy() == DmarcPolicy::none) {
      return;
    }
    say(DomainArea::dmarc, PointLevel::problem,
        fmt::format("neither SPF nor DKIM passes for {}, and its policy is {}", found_.from,
                    name_of(found_.dmarc.policy())));
  }

  // ---- The rest --------------------------------------------------------------------------------

  void judge_mx(const MxFinding& mx) {
    const bool is_envelope = mx.domain == found_.envelope_from;
    const std::string_view comes = is_envelope ? "bounces come to it" : "answers come to it";
    if (!mx.error.empty()) {
      say(DomainArea::mx, PointLevel::problem,
          fmt::format("{}: DNS did not answer: {}", mx.domain, printable(mx.error)));
    } else if (mx.is_null) {
      say(DomainArea::mx, PointLevel::problem,
          fmt::format("{} takes no mail (null MX, RFC 7505), and {}: receivers refuse such senders",
                      mx.domain, comes));
    } else if (mx.is_implied) {
      say(DomainArea::mx, PointLevel::warning,
          fmt::format("{} has no MX record, and {} at its address", mx.domain, comes));
    } else if (mx.hosts.empty()) {
      say(DomainArea::mx, PointLevel::problem,
          fmt::format("{} has neither an MX record nor an address, and {}: receivers refuse such "
                      "senders",
                      mx.domain, comes));
    } else {
      say(DomainArea::mx, PointLevel::good,
          fmt::format("{}: {}{}", mx.domain, printable(mx.hosts.front()),
                      mx.hosts.size() > 1 ? fmt::format(" and {} more", mx.hosts.size() - 1)
                                          : std::string()));
    }
  }

  void judge_one_click() {
    if (!found_.one_click) {
      say(DomainArea::one_click, PointLevel::note,
          "not looked at: --one-click URL checks the URL of List-Unsubscribe");
      return;
    }
    const OneClickFinding& link = *found_.one_click;
    say(DomainArea::one_click, link.problem.empty() ? PointLevel::good : PointLevel::problem,
        link.problem.empty() ? fmt::format("{} has an address", link.host)
                             : printable(link.problem));
    say(DomainArea::one_click, PointLevel::note,
        "List-Unsubscribe and List-Unsubscribe-Post must be covered by the DKIM signature "
        "(RFC 8058 4)");
  }

  const DomainFinding& found_;
  const ProviderRecords& provider_;
  const SpfFinding* cost_;
  std::vector<DomainPoint> points_;
};

}  // namespace

std::vector<DomainPoint> judge_domain(const DomainFinding& found, const ProviderRecords& provider,
                                      const SpfFinding* cost) {
  return Judge(found, provider, cost).judge();
}

}  // namespace ringpost::cli
