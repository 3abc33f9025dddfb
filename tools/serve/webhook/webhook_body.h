// What is posted, made of outcome lines.
#pragma once

#include <string>

#include "codec/template/merge_data.h"
#include "codec/template/merge_json.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// A JSON array of lines that end with a newline each.
[[nodiscard]] std::string array_of(Bytes lines);

// listmonk's bounce of the recipient of a line who was rejected. Thread: one.
class BounceWriter {
 public:
  // A JSON object. The error is a clause: the line is none that a bounce can be made of.
  [[nodiscard]] Result<std::string, std::string> write(Bytes line);

 private:
  codec::MergeJson json_;
  codec::MergeData values_;
};

}  // namespace ringpost::serve
