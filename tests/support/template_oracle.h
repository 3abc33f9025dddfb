// What a template and values should become: rendered as plain text first, and composed then.
#pragma once

#include <optional>
#include <string>

#include "codec/template/message_template.h"
#include "codec/template/template_writer.h"
#include <ringpost/base.h>

namespace ringpost::test {

// Only subject, text, html, and a From and headers that are fixed, of a definition. Nothing where
// the values cannot be sent.
[[nodiscard]] std::optional<std::string> rendered_then_composed(
    const codec::TemplateDefinition& definition, const codec::TemplateOptions& options,
    const codec::TemplateRecipient& recipient, const codec::LineHash& identity);

}  // namespace ringpost::test
