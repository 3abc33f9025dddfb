// The problem: a record is within its ten look-ups until a provider adds one to its own, and who
// broke it does not learn. The idea: the walk that a receiver takes when nothing matches, which is
// the most that it can cost, with a stack of the records that are open; a record that is open and
// referred to again is a loop. It goes on beyond ten, so that it can say how many there are.
// Limits: a target with macros depends on the mail and is counted, not followed; addresses are not
// compared with anything, and those of MX hosts not asked for, which RFC 7208 counts apart.
#include "tools/domain/spf_walk.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/shown_text.h"
#include "tools/domain/domain_name.h"
#include "tools/domain/spf_record.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t lookups_asked_max = 50;
constexpr std::size_t mx_hosts_max = 10;  // RFC 7208 4.6.4

struct OpenRecord {
  std::string domain;
  SpfRecord record;
  std::size_t next = 0;
  bool may_pass = true;        // what matches in it passes: it was included by `+`
  bool is_redirected = false;  // it took the place of the one below, which has nothing left
};

class SpfWalk {
 public:
  SpfWalk(std::string_view provider, const AskDns& ask)
      : provider_(plain_name(provider)), ask_(ask) {}

  SpfFinding walk(std::string_view domain) {
    found_.domain = plain_name(domain);
    const DnsAnswer answer = ask_one(found_.domain, DnsType::txt);
    if (answer.result == DnsResult::failed) {
      fail(SpfStanding::temperror, answer.error);
      return std::move(found_);
    }
    found_.records = records_of(answer);
    if (found_.records.empty()) {
      return std::move(found_);
    }
    found_.standing = SpfStanding::usable;
    if (found_.records.size() > 1) {
      fail(SpfStanding::permerror,
           fmt::format("there are {} records that begin with v=spf1, and there may be one",
                       found_.records.size()));
      return std::move(found_);
    }
    open(found_.domain, found_.records.front(), {.may_pass = true, .is_redirected = false});
    while (!open_.empty() && found_.lookups < lookups_asked_max) {
      step();
    }
    conclude();
    return std::move(found_);
  }

 private:
  struct Entrance {
    bool may_pass;
    bool is_redirected;
  };

  static std::vector<std::string> records_of(const DnsAnswer& answer) {
    std::vector<std::string> records;
    std::copy_if(answer.values.begin(), answer.values.end(), std::back_inserter(records),
                 [](const std::string& text) { return is_spf(text); });
    return records;
  }

  DnsAnswer ask_one(const std::string& name, DnsType type) const {
    return std::move(ask_({DnsQuestion{name, type}}).front());
  }

  // The first problem is the one that a receiver meets.
  void fail(SpfStanding standing, std::string problem) {
    if (found_.problem.empty()) {
      found_.standing = standing;
      found_.problem = std::move(problem);
    }
  }

  void warn(std::string text) {
    const auto& said = found_.warnings;
    if (std::find(said.begin(), said.end(), text) == said.end()) {
      found_.warnings.push_back(std::move(text));
    }
  }

  void open(const std::string& domain, Bytes text, Entrance entrance) {
    auto record = parse_spf(text);
    if (!record) {
      fail(SpfStanding::permerror,
           open_.empty() ? record.error()
                         : fmt::format("in the record of {}: {}", domain, record.error()));
      return;
    }
    if (open_.empty()) {
      note_unreached(*record);
    }
    open_.push_back({domain, std::move(*record), 0, entrance.may_pass, entrance.is_redirected});
  }

  void note_unreached(const SpfRecord& record) {
    const SpfTerm* const all = record.all();
    if (all == nullptr) {
      return;
    }
    if (all != &record.terms.back()) {
      warn(fmt::format("what stands behind {} is never looked at: {}", all->text,
                       record.terms.back().text));
    }
    if (!record.redirect.empty()) {
      warn("redirect= counts for nothing beside all");
    }
  }

  void step() {
    OpenRecord& top = open_.back();
    const std::size_t depth = open_.size() - 1;
    if (top.next == top.record.terms.size()) {
      redirect_or_close(depth);
      return;
    }
    const SpfTerm term = top.record.terms[top.next++];
    if (term.mechanism == SpfMechanism::all) {
      found_.all = is_outermost() ? term.qualifier : found_.all;
      open_.pop_back();  // RFC 7208 5.1: nothing behind it counts
      close_redirected();
      return;
    }
    if (term.mechanism == SpfMechanism::ip4 || term.mechanism == SpfMechanism::ip6) {
      return;
    }
    begin_lookup(top.domain, term.text, depth);
    note_provider(top, term);
    if (term.has_macro) {
      warn(fmt::format("{} depends on the mail: it is counted and not followed",
                       codec::in_quotes(term.text)));
      return;
    }
    const std::string target = term.target.empty() ? top.domain : plain_name(term.target);
    if (term.mechanism == SpfMechanism::include) {
      enter(target, {.may_pass = top.may_pass && term.qualifier == '+', .is_redirected = false});
    } else {
      look_up(term, target);
    }
  }

  // Whether the record on top is the domain's own, or took its place.
  [[nodiscard]] bool is_outermost() const {
    return std::all_of(open_.begin() + 1, open_.end(),
                       [](const OpenRecord& one) { return one.is_redirected; });
  }

