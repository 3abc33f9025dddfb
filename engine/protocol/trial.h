// Notes of a session on a way of speaking that the endpoint has not shown: see session_trial.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/smtp/smtp_reply.h"
#include "engine/protocol/pipelining.h"
#include <ringpost/outcome.h>

namespace ringpost::protocol {

// A reply that is no verdict yet.
struct HeldReply {
  Stage stage = Stage::local;
  std::uint32_t recipient = 0;  // of the job; of all of them where the stage is not rcpt
  std::uint16_t code = 0;
  EnhancedStatus enhanced;
  std::string text;
  std::uint16_t lines = 0;

  // Views into this.
  [[nodiscard]] codec::Reply reply() const { return {code, enhanced, text, lines}; }
};
[[nodiscard]] HeldReply held(Stage stage, std::uint32_t recipient, const codec::Reply& reply);

// A step of the ladder while it is tried for the first time, with one message.
struct Trial {
  Pipelining step = Pipelining::within;
  std::uint64_t sequence = 0;       // of the message
  bool ran_ahead = false;           // of the answer to the end of data of the message in front
  bool again = false;               // it has failed before
  std::vector<HeldReply> refusals;  // of it or of its recipients
  std::optional<HeldReply> front;   // the answer to the message in front
  std::uint32_t replies_behind_front = 0;
};

// What was refused in a trial, asked once more in lock-step.
struct SecondOpinion {
  Pipelining step = Pipelining::within;   // that was tried
  Pipelining shown = Pipelining::within;  // what the same answer shows
  std::uint64_t sequence = 0;
  HeldReply first;                  // what was said then
  std::optional<HeldReply> second;  // and in lock-step
};

}  // namespace ringpost::protocol
