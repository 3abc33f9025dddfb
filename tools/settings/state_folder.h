// Where counts of rates are kept when nobody says where.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::cli {

// The first of these that there is a variable for; empty: of none.
[[nodiscard]] std::string usual_state_folder();

// The first of $STATE_DIRECTORY (of systemd), $XDG_STATE_HOME/ringpost and ~/.local/state/ringpost
// that there is a variable for; empty: there is none.
[[nodiscard]] std::string usual_state_folder();
// The same, made where it is missing. The error says what stands in the way.
[[nodiscard]] Result<std::string, std::string> make_usual_state_folder();

}  // namespace ringpost::cli
