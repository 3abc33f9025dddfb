// The problem: a key of a listener needs a name, a check, a default, a help and a way to be shown,
// as any other. The idea: the same rows as those of endpoints, over one draft that has a member for
// each kind of section, so that whoever reads, shows or describes sections knows none of them by
// itself. Limits: a row looks at its own value alone; what keys say together is the command's
// matter.
#include "tools/settings/serve_setting.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "tools/process/wording.h"
#include "tools/settings/section_value.h"
#include <ringpost/limits.h>

namespace ringpost::cli {

namespace {

std::string show_no_words(const ServeDraft& /*draft*/) { return {}; }

constexpr bool is_file = true;

constexpr SectionKey serve_keys[] = {
    {"outcomes", "FILE", "Outcome lines, one per recipient, are added there; SIGHUP opens it anew",
     SettingKind::text, is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_some_text(value, draft.serve.outcomes_path);
     },
     show_no_words},
    {"messages_in_flight", "N", "Messages that wait for their outcomes; more wait for these",
     SettingKind::number, !is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_some_count(value, {.min = 1, .max = 1'000'000}, draft.serve.messages_max);
     },
     [](const ServeDraft& draft) { return fmt::format("{}", draft.serve.messages_max); }},
    {"bytes_in_flight", "N", "Octets of those messages", SettingKind::number, !is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_some_count(value, {.min = 1, .max = std::uint64_t{1} << 40},
                               draft.serve.bytes_max);
     },
     [](const ServeDraft& draft) { return fmt::format("{}", draft.serve.bytes_max); }},
    {"spool", "DIR", "Mail is stored there that is answered before a provider has it",
     SettingKind::text, is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_some_text(value, draft.serve.spool_folder);
     },
     show_no_words},
    {"spool_bytes", "N", "Octets of stored jobs; more hear 452, or 429", SettingKind::number,
     !is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_some_count(value, {.min = 1000, .max = std::uint64_t{1} << 50},
                               draft.serve.spool_bytes_max);
     },
     [](const ServeDraft& draft) { return fmt::format("{}", draft.serve.spool_bytes_max); }},
    {"spool_keep", "DURATION", "How long stored mail is tried; then it is `expired`",
     SettingKind::number, !is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return take(parse_duration(value.text()), draft.serve.spool_keep);
     },
     [](const ServeDraft& draft) { return duration_text(draft.serve.spool_keep); }},
};

template <auto member>
Applied apply_smtp_text(const SettingValue& value, ServeDraft& draft) {
  return apply_some_text(value, draft.smtp.*member);
}

template <auto member, std::uint64_t min, std::uint64_t max>
Applied apply_smtp_count(const SettingValue& value, ServeDraft& draft) {
  return apply_some_count(value, {.min = min, .max = max}, draft.smtp.*member);
}

Applied apply_time(const SettingValue& value, Duration& into) {
  Applied taken = take(parse_duration(value.text()), into);
  if (taken && into < std::chrono::seconds(1)) {
    return Failure(std::string("less than a second lets nothing succeed"));
  }
  return taken;
}

template <auto member>
Applied apply_smtp_time(const SettingValue& value, ServeDraft& draft) {
  return apply_time(value, draft.smtp.*member);
}

template <auto member>
Applied apply_route_text(const SettingValue& value, ServeDraft& draft) {
  return apply_some_text(value, draft.route.*member);
}

template <auto member>
std::string show_smtp_count(const ServeDraft& draft) {
  return fmt::format("{}", draft.smtp.*member);
}

template <auto member>
std::string show_smtp_time(const ServeDraft& draft) {
  return duration_text(draft.smtp.*member);
}

Applied apply_reply_when(const SettingValue& value, ServeDraft& draft) {
  if (value.text() != "end-to-end" && value.text() != "stored") {
    return Failure(
        fmt::format("{} is neither \"end-to-end\" nor \"stored\"", in_quotes(value.text())));
  }
  draft.smtp.reply = value.text() == "stored" ? ReplyWhen::stored : ReplyWhen::end_to_end;
  return {};
}

