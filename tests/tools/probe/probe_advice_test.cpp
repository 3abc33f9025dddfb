#include "tools/probe/probe_advice.h"

#include <set>

#include <catch2/catch_test_macros.hpp>

#include "tools/probe/probe_json.h"
#include "tools/probe/probe_report.h"

using namespace ringpost;
using namespace ringpost::cli;

namespace {

constexpr std::int64_t day = 86'400;

ProbeFinding finding_with(ProbeFault fault) {
  ProbeFinding finding;
  finding.name = finding.endpoint.host = "mail.example.com";
  finding.endpoint.username = "u";
  finding.timeout = std::chrono::seconds(10);
  PortFinding port;
  port.port = 587;
  port.fault = fault;
  port.ms.fill(-1);
  finding.ports.push_back(std::move(port));
  return finding;
}

}  // namespace

TEST_CASE("probe advice: every fault has words of its own and something to do") {
  std::set<std::string> seen;
  for (std::size_t index = 1; index < probe_fault_count; ++index) {
    const auto fault = static_cast<ProbeFault>(index);
    const ProbeFinding finding = finding_with(fault);
    const FaultWords words = explain_fault(finding.ports.front(), finding);
    CAPTURE(name_of(fault), words.what);
    CHECK_FALSE(words.what.empty());
    CHECK_FALSE(words.next.empty());
    CHECK(seen.insert(words.what).second);
    CHECK_FALSE(name_of(fault).empty());
    CHECK(probe_text(finding, {}).find("No port of") != std::string::npos);
    CHECK(probe_json(finding).find(name_of(fault)) != std::string::npos);
  }
}

TEST_CASE("probe advice: a blocked port names the ports that were not tried, then none") {
  ProbeFinding finding = finding_with(ProbeFault::no_answer);
  CHECK(untried_ports(finding) == "465 or 2525");
  CHECK(explain_fault(finding.ports.front(), finding).next[1].find("465 or 2525") !=
        std::string::npos);
  for (const std::uint16_t port : std::vector<std::uint16_t>{465, 2525}) {
    finding.ports.push_back(finding.ports.front());
    finding.ports.back().port = port;
  }
  CHECK(untried_ports(finding).empty());
  CHECK(probe_text(finding, {}).find("all submission ports are blocked") != std::string::npos);
  finding.ports.front().port = 25;
  CHECK(explain_fault(finding.ports.front(), finding).next[0].find("port 25") != std::string::npos);
}

TEST_CASE("probe advice: days are whole days, and below zero when it is over") {
  tls::PeerCertificate certificate;
  certificate.not_after = 100 * day;
  CHECK(days_left(certificate, 100 * day) == 0);
  CHECK(days_left(certificate, 99 * day) == 1);
  CHECK(days_left(certificate, 99 * day + 1) == 0);
  CHECK(days_left(certificate, 100 * day + 1) == -1);
  CHECK(days_left(certificate, 102 * day) == -2);
  CHECK(date_text(0) == "1970-01-01");
  CHECK(date_text(1'795'219'200) == "2026-11-21");
}

TEST_CASE("probe advice: all that is wrong with a certificate is told") {
  TlsFinding found;
  CHECK(certificate_problems(found, "h", 0).empty());
  tls::PeerCertificate certificate;
  certificate.names.hosts = {"h"};
  certificate.not_before = 0;
  certificate.not_after = 10 * day;
  found.certificates = {certificate, certificate};
  CHECK(certificate_problems(found, "h", 5 * day).empty());
  found.certificates[1].not_after = 2 * day;
  found.certificates[1].subject_common_name = "CA";
  CHECK(certificate_problems(found, "h", 5 * day) ==
        std::vector<std::string>{
            "the CA certificate \"CA\" above it expired on 1970-01-03 (3 days ago)"});
  found.certificates[0].not_before = 6 * day;
  CHECK(certificate_problems(found, "other", 5 * day).size() == 3);
}

TEST_CASE("probe report: a server's words reach neither terminal nor JSON unescaped") {
  ProbeFinding finding = finding_with(ProbeFault::greeting_refused);
  PortFinding& port = finding.ports.front();
  const std::string hostile =
      "\x1b]0;x\x07\x9b"
      "31m\xc2\x9b\r\n\x7f\xff";
  port.greeting = {220, "", hostile};
  port.fault_answer = {554, "", hostile};
  port.hello = read_ehlo_reply("mx\nX" + hostile);
  port.transcript.push_back({TranscriptLine::Side::server, false, 1, hostile});
  port.tls.emplace();
  tls::PeerCertificate certificate;
  certificate.subject = certificate.subject_common_name = certificate.issuer = hostile;
  certificate.names.hosts = {hostile};
  port.tls->certificates.push_back(certificate);
  for (const std::string& text :
       {probe_text(finding, {.color = false, .transcript = true}), probe_json(finding)}) {
    for (const char octet : text) {
      const auto value = static_cast<unsigned char>(octet);
      const bool safe = octet == '\n' || (value >= 0x20 && value != 0x7f);
      CHECK(safe);
    }
    CHECK(text.find("\xc2\x9b") == std::string::npos);
    CHECK(text.find('\xff') == std::string::npos);
  }
}
