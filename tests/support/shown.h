// What is known of an endpoint that was seen to go along so far.
#pragma once

#include "engine/protocol/pipelining.h"

namespace ringpost::test {

[[nodiscard]] inline protocol::PipeliningKnowledge shown(protocol::Pipelining way) {
  protocol::PipeliningKnowledge knowledge;
  for (auto step = way; step != protocol::Pipelining::off; step = one_less(step)) {
    knowledge.prove(step);
  }
  knowledge.chunking_proven = knowledge.discarding_proven = knowledge.several_proven =
      way == protocol::Pipelining::flights;
  // Its words are known, too: of a make that says other things than any server here.
  knowledge.words.server = 1;
  for (std::size_t i = 0; i < protocol::saying_count; ++i) {
    knowledge.words.by_saying[i] = {.hash = i + 1, .heard = protocol::Words::settled};
  }
  return knowledge;
}

}  // namespace ringpost::test
