// Templates once more, written apart from codec/template: as the specification tells it, text by
// text.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "codec/template/merge_data.h"
#include "codec/template/mustache.h"
#include <ringpost/base.h>

namespace ringpost::fuzz {

// What a template that parses makes of the values, missing ones being empty, with `escaped` values
// in brackets and others in braces. None where it would take too long, or where the specification
// leaves open what it means: a tag over several lines in a partial that is indented.
[[nodiscard]] std::optional<std::string> render_by_the_book(
    Bytes source, std::span<const codec::Partial> partials, const codec::MergeData& data);

}  // namespace ringpost::fuzz
