// A template that is an `.eml` file: a message as a mail program saves it.
#pragma once

#include <string>

#include "codec/template/message_template.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// codec::read_eml() with the charsets of this machine. An error is a sentence that begins with
// `line N:` where there is one.
[[nodiscard]] Result<codec::TemplateDefinition, std::string> read_eml_template(Bytes octets);

}  // namespace ringpost::cli
