// A template's file as a tree of values, whatever it is written in.
#pragma once

#include <string>

#include "codec/template/merge_data.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// TOML where the name ends in .toml, else JSON. An error is a sentence with the file and, as far as
// the format has it, the place in it.
[[nodiscard]] Result<codec::MergeData, std::string> template_tree(const std::string& path,
                                                                  const std::string& content);

}  // namespace ringpost::cli
