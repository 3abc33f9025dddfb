// What a client hears at the end of its data, of what became of everybody.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "tools/serve/offer.h"
#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::serve {

// A reply of class 2, 4 or 5, in one line.
struct ClientAnswer {
  std::uint16_t code = 0;
  std::string enhanced;  // empty: none
  std::string text;
};

// One transaction has one answer, however many recipients it has. With one recipient it is the
// provider's own: code, enhanced code and words. With several:
//
//   everybody is accepted                   the first one's 2xx
//   some are, whatever became of the rest   250, and how many: any other answer would have the
//                                           client send again to those who have the message
//   of nobody it is known, of some unknown  451: what is not known may be so
//   some could be sent to later             451 or the first such 4xx
//   nobody is or will be                    the first one's 5xx
//
// The outcome lines tell each of them apart. Precondition: there is one.
[[nodiscard]] ClientAnswer answer_of(std::span<const Outcome> outcomes);

// The provider has not answered for as long as the client waits.
[[nodiscard]] ClientAnswer answer_of_silence(Duration waited);

// Of a message that was to be stored.
[[nodiscard]] ClientAnswer answer_of_storing(StoreEnd end);
// The disk has not answered for as long as the client waits.
[[nodiscard]] ClientAnswer answer_of_silent_disk(Duration waited);

}  // namespace ringpost::serve
