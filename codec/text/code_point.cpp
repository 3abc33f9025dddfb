// The problem: Unicode says what is hidden and what combines in tables of thousands of characters.
// The idea: ranges of them, put together over gaps that do no harm, and searched by halves; words
// only for those that people meet. Limits: the ranges are kept by hand, so what a later version of
// Unicode adds is plain text until somebody adds it here.
#include "codec/text/code_point.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ringpost::codec {

namespace {

struct CodePoints {
  char32_t first = 0;
  char32_t last = 0;
};

// Sorted, both ends included.
template <std::size_t count>
bool is_within(char32_t code_point, const std::array<CodePoints, count>& ranges) {
  const auto found = std::lower_bound(
      ranges.begin(), ranges.end(), code_point,
      [](const CodePoints& range, char32_t wanted) { return range.last < wanted; });
  return found != ranges.end() && found->first <= code_point;
}

// Categories Cc, Zs, Zl, Zp and Cf, and Default_Ignorable_Code_Point, less variation selectors.
constexpr std::array<CodePoints, 32> hidden_ranges = {
    {{0x0000, 0x001f},   {0x007f, 0x00a0},   {0x00ad, 0x00ad},   {0x034f, 0x034f},
     {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
     {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x115f, 0x1160},   {0x1680, 0x1680},
     {0x17b4, 0x17b5},   {0x180e, 0x180e},   {0x2000, 0x200f},   {0x2028, 0x202f},
     {0x205f, 0x206f},   {0x2800, 0x2800},   {0x3000, 0x3000},   {0x3164, 0x3164},
     {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xffff},
     {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3},
     {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff}, {0x2fffe, 0x2ffff}, {0xe0000, 0xe00ff}}};

constexpr std::array<std::pair<char32_t, Bytes>, 27> hidden_names = {
    {{0x0000, "NUL"},
     {0x0009, "tab"},
     {0x000a, "line feed"},
     {0x000d, "carriage return"},
     {0x0085, "next line"},
     {0x00a0, "no-break space"},
     {0x00ad, "soft hyphen"},
     {0x200b, "zero width space"},
     {0x200c, "zero width non-joiner"},
     {0x200d, "zero width joiner"},
     {0x200e, "left-to-right mark"},
     {0x200f, "right-to-left mark"},
     {0x2028, "line separator"},
     {0x2029, "paragraph separator"},
     {0x202a, "left-to-right embedding"},
     {0x202b, "right-to-left embedding"},
     {0x202c, "end of a direction"},
     {0x202d, "left-to-right override"},
     {0x202e, "right-to-left override"},
     {0x202f, "narrow no-break space"},
     {0x2060, "word joiner"},
     {0x2066, "left-to-right isolate"},
     {0x2067, "right-to-left isolate"},
     {0x2069, "end of an isolate"},
     {0x3000, "ideographic space"},
     {0xfeff, "byte order mark"},
     {0xfffd, "replacement character: the text was read in a wrong encoding"}}};

// Categories Mn, Mc and Me, ranges with small gaps put together.
constexpr std::array<CodePoints, 86> joining_ranges = {
    {{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05c7}, {0x0610, 0x061a}, {0x064b, 0x065f},
     {0x0670, 0x0670}, {0x06d6, 0x06ed}, {0x0711, 0x0711}, {0x0730, 0x074a}, {0x07a6, 0x07b0},
     {0x07eb, 0x07f3}, {0x0816, 0x082d}, {0x0859, 0x085b}, {0x0898, 0x089f}, {0x08ca, 0x0903},
     {0x093a, 0x0957}, {0x0962, 0x0963}, {0x0981, 0x0983}, {0x09bc, 0x09cd}, {0x09d7, 0x09d7},
     {0x09e2, 0x09e3}, {0x09fe, 0x0a03}, {0x0a3c, 0x0a51}, {0x0a70, 0x0a75}, {0x0a81, 0x0a83},
     {0x0abc, 0x0acd}, {0x0ae2, 0x0ae3}, {0x0afa, 0x0b03}, {0x0b3c, 0x0b4d}, {0x0b55, 0x0b57},
     {0x0b62, 0x0b63}, {0x0b82, 0x0b82}, {0x0bbe, 0x0bcd}, {0x0bd7, 0x0bd7}, {0x0c00, 0x0c04},
     {0x0c3c, 0x0c4d}, {0x0c55, 0x0c56}, {0x0c62, 0x0c63}, {0x0c81, 0x0c83}, {0x0cbc, 0x0ccd},
     {0x0cd5, 0x0cd6}, {0x0ce2, 0x0ce3}, {0x0d00, 0x0d03}, {0x0d3b, 0x0d4d}, {0x0d57, 0x0d57},
     {0x0d62, 0x0d63}, {0x0d81, 0x0d83}, {0x0dca, 0x0ddf}, {0x0df2, 0x0df3}, {0x0e31, 0x0e3a},
     {0x0e47, 0x0e4e}, {0x0eb1, 0x0ebc}, {0x0ec8, 0x0ecd}, {0x0f18, 0x0f19}, {0x0f35, 0x0f3f},
     {0x0f71, 0x0fbc}, {0x0fc6, 0x0fc6}, {0x102b, 0x103e}, {0x1056, 0x1074}, {0x1082, 0x108f},
     {0x109a, 0x109d}, {0x1160, 0x11ff}, {0x135d, 0x135f}, {0x1712, 0x1715}, {0x1732, 0x1734},
     {0x1752, 0x1773}, {0x17b4, 0x17d3}, {0x17dd, 0x17dd}, {0x180b, 0x180f}, {0x1885, 0x18a9},
     {0x1920, 0x193b}, {0x1a17, 0x1a1b}, {0x1a55, 0x1a7f}, {0x1ab0, 0x1b04}, {0x1b34, 0x1b44},
     {0x1b6b, 0x1b82}, {0x1ba1, 0x1bad}, {0x1be6, 0x1bf3}, {0x1c24, 0x1c37}, {0x1cd0, 0x1cf9},
     {0x1dc0, 0x1dff}, {0x200c, 0x200d}, {0x20d0, 0x20f0}, {0x302a, 0x302f}, {0x3099, 0x309a},
     {0xfe00, 0xfe0f}}};
constexpr std::array<CodePoints, 7> joining_ranges_beyond = {{{0xfe20, 0xfe2f},
                                                              {0x10a01, 0x10a0f},
                                                              {0x11000, 0x11046},
                                                              {0x1d165, 0x1d172},
                                                              {0x1e8d0, 0x1e94a},
                                                              {0x1f3fb, 0x1f3ff},
                                                              {0xe0020, 0xe01ef}}};

}  // namespace

bool is_hidden(char32_t code_point) {
  return is_within(code_point, hidden_ranges) || (code_point & 0xfffe) == 0xfffe;
}

Bytes name_of_hidden(char32_t code_point) {
  const auto found =
      std::find_if(hidden_names.begin(), hidden_names.end(),
                   [code_point](const auto& one) { return one.first == code_point; });
  return found == hidden_names.end() ? Bytes() : found->second;
}

bool joins_previous(char32_t code_point) {
  return is_within(code_point, joining_ranges) || is_within(code_point, joining_ranges_beyond);
}

}  // namespace ringpost::codec
