// Whole SMTP sessions as text: tests/transcripts/README.md is the format, this reads and replays
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/protocol/close_reason.h"
#include "engine/protocol/session.h"
#include "tests/support/fixed_nonce.h"
#include "tests/support/mail.h"
#include "tests/support/shown.h"
#include <ringpost/base.h>

namespace ringpost::test {

// What stands behind `=` or `!`: a verdict or the end, as far as the transcript says.
struct ExpectedFate {
  std::string job;        // = only
  std::string recipient;  // = only
  std::string kind;       // a status or a close kind
  std::string stage;
  std::uint16_t code = 0;
  EnhancedStatus enhanced;
  std::string text;  // empty: not looked at
  bool permanent = false;
  // ! only: words of the option `pipelining`; empty: it does not fall, nothing is in doubt.
  std::string falls_to;
  std::string doubts;
  bool other_mechanism = false;  // ! only
  std::string reason;            // expected: a part of it; empty: not looked at
};

enum class TranscriptStepKind : std::uint8_t {
  server,   // S
  client,   // C
  verdict,  // =
  closed,   // !
  submit,   // @ ...
  resubmit,
  tls,
  close,
  reset,
  abort,
  quit,
  wait,
  timeout,
};

struct TranscriptStep {
  TranscriptStepKind kind = TranscriptStepKind::server;
  std::size_t line = 0;  // 1-based, of the file
  std::string octets;    // server, client
  bool more = false;     // client: `C...`, further octets are ready and do not leave
  ExpectedFate fate;     // verdict, closed
  std::size_t job = 0;   // submit, resubmit: index into the transcript's jobs
  Duration duration{};   // wait, timeout
};

// As the option `pipelining` has it.
[[nodiscard]] std::string_view word_of(protocol::Pipelining pipelining);

// One session of a file.
struct Transcript {
  std::string title;
  protocol::SessionOptions options;
  // What the options point to; a copy of the transcript shares it.
  std::shared_ptr<FixedNonce> crypto = std::make_shared<FixedNonce>();
  std::shared_ptr<codec::ScramCache> scram_cache = std::make_shared<codec::ScramCache>();
  // Of a server that has shown that it can do all that DATA has.
  protocol::PipeliningKnowledge knowledge = shown(protocol::Pipelining::across);
  std::vector<MailText> jobs;
  std::vector<TranscriptStep> steps;

  // Octets of the server in all steps: the offsets at which a Splitting may cut.
  [[nodiscard]] std::size_t server_bytes() const;
};

// All sessions of a file. The error is `line: what`.
[[nodiscard]] Result<std::vector<Transcript>, std::string> parse_transcripts(std::string_view text);

// How octets reach the session and leave it.
struct Splitting {
  std::size_t cut = 0;              // the server's octets are cut in two here; 0: nowhere
  std::size_t piece_bytes_max = 0;  // and into random pieces of this size at most; 0: not at all
  std::uint64_t seed = 1;
  std::size_t room_bytes = 16'384;  // for output(); 0: random
  bool eager = false;               // output is pulled as soon as it is there, before it can leave
  std::size_t content_pieces = 1;   // of each message

  [[nodiscard]] std::string text() const;
};

// Replays the session. Empty when everything came as it is written, else `line: what differs`.
[[nodiscard]] std::string replay(const Transcript& transcript, const Splitting& splitting);

}  // namespace ringpost::test
