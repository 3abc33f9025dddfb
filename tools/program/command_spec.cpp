// What the readers of a description would otherwise each work out for themselves: the names within
// a string in CLI11's notation, and the usual value of a flag, which is read from its target before
// a command line changes it.
#include "tools/program/command_spec.h"

#include <algorithm>
#include <utility>

namespace ringpost::cli {

std::vector<std::string> FlagSpec::names_in_order() const {
  std::vector<std::string> in_order;
  for (std::size_t at = names.starts_with('!') ? 1 : 0; at < names.size();) {
    const std::size_t end = std::min(names.find(',', at), names.size());
    in_order.push_back(names.substr(at, end - at));
    at = end + 1;
  }
  std::stable_partition(in_order.begin(), in_order.end(),
                        [](const std::string& name) { return !name.starts_with("--"); });
  return in_order;
}

std::vector<std::string> CommandSpec::subcommand_names() const {
  std::vector<std::string> names;
  for (const CommandSpec& each : subcommands) {
    names.push_back(each.name);
  }
  return names;
}

FlagSpec with_usual(FlagSpec flag) {
  if (const auto* const text = std::get_if<std::string*>(&flag.target)) {
    flag.usual = **text;
  } else if (const auto* const number = std::get_if<NumberTarget>(&flag.target)) {
    flag.usual = std::to_string(*number->number);
  }
  return flag;
}

std::vector<FlagSpec> in_group(const std::string& group, std::vector<FlagSpec> flags) {
  for (FlagSpec& flag : flags) {
    flag.group = group;
  }
  return flags;
}

}  // namespace ringpost::cli
