// The problem: programs want to tell what was not seen from what is empty. The idea: what never
// came is left out, and a member is null where the server could have said something and did not;
// the words are those of the text report, the kinds beside them are for comparing. Limits: texts
// are cut at 1 KiB.
#include "tools/probe/probe_json.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "codec/text/unix_date.h"
#include "tools/probe/domain_json.h"
#include "tools/probe/json_writer.h"
#include "tools/probe/probe_advice.h"
#include "tools/probe/probe_verdict.h"
#include "tools/settings/endpoint_setting.h"

namespace ringpost::cli {

namespace {

std::string time_text(std::int64_t unix_seconds) {
  std::string text;
  codec::append_rfc3339(text, unix_seconds * 1'000'000);
  return text;
}

void add_answer(JsonWriter& json, std::string_view name, const SmtpAnswer& answer) {
  if (answer.code == 0) {
    return;
  }
  json.open(name, '{');
  json.number("code", answer.code);
  if (!answer.enhanced.empty()) {
    json.text("enhanced", answer.enhanced);
  }
  json.text("text", answer.text);
  json.close('}');
}

void add_ehlo(JsonWriter& json, std::string_view name, const std::optional<EhloReply>& reply) {
  if (!reply) {
    return;
  }
  json.open(name, '{');
  json.text("domain", reply->domain);
  json.texts("keywords", reply->keywords);
  json.close('}');
}

void add_capabilities(JsonWriter& json, const EhloReply& offer) {
  const codec::Capabilities& capabilities = offer.capabilities;
  json.open("capabilities", '{');
  json.boolean("pipelining", capabilities.pipelining);
  json.boolean("chunking", capabilities.chunking);
  json.boolean("8bitmime", capabilities.eight_bit_mime);
  json.boolean("smtputf8", capabilities.smtputf8);
  json.boolean("dsn", capabilities.dsn);
  json.boolean("enhanced_status_codes", capabilities.enhanced_status_codes);
  json.open("auth", '[');
  for (std::size_t index = 0; index < auth_mechanism_count; ++index) {
    const auto mechanism = static_cast<AuthMechanism>(index);
    if (capabilities.offers(mechanism)) {
      json.text(codec::name_of(mechanism));
    }
  }
  json.close(']');
  json.close('}');
  json.open("limits", '{');
  const auto limit = [&json](std::string_view name, std::optional<std::uint64_t> value) {
    value ? json.number(name, static_cast<std::int64_t>(*value & INT64_MAX)) : json.null(name);
  };
  const std::uint64_t bytes = capabilities.message_bytes_max;
  limit("message_bytes", bytes == 0 ? std::nullopt : std::optional(bytes));
  limit("recipients_per_message", capabilities.announced_limits.recipients);
  limit("messages_per_connection", capabilities.announced_limits.session_messages);
  limit("recipient_domains_per_message", capabilities.announced_limits.recipient_domains);
  json.close('}');
  json.text("mode", name_of(submission_mode(capabilities)));
}

void add_certificate(JsonWriter& json, const tls::PeerCertificate& certificate,
                     const ProbeFinding& finding) {
  json.text("subject", certificate.subject);
  json.text("issuer", certificate.issuer);
  json.boolean("self_issued", certificate.self_issued);
  json.text("not_before", time_text(certificate.not_before));
  json.text("not_after", time_text(certificate.not_after));
  json.number("days_left", days_left(certificate, finding.unix_seconds));
  json.texts("hosts", certificate.names.hosts);
  json.texts("addresses", tls::address_texts(certificate.names));
  json.text("serial", certificate.serial);
  json.text("sha256", certificate.sha256);
  json.text("key", certificate.key);
}

void add_tls(JsonWriter& json, const PortFinding& port, const ProbeFinding& finding) {
  if (!port.tls) {
    return;
  }
  const TlsFinding& found = *port.tls;
  json.open("tls", '{');
  if (!found.version.empty()) {
    json.text("version", found.version);
    json.text("cipher", found.cipher);
    json.boolean("resumed", found.resumed);
  }
  json.boolean("verified", found.verified);
  if (found.error) {
    json.text("error", tls::name_of(found.error->kind));
  }
  json.number("chain_length", static_cast<std::int64_t>(found.certificates.size()));
  json.close('}');
  if (!found.certificates.empty()) {
    json.open("certificate", '{');
    add_certificate(json, found.certificates.front(), finding);
    json.texts("problems",
               certificate_problems(found, finding.endpoint.host, finding.unix_seconds));
    json.close('}');
  }
}

void add_auth(JsonWriter& json, const PortFinding& port) {
  json.open("auth", '{');
  json.boolean("tried", port.auth.tried);
  json.boolean("accepted", port.auth.accepted);
  if (port.auth.tried) {
    json.text("mechanism", port.auth.mechanism);
    add_answer(json, "reply", port.auth.answer);
  }
  json.close('}');
}

void add_fault(JsonWriter& json, const PortFinding& port, const ProbeFinding& finding) {
  if (port.usable()) {
    return;
  }
  const FaultWords words = explain_fault(port, finding);
  json.open("fault", '{');
  json.text("kind", name_of(port.fault));
  json.text("step", name_of(port.fault_step));
  json.text("message", words.what);
  json.texts("next", words.next);
  add_answer(json, "reply", port.fault_answer);
  json.close('}');
}

void add_times(JsonWriter& json, const PortFinding& port) {
  json.open("ms", '{');
  for (std::size_t index = 0; index < probe_step_count; ++index) {
    if (port.ms[index] >= 0) {
      json.milliseconds(name_of(static_cast<ProbeStep>(index)), port.ms[index]);
    }
  }
  json.close('}');
  json.number("round_trips", port.round_trips);
}

void add_transcript(JsonWriter& json, const PortFinding& port) {
  constexpr std::string_view sides[] = {"client", "server", "note"};
  json.open("transcript", '[');
  for (const TranscriptLine& line : port.transcript) {
    json.open('{');
    json.milliseconds("at_ms", line.at_ms);
    json.text("from", sides[static_cast<std::size_t>(line.side)]);
    json.boolean("tls", line.under_tls);
    json.text("text", line.text);
    json.close('}');
  }
  json.close(']');
  json.boolean("transcript_cut", port.transcript_cut);
}

void add_port(JsonWriter& json, const PortFinding& port, const ProbeFinding& finding) {
  json.open('{');
  json.number("port", port.port);
  json.text("security", name_of(port.security));
  json.boolean("usable", port.usable());
  add_fault(json, port, finding);
  json.text("address", port.address);
  json.texts("failed_addresses", port.failed_addresses);
  add_times(json, port);
  add_answer(json, "greeting", port.greeting);
  add_ehlo(json, "ehlo", port.hello);
  add_ehlo(json, "ehlo_tls", port.hello_tls);
  add_tls(json, port, finding);
  if (port.offer() != nullptr) {
    add_capabilities(json, *port.offer());
  }
  add_auth(json, port);
  add_transcript(json, port);
  json.close('}');
}

void add_dns(JsonWriter& json, const ProbeFinding& finding) {
  json.open("dns", '{');
  json.texts("addresses", finding.dns.addresses);
  json.milliseconds("ms", finding.dns.ms);
  if (!finding.dns.error.empty()) {
    const FaultWords words = explain_name(finding);
    json.text("error", words.what);
    json.texts("next", words.next);
    json.boolean("temporary", finding.dns.may_resolve_later);
  }
  json.close('}');
}

void add_verdict(JsonWriter& json, const ProbeFinding& finding) {
  const ProbeVerdict verdict = judge(finding);
  json.open("verdict", '{');
  json.boolean("usable", verdict.best != nullptr);
  if (verdict.best != nullptr) {
    json.number("port", verdict.best->port);
    json.text("security", name_of(verdict.best->security));
    json.texts("reasons", verdict.reasons);
    json.text("mode", name_of(verdict.mode));
    json.milliseconds("round_trip_ms", verdict.round_trip_ms);
    json.text("url", verdict.url);
    json.text("toml", verdict.toml);
  }
  json.close('}');
}

}  // namespace

std::string probe_json(const ProbeFinding& finding) {
  JsonWriter json;
  json.open('{');
  json.text("endpoint", finding.name);
  json.text("host", finding.endpoint.host);
  if (!finding.endpoint.username.empty()) {
    json.text("username", finding.endpoint.username);
  }
  json.text("ts", time_text(finding.unix_seconds));
  add_dns(json, finding);
  json.open("ports", '[');
  for (const PortFinding& port : finding.ports) {
    add_port(json, port, finding);
  }
  json.close(']');
  add_verdict(json, finding);
  if (finding.domain) {
    add_domain(json, *finding.domain);
  }
  json.close('}');
  return json.json() + "\n";
}

}  // namespace ringpost::cli
