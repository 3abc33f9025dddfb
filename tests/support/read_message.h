// A composed message read back by somebody who knows no more of MIME than it takes.
#pragma once

#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::test {

struct ReadPart {
  std::string type;  // "text/html"
  std::string text;  // decoded, without line ends at its end: they depend on the encoding
  bool operator==(const ReadPart&) const = default;
};

struct ReadMessage {
  std::string fields;           // as they stand, but for Message-ID and those of MIME
  std::vector<ReadPart> parts;  // that are no multipart, in their order
};

// Ends the program where it is malformed.
[[nodiscard]] ReadMessage read_message(Bytes octets);

}  // namespace ringpost::test
