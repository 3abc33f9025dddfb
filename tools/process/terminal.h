// What a terminal is like.
#pragma once

#include <cstddef>
#include <optional>

namespace ringpost::cli {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

// Nothing: the descriptor leads to no terminal. One that does not say its size has 80 by 24, or
// what COLUMNS and LINES say.
[[nodiscard]] std::optional<TerminalSize> terminal_size(int descriptor);
// How wide text is set that goes there: as the terminal is, from 40 to 100 columns; elsewhere 100.
inline constexpr std::size_t text_columns_max = 100;
[[nodiscard]] std::size_t text_columns(int descriptor);
// Whether text on it may be drawn over: a terminal that TERM does not call dumb.
[[nodiscard]] bool can_draw(int descriptor);

}  // namespace ringpost::cli
