// Which faults a session meets, decided by chance that a seed fixes.
#pragma once

#include <cstdint>
#include <optional>

#include "tools/sink/fault.h"
#include <ringpost/base.h>

namespace ringpost::sink {

// One session's. Each decision is a function of the seed, the session's number, the message (or the
// command of the opening) and the fault, so it is the same whatever else is asked for or came
// before. Thread: its session's.
class FaultDice {
 public:
  // `chances` outlives it.
  FaultDice(const FaultChances& chances, std::uint64_t session);

  // The next MAIL came: what stages of a message meet is drawn anew.
  void begin_message();

  // The fault to do here; at a stage of a message once a message, at one of the opening each time.
  // Where several would come, the first of FaultKind does.
  [[nodiscard]] std::optional<FaultKind> roll(FaultStage stage);

  // How a connection ends: with a reset or in order.
  [[nodiscard]] bool ends_with_reset() const { return (draw(word_reset, 0) & 1u) != 0; }
  // A line that is no reply of SMTP, with its CRLF.
  [[nodiscard]] Bytes garbage() const;

 private:
  static constexpr std::uint64_t word_reset = 1000;
  static constexpr std::uint64_t word_garbage = 1001;

  [[nodiscard]] std::uint64_t draw(std::uint64_t word, std::uint64_t number) const;
  [[nodiscard]] bool hits(double chance, FaultKind kind, std::uint64_t number) const;
  [[nodiscard]] FaultStage usual_stage(FaultKind kind) const;

  const FaultChances& chances_;
  const bool enabled_;
  const std::uint64_t session_;
  std::uint64_t message_ = 0;
  std::uint64_t opening_ = 0;  // commands of the opening so far
  FaultStages rolled_ = 0;     // of this message
};

}  // namespace ringpost::sink
