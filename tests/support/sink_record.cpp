#include "tests/support/sink_record.h"

#include <fstream>
#include <string_view>

namespace ringpost::test {

namespace {

// What stands between `before` and the next `end`; empty when `before` is not there.
std::string_view between(std::string_view line, std::string_view before, std::string_view end) {
  const std::size_t at = line.find(before);
  if (at == std::string_view::npos) {
    return {};
  }
  line.remove_prefix(at + before.size());
  return line.substr(0, line.find(end));
}

}  // namespace

std::vector<RecordedMessage> read_record(const std::string& path) {
  std::vector<RecordedMessage> messages;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    RecordedMessage& message = messages.emplace_back();
    message.x_id = between(line, R"("x_id":")", "\"");
    message.sha256 = between(line, R"("sha256":")", "\"");
    std::string_view recipients = between(line, R"("to":[)", "]");
    while (!recipients.empty()) {
      recipients.remove_prefix(recipients.find('"') + 1);
      const std::size_t end = recipients.find('"');
      message.recipients.emplace_back(recipients.substr(0, end));
      recipients.remove_prefix(end + 1);
    }
  }
  return messages;
}

}  // namespace ringpost::test
