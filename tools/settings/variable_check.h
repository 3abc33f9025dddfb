// RINGPOST_ variables that mean nothing to this program.
#pragma once

#include <string>
#include <vector>

namespace ringpost::cli {

// A variable that is passed over in silence has a run go out without the rate or the dry run that
// somebody asked for. One that is spelt nearly as a known one is that one, misspelt: an error. One
// that is like none may be somebody else's, or of another version: a warning. Sentences with the
// names; no value is ever told.
struct VariableCheck {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;

  // Of all errors one text; empty: there are none.
  [[nodiscard]] std::string error_text() const;
};
[[nodiscard]] VariableCheck check_variables();
// The same for commands without a log: the warnings go to stderr at once, the errors come back.
[[nodiscard]] std::string errors_of_variables();

}  // namespace ringpost::cli
