// A page shown in the user's browser.
#pragma once

#include <optional>
#include <string>

#include <ringpost/base.h>

namespace ringpost::cli {

struct ShownPage {
  std::string path;                    // the file that it is in, which stays
  std::optional<std::string> trouble;  // why no browser shows it; a clause
};

// Writes the page to a file of its own that nobody else may read, in $XDG_RUNTIME_DIR or /tmp, and
// has $BROWSER or xdg-open open it. Waits for that, since browsers of terminals need this one. An
// error is a sentence: the file could not be written.
[[nodiscard]] Result<ShownPage, std::string> show_in_browser(Bytes page);

}  // namespace ringpost::cli