  void redirect_or_close(std::size_t depth) {
    OpenRecord& top = open_.back();
    if (top.record.redirect.empty() || top.record.all() != nullptr) {
      open_.pop_back();
      close_redirected();
      return;
    }
    const std::string target = plain_name(top.record.redirect);
    const std::string text = "redirect=" + top.record.redirect;
    const bool has_macro = top.record.redirect_has_macro;
    const bool may_pass = top.may_pass;
    top.record.redirect.clear();
    begin_lookup(top.domain, text, depth);
    if (has_macro) {
      warn(fmt::format("{} depends on the mail: it is counted and not followed",
                       codec::in_quotes(text)));
      return;
    }
    if (provider_ == "include:" + target && may_pass) {
      note_provider_at(top.domain);
    }
    enter(target, {.may_pass = may_pass, .is_redirected = true});
  }

  // Records that gave their place to the one that was closed have nothing left.
  void close_redirected() {
    while (!open_.empty() && open_.back().next == open_.back().record.terms.size() &&
           open_.back().record.redirect.empty()) {
      open_.pop_back();
    }
  }

  void begin_lookup(const std::string& domain, const std::string& term, std::size_t depth) {
    ++found_.lookups;
    found_.steps.push_back({depth, domain, term, false});
  }

  void note_provider(const OpenRecord& top, const SpfTerm& term) {
    const std::string text = fmt::format("{}:{}", name_of(term.mechanism), plain_name(term.target));
    if (provider_.empty() || text != provider_) {
      return;
    }
    if (term.qualifier == '+' && top.may_pass) {
      note_provider_at(top.domain);
    } else {
      warn(fmt::format("{} lets nobody pass: its sign, or that of what includes it, is not +",
                       codec::in_quotes(term.text)));
    }
  }

  void note_provider_at(const std::string& domain) {
    if (!found_.provider_after) {
      found_.provider_after = found_.lookups;
      found_.provider_in = domain;
    }
  }

  void note_void() {
    ++found_.void_lookups;
    found_.steps.back().is_void = true;
  }

  void enter(const std::string& target, Entrance entrance) {
    const bool is_open = std::any_of(open_.begin(), open_.end(),
                                     [&](const OpenRecord& one) { return one.domain == target; });
    if (is_open) {
      fail(SpfStanding::permerror,
           fmt::format("{} refers to itself by way of {}", target, open_.back().domain));
      return;
    }
    const DnsAnswer answer = ask_one(target, DnsType::txt);
    if (answer.result == DnsResult::failed) {
      fail(SpfStanding::temperror, fmt::format("{}: {}", target, answer.error));
      return;
    }
    if (answer.is_void()) {
      note_void();
    }
    const std::vector<std::string> records = records_of(answer);
    if (records.size() != 1) {
      fail(
          SpfStanding::permerror,
          records.empty()
              ? fmt::format("{} has no SPF record, and {} in the record of {} needs one", target,
                            codec::in_quotes(found_.steps.back().term), open_.back().domain)
              : fmt::format("{} has {} SPF records, and there may be one", target, records.size()));
      return;
    }
    open(target, records.front(), entrance);
  }

  void look_up(const SpfTerm& term, const std::string& target) {
    if (term.mechanism == SpfMechanism::ptr) {
      warn("ptr is slow and should not be used (RFC 7208 5.5)");
      return;  // it asks for the name of an address that only the mail has
    }
    const bool is_mx = term.mechanism == SpfMechanism::mx;
    DnsAnswer answer = ask_one(target, is_mx ? DnsType::mx : DnsType::a);
    if (term.mechanism == SpfMechanism::a && answer.is_void()) {
      answer = ask_one(target, DnsType::aaaa);
    }
    if (answer.result == DnsResult::failed) {
      fail(SpfStanding::temperror, fmt::format("{}: {}", target, answer.error));
    } else if (answer.is_void()) {
      note_void();
    } else if (is_mx && answer.values.size() > mx_hosts_max) {
      fail(SpfStanding::permerror, fmt::format("{} names {} hosts for mx, and {} are allowed",
                                               target, answer.values.size(), mx_hosts_max));
    }
  }

  void conclude() {
    const std::string_view more = open_.empty() ? "" : "more than ";
    if (found_.too_many()) {
      fail(SpfStanding::permerror,
           fmt::format("it needs {}{} look-ups, and {} are allowed (RFC 7208 4.6.4)", more,
                       found_.lookups, spf_lookups_max));
    }
    if (found_.void_lookups > spf_void_lookups_max) {
      fail(SpfStanding::permerror,
           fmt::format("{} look-ups find nothing, and {} may (RFC 7208 4.6.4)", found_.void_lookups,
                       spf_void_lookups_max));
    }
  }

  std::string provider_;
  const AskDns& ask_;
  std::vector<OpenRecord> open_;
  SpfFinding found_;
};

}  // namespace

std::string_view name_of(SpfStanding standing) {
  constexpr std::string_view names[] = {"none", "usable", "permerror", "temperror"};
  return names[static_cast<std::size_t>(standing)];
}

SpfFinding walk_spf(std::string_view domain, std::string_view provider, const AskDns& ask) {
  return SpfWalk(provider, ask).walk(domain);
}

}  // namespace ringpost::cli
