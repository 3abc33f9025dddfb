// Content to measure with: text as mail has it.
#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace ringpost::bench {

// About `bytes` octets of lines of 76 letters; one line in `dotted_every` begins with a dot, none
// when it is 0. The same content for the same arguments.
inline std::string mail_text(std::size_t bytes, std::size_t dotted_every) {
  constexpr std::size_t line_bytes = 76;
  std::minstd_rand random(1);
  std::string text;
  for (std::size_t line = 1; text.size() < bytes; ++line) {
    const bool dotted = dotted_every != 0 && line % dotted_every == 0;
    for (std::size_t i = 0; i < line_bytes; ++i) {
      const auto letter = static_cast<char>('a' + random() % 26);
      text.push_back(dotted && i == 0 ? '.' : letter);
    }
    text.append("\r\n");
  }
  return text;
}

}  // namespace ringpost::bench
