// What somebody who mistyped a word may have meant.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <ringpost/base.h>

namespace ringpost::codec {

// The known word nearest to `given`: a third of its letters at most are wrong, missing, surplus or
// swapped with their neighbour. Case does not count. Empty when none is near.
[[nodiscard]] std::string_view nearest_word(Bytes given, std::span<const std::string_view> known);

// `unknown field "subjct"; did you mean "subject"?`
[[nodiscard]] std::string unknown_word(std::string_view what, Bytes given,
                                       std::span<const std::string_view> known);

}  // namespace ringpost::codec
