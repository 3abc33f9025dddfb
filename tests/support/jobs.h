// Jobs for tests, without JSON and without a pool.
#pragma once

#include <string>
#include <vector>

#include "codec/job/job.h"

namespace ringpost::test {

struct JobText {
  std::string id = "one";
  std::string sender = "sender@a.example";
  std::vector<std::string> recipients;
  std::string content;
  bool needs_smtputf8 = false;
  DsnRequest dsn;
};

// The traits are those of the content.
[[nodiscard]] Job make_job(const JobText& text);

// What content_check finds out about a content that it takes.
[[nodiscard]] ContentTraits traits_of(Bytes content);

}  // namespace ringpost::test
