// The settings file as a JSON schema, for editors and for whoever writes one by program.
#pragma once

#include <string>

namespace ringpost::cli {

// JSON Schema 2020-12 of ringpost.toml, made of the tables of keys. What goes together with what it
// does not say: that is for `ringpost config check`.
[[nodiscard]] std::string configuration_schema();

}  // namespace ringpost::cli
