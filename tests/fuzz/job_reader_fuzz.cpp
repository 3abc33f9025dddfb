// codec/job/job_reader: every line is one job or one error, or a job or an error for each of its
// recipients; what is accepted may be sent as it stands, and what comes out is bounded by what went
// in.
//
// Input: one octet of options, then lines.
#include <optional>
#include <string>

#include <simdjson.h>

#include "codec/job/job_reader.h"
#include "codec/job/outcome_writer.h"
#include "codec/mail/address.h"
#include "codec/mail/content_check.h"
#include "codec/text/json_echo.h"
#include "codec/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"
#include <ringpost/limits.h>

using namespace ringpost;
using codec::JobError;
using codec::JobReader;

namespace {

// Every path leads to a file that holds its own name.
class EchoFiles final : public codec::FileSource {
 public:
  [[nodiscard]] Result<void, codec::FileError> read(Bytes path, std::size_t bytes_max,
                                                    std::string& content) override {
    if (path.size() > bytes_max || path.starts_with("missing")) {
      return Failure(codec::FileError{"no such file"});
    }
    content.assign(path);
    return {};
  }
};

// Followed by exactly what the reader may touch, and there until all of its messages were made.
std::string padded(Bytes line) {
  std::string text(line);
  text.append(JobReader::padding_bytes, '"');
  text.shrink_to_fit();
  return text;
}

std::optional<JobError> error_of(Result<void, JobError> made) {
  return made ? std::nullopt : std::optional(std::move(made).error());
}

std::optional<JobError> read(JobReader& reader, const std::string& padded_line,
                             std::uint64_t number, Message& job) {
  const Bytes line(padded_line.data(), padded_line.size() - JobReader::padding_bytes);
  const codec::Source where{"jobs.jsonl", number, 1'795'209'743'000'000};
  return error_of(reader.parse(line, where, job));
}

// What composing, encodings and header fields add to a line stays in proportion to it.
void check_bounds(const Message& job, Bytes line) {
  constexpr std::size_t composed_bytes = 4096;
  constexpr std::size_t growth_max = 32;
  // But for sections of a template, which are there as often as a list has values.
  RP_ASSERT(line.find("{{") != Bytes::npos ||
            job.content.bytes() <= composed_bytes + growth_max * line.size());
  RP_ASSERT(job.content.bytes() <= limits::message_bytes_max);
  RP_ASSERT(job.recipients.size() <= line.size());
  RP_ASSERT(!job.id.empty() && job.id.size() <= limits::job_id_bytes_max);
  RP_ASSERT(job.tags_json.size() <= limits::job_echo_bytes_max);
  RP_ASSERT(job.metadata_json.size() <= limits::job_echo_bytes_max);
}

void check_accepted(const Message& job, Bytes line) {
  RP_ASSERT(codec::is_utf8(line));
  RP_ASSERT(job.recipients.size() > 0 && job.recipients.size() <= limits::job_recipients_max);
  RP_ASSERT(job.sender.empty() ||
            codec::validate_address(job.sender, codec::MailboxUse::reverse_path));
  for (std::size_t i = 0; i < job.recipients.size(); ++i) {
    const auto address = codec::validate_address(job.recipients[i]);
    RP_ASSERT(address && address->address == job.recipients[i]);
    RP_ASSERT(!address->needs_smtputf8 || job.needs_smtputf8);
  }
  std::string content = job.content.text();
  const auto traits = codec::canonicalise(content, codec::NewlinePolicy::strict);
  RP_ASSERT(traits && content == job.content.text());
  RP_ASSERT(*traits == job.content.traits());
  for (const std::string* json : {&job.tags_json, &job.metadata_json}) {
    RP_ASSERT(json->empty() || codec::check_json(*json, limits::job_depth_max));
    RP_ASSERT(json->find_first_of("\r\n") == std::string::npos);
  }
  for (const std::string* word : {&job.dsn.notify, &job.dsn.return_kind, &job.dsn.envelope_id}) {
    RP_ASSERT(word->find_first_of("\r\n") == std::string::npos);
    RP_ASSERT(word->find('\0') == std::string::npos);
  }
}

void check_refused(const JobError& error) {
  RP_ASSERT(!error.reason.empty() && !codec::name_of(error.kind).empty());
  RP_ASSERT(codec::is_utf8(error.message()));
  constexpr std::size_t message_bytes_max = 1024;
  RP_ASSERT(error.message().size() <= message_bytes_max);
}

// One line a recipient, or one without; each is JSON that says whose it is.
void check_outcome_lines(Message& job, const std::optional<JobError>& error) {
  if (job.recipients.empty()) {
    job.recipients.add({});
  }
  codec::OutcomeWriter writer;
  std::string lines;
  for (std::size_t i = 0; i < job.recipients.size(); ++i) {
    Outcome outcome;
    if (error) {
      outcome.status = Status::invalid;
      outcome.reason = error->message();
    }
    writer.append(lines, job, i, outcome);
  }
  simdjson::dom::parser parser;
  std::size_t count = 0;
  for (Bytes rest = lines; !rest.empty(); ++count) {
    const std::size_t end = rest.find('\n');
    RP_ASSERT(end != Bytes::npos);
    simdjson::dom::element line;
    RP_ASSERT(parser.parse(rest.data(), end).get(line) == simdjson::SUCCESS);
    std::string_view text;
    RP_ASSERT(line["id"].get(text) == simdjson::SUCCESS && text == job.id);
    RP_ASSERT(count < job.recipients.size());
    if (!job.recipients[count].empty()) {
      RP_ASSERT(line["rcpt"].get(text) == simdjson::SUCCESS);
      RP_ASSERT(error || text == job.recipients[count]);
    } else {
      RP_ASSERT(error && line["rcpt"].is_null());
    }
    rest.remove_prefix(end + 1);
  }
  RP_ASSERT(count == job.recipients.size());
}

bool same(const Message& a, const Message& b) {
  bool equal = a.id == b.id && a.recipient_id == b.recipient_id && a.sender == b.sender &&
               a.content.text() == b.content.text() && a.recipients.size() == b.recipients.size() &&
               a.tags_json == b.tags_json && a.metadata_json == b.metadata_json &&
               a.endpoint == b.endpoint && a.needs_smtputf8 == b.needs_smtputf8 &&
               a.expires_at_us == b.expires_at_us && a.idempotency_key == b.idempotency_key &&
               a.dsn.notify == b.dsn.notify;
  for (std::size_t i = 0; equal && i < a.recipients.size(); ++i) {
    equal = a.recipients[i] == b.recipients[i];
  }
  return equal;
}

void check(Message& job, const std::optional<JobError>& error, Bytes line) {
  check_bounds(job, line);
  if (error) {
    check_refused(*error);
  } else {
    check_accepted(job, line);
  }
  check_outcome_lines(job, error);
}

// Nothing of a line before is left in the reader or in the job.
void check_same(const Message& job, const std::optional<JobError>& error, const Message& fresh,
                const std::optional<JobError>& again) {
  RP_ASSERT(again.has_value() == error.has_value());
  RP_ASSERT(!error || (again->kind == error->kind && again->message() == error->message()));
  RP_ASSERT(error || same(job, fresh));
}

// What other readers make of the same line, message by message.
void check_line(JobReader& reader, const codec::JobReaderOptions& options, Bytes line,
                std::uint64_t number) {
  constexpr std::size_t messages_max = 40;
  const std::string text = padded(line);
  JobReader fresh_reader(options);
  Message job;
  Message fresh;
  std::optional<JobError> error = read(reader, text, number, job);
  std::optional<JobError> again = read(fresh_reader, text, number, fresh);
  for (std::size_t count = 1;; ++count) {
    check_same(job, error, fresh, again);
    RP_ASSERT(job.origin.job_recipients == 0 || job.origin.first_recipient == count - 1);
    check(job, error, line);
    RP_ASSERT(reader.has_more() == fresh_reader.has_more());
    if (!reader.has_more() || count == messages_max) {
      break;
    }
    RP_ASSERT(reader.given_count() == count && reader.left_count() <= line.size());
    job.clear();
    fresh.clear();
    error = error_of(reader.next(job));
    again = error_of(fresh_reader.next(fresh));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const unsigned choices = input.octet();
  EchoFiles files;
  codec::JobReaderOptions options;
  options.newlines =
      (choices & 1u) != 0 ? codec::NewlinePolicy::strict : codec::NewlinePolicy::normalize;
  options.files = (choices & 2u) != 0 ? &files : nullptr;
  JobReader reader(options);
  for (std::uint64_t number = 1; !input.empty() && number <= 16; ++number) {
    check_line(reader, options, input.until('\n'), number);
  }
  return 0;
}
