// The problem: when a node dies, nobody else knows which messages it has sent, and a broker hands
// its jobs to the next as if nothing had been. A mark for each job would be two writes and garbage
// a job. The idea: one mark a node, with the whole set of what it has in hand, written before a
// batch of jobs goes on its way; whoever is handed a job looks into the marks of all others. As
// each writes its own before it reads those of others, of two that were handed the same job at
// least one sees the other. Limits: what a dead node had in hand and had not sent yet is in doubt
// as well.
#include "tools/serve/nats/node_mark.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

namespace ringpost::serve {

namespace {

constexpr Bytes stream_word = "stream ";
constexpr Bytes in_hand_word = "in-hand ";
constexpr Bytes told_word = "told ";

// A number at the front of `text`, which it is taken off.
bool take_sequence(Bytes& text, std::uint64_t& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

// What stands behind the word of the first line, which is taken off.
std::optional<Bytes> take_line(Bytes& text, Bytes word) {
  const std::size_t newline = text.find('\n');
  if (!text.starts_with(word) || newline == Bytes::npos) {
    return std::nullopt;
  }
  const Bytes value = text.substr(word.size(), newline - word.size());
  text.remove_prefix(newline + 1);
  return value;
}

}  // namespace

void SequenceRanges::add(std::uint64_t sequence) {
  const auto above = first_by_last_.lower_bound(sequence);  // whose last is not below it
  if (above != first_by_last_.end() && above->second <= sequence) {
    return;
  }
  std::uint64_t first = sequence;
  std::uint64_t last = sequence;
  if (above != first_by_last_.begin()) {
    const auto below = std::prev(above);
    if (below->first + 1 == sequence) {
      first = below->second;
      first_by_last_.erase(below);
    }
  }
  if (above != first_by_last_.end() && above->second == sequence + 1) {
    above->second = first;
    return;
  }
  first_by_last_[last] = first;
}

// A range that begins within one that is here, or ends within one, is taken whole: nodes never have
// such, and one too many does no harm.
void SequenceRanges::add(const SequenceRanges& others) {
  for (const auto& [last, first] : others.first_by_last_) {
    if (first == last) {
      add(first);
    } else {
      auto& known = first_by_last_.try_emplace(last, first).first->second;
      known = std::min(known, first);
    }
  }
}

bool SequenceRanges::contains(std::uint64_t sequence) const {
  const auto at = first_by_last_.lower_bound(sequence);
  return at != first_by_last_.end() && at->second <= sequence;
}

std::uint64_t SequenceRanges::last() const {
  return first_by_last_.empty() ? 0 : first_by_last_.rbegin()->first;
}

std::string SequenceRanges::text() const {
  std::string text;
  for (const auto& [last, first] : first_by_last_) {
    text += text.empty() ? "" : ",";
    text += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
  }
  return text;
}

std::optional<SequenceRanges> SequenceRanges::read(Bytes text) {
  SequenceRanges ranges;
  while (!text.empty()) {
    std::uint64_t first = 0;
    if (!take_sequence(text, first)) {
      return std::nullopt;
    }
    std::uint64_t last = first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      if (!take_sequence(text, last) || last < first) {
        return std::nullopt;
      }
    }
    ranges.first_by_last_[last] = first;
    if (text.empty()) {
      return ranges;
    }
    if (!text.starts_with(',') || text.size() == 1) {
      return std::nullopt;
    }
    text.remove_prefix(1);
  }
  return ranges;
}

std::string NodeMark::text() const {
  return fmt::format("{}{}\n{}{}\n{}{}\n", stream_word, stream, in_hand_word, in_hand.text(),
                     told_word, told.text());
}

std::optional<NodeMark> NodeMark::read(Bytes text) {
  const auto stream = take_line(text, stream_word);
  const auto in_hand_text = take_line(text, in_hand_word);
  const auto told_text = take_line(text, told_word);
  if (!stream || !in_hand_text || !told_text) {
    return std::nullopt;
  }
  auto in_hand = SequenceRanges::read(*in_hand_text);
  auto told = SequenceRanges::read(*told_text);
  if (!in_hand || !told) {
    return std::nullopt;
  }
  return NodeMark{std::string(*stream), std::move(*in_hand), std::move(*told)};
}

JobClaim claim_of(std::uint64_t sequence, std::span<const OtherNode> others) {
  JobClaim claim = JobClaim::free;
  for (const OtherNode& other : others) {
    if (other.mark.told.contains(sequence)) {
      return JobClaim::told;
    }
    if (!other.mark.in_hand.contains(sequence)) {
      continue;
    }
    if (other.is_alive) {
      claim = JobClaim::elsewhere;
    } else if (claim == JobClaim::free) {
      claim = JobClaim::in_doubt;
    }
  }
  return claim;
}

}  // namespace ringpost::serve
