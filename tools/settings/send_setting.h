// The settings of `ringpost send` that flags, RINGPOST_ variables and [send] share, and what each
// means.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/settings/key_table.h"
#include "tools/settings/setting_value.h"
#include "tools/settings/settings.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// Settings that are being read.
struct SendDraft {
  SendSettings settings;

  std::vector<std::string> endpoints;       // NAME, URL, each perhaps with =WEIGHT
  std::optional<std::string> state_folder;  // nothing: the usual one

  std::uint64_t verbosity = 0;
  bool no_color = false;
};

struct SendKey {
  std::string_view name;  // as in [send]; flags have hyphens for underscores, variables capitals
  std::string_view short_flag;
  std::string_view type;  // as in the help; empty: a switch
  std::string_view help;  // one line
  std::string_view group;
  std::string_view usual_text;  // what it is when nobody says it; empty: nothing that has words
  SettingKind kind;
  bool in_file;  // whether it may stand in [send]
  // Nullptr for keys of endpoints, which are laid over each one's own (lay_send_wide).
  Result<void, std::string> (*apply)(const SettingValue& value, SendDraft& draft);
  const EndpointKey* of_endpoint = nullptr;

  // Applies it, or only checks it where it is an endpoint's.
  [[nodiscard]] Result<void, std::string> take(const SettingValue& value, SendDraft& draft) const;
  // With the default behind it.
  [[nodiscard]] std::string help_text() const;
};

[[nodiscard]] std::span<const SendKey> send_keys();
[[nodiscard]] const SendKey* find_send_key(Bytes name);
// "fail_on" to "--fail-on", and to "RINGPOST_FAIL_ON".
[[nodiscard]] std::string flag_of(Bytes key_name);
[[nodiscard]] std::string variable_of(Bytes key_name);

// What the RINGPOST_ variables say. Empty ones count as not set.
[[nodiscard]] SettingMap settings_of_environment();

// Applies all of them; an error names the origin of the setting that is to blame. Precondition:
// each key is known.
[[nodiscard]] Result<SendDraft, std::string> make_send_draft(const SettingMap& settings);

// The words that several commands share.
[[nodiscard]] Result<codec::NewlinePolicy, std::string> parse_newlines(Bytes text);
[[nodiscard]] Result<codec::Dialect, std::string> parse_dialect(Bytes text);
[[nodiscard]] Result<IoChoice, std::string> parse_io(Bytes text);
// RINGPOST_IO, for commands that are told nothing else.
[[nodiscard]] Result<IoChoice, std::string> io_of_environment();
// As `send` has it, of a command that has the flag alone: flag, variable, file. Nothing: job lines.
[[nodiscard]] Result<std::optional<codec::Dialect>, std::string> dialect_setting(
    const std::string& flag, const std::string& config_path);

}  // namespace ringpost::cli
