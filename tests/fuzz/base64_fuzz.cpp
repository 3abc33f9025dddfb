// codec/text/base64: whatever is encoded comes back, and whatever is decoded was the only way to
// write it.
//
// Input: octets, taken once as what is to be encoded and once as what is to be decoded.
#include <string>

#include "codec/text/base64.h"
#include "tests/fuzz/fuzz_input.h"

using namespace ringpost;
using codec::Base64Space;

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void check_encoding(const std::string& octets) {
  std::string text = "front";
  codec::append_base64(text, octets);
  RP_ASSERT(text.size() == 5 + codec::base64_size(octets.size()));
  std::string back = "kept";
  RP_ASSERT(codec::decode_base64(text.substr(5), Base64Space::refused, back).has_value());
  RP_ASSERT(back == "kept" + octets);

  std::string lines;
  codec::append_base64_lines(lines, octets);
  RP_ASSERT(lines.empty() == octets.empty());
  RP_ASSERT(lines.empty() || lines.ends_with("\r\n"));
  std::string joined;
  for (Bytes rest = lines; !rest.empty();) {
    const std::size_t end = rest.find("\r\n");
    RP_ASSERT(end != Bytes::npos && end > 0 && end <= 76);
    RP_ASSERT(end == 76 || end + 2 == rest.size());
    joined += rest.substr(0, end);
    rest.remove_prefix(end + 2);
  }
  RP_ASSERT(joined == text.substr(5));
  back.clear();
  RP_ASSERT(codec::decode_base64(lines, Base64Space::skipped, back).has_value());
  RP_ASSERT(back == octets);
}

void check_decoding(const std::string& text) {
  std::string strict = "kept";
  const auto decoded = codec::decode_base64(text, Base64Space::refused, strict);
  if (decoded) {
    std::string again;
    codec::append_base64(again, Bytes(strict).substr(4));
    RP_ASSERT(again == text);
  } else {
    RP_ASSERT(strict == "kept" && decoded.error().offset <= text.size());
  }

  std::string spaced;
  const auto passed_over = codec::decode_base64(text, Base64Space::skipped, spaced);
  std::string dense;
  std::string without_space = text;
  std::erase_if(without_space, is_space);
  const auto direct = codec::decode_base64(without_space, Base64Space::refused, dense);
  RP_ASSERT(passed_over.has_value() == direct.has_value() && spaced == dense);
  RP_ASSERT(passed_over || passed_over.error().offset <= text.size());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets = fuzz::own_copy(fuzz::FuzzInput(data, size).rest());
  check_encoding(octets);
  check_decoding(octets);
  return 0;
}
