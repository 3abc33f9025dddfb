// The steps of a template with its partials. The private half of mustache.cpp.
#pragma once

#include <memory>
#include <span>

#include "codec/template/mustache.h"
#include "codec/template/mustache_program.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// See Mustache::parse().
[[nodiscard]] Result<std::shared_ptr<const Mustache::Program>, TemplateError> parse_mustache(
    Bytes source, std::span<const Partial> partials);

}  // namespace ringpost::codec
