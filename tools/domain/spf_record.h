// An SPF record (RFC 7208), read: who may send for a domain.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::cli {

enum class SpfMechanism : std::uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };
[[nodiscard]] std::string_view name_of(SpfMechanism mechanism);

struct SpfTerm {
  char qualifier = '+';  // + pass, - fail, ~ softfail, ? neutral
  SpfMechanism mechanism = SpfMechanism::all;
  std::string target;      // a domain or a network, as written; empty: the domain of the record
  bool has_macro = false;  // the target depends on the mail
  std::string text;        // the whole, as written

  bool operator==(const SpfTerm&) const = default;
};

struct SpfRecord {
  std::vector<SpfTerm> terms;
  std::string redirect;  // empty: none
  bool redirect_has_macro = false;

  // Null: it says `all` nowhere.
  [[nodiscard]] const SpfTerm* all() const;
};

// Whether a TXT record is one of SPF: `v=spf1` and then nothing or a space (RFC 7208 4.5).
[[nodiscard]] bool is_spf(Bytes text);

// Precondition: is_spf(text). An error says in words what makes the record void (permerror).
[[nodiscard]] Result<SpfRecord, std::string> parse_spf(Bytes text);

// The record to have in the place of `records`, none, one or (which is a mistake) several: with
// `mechanism` in front, where nothing can hide it, and every other term once.
[[nodiscard]] std::string spf_with(const std::vector<std::string>& records,
                                   std::string_view mechanism);

}  // namespace ringpost::cli
