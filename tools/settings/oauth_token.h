// OAuth access tokens, from wherever a user has them made.
#pragma once

#include <string>

#include <ringpost/config.h>

namespace ringpost::cli {

struct TokenPlace {
  std::string file;     // read anew each time; only its owner may open it
  std::string command;  // run by /bin/sh, with no input, for 30 s at most
};

// Reads the one of the two that is not empty. What is there is a token alone, or JSON with
// access_token and perhaps expires_in, which counts from a file's time of modification.
[[nodiscard]] TokenReader token_reader(const TokenPlace& place);

}  // namespace ringpost::cli
