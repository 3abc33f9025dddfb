// The problem: these words go into MAIL and RCPT, and a server may refuse message or recipient for
// a wrong one. The idea: keywords are found in a list and written anew from it, in one order and in
// upper case, so that nothing of the given text is kept but ENVID. Limits: whether the server knows
// DSN is not asked here; ENVID is bounded as it was given, and may be longer as xtext.
#include "codec/smtp/dsn_request.h"

#include <algorithm>
#include <array>

#include "codec/text/ascii.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

bool is_requested(const DsnRequest& dsn) {
  return !dsn.notify.empty() || !dsn.return_kind.empty() || !dsn.envelope_id.empty();
}

bool assign_notify(Bytes text, DsnRequest& dsn) {
  constexpr std::array<Bytes, 3> words = {"SUCCESS", "FAILURE", "DELAY"};
  if (equal_without_case(text, "NEVER")) {
    dsn.notify.assign("NEVER");
    return true;
  }
  std::array<bool, words.size()> wanted{};
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const Bytes given = text.substr(0, comma);
    const auto found = std::find_if(words.begin(), words.end(), [given](Bytes word) {
      return equal_without_case(given, word);
    });
    if (found == words.end() || wanted[static_cast<std::size_t>(found - words.begin())]) {
      return false;
    }
    wanted[static_cast<std::size_t>(found - words.begin())] = true;
    more = comma != Bytes::npos;
    text.remove_prefix(more ? comma + 1 : text.size());
  }
  dsn.notify.clear();
  for (std::size_t index = 0; index < words.size(); ++index) {
    if (wanted[index]) {
      dsn.notify += dsn.notify.empty() ? "" : ",";
      dsn.notify += words[index];
    }
  }
  return true;
}

bool assign_return_kind(Bytes text, DsnRequest& dsn) {
  for (const Bytes word : {Bytes("FULL"), Bytes("HDRS")}) {
    if (equal_without_case(text, word)) {
      dsn.return_kind.assign(word);
      return true;
    }
  }
  return false;
}

bool assign_envelope_id(Bytes text, DsnRequest& dsn) {
  const bool printable = std::all_of(text.begin(), text.end(), [](char character) {
    return character >= ' ' && character <= '~';
  });
  if (text.empty() || text.size() > limits::envelope_id_bytes_max || !printable) {
    return false;
  }
  dsn.envelope_id.assign(text);
  return true;
}

}  // namespace ringpost::codec
