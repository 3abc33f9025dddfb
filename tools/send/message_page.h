// What somebody who gets a message sees of it.
#pragma once

#include <string>

#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::cli {

enum class ShownPart : std::uint8_t { html, text };

// The part that mail programs show, decoded, in UTF-8, its lines ended by LF. An error is a
// sentence: there is none, or the message is not to be read.
[[nodiscard]] Result<std::string, std::string> shown_part(const Content& content, ShownPart part);

// The html as a file that a browser shows by itself: images of the message are in it.
[[nodiscard]] Result<std::string, std::string> page_of(const Content& content);

}  // namespace ringpost::cli
