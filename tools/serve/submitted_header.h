// What the header of a message that a platform submits says to ringpost.
#pragma once

#include <cstddef>
#include <string>

#include <ringpost/base.h>

namespace ringpost::serve {

// Values are as they stand there, in one line and without white space around them; empty: the field
// is not there. Of fields that are there twice the first counts.
struct HeaderFacts {
  std::size_t received_count = 0;  // servers that it has come through (RFC 5321 6.3)
  bool has_8bit = false;           // RFC 6532: it needs SMTPUTF8
  std::string id;                  // X-Ringpost-Id
  std::string message_id;          // without its angle brackets
  std::string endpoint;            // X-Ringpost-Endpoint
  // JSON, for outcome lines; empty: nothing was said. X-Ringpost-Tag, with commas or several times;
  // X-Ringpost-Meta-NAME and listmonk's X-Listmonk-Campaign and X-Listmonk-Subscriber.
  std::string tags_json;
  std::string metadata_json;
};

// Reads the header of a content, and cuts every X-Ringpost- field out of it: they are for ringpost
// alone. Whatever else is there stays octet for octet. The error is a clause: what such a field
// says cannot be taken. Lines end with CRLF.
[[nodiscard]] Result<HeaderFacts, std::string> take_header(std::string& content);

}  // namespace ringpost::serve
