// The problem: a fault that broke a client has to come again, but a generator with a state gives
// other numbers as soon as one more fault is asked for. The idea: each decision is a hash of the
// seed, the session, the message or the command of the opening, the stage and the fault. Limits:
// sessions are numbered as they come, so with several of them a message may meet other faults in
// the next run.
#include "tools/sink/fault_dice.h"

namespace ringpost::sink {

namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the result depends on every
// bit of `value`.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30u)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27u)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31u);
}

// Number of a decision about a kind that is tied to no stage.
constexpr std::uint64_t no_stage = fault_stage_count;

// What servers have been seen to say, and what nobody should.
constexpr std::array<Bytes, 6> garbage_lines = {
    "HTTP/1.1 400 Bad Request\r\n", "25\r\n",           "\x16\x03\x01\x02\xff\xfe\r\n",
    "Segmentation fault\r\n",       "999 2.0.0 Ok\r\n", "\r\n"};

}  // namespace

FaultDice::FaultDice(const FaultChances& chances, std::uint64_t session)
    : chances_(chances), enabled_(chances.any()), session_(session) {}

void FaultDice::begin_message() {
  ++message_;
  rolled_ = 0;
}

std::optional<FaultKind> FaultDice::roll(FaultStage stage) {
  if (!enabled_) {
    return std::nullopt;
  }
  std::uint64_t number = static_cast<std::uint64_t>(stage);
  const bool of_message = stage >= FaultStage::mail;
  if (!of_message) {
    number += fault_stage_count * ++opening_;
  } else if (has_stage(rolled_, stage)) {
    return std::nullopt;
  } else {
    rolled_ |= static_cast<FaultStages>(1u << static_cast<unsigned>(stage));
  }
  for (std::size_t i = 0; i < fault_kind_count; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    const bool comes = hits(chances_.at_stage[i][static_cast<std::size_t>(stage)], kind, number);
    const bool comes_somewhere =
        of_message && hits(chances_.anywhere[i], kind, no_stage) && usual_stage(kind) == stage;
    if (comes || comes_somewhere) {
      return kind;
    }
  }
  return std::nullopt;
}

Bytes FaultDice::garbage() const {
  return garbage_lines[draw(word_garbage, 0) % garbage_lines.size()];
}

std::uint64_t FaultDice::draw(std::uint64_t word, std::uint64_t number) const {
  return mix(mix(mix(mix(chances_.seed) + session_) + message_) + (word << 32u) + number);
}

bool FaultDice::hits(double chance, FaultKind kind, std::uint64_t number) const {
  constexpr double unit = 1.0 / 9007199254740992.0;  // 2^-53
  return chance > 0 &&
         static_cast<double>(draw(static_cast<std::uint64_t>(kind), number) >> 11u) * unit < chance;
}

// Precondition: the kind comes to this message.
FaultStage FaultDice::usual_stage(FaultKind kind) const {
  const FaultStages usual = usual_stages_of(kind);
  const auto count = static_cast<std::uint64_t>(__builtin_popcount(usual));
  std::uint64_t left = draw(static_cast<std::uint64_t>(kind), no_stage + 1) % count;
  std::size_t stage = 0;
  while (!has_stage(usual, static_cast<FaultStage>(stage)) || left-- > 0) {
    ++stage;
  }
  return static_cast<FaultStage>(stage);
}

}  // namespace ringpost::sink
