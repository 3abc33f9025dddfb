// What the codec has to know of single characters of Unicode.
#pragma once

#include <ringpost/base.h>

namespace ringpost::codec {

// Nobody sees it, or nobody can tell it from a space, or it stands for no character at all: blanks
// but U+0020, controls, marks of direction, what has no width, U+FFFD and noncharacters. Variation
// selectors do not count: one sees what they do.
[[nodiscard]] bool is_hidden(char32_t code_point);

// What people call it, as in "zero width space"; empty for those that are rarely met.
[[nodiscard]] Bytes name_of_hidden(char32_t code_point);

// It is drawn into the character in front of it: combining marks, vowel signs, joiners, variation
// selectors, skin colours. Whole blocks, so letters of some scripts that stand between such marks
// count, too: this decides where text is cut for preference, and nothing else.
[[nodiscard]] bool joins_previous(char32_t code_point);

}  // namespace ringpost::codec
