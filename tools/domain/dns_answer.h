// What was asked of DNS, and what came.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::cli {

// By their numbers (RFC 1035 3.2.2, RFC 3596).
enum class DnsType : std::uint16_t { a = 1, cname = 5, mx = 15, txt = 16, aaaa = 28 };
[[nodiscard]] std::string_view name_of(DnsType type);

struct DnsQuestion {
  std::string name;
  DnsType type = DnsType::txt;
};

enum class DnsResult : std::uint8_t {
  found,
  no_data,  // the name is there, and has no such record
  no_name,  // NXDOMAIN
  failed,   // nobody knows
};

struct DnsAnswer {
  DnsResult result = DnsResult::failed;
  // TXT: a text for each record, its strings joined; MX: hosts, the preferred first ("." of a null
  // MX is empty); A and AAAA: addresses.
  std::vector<std::string> values;
  std::string alias_of;  // where a CNAME led; empty: nowhere
  std::string error;     // of `failed`: "SERVFAIL from 192.0.2.1", "no answer within 5s"

  [[nodiscard]] bool is_void() const {
    return result == DnsResult::no_data || result == DnsResult::no_name;
  }
};

// Answers in the order of the questions, which may be asked side by side.
using AskDns = std::function<std::vector<DnsAnswer>(const std::vector<DnsQuestion>&)>;

}  // namespace ringpost::cli
