// Questions to DNS, side by side, with a bound of time for each and for all of them together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/domain/dns_answer.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct DnsClientOptions {
  std::string resolver;  // ADDRESS[:PORT] or [ADDRESS]:PORT; empty: those of /etc/resolv.conf
  Duration timeout = std::chrono::seconds(5);      // of a question, its repetitions included
  Duration all_within = std::chrono::seconds(20);  // what is asked later fails at once
};

// Blocks while it asks. For one thread.
class DnsClient {
 public:
  // An error says why the resolver is none, or what the library lacks.
  [[nodiscard]] static Result<std::unique_ptr<DnsClient>, std::string> create(
      DnsClientOptions options);
  virtual ~DnsClient() = default;
  DnsClient(const DnsClient&) = delete;
  DnsClient& operator=(const DnsClient&) = delete;

  [[nodiscard]] virtual std::vector<DnsAnswer> ask(const std::vector<DnsQuestion>& questions) = 0;

 protected:
  DnsClient() = default;
};

}  // namespace ringpost::cli
