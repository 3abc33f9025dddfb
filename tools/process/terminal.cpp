// Text that fits no terminal is as good as unread, and a file has no width. The kernel knows the
// size of a terminal, and for one that it does not know (a serial line) there are variables.
#include "tools/process/terminal.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/process/numbers.h"

namespace ringpost::cli {

namespace {

std::size_t number_of_variable(const char* name, std::size_t otherwise) {
  const char* const text = std::getenv(name);
  const auto number = parse_number(text == nullptr ? "" : text, {.min = 1, .max = 10'000});
  return number ? static_cast<std::size_t>(*number) : otherwise;
}

}  // namespace

std::optional<TerminalSize> terminal_size(int descriptor) {
  if (::isatty(descriptor) != 1) {
    return std::nullopt;
  }
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    return TerminalSize{size.ws_col, size.ws_row};
  }
  return TerminalSize{number_of_variable("COLUMNS", 80), number_of_variable("LINES", 24)};
}

std::size_t text_columns(int descriptor) {
  constexpr std::size_t least = 40;
  const auto size = terminal_size(descriptor);
  return size ? std::clamp(size->columns, least, text_columns_max) : text_columns_max;
}

bool can_draw(int descriptor) {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace ringpost::cli
