// The keys of [endpoint.NAME] and what each means.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/settings/setting_value.h"
#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::cli {

// An endpoint that is being read.
struct EndpointDraft {
  EndpointOptions options;
  std::optional<std::uint16_t> port;  // the first of `ports`
  std::vector<std::uint16_t> ports;   // as they were written; empty: none was
  std::optional<TransportSecurity> security;
  std::string password_file;
  std::string password_command;
  std::string oauth_token_file;
  std::string oauth_token_command;

  [[nodiscard]] bool has_token() const {
    return !oauth_token_file.empty() || !oauth_token_command.empty();
  }
};

struct EndpointKey {
  std::string_view name;
  SettingKind kind;
  bool is_path;  // relative to the folder of the file it stands in
  // Nullptr: a key of a later version, which must not be passed over in silence.
  Result<void, std::string> (*apply)(const SettingValue& value, EndpointDraft& draft);
};

[[nodiscard]] std::span<const EndpointKey> endpoint_keys();
[[nodiscard]] const EndpointKey* find_endpoint_key(Bytes name);

// Letters, digits, dots, hyphens and underscores, the first a letter or a digit; a clause when it
// is not.
[[nodiscard]] std::optional<std::string> endpoint_name_offence(Bytes name);

// The endpoint of these settings, without its password. An error names the origin of the setting
// that is to blame, or the endpoint when one is missing. Precondition: each key is known and each
// value was applied once without an error.
[[nodiscard]] Result<EndpointDraft, std::string> make_endpoint(const std::string& name,
                                                               const SettingMap& settings);

// The words that files and flags share.
[[nodiscard]] Result<std::uint32_t, std::string> parse_connections(Bytes text);
// How far messages run ahead: "auto", "off", or how many may be in flight.
struct PipelineSetting {
  PipeliningOption pipelining = PipeliningOption::automatic;
  std::uint32_t messages_in_flight_max = 0;

  void apply_to(EndpointOptions& options) const;
};
[[nodiscard]] Result<PipelineSetting, std::string> parse_pipeline(Bytes text);
[[nodiscard]] std::string pipeline_text(const EndpointOptions& options);
[[nodiscard]] Result<bool, std::string> parse_chunking(Bytes text);
[[nodiscard]] Result<std::uint32_t, std::string> parse_recipients_max(Bytes text);
[[nodiscard]] Result<std::uint32_t, std::string> parse_attempts_max(Bytes text);
[[nodiscard]] Result<std::uint32_t, std::string> parse_refusals_max(Bytes text);
[[nodiscard]] Result<std::uint32_t, std::string> parse_weight(Bytes text);
// The name of a mechanism in lower or upper case; nothing for "auto".
[[nodiscard]] Result<std::optional<AuthMechanism>, std::string> parse_auth(Bytes text);
// Why these credentials and `auth` do not go together; nothing when they do.
[[nodiscard]] std::optional<std::string> auth_conflict(const EndpointOptions& options);

[[nodiscard]] std::string_view name_of(TransportSecurity security);
[[nodiscard]] std::string auth_text(std::optional<AuthMechanism> auth);

}  // namespace ringpost::cli
