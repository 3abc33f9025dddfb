// One run of a script against a session, with the rules of SessionListener kept on the way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/protocol/session.h"
#include "tests/fuzz/session_script.h"

namespace ringpost::fuzz {

// A verdict as plain values.
struct VerdictNote {
  Status status = Status::unsent;
  Stage stage = Stage::local;
  std::uint16_t code = 0;
  EnhancedStatus enhanced;
  std::string text;
  std::string reason;
  bool may_retry = false;
  bool counts_as_attempt = true;

  bool operator==(const VerdictNote&) const = default;
};

// A recipient of one transaction.
struct RecipientNote {
  std::string address;
  std::optional<VerdictNote> verdict;

  bool operator==(const RecipientNote&) const = default;
};

struct SubmissionNote {
  std::string content;
  std::vector<RecipientNote> recipients;
  bool done = false;  // the session has let go of it

  bool operator==(const SubmissionNote&) const = default;
};

struct CloseNote {
  protocol::CloseKind kind = protocol::CloseKind::quit;
  Stage stage = Stage::local;
  std::string message;
  bool permanent = false;
  std::optional<protocol::Pipelining> fall_back;
  std::optional<protocol::Pipelining> doubted;

  bool operator==(const CloseNote&) const = default;
};

// What the server said, whether it was heard or not.
struct ReplyNote {
  std::uint16_t code = 0;
  std::size_t handed_over = 0;  // octets of the client, when the reply began to come

  bool operator==(const ReplyNote&) const = default;
};

struct SessionRun {
  std::vector<SubmissionNote> submissions;
  std::vector<ReplyNote> replies;
  std::string client;              // what output() gave
  std::size_t handed_over = 0;     // of it
  std::optional<CloseNote> close;  // none: still open when the script ended, and stopped then
  protocol::PipeliningKnowledge knowledge;

  bool operator==(const SessionRun&) const = default;
};

// `piece_bytes_max`: how the server's octets are split; 0: each step in one piece.
[[nodiscard]] SessionRun run_script(const SessionScript& script, std::size_t piece_bytes_max);

}  // namespace ringpost::fuzz