constexpr std::pair<std::string_view, ListenSecurity> security_words[] = {
    {"off", ListenSecurity::off},
    {"starttls", ListenSecurity::starttls},
    {"implicit", ListenSecurity::implicit}};

Applied apply_listen_tls(const SettingValue& value, ServeDraft& draft) {
  for (const auto& [word, security] : security_words) {
    if (value.text() == word) {
      draft.smtp.tls = security;
      return {};
    }
  }
  return Failure(
      fmt::format("{} is none of \"off\", \"starttls\" and \"implicit\"", in_quotes(value.text())));
}

std::string show_listen_tls(const ServeDraft& draft) {
  return std::string(security_words[static_cast<std::size_t>(draft.smtp.tls)].first);
}

using Smtp = SmtpListenOptions;
constexpr std::uint64_t any_number = 1'000'000'000;

constexpr SectionKey smtp_keys[] = {
    {"address", "ADDRESS:PORT", "Where clients connect", SettingKind::text, !is_file,
     apply_smtp_text<&Smtp::address>, [](const ServeDraft& draft) { return draft.smtp.address; }},
    {"reply", "end-to-end|stored",
     "The end of data is answered when the provider has answered, or when the spool has it",
     SettingKind::text, !is_file, apply_reply_when,
     [](const ServeDraft& draft) {
       return std::string(draft.smtp.reply == ReplyWhen::stored ? "stored" : "end-to-end");
     }},
    {"tls", "off|starttls|implicit", "How TLS comes onto the connection; off on loopback alone",
     SettingKind::text, !is_file, apply_listen_tls, show_listen_tls},
    {"certificate", "FILE", "PEM, with the chain", SettingKind::text, is_file,
     apply_smtp_text<&Smtp::certificate_file>, show_no_words},
    {"key", "FILE", "Its private key", SettingKind::text, is_file, apply_smtp_text<&Smtp::key_file>,
     show_no_words},
    {"users", "FILE", "Names and hashes of who may log in; without it nobody has to, on loopback",
     SettingKind::text, is_file, apply_smtp_text<&Smtp::users_file>, show_no_words},
    {"hostname", "NAME", "In the greeting and in Received [the machine's]", SettingKind::text,
     !is_file, apply_smtp_text<&Smtp::host_name>, show_no_words},
    {"clients", "N", "Connections at a time; more hear 421", SettingKind::number, !is_file,
     apply_smtp_count<&Smtp::clients_max, 1, 1'000'000>, show_smtp_count<&Smtp::clients_max>},
    {"messages_per_connection", "N", "Messages of a connection; then it hears 421",
     SettingKind::number, !is_file, apply_smtp_count<&Smtp::messages_per_connection, 1, any_number>,
     show_smtp_count<&Smtp::messages_per_connection>},
    {"recipients_per_message", "N", "Recipients of a transaction; more hear 452",
     SettingKind::number, !is_file,
     apply_smtp_count<&Smtp::recipients_per_message, 1, limits::job_recipients_max>,
     show_smtp_count<&Smtp::recipients_per_message>},
    {"bytes_per_message", "N", "Octets of a message, announced as SIZE; more hear 552",
     SettingKind::number, !is_file,
     apply_smtp_count<&Smtp::bytes_per_message, 1000, std::uint64_t{1} << 40>,
     show_smtp_count<&Smtp::bytes_per_message>},
    {"incoming_bytes", "N", "Octets of all messages that are on their way in; more hear 452",
     SettingKind::number, !is_file,
     apply_smtp_count<&Smtp::incoming_bytes, 1000, std::uint64_t{1} << 40>,
     show_smtp_count<&Smtp::incoming_bytes>},
    {"errors", "N", "Refused commands without a message between them; then 421",
     SettingKind::number, !is_file, apply_smtp_count<&Smtp::errors_max, 1, any_number>,
     show_smtp_count<&Smtp::errors_max>},
    {"idle_timeout", "DURATION", "Silence of a client; then 421", SettingKind::number, !is_file,
     apply_smtp_time<&Smtp::idle_timeout>, show_smtp_time<&Smtp::idle_timeout>},
    {"answer_within", "DURATION",
     "How long a client waits for the provider's answer; then 451, and nothing more is tried",
     SettingKind::number, !is_file, apply_smtp_time<&Smtp::answer_within>,
     show_smtp_time<&Smtp::answer_within>},
};

