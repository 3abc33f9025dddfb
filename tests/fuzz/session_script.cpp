#include "tests/fuzz/session_script.h"

#include <array>

#include "tests/fuzz/fuzz_input.h"
#include "tests/support/mail.h"

namespace ringpost::fuzz {

namespace {

using protocol::Pipelining;

constexpr std::size_t jobs_max = 6;
constexpr std::size_t recipients_max = 8;
constexpr std::size_t flight_bytes_small = 100;
// More would only be slow.
constexpr std::size_t steps_max = 400;

constexpr std::array<Bytes, 28> known_replies = {"220 mx\r\n",
                                                 "354 go\r\n",
                                                 "250 2.0.0 queued as 4F2A\r\n",
                                                 "250 2.1.0 sender ok\r\n",
                                                 "250 2.1.5 recipient ok\r\n",
                                                 "550 5.1.1 nobody\r\n",
                                                 "451 4.3.0 later\r\n",
                                                 "452 4.5.3 too many\r\n",
                                                 "452 full\r\n",
                                                 "552 5.5.3 too many\r\n",
                                                 "500 what?\r\n",
                                                 "502 5.5.1 not known\r\n",
                                                 "503 5.5.1 order\r\n",
                                                 "554 5.5.1 no valid recipients\r\n",
                                                 "421 4.3.2 bye\r\n",
                                                 "221 2.0.0 bye\r\n",
                                                 "235 2.7.0 ok\r\n",
                                                 "334 \r\n",
                                                 "334 VXNlcm5hbWU6\r\n",
                                                 "334 UGFzc3dvcmQ6\r\n",
                                                 "535 5.7.8 no\r\n",
                                                 "250-a\r\n250 b\r\n",
                                                 "250-a\r\n",
                                                 "25",
                                                 "250",
                                                 "999 x\r\n",
                                                 "250 ok\r\n250 ok\r\n354 go\r\n",
                                                 "250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n"};

std::string hello_reply(unsigned keywords) {
  constexpr std::array<Bytes, 8> names = {"PIPELINING", "CHUNKING", "STARTTLS", "AUTH PLAIN",
                                          "AUTH LOGIN", "8BITMIME", "DSN",      "SIZE 10000"};
  std::string reply;
  for (std::size_t i = 0; i < names.size(); ++i) {
    reply += (keywords >> i & 1u) != 0 ? "250-" + std::string(names[i]) + "\r\n" : std::string();
  }
  return "250-mx\r\n" + reply + "250 HELP\r\n";
}

void decode_options(FuzzInput& input, SessionScript& script) {
  protocol::SessionOptions& options = script.options;
  options.tls_mode = static_cast<protocol::TlsMode>(input.up_to(2));
  const unsigned login = input.octet();
  options.authenticate = (login & 1u) != 0;
  options.allow_plaintext_auth = (login & 2u) != 0;
  options.credentials = {"alice", "wonderland"};
  options.pipelining = static_cast<Pipelining>(input.up_to(protocol::pipelining_count - 1));
  options.messages_in_flight_max = input.octet();
  options.messages_max = input.octet();
  const unsigned recipients = input.octet();
  options.recipients_max = recipients == 0 ? 100 : recipients;
  const unsigned known = input.octet();
  script.knowledge.proven = static_cast<Pipelining>(known & 3u);
  script.knowledge.most = static_cast<Pipelining>(3u - (known >> 2 & 3u));
  // The oracle follows what is sent for each submission, once: ways of speaking are no trials.
  // Those are for random servers (session_random_test.cpp) and the simulation.
  for (const Pipelining step : {Pipelining::across, Pipelining::flights}) {
    script.knowledge.prove(step);
  }
  script.knowledge.chunking_proven = script.knowledge.discarding_proven = true;
  script.knowledge.several_proven = true;
  options.flight_bytes_max = (known & 32u) != 0 ? flight_bytes_small : limits::flight_bytes_max;
  script.knowledge.session_messages = input.octet();
  script.piece_bytes = static_cast<std::uint8_t>(1 + input.up_to(63));
}

void append_octet(std::string& out, std::uint64_t value) {
  out.push_back(static_cast<char>(std::min<std::uint64_t>(value, 255)));
}

}  // namespace

SessionScript decode_script(const std::uint8_t* data, std::size_t size) {
  FuzzInput input(data, size);
  SessionScript script;
  decode_options(input, script);
  script.jobs.resize(1 + input.up_to(jobs_max - 1));
  for (JobShape& job : script.jobs) {
    job.recipients = static_cast<std::uint8_t>(1 + input.up_to(recipients_max - 1));
    job.content = static_cast<std::uint8_t>(input.octet() % job_contents().size());
  }
  while (!input.empty() && script.steps.size() < steps_max) {
    Step step;
    step.kind = static_cast<StepKind>(input.up_to(step_kind_count - 1));
    step.argument = input.octet();
    if (step.kind == StepKind::say) {
      step.octets = input.bytes(step.argument);
      step.argument = static_cast<std::uint8_t>(step.octets.size());
    }
    script.steps.push_back(std::move(step));
  }
  return script;
}

std::string encode_script(const SessionScript& script) {
  const protocol::SessionOptions& options = script.options;
  std::string out;
  append_octet(out, static_cast<unsigned>(options.tls_mode));
  append_octet(out, (options.authenticate ? 1u : 0u) | (options.allow_plaintext_auth ? 2u : 0u));
  append_octet(out, static_cast<unsigned>(options.pipelining));
  append_octet(out, options.messages_in_flight_max);
  append_octet(out, options.messages_max);
  append_octet(out, options.recipients_max == 100 ? 0 : options.recipients_max);
  const unsigned bits = (script.knowledge.chunking_proven ? 16u : 0u) |
                        (options.flight_bytes_max < limits::flight_bytes_max ? 32u : 0u);
  append_octet(out, static_cast<unsigned>(script.knowledge.proven) |
                        (3u - static_cast<unsigned>(script.knowledge.most)) << 2 | bits);
  append_octet(out, script.knowledge.session_messages);
  append_octet(out, script.piece_bytes - 1u);
  append_octet(out, std::min(script.jobs.size(), jobs_max) - 1);
  for (std::size_t i = 0; i < std::min(script.jobs.size(), jobs_max); ++i) {
    append_octet(out, std::min<std::size_t>(script.jobs[i].recipients, recipients_max) - 1);
    append_octet(out, script.jobs[i].content);
  }
  for (const Step& step : script.steps) {
    append_octet(out, static_cast<unsigned>(step.kind));
    append_octet(out, step.argument);
    out += step.octets;
  }
  return out;
}

// Each begins with an X or a dot, or is empty: no command does.
const std::vector<std::string>& job_contents() {
  static const std::vector<std::string> contents = {
      "X: 1\r\n\r\nhello\r\n",
      "X: 1\r\n\r\nno line end",
      ".\r\n..\r\n.a\r\nb.\r\n.",
      "",
      "X: \xc3\xa4\r\n",
      "X" + std::string(20'000, 'x') + "\r\n",
      "X\r\n" + std::string(9000, '.') + "\r\n.\r\nx",
      "X\r\n.",
  };
  return contents;
}

std::uint8_t most_similar_content(Bytes content) {
  const auto likeness = [&](Bytes other) {
    const ContentTraits a = test::traits_of(content);
    const ContentTraits b = test::traits_of(other);
    return (content.empty() == other.empty() ? 8 : 0) + (a.has_8bit == b.has_8bit ? 4 : 0) +
           ((content.size() > 8192) == (other.size() > 8192) ? 4 : 0) +
           (a.needs_stuffing() == b.needs_stuffing() ? 2 : 0) +
           (a.ends_with_crlf() == b.ends_with_crlf() ? 1 : 0);
  };
  const std::vector<std::string>& contents = job_contents();
  const auto best =
      std::max_element(contents.begin(), contents.end(),
                       [&](Bytes left, Bytes right) { return likeness(left) < likeness(right); });
  return static_cast<std::uint8_t>(best - contents.begin());
}

std::string server_octets(const Step& step) {
  std::string octets;
  switch (step.kind) {
    case StepKind::say:
      return step.octets;
    case StepKind::say_known:
      return std::string(known_replies[step.argument % known_replies.size()]);
    case StepKind::say_ok:
      for (unsigned i = 0; i <= step.argument % 16u; ++i) {
        octets += "250 ok\r\n";
      }
      return octets;
    case StepKind::say_hello:
      return hello_reply(step.argument);
    case StepKind::drain:
    case StepKind::pull:
    case StepKind::hand_over:
    case StepKind::submit:
    case StepKind::submit_all:
    case StepKind::tls:
    case StepKind::wait:
    case StepKind::deadline:
    case StepKind::quit:
    case StepKind::abort:
    case StepKind::transport_closed:
      break;
  }
  return octets;
}

}  // namespace ringpost::fuzz
