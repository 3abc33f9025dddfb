// What may be asked of DNS is checked here, once, so that no record of a stranger makes a question
// that a resolver refuses for its form.
#include "tools/domain/domain_name.h"

#include <algorithm>

#include "codec/text/ascii.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t name_bytes_max = 253;
constexpr std::size_t label_bytes_max = 63;

bool is_label(Bytes label) {
  return !label.empty() && label.size() <= label_bytes_max &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return codec::is_alphanumeric(c) || c == '-' || c == '_'; });
}

}  // namespace

bool is_domain_name(Bytes name) {
  if (name.empty() || name.size() > name_bytes_max) {
    return false;
  }
  for (;;) {
    const std::size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) {
      return false;
    }
    if (dot == Bytes::npos) {
      return true;
    }
    name.remove_prefix(dot + 1);
  }
}

bool is_mail_domain(Bytes name) {
  const Bytes last = last_labels(name, 1);
  return is_domain_name(name) && labels_of(name) >= 2 && name.find('_') == Bytes::npos &&
         !std::all_of(last.begin(), last.end(), codec::is_digit);
}

std::size_t labels_of(Bytes name) {
  return name.empty() ? 0 : 1 + static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
}

std::string_view last_labels(Bytes name, std::size_t count) {
  for (std::size_t at = name.size(); at > 0; --at) {
    if (name[at - 1] == '.' && --count == 0) {
      return name.substr(at);
    }
  }
  return name;
}

std::string plain_name(Bytes name) {
  if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  std::string plain(name);
  std::transform(plain.begin(), plain.end(), plain.begin(), codec::lower);
  return plain;
}

}  // namespace ringpost::cli