using Http = HttpListenOptions;

// "unix:PATH" is no path as others are: what stands in front of it is left alone.
constexpr SectionKey http_keys[] = {
    {"address", "ADDRESS:PORT|unix:PATH", "Where clients connect: on loopback, or a socket's file",
     SettingKind::text, !is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_some_text(value, draft.http.address);
     },
     [](const ServeDraft& draft) { return draft.http.address; }},
    {"token_file", "FILE", "What clients have to send as Authorization: Bearer", SettingKind::text,
     is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_some_text(value, draft.http.token_file);
     },
     show_no_words},
    {"clients", "N", "Connections at a time; more hear 503", SettingKind::number, !is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_some_count(value, {.min = 1, .max = 100'000}, draft.http.clients_max);
     },
     [](const ServeDraft& draft) { return fmt::format("{}", draft.http.clients_max); }},
    {"answer_within", "DURATION",
     "How long a job of /v1/inject waits for its outcomes; then 504, and nothing more is tried",
     SettingKind::number, !is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_time(value, draft.http.answer_within);
     },
     show_no_words},
};

constexpr SectionKey route_keys[] = {
    {"user", "NAME", "Who has logged in; everybody without it", SettingKind::text, !is_file,
     apply_route_text<&RouteOptions::user>, show_no_words},
    {"sender_domain", "DOMAIN", "Of the envelope's sender; any without it", SettingKind::text,
     !is_file, apply_route_text<&RouteOptions::sender_domain>, show_no_words},
    {"endpoint", "NAME", "The endpoint by which these messages go", SettingKind::text, !is_file,
     apply_route_text<&RouteOptions::endpoint>, show_no_words},
};

constexpr SectionKey watch_keys[] = {
    {"path", "FOLDER", "Job files that are renamed into it are sent", SettingKind::text, is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_some_text(value, draft.watch.path);
     },
     show_no_words},
    {"files", "N", "Files that are sent at a time", SettingKind::number, !is_file,
     [](const SettingValue& value, ServeDraft& draft) {
       return apply_some_count(value, {.min = 1, .max = 64}, draft.watch.files_max);
     },
     [](const ServeDraft& draft) { return fmt::format("{}", draft.watch.files_max); }},
};

const Section sections[] = {
    {"listen.http", true, http_keys},  {"listen.smtp", true, smtp_keys},
    {"nats", false, nats_keys()},      {"serve", false, serve_keys},
    {"serve.route", true, route_keys}, {"watch", true, watch_keys},
    {"webhook", true, webhook_keys},
};

}  // namespace

const SectionKey* Section::find(Bytes key) const {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [key](const SectionKey& one) { return one.name == key; });
  return found == keys.end() ? nullptr : &*found;
}

std::string Section::heading() const {
  return fmt::format("{}{}{}", is_list ? "[[" : "[", name, is_list ? "]]" : "]");
}

std::span<const Section> serve_sections() { return sections; }

const Section* find_section(Bytes name) {
  const auto* const found =
      std::find_if(std::begin(sections), std::end(sections),
                   [name](const Section& section) { return section.name == name; });
  return found == std::end(sections) ? nullptr : found;
}

void apply_section(const Section& section, const SettingMap& settings, ServeDraft& draft) {
  for (const auto& [name, value] : settings) {
    const SectionKey* const key = section.find(name);
    RP_ASSERT(key != nullptr);
    const Applied applied = key->apply(value, draft);
    RP_ASSERT(applied);
  }
}

}  // namespace ringpost::cli
