// The problem: a list of words is told, and what is told has to be obeyed. The idea: one table of
// the words and of what a session can do; a word that is not in it is nothing but told. Limits: of
// parameters nothing is understood.
#include "engine/server/announcement.h"

#include <algorithm>
#include <array>

#include "codec/text/ascii.h"

namespace ringpost::server {

namespace {

struct KnownKeyword {
  Bytes word;
  bool Extensions::*extension;
};

constexpr std::array<KnownKeyword, 9> known_keywords = {{
    {"STARTTLS", &Extensions::starttls},
    {"PIPELINING", &Extensions::pipelining},
    {"CHUNKING", &Extensions::chunking},
    {"8BITMIME", &Extensions::eight_bit_mime},
    {"SMTPUTF8", &Extensions::smtputf8},
    {"SIZE", &Extensions::size},
    {"ENHANCEDSTATUSCODES", &Extensions::enhanced_status_codes},
    {"DSN", &Extensions::dsn},
    {"AUTH", &Extensions::auth},
}};

}  // namespace

bool is_keyword(Bytes line, Bytes keyword) {
  const Bytes word = line.substr(0, line.find_first_of(" ="));
  return codec::equal_without_case(word, keyword);
}

Announcement announcement_of(const std::vector<std::string>& keywords, const Extensions& possible) {
  Announcement told{.keywords = {}, .extensions = no_extensions};
  for (const std::string& line : keywords) {
    const auto* const known =
        std::find_if(known_keywords.begin(), known_keywords.end(),
                     [&](const KnownKeyword& each) { return is_keyword(line, each.word); });
    if (known == known_keywords.end()) {
      told.keywords.push_back(line);
    } else if (possible.*(known->extension)) {
      told.extensions.*(known->extension) = true;
      told.keywords.push_back(line);
    }
  }
  return told;
}

}  // namespace ringpost::server
