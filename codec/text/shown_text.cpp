// The problem: messages to people show names of files and words of servers, which may hold any
// octet. The idea: what is safe within a JSON string is safe on a terminal, so the same writer does
// it; where no quotes stand around, quotes and backslashes need no escape. Limits: what is shown
// cannot be read back: `\n` may be an escape, or the two characters that stood there.
#include "codec/text/shown_text.h"

#include "codec/text/json_text.h"

namespace ringpost::codec {

namespace {

constexpr std::size_t quoted_bytes_max = 80;
// Logs and summaries are read by people.
constexpr std::size_t printable_bytes_max = 2048;

}  // namespace

std::string in_quotes(Bytes text) {
  std::string out;
  append_json_string_cut(out, text, quoted_bytes_max);
  return out;
}

// The inside of a JSON string, but for quotes and backslashes, which harm nobody here.
std::string printable(Bytes text) {
  std::string json;
  append_json_string_cut(json, text, printable_bytes_max);
  std::string out;
  for (std::size_t index = 1; index + 1 < json.size(); ++index) {
    const bool escaped_quote = json[index] == '\\' && json[index + 1] == '"';
    const bool escaped_backslash = json[index] == '\\' && json[index + 1] == '\\';
    if (escaped_quote || escaped_backslash) {
      ++index;
    }
    out.push_back(json[index]);
  }
  return out;
}

}  // namespace ringpost::codec
