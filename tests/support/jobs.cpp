#include "tests/support/jobs.h"

#include <algorithm>

namespace ringpost::test {

ContentTraits traits_of(Bytes content) {
  ContentTraits traits;
  traits.has_8bit = std::any_of(content.begin(), content.end(),
                                [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
  traits.has_leading_dot = content.starts_with('.') || content.find("\n.") != Bytes::npos;
  traits.ends_with_crlf = content.ends_with("\r\n");
  return traits;
}

Job make_job(const JobText& text) {
  Job job;
  job.id = text.id;
  job.sender = text.sender;
  for (const std::string& address : text.recipients) {
    job.add_recipient().address = address;
  }
  job.dsn = text.dsn;
  job.needs_smtputf8 = text.needs_smtputf8;
  job.content = text.content;
  job.traits = traits_of(job.content);
  return job;
}

}  // namespace ringpost::test
