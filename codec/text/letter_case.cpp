// The problem: names want to be greeted in capitals in every script that has them, and the C
// library knows letters by the locale of the process. The idea: Unicode puts capitals and their
// small letters either side by side in turns or in two rows, so some thirty ranges name them all.
// Limits: Latin with its extensions, Greek, Cyrillic, Armenian and full-width letters, those of
// living languages; Georgian is left as it is written, since its capitals are for headlines of
// their own; one letter becomes one (Unicode's simple mappings), whatever the language: the Turkish
// dotless i becomes I, and I becomes i.
#include "codec/text/letter_case.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "codec/text/ascii.h"
#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

// Capitals from `first` to `last`, each `step` further; the small letter of each is `distance` on.
struct CapitalRange {
  char32_t first = 0;
  char32_t last = 0;
  std::uint8_t step = 1;
  std::int32_t distance = 1;
};

constexpr std::array capital_ranges = {
    CapitalRange{0xc0, 0xd6, 1, 32},      // Latin-1
    CapitalRange{0xd8, 0xde, 1, 32},      //
    CapitalRange{0x100, 0x12e, 2, 1},     // Latin Extended-A
    CapitalRange{0x132, 0x136, 2, 1},     //
    CapitalRange{0x139, 0x147, 2, 1},     //
    CapitalRange{0x14a, 0x176, 2, 1},     //
    CapitalRange{0x178, 0x178, 1, -121},  // y with diaeresis
    CapitalRange{0x179, 0x17d, 2, 1},     //
    CapitalRange{0x1a0, 0x1a4, 2, 1},     // Latin Extended-B: o with horn
    CapitalRange{0x1af, 0x1af, 1, 1},     // u with horn
    CapitalRange{0x1cd, 0x1db, 2, 1},     //
    CapitalRange{0x1de, 0x1ee, 2, 1},     //
    CapitalRange{0x1f8, 0x21e, 2, 1},     //
    CapitalRange{0x222, 0x232, 2, 1},     //
    CapitalRange{0x386, 0x386, 1, 38},    // Greek with tonos
    CapitalRange{0x388, 0x38a, 1, 37},    //
    CapitalRange{0x38c, 0x38c, 1, 64},    //
    CapitalRange{0x38e, 0x38f, 1, 63},    //
    CapitalRange{0x391, 0x3a1, 1, 32},    //
    CapitalRange{0x3a3, 0x3ab, 1, 32},    //
    CapitalRange{0x400, 0x40f, 1, 80},    // Cyrillic
    CapitalRange{0x410, 0x42f, 1, 32},    //
    CapitalRange{0x460, 0x480, 2, 1},     //
    CapitalRange{0x48a, 0x4be, 2, 1},     //
    CapitalRange{0x4c0, 0x4c0, 1, 15},    // palochka
    CapitalRange{0x4c1, 0x4cd, 2, 1},     //
    CapitalRange{0x4d0, 0x52e, 2, 1},     //
    CapitalRange{0x531, 0x556, 1, 48},    // Armenian
    CapitalRange{0x1e00, 0x1e94, 2, 1},   // Latin Extended Additional
    CapitalRange{0x1ea0, 0x1efe, 2, 1},   // Vietnamese
    CapitalRange{0xff21, 0xff3a, 1, 32},  // full width
};

constexpr char32_t dotted_capital_i = 0x130;
constexpr char32_t dotless_small_i = 0x131;
constexpr char32_t final_sigma = 0x3c2;
constexpr char32_t capital_sigma = 0x3a3;

char32_t small_of(char32_t capital) {
  for (const CapitalRange& range : capital_ranges) {
    if (capital >= range.first && capital <= range.last &&
        (capital - range.first) % range.step == 0) {
      return static_cast<char32_t>(static_cast<std::int32_t>(capital) + range.distance);
    }
  }
  return capital == dotted_capital_i ? U'i' : capital;
}

char32_t capital_of(char32_t small) {
  for (const CapitalRange& range : capital_ranges) {
    const auto capital = static_cast<char32_t>(static_cast<std::int32_t>(small) - range.distance);
    if (capital >= range.first && capital <= range.last &&
        (capital - range.first) % range.step == 0) {
      return capital;
    }
  }
  if (small == dotless_small_i) {
    return U'I';
  }
  return small == final_sigma ? capital_sigma : small;
}

void append_in_case(std::string& out, Bytes text, char (*of_ascii)(char),
                    char32_t (*of_letter)(char32_t)) {
  while (!text.empty()) {
    const Utf8Character character = first_utf8_character(text);
    if (character.bytes == 1) {
      out += of_ascii(text.front());
    } else if (const char32_t letter = of_letter(character.code_point);
               character.valid && letter != character.code_point) {
      append_utf8(out, letter);
    } else {
      out += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
}

}  // namespace

void append_upper(std::string& out, Bytes text) { append_in_case(out, text, upper, capital_of); }

void append_lower(std::string& out, Bytes text) { append_in_case(out, text, lower, small_of); }

}  // namespace ringpost::codec
