// The keys of an endpoint: what they are called, what they take, mean by default and do. Files,
// flags, variables, URLs, help, completion, `config show` and `config schema` read this table, so a
// new key is a row of key_table.cpp and a member of EndpointOptions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/settings/setting_value.h"
#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::cli {

// One of `ports`: how it is secured is its number's matter where it does not say.
struct ListedPort {
  std::uint16_t port = 0;
  std::optional<TransportSecurity> security;
};

// An endpoint that is being read.
struct EndpointDraft {
  EndpointOptions options;
  std::string preset;  // and what is chosen of it; empty: nothing was said
  std::string region;
  std::string plan;
  std::optional<std::uint16_t> port;  // nothing: it was not said
  std::vector<ListedPort> ports;
  std::optional<TransportSecurity> security;
  bool nobody_logs_in = false;            // the server knows its clients by their addresses
  bool username_is_password = false;      // both are one secret
  bool connections_are_fixed = false;     // somebody has said how many
  std::uint32_t connections_allowed = 0;  // by the provider; 0: nothing is known
  std::string password_file;
  std::string password_command;
  std::string oauth_token_file;
  std::string oauth_token_command;

  [[nodiscard]] bool has_token() const {
    return !oauth_token_file.empty() || !oauth_token_command.empty();
  }
  // The user name comes with the password.
  [[nodiscard]] bool lacks_username() const {
    return username_is_password && options.username.empty();
  }
  [[nodiscard]] bool logs_in() const { return !options.username.empty() || username_is_password; }
};

// Where a key may be said for all endpoints of a run at once: as a flag, a variable and a key of
// [send], by a name of its own.
struct SendWide {
  std::string_view name = {};   // empty: nowhere
  std::string_view group = {};  // of the help
};

struct EndpointKey {
  std::string_view name;  // in [endpoint.NAME] and in presets
  std::string_view type;  // as in the help: "N|auto"
  std::string_view help;  // one line
  SettingKind kind;
  bool is_path;    // relative to the folder of the file it stands in
  bool is_secret;  // never shown: some commands have the secret in them
  SendWide send_wide;
  // Nullptr: a key of a later version, which must not be passed over in silence.
  Result<void, std::string> (*apply)(const SettingValue& value, EndpointDraft& draft);
  // What the endpoint has there, in the words of a file; empty: nothing that has words. That of a
  // draft nobody wrote to is the default.
  std::string (*show)(const EndpointDraft& draft);
};

[[nodiscard]] std::span<const EndpointKey> endpoint_keys();
[[nodiscard]] const EndpointKey* find_endpoint_key(Bytes name);
// Whether the value is one that the key takes. Precondition: there is such a key, with an apply().
[[nodiscard]] Result<void, std::string> check_value(Bytes name, const SettingValue& value);

// The words that flags of other commands share.
[[nodiscard]] Result<std::uint32_t, std::string> parse_weight(Bytes text);
// The elements of a list, or of several: 587 and 465, or 587,465.
[[nodiscard]] Result<std::vector<std::uint16_t>, std::string> parse_ports(
    std::span<const std::string> texts);
// The name of a mechanism in lower or upper case; nothing for "auto".
[[nodiscard]] Result<std::optional<AuthMechanism>, std::string> parse_auth(Bytes text);

[[nodiscard]] std::string_view name_of(TransportSecurity security);
[[nodiscard]] std::string auth_text(std::optional<AuthMechanism> auth);

}  // namespace ringpost::cli
