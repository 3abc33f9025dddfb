// ringpost.toml: [endpoint.NAME], [send], and what `serve` goes by.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "engine/protocol/reply_rules.h"
#include "tools/process/usage_error.h"
#include "tools/settings/serve_setting.h"
#include "tools/settings/setting_value.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// What one file, or several that were laid over each other, say.
struct Configuration {
  std::vector<std::string> files;  // the ones that were read, the strongest last
  SettingMap send;
  std::map<std::string, SettingMap, std::less<>> endpoints;
  // [[endpoint.NAME.reply]], the first that fits decides: those of the strongest file come first.
  std::map<std::string, std::vector<protocol::ReplyRule>, std::less<>> reply_rules;
  // [serve] and its like. Of a list the strongest file that has any says all of it.
  SectionMaps sections;

  [[nodiscard]] std::vector<protocol::ReplyRule> rules_of(Bytes endpoint) const;
};

// Reads the text of a file. `path` names it in messages; paths in it start at its folder.
//
// Every key must be known and every value must be one that the key takes, whether an endpoint is
// used or not. An error has one line for each offence: FILE:LINE:COLUMN: what is wrong.
[[nodiscard]] Result<Configuration, UsageError> parse_configuration(Bytes text,
                                                                    const std::string& path);

// A file that is there because of where it lies, and not because it was named, is read only when it
// belongs to this user or to root and when not everybody may write it: it can name commands to run.
enum class Trust : bool { named_by_user, found };
[[nodiscard]] Result<Configuration, UsageError> read_configuration_file(const std::string& path,
                                                                        Trust trust);

// `named` (-c or RINGPOST_CONFIG) alone when it is not empty; else those of default_config_paths()
// that exist, laid over each other key by key.
[[nodiscard]] Result<Configuration, UsageError> load_configuration(const std::string& named);

// /etc/ringpost/ringpost.toml, the user's and ./ringpost.toml: the strongest last.
[[nodiscard]] std::vector<std::string> default_config_paths();

// Adds what `upper` says on top of `lower`.
void lay_over(Configuration& lower, const Configuration& upper);

}  // namespace ringpost::cli
