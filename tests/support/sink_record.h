// What an embedded ESP has written down, read back.
#pragma once

#include <string>
#include <vector>

namespace ringpost::test {

struct RecordedMessage {
  std::string x_id;
  std::vector<std::string> recipients;
  std::string sha256;  // of the content
};

// The record of a sink that has stopped. Made for what tests send: nothing in it needs an escape.
[[nodiscard]] std::vector<RecordedMessage> read_record(const std::string& path);

}  // namespace ringpost::test
