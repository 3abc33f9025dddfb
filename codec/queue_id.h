// The name that a server gave a message it took, out of the words of its reply.
#pragma once

#include "codec/base.h"

namespace ringpost::codec {

// Knows the forms "queued as ID", "id=ID" and "Ok ID" (Postfix and its kin, Exim, SES). Empty when
// the text has none of them. A view into `text`, which may have several lines.
[[nodiscard]] Bytes find_queue_id(Bytes text);

}  // namespace ringpost::codec
