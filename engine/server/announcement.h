// What a server tells behind EHLO, word for word: that of a provider that is played.
#pragma once

#include <string>
#include <vector>

#include "engine/server/extensions.h"
#include <ringpost/base.h>

namespace ringpost::server {

struct Announcement {
  std::vector<std::string> keywords;  // a line each, with their parameters
  Extensions extensions{};            // those of them that a session obeys
};

// What is made of a list. A keyword of an extension that `possible` has not is left out; one that
// no session knows is told all the same, as servers do.
[[nodiscard]] Announcement announcement_of(const std::vector<std::string>& keywords,
                                           const Extensions& possible = {});

// The first word of a line of EHLO is this one; case does not count. "AUTH=PLAIN", as old servers
// say it, is AUTH.
[[nodiscard]] bool is_keyword(Bytes line, Bytes keyword);

}  // namespace ringpost::server
