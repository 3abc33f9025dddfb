// Endpoints as URLs: smtp://user@host:587, smtps://user@host:465, smtp://host:25?tls=none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/settings/setting_value.h"
#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::cli {

// Whether `text` is meant as a URL rather than as the name of an [endpoint.NAME].
[[nodiscard]] bool is_endpoint_url(Bytes text);

// The settings that the URL stands for, each with the printable URL as its origin. A password never
// stands in a URL, because arguments can be read by every user of the machine. Errors are sentences
// that quote the URL with anything that may be a password left out. Whether the values are good is
// the table's to say (key_table.h).
[[nodiscard]] Result<SettingMap, std::string> settings_of_url(Bytes url);

// The endpoint of these settings, without its password; its name is its host.
[[nodiscard]] Result<EndpointOptions, std::string> parse_endpoint_url(Bytes url);

// The URL with whatever may be a password in it left out, safe to print.
[[nodiscard]] std::string printable_url(Bytes url);

// Takes the dot off the end of a name, where it says that no search domain is to be tried.
[[nodiscard]] bool take_absolute_dot(Bytes& host);

// A host name of letters, digits, hyphens and underscores, or an IP address; a clause when it is
// neither.
[[nodiscard]] std::optional<std::string> host_offence(Bytes host);

// What a user name must not hold, as a clause; nothing when it is fine. Empty is fine.
[[nodiscard]] std::optional<std::string> username_offence(Bytes username);

}  // namespace ringpost::cli
