// The files of tools/presets, as they were when the program was built.
#pragma once

#include <span>
#include <string_view>

namespace ringpost::cli {

struct PresetText {
  std::string_view name;  // the file's, without its suffix
  std::string_view text;
};

// Sorted by name.
[[nodiscard]] std::span<const PresetText> preset_texts();

}  // namespace ringpost::cli
