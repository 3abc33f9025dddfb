// The problem: a list of a million recipients must cost no memory for each, while a parser that
// walks over it wants to come to its end before anything else is read. The idea: what was checked
// once can be cut into its values by brackets and quotes alone, and each value is then read by
// itself. Limits: of octets that were not checked nothing is known, but that no end is passed.
#include "codec/text/json_parts.h"

#include <algorithm>

namespace ringpost::codec {

namespace {

// Behind the closing quote of the string that begins here.
std::size_t end_of_string(Bytes json, std::size_t begin) {
  for (std::size_t at = begin + 1; at < json.size(); ++at) {
    if (json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      return at + 1;
    }
  }
  return json.size();
}

std::size_t end_of_group(Bytes json, std::size_t begin) {
  std::size_t depth = 0;
  for (std::size_t at = begin; at < json.size();) {
    switch (json[at]) {
      case '"':
        at = end_of_string(json, at);
        continue;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) {
          return at + 1;
        }
        break;
      default:
        break;
    }
    ++at;
  }
  return json.size();
}

}  // namespace

bool JsonParts::next(Bytes& value) {
  if (!skip_to_part()) {
    return false;
  }
  value = take_value();
  return true;
}

bool JsonParts::next(Bytes& name, Bytes& value) {
  if (!next(name)) {
    return false;
  }
  at_ = std::min(json_.find_first_not_of(" \t\r\n:", at_), json_.size());
  value = take_value();
  return true;
}

std::size_t JsonParts::count(Bytes json) {
  JsonParts parts(json);
  std::size_t count = 0;
  for (Bytes value; parts.next(value);) {
    ++count;
  }
  return count;
}

bool JsonParts::skip_to_part() {
  at_ = std::min(json_.find_first_not_of(" \t\r\n,", at_), json_.size());
  return at_ < json_.size() && json_[at_] != ']' && json_[at_] != '}';
}

Bytes JsonParts::take_value() {
  const std::size_t begin = at_;
  if (begin == json_.size()) {
    return {};
  }
  switch (json_[begin]) {
    case '"':
      at_ = end_of_string(json_, begin);
      break;
    case '{':
    case '[':
      at_ = end_of_group(json_, begin);
      break;
    default:
      at_ = std::min(json_.find_first_of(" \t\r\n,]}", begin), json_.size());
      break;
  }
  return json_.substr(begin, at_ - begin);
}

}  // namespace ringpost::codec
