// The rows of [nats]. What they say together (a user without a password, say) is the matter of
// whoever connects.
#include "tools/settings/nats_setting.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/process/numbers.h"
#include "tools/process/wording.h"
#include "tools/settings/applied.h"
#include "tools/settings/serve_setting.h"

namespace ringpost::cli {

namespace {

using Nats = NatsOptions;

// Of streams, consumers and buckets: what NATS takes and a shell needs no quotes for.
Applied apply_nats_name(const SettingValue& value, std::string& into) {
  const std::string& text = value.text();
  const bool is_name = !text.empty() && text.size() <= 64 &&
                       text.find_first_not_of(
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                           "0123456789_-") == std::string::npos;
  if (!is_name) {
    return Failure(
        fmt::format("{} is no name: letters, digits, _ and -, at most 64", in_quotes(text)));
  }
  into = text;
  return {};
}

// Tokens with dots between them; `*` and `>` where several subjects may be meant.
Applied apply_nats_subject(const SettingValue& value, bool takes_wildcards, std::string& into) {
  const std::string& text = value.text();
  const bool has_odd = std::any_of(text.begin(), text.end(), [takes_wildcards](char c) {
    return c <= ' ' || c > '~' || (!takes_wildcards && (c == '*' || c == '>'));
  });
  if (text.empty() || has_odd || text.front() == '.' || text.back() == '.' ||
      text.find("..") != std::string::npos) {
    return Failure(fmt::format("{} is no subject of NATS{}", in_quotes(text),
                               takes_wildcards ? "" : " to which messages are published"));
  }
  into = text;
  return {};
}

Applied apply_nats_text(const SettingValue& value, std::string& into) {
  if (value.text().empty() || value.text().find('\0') != std::string::npos) {
    return Failure(std::string("it is empty, or has a NUL"));
  }
  into = value.text();
  return {};
}

template <auto member>
Applied apply_nats_plain(const SettingValue& value, ServeDraft& draft) {
  return apply_nats_text(value, draft.nats.*member);
}

template <auto member>
Applied apply_nats_called(const SettingValue& value, ServeDraft& draft) {
  return apply_nats_name(value, draft.nats.*member);
}

template <auto member>
std::string show_nats_text(const ServeDraft& draft) {
  return draft.nats.*member;
}

template <auto member, std::uint64_t max>
Applied apply_nats_count(const SettingValue& value, ServeDraft& draft) {
  return take(parse_number(value.text(), {.min = 1, .max = max}), draft.nats.*member);
}

template <auto member>
std::string show_nats_count(const ServeDraft& draft) {
  return fmt::format("{}", draft.nats.*member);
}

std::string show_nothing(const ServeDraft& /*draft*/) { return {}; }

constexpr bool is_a_file = true;

constexpr SectionKey nats_rows[] = {
    {"url", "URL[,URL...]", "Servers of the cluster, as nats://HOST:PORT or tls://HOST:PORT",
     SettingKind::text, !is_a_file, apply_nats_plain<&Nats::url>, show_nothing},
    {"user", "NAME", "Who logs in, with password_file", SettingKind::text, !is_a_file,
     apply_nats_plain<&Nats::user>, show_nothing},
    {"password_file", "FILE", "The password of that user", SettingKind::text, is_a_file,
     apply_nats_plain<&Nats::password_file>, show_nothing},
    {"credentials", "FILE", "A file of nsc, in the place of user and password", SettingKind::text,
     is_a_file, apply_nats_plain<&Nats::credentials_file>, show_nothing},
    {"ca", "FILE", "CA of the servers; with it TLS is a must", SettingKind::text, is_a_file,
     apply_nats_plain<&Nats::ca_file>, show_nothing},
    {"jobs_stream", "NAME", "Stream that jobs are taken from", SettingKind::text, !is_a_file,
     apply_nats_called<&Nats::jobs_stream>, show_nats_text<&Nats::jobs_stream>},
    {"jobs_subject", "SUBJECT", "Where jobs are published, for nats setup", SettingKind::text,
     !is_a_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_nats_subject(value, true, draft.nats.jobs_subject);
     },
     show_nats_text<&Nats::jobs_subject>},
    {"consumer", "NAME", "Durable pull consumer of that stream, the same for all nodes",
     SettingKind::text, !is_a_file, apply_nats_called<&Nats::consumer>,
     show_nats_text<&Nats::consumer>},
    {"outcomes_stream", "NAME", "Stream that keeps outcome lines", SettingKind::text, !is_a_file,
     apply_nats_called<&Nats::outcomes_stream>, show_nats_text<&Nats::outcomes_stream>},
    {"outcomes_subject", "SUBJECT", "Where outcome lines are published", SettingKind::text,
     !is_a_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_nats_subject(value, false, draft.nats.outcomes_subject);
     },
     show_nats_text<&Nats::outcomes_subject>},
    {"bucket", "NAME", "Key-value bucket in which nodes say what they have in hand",
     SettingKind::text, !is_a_file, apply_nats_called<&Nats::bucket>,
     show_nats_text<&Nats::bucket>},
    {"batch", "N", "Jobs of a pull at most", SettingKind::number, !is_a_file,
     apply_nats_count<&Nats::batch, 1000>, show_nats_count<&Nats::batch>},
    {"jobs_in_flight", "N",
     "Jobs that this node has in hand; as many are unknown when it is killed", SettingKind::number,
     !is_a_file, apply_nats_count<&Nats::jobs_in_flight, 20'000>,
     show_nats_count<&Nats::jobs_in_flight>},
    {"retry_after", "DURATION",
     "Before the next round of a job that the provider put off; doubled each time, up to 1h",
     SettingKind::number, !is_a_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return take(parse_duration(value.text()), draft.nats.retry_after);
     },
     [](const ServeDraft& draft) { return duration_text(draft.nats.retry_after); }},
    {"rounds", "N", "Rounds of such a job; behind the last one its outcome is deferred",
     SettingKind::number, !is_a_file, apply_nats_count<&Nats::rounds, 1000>,
     show_nats_count<&Nats::rounds>},
    {"on_unknown", "hold|resend", "What becomes of jobs that a node had in hand when it died",
     SettingKind::text, !is_a_file,
     [](const SettingValue& value, ServeDraft& draft) -> Applied {
       if (value.text() != "hold" && value.text() != "resend") {
         return Failure(
             fmt::format("{} is neither \"hold\" nor \"resend\"", in_quotes(value.text())));
       }
       draft.nats.resends_unknown = value.text() == "resend";
       return {};
     },
     [](const ServeDraft& draft) {
       return std::string(draft.nats.resends_unknown ? "resend" : "hold");
     }},
};

}  // namespace

std::span<const SectionKey> nats_keys() { return nats_rows; }

}  // namespace ringpost::cli
