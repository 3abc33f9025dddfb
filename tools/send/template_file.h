// `--template FILE`: one message for many recipients, as JSON, TOML or a mail program says it.
#pragma once

#include <string>
#include <vector>

#include "codec/journal/line_hash.h"
#include "codec/template/merge_data.h"
#include "codec/template/message_template.h"
#include "engine/run/file_role.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct TemplateFile {
  codec::TemplateDefinition definition;
  std::vector<run::FileRole> files_read;  // those that it names
  codec::LineHash identity;               // of all their octets
};

// Files that it names start at its folder. `shared` are values of --set, KEY=VALUE or KEY:=JSON,
// which stand in front of the file's own `merge`. An error is a sentence that names file and field.
[[nodiscard]] Result<TemplateFile, std::string> read_template_file(
    const std::string& path, const std::vector<std::string>& shared);

// Values of --set, of which the last of each key counts, into the root of `data`.
[[nodiscard]] Result<void, std::string> add_shared_values(const std::vector<std::string>& shared,
                                                          codec::MergeData& data);

// Whether it is KEY=VALUE or KEY:=JSON; an error is a clause.
[[nodiscard]] Result<void, std::string> check_shared_value(Bytes text);

}  // namespace ringpost::cli
