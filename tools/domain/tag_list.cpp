// One reader for both kinds of records, since they differ in their tags alone. White space is that
// of RFC 6376 (FWS), which in a record of DNS may stand anywhere around names and values.
#include "tools/domain/tag_list.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/shown_text.h"

namespace ringpost::cli {

namespace {

constexpr std::string_view white = " \t\r\n";
constexpr std::size_t tags_max = 64;

Bytes trimmed(Bytes text) {
  const std::size_t begin = text.find_first_not_of(white);
  if (begin == Bytes::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(white) + 1 - begin);
}

bool is_tag_name(Bytes name) {
  return !name.empty() && codec::is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return codec::is_alphanumeric(c) || c == '_'; });
}

}  // namespace

Result<std::vector<Tag>, std::string> parse_tags(Bytes text) {
  std::vector<Tag> tags;
  while (!text.empty()) {
    const std::size_t end = text.find(';');
    const Bytes one = trimmed(text.substr(0, end));
    text.remove_prefix(end == Bytes::npos ? text.size() : end + 1);
    if (one.empty()) {
      continue;  // behind the last `;`, or, which is forbidden and harmless, between two of them
    }
    const std::size_t sign = one.find('=');
    const Bytes name = trimmed(one.substr(0, sign));
    if (sign == Bytes::npos) {
      return Failure(fmt::format("{} has no \"=\"", codec::in_quotes(one)));
    }
    if (!is_tag_name(name)) {
      return Failure(fmt::format("{} is no name of a tag", codec::in_quotes(name)));
    }
    if (find_tag(tags, name) != nullptr) {
      return Failure(fmt::format("{}= comes twice", name));
    }
    if (tags.size() == tags_max) {
      return Failure(fmt::format("there are more than {} tags", tags_max));
    }
    tags.push_back({std::string(name), std::string(trimmed(one.substr(sign + 1)))});
  }
  return tags;
}

const std::string* find_tag(const std::vector<Tag>& tags, std::string_view name) {
  const auto found =
      std::find_if(tags.begin(), tags.end(), [name](const Tag& tag) { return tag.name == name; });
  return found == tags.end() ? nullptr : &found->value;
}

}  // namespace ringpost::cli
