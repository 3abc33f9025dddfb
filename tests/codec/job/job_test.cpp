#include "codec/job/job.h"

#include <catch2/catch_test_macros.hpp>

#include <ringpost/limits.h>

using namespace ringpost;

TEST_CASE("job: a recipient that is used again has nothing of the one before") {
  Job job;
  Recipient& first = job.add_recipient();
  first.address = "a@b.example";
  first.outcome.status = Status::accepted;
  first.outcome.text = "ok";
  first.progress = RecipientProgress::refused;
  first.decided = true;
  job.clear();
  CHECK(job.active_recipients().empty());
  const Recipient& again = job.add_recipient();
  CHECK(&again == &job.recipients.front());
  CHECK(again.address.empty());
  CHECK(again.outcome.status == Status::unsent);
  CHECK(again.outcome.text.empty());
  CHECK(again.progress == RecipientProgress::waiting);
  CHECK_FALSE(again.decided);
}

TEST_CASE("job: clearing empties everything") {
  Job job;
  job.id = job.file = job.sender = job.content = job.endpoint = job.idempotency_key = "x";
  job.tags_json = job.metadata_json = "{}";
  job.dsn.notify = job.dsn.return_kind = job.dsn.envelope_id = "x";
  job.line = 1;
  job.needs_smtputf8 = true;
  job.traits = {true, true, true};
  job.expires_at_us = 1;
  job.outcomes_left = 1;
  job.budget_bytes = 1;
  job.add_recipient();
  job.clear();
  CHECK((job.id + job.file + job.sender + job.content + job.endpoint + job.idempotency_key +
         job.tags_json + job.metadata_json + job.dsn.notify + job.dsn.return_kind +
         job.dsn.envelope_id)
            .empty());
  CHECK(job.line == 0);
  CHECK_FALSE(job.needs_smtputf8);
  CHECK_FALSE((job.traits.has_8bit || job.traits.has_leading_dot || job.traits.ends_with_crlf));
  CHECK(job.expires_at_us == 0);
  CHECK(job.outcomes_left == 0);
  CHECK(job.budget_bytes == 0);
  CHECK(job.recipient_count == 0);
}

TEST_CASE("job: small buffers are kept, swollen ones are given back") {
  Job job;
  job.content.assign(1000, 'x');
  const char* const kept = job.content.data();
  job.clear();
  CHECK(job.content.data() == kept);
  job.content.assign(limits::job_bytes_kept_max * 2, 'x');
  for (int i = 0; i < 1000; ++i) {
    job.add_recipient();
  }
  job.clear();
  CHECK(job.content.capacity() <= limits::job_bytes_kept_max);
  CHECK(job.recipients.capacity() < 1000);
}

TEST_CASE("job: its size counts what it holds") {
  Job job;
  const std::size_t before = job.bytes();
  job.content.assign(1000, 'x');
  CHECK(job.bytes() >= before + 1000);
  job.add_recipient();
  CHECK(job.bytes() > before + 1000);
}
