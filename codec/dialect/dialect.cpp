// The problem: seven services say the same in seven ways, and everything behind the reader knows
// one. The idea: a body becomes a job line, which then goes the way of all job lines: parsed,
// checked, composed, journalled. One line is one job, so that ordinals and resumes count as ever.
// Limits: a body is held as a tree, and its text is copied three times on the way.
#include "codec/dialect/dialect.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "codec/dialect/json_tree.h"
#include "codec/dialect/service_message.h"
#include "codec/dialect/services.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

struct DialectRow {
  std::string_view name;
  std::string_view service;  // for people
  ReadBody read;
};

// In the order of Dialect.
constexpr auto dialect_rows = std::to_array<DialectRow>({
    {"sendgrid", "SendGrid", &read_sendgrid},
    {"mailgun", "Mailgun", &read_mailgun},
    {"postmark", "Postmark", &read_postmark},
    {"ses", "SES", &read_ses},
    {"kumomta", "KumoMTA", &read_kumomta},
    {"nodemailer", "nodemailer", &read_nodemailer},
    {"listmonk", "listmonk", &read_listmonk},
});

constexpr auto names_of_dialects = [] {
  std::array<std::string_view, dialect_rows.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = dialect_rows[i].name;
  }
  return names;
}();

Bytes without_outer_space(Bytes line) {
  constexpr Bytes space = " \t\r\n";
  const std::size_t begin = line.find_first_not_of(space);
  return begin == Bytes::npos ? Bytes{}
                              : line.substr(begin, line.find_last_not_of(space) - begin + 1);
}

}  // namespace

std::span<const std::string_view> dialect_names() { return names_of_dialects; }

std::optional<Dialect> dialect_of(Bytes name) {
  const auto found = std::find(names_of_dialects.begin(), names_of_dialects.end(), name);
  return found == names_of_dialects.end()
             ? std::nullopt
             : std::optional(static_cast<Dialect>(found - names_of_dialects.begin()));
}

class DialectTranslator::Implementation {
 public:
  explicit Implementation(const DialectOptions& options) : options_(options) {}

  Result<void, JobError> translate(Bytes line, std::int64_t date_us, std::string& job_line) {
    if (line.starts_with(byte_order_mark)) {
      line.remove_prefix(byte_order_mark.size());
    }
    line = without_outer_space(line);
    ServiceMessage message;
    std::optional<JobError> error = read(line, date_us, message);
    if (message.id.empty()) {
      append_hex(message.id, hash_line(line, options_.line_hash));
    }
    job_line.clear();
    if (error) {
      append_refused_job(job_line, message);
      return Failure(std::move(*error));
    }
    append_job(job_line, message);
    return {};
  }

 private:
  std::optional<JobError> read(Bytes line, std::int64_t date_us, ServiceMessage& message) {
    if (line.empty()) {
      return JobError{JobErrorKind::empty_line, "", "the line is empty"};
    }
    if (line.size() > limits::job_line_bytes_max) {
      return JobError{JobErrorKind::line_too_long, "",
                      fmt::format("the line has more than {} octets", limits::job_line_bytes_max)};
    }
    const auto root = tree_.read(line);
    if (!root) {
      return root.error();
    }
    const DialectRow& row = dialect_rows[static_cast<std::size_t>(options_.dialect)];
    std::optional<JobError> error = row.read(tree_, *root, date_us, message);
    if (error && error->kind == JobErrorKind::wrong_type && error->field.empty()) {
      return JobError{
          JobErrorKind::not_an_object, "",
          fmt::format("the line is no body of {}, which is an object in braces", row.service)};
    }
    return error;
  }

  DialectOptions options_;
  JsonTree tree_;
};

DialectTranslator::DialectTranslator(const DialectOptions& options)
    : implementation_(std::make_unique<Implementation>(options)) {}
DialectTranslator::~DialectTranslator() = default;
DialectTranslator::DialectTranslator(DialectTranslator&&) noexcept = default;
DialectTranslator& DialectTranslator::operator=(DialectTranslator&&) noexcept = default;

Result<void, JobError> DialectTranslator::translate(Bytes line, std::int64_t date_us,
                                                    std::string& job_line) {
  return implementation_->translate(line, date_us, job_line);
}

}  // namespace ringpost::codec
