// The settings of `ringpost send` that flags, RINGPOST_ variables and [send] share, and what each
// means.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/settings/endpoint_setting.h"
#include "tools/settings/setting_value.h"
#include "tools/settings/settings.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// Settings that are being read.
struct SendDraft {
  SendSettings settings;

  std::vector<std::string> endpoints;  // NAME, URL, each perhaps with =WEIGHT
  // What holds for every endpoint. From a flag or a variable it has the last word; from [send] the
  // endpoint's own key has it.
  std::optional<std::uint32_t> connections;
  std::optional<double> rate;
  std::optional<PipelineSetting> pipeline;
  std::optional<bool> chunking;
  std::optional<std::uint32_t> recipients_max;
  std::optional<std::uint32_t> attempts_max;
  std::optional<std::uint32_t> equal_refusals_max;
  std::optional<Duration> patience;

  std::uint64_t verbosity = 0;
  bool no_color = false;
};

struct SendKey {
  std::string_view name;  // as in [send]; flags have hyphens for underscores, variables capitals
  SettingKind kind;
  bool in_file;  // whether it may stand in [send]
  Result<void, std::string> (*apply)(const SettingValue& value, SendDraft& draft);
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

// The words that two commands share.
[[nodiscard]] Result<codec::NewlinePolicy, std::string> parse_newlines(Bytes text);

}  // namespace ringpost::cli
