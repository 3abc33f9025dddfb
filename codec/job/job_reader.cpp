// Job lines, read by simdjson's On-Demand front end (codec/job/job_reader_walk.h).
//
// The line is indexed once (which also proves that it is UTF-8) and then walked over field by
// field, each value read where it is met: long text is unescaped straight into the string that goes
// out. An offence does not end the walk. It is noted, the first one wins, and the rest is read all
// the same, because the job's id and recipients are needed for its outcome lines. Only broken JSON
// ends it.
//
// On-Demand does not look at what is skipped, so nothing is skipped unseen: unknown fields are
// offences, and metadata is checked octet by octet on its way into the job
// (codec/text/json_echo.h).
#include "codec/job/job_reader.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "codec/job/job_draft.h"
#include "codec/job/job_reader_mailboxes.h"
#include "codec/journal/line_hash.h"
#include "codec/smtp/dsn_request.h"
#include "codec/text/base64.h"
#include "codec/text/json_echo.h"
#include "codec/text/json_text.h"
#include "codec/text/unix_date.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

static_assert(JobReader::padding_bytes >= simdjson::SIMDJSON_PADDING);

// A parser that has seen a longer line is replaced: its index takes four octets for each of the
// line.
constexpr std::size_t parser_bytes_kept_max = 4u << 20;
constexpr std::int64_t unix_seconds_max = 253'402'300'799;  // the end of the year 9999

bool is_control(char character) {
  return static_cast<std::uint8_t>(character) < 0x20 || character == '\x7f';
}

Bytes trimmed(Bytes line) {
  constexpr Bytes space = " \t\r\n";
  const std::size_t begin = line.find_first_not_of(space);
  return begin == Bytes::npos ? Bytes{}
                              : line.substr(begin, line.find_last_not_of(space) - begin + 1);
}

}  // namespace

class JobReader::Implementation : private JobReaderMailboxes {
 public:
  explicit Implementation(JobReaderOptions options)
      : JobReaderMailboxes(options.recipients_max), options_(options) {}

  Result<void, JobError> parse(Bytes given_line, const Source& where, Message& message) {
    message_ = &message;
    draft_.clear();
    broken_ = false;
    message.id.clear();
    message.origin.file.assign(where.file);
    message.origin.line = where.line;
    if (where.line == 1 && given_line.starts_with(byte_order_mark)) {
      given_line.remove_prefix(byte_order_mark.size());
    }
    line_ = trimmed(given_line);
    if (looks_like_a_job()) {
      read_job();
      trim_parser();
    }
    // Without an id, or with composed content, the line's hash is needed; a raw job with an id
    // saves it.
    LineHash identity;
    if (message.id.empty() || !is_raw()) {
      identity = hash_line(line_, options_.line_hash);
    }
    if (message.id.empty()) {
      append_hex(message.id, identity);
    }
    return complete_job(draft_, options_, where, identity, message);
  }

 private:
  // ---- The line
  // -----------------------------------------------------------------------------------

  bool looks_like_a_job() {
    if (line_.empty()) {
      refuse_line(JobErrorKind::empty_line, "the line is empty");
    } else if (line_.size() > limits::job_line_bytes_max) {
      refuse_line(JobErrorKind::line_too_long,
                  fmt::format("the line has more than {} octets", limits::job_line_bytes_max));
    } else if (line_.starts_with(byte_order_mark)) {
      refuse_line(JobErrorKind::invalid_json, "a byte order mark stands in the middle of the file");
    } else if (line_.front() == '[') {
      refuse_line(JobErrorKind::not_an_object,
                  "this line is a list: jobs are objects, one a line, with no list around them");
    } else if (line_.front() != '{') {
      if (line_.starts_with("\xff\xfe") || line_.starts_with("\xfe\xff")) {
        refuse_line(JobErrorKind::invalid_utf8,
                    "the file is UTF-16 and has to be UTF-8 (iconv -f UTF-16 -t UTF-8)");
        return false;
      }
      if (!is_utf8(line_)) {
        refuse_json(simdjson::UTF8_ERROR);
        return false;
      }
      const bool json = check_json(line_, 1).has_value();
      refuse_line(json ? JobErrorKind::not_an_object : JobErrorKind::invalid_json,
                  json ? fmt::format("a job is an object in braces, and this line is {}",
                                     type_of(line_.front()))
                       : "the line is not JSON: it does not begin with '{' as a job does, which is "
                         "one JSON object on a line (CSV has to be converted)");
    } else {
      return true;
    }
    return false;
  }

  bool is_raw() const {
    return draft_.given.has(JobField::raw) || draft_.given.has(JobField::raw_base64) ||
           draft_.given.has(JobField::raw_file);
  }

  void read_job() {
    ondemand::document document;
    ondemand::object object;
    const simdjson::padded_string_view padded(line_.data(), line_.size(),
                                              line_.size() + padding_bytes);
    if (!sound(parser_.iterate(padded).get(document)) ||
        !sound(document.get_object().get(object))) {
      return;
    }
    for (auto next : object) {
      ondemand::field field;
      std::string_view name;
      if (!sound(std::move(next).get(field)) || !read_name(field, {}, name)) {
        return;
      }
      read_field(name, field.value());
      if (broken_) {
        return;
      }
    }
    // Where the walk stands now; an error says that it is at the end.
    const char* location = nullptr;
    if (document.current_location().get(location) == simdjson::SUCCESS) {
      refuse_json(simdjson::TAPE_ERROR);
    }
  }

  void trim_parser() {
    if (parser_.capacity() > parser_bytes_kept_max) {
      parser_ = ondemand::parser();
    }
  }

  // A short string that goes into logs and keys: not empty, no controls.
  void read_label(ondemand::value& value, const JobPlace& place, std::size_t bytes_max,
                  std::string& label) {
    std::string_view text;
    if (!read_text(value, place, text)) {
      return;
    }
    if (text.empty() || text.size() > bytes_max) {
      refuse(JobErrorKind::invalid_value, place,
             text.empty()
                 ? "is empty"
                 : fmt::format("is longer than {} octets: it has {}", bytes_max, text.size()));
    } else if (std::any_of(text.begin(), text.end(), is_control)) {
      refuse(JobErrorKind::invalid_string, place, "has a control character");
    } else {
      label.assign(text);
    }
  }

  // A number is taken by its digits: they are the key of a resume, so nothing is converted.
  void read_id(ondemand::value& value, const JobPlace& place) {
    std::string_view token = value.raw_json_token();
    if (token.front() == '"') {
      return read_label(value, place, limits::job_id_bytes_max, message_->id);
    }
    if (!begins_number(token.front())) {
      return refuse_type(place, words_of(JobValue::id), token.front());
    }
    token = trimmed(token);
    const Bytes digits = token.substr(token.starts_with('-') ? 1 : 0);
    if (!check_json(token, 1)) {
      refuse_json(simdjson::NUMBER_ERROR);
    } else if (digits.find_first_not_of("0123456789") != Bytes::npos) {
      refuse(JobErrorKind::invalid_value, place,
             "must be a string or a whole number: this number can be written in several ways");
    } else if (token.size() > limits::job_id_bytes_max) {
      refuse(JobErrorKind::invalid_value, place,
             fmt::format("is longer than {} octets: it has {}", limits::job_id_bytes_max,
                         token.size()));
    } else {
      message_->id.assign(token);
    }
  }

  // ---- Fields -----------------------------------------------------------------------------------

  void read_field(std::string_view name, ondemand::value& value) {
    const auto found = std::find(job_field_names.begin(), job_field_names.end(), name);
    if (found == job_field_names.end()) {
      refuse_unknown({nullptr, name}, job_field_names);
      return;
    }
    const auto field = static_cast<JobField>(found - job_field_names.begin());
    const JobPlace place{nullptr, *found};
    if (draft_.given.has(field)) {
      refuse(JobErrorKind::duplicate_field, place, "is given twice");
      return;
    }
    draft_.given.add(field);
    read_known_field(field, place, value);
  }

  void read_known_field(JobField field, const JobPlace& place, ondemand::value& value) {
    switch (field) {
      case JobField::id:
        return read_id(value, place);
      case JobField::from:
        return read_authors(value, place, draft_.from);
      case JobField::reply_to:
        return read_authors(value, place, draft_.reply_to);
      case JobField::to:
        return read_named_recipients(value, place, draft_.to);
      case JobField::cc:
        return read_named_recipients(value, place, draft_.cc);
      case JobField::bcc:
        return read_recipients(value, place, draft_.bcc);
      case JobField::subject:
        return read_subject(value, place);
      case JobField::text:
        return read_long_text(value, place, draft_.text);
      case JobField::html:
        return read_long_text(value, place, draft_.html);
      case JobField::text_file:
        return read_path(value, place, draft_.text_file);
      case JobField::html_file:
        return read_path(value, place, draft_.html_file);
      case JobField::headers:
        return read_headers(value, place);
      case JobField::attachments:
        return read_attachments(value, place);
      case JobField::raw:
        return read_long_text(value, place, ContentMaker::open(message_->content));
      case JobField::raw_base64:
        return read_base64(value, place, ContentMaker::open(message_->content));
      case JobField::raw_file:
        return read_path(value, place, draft_.raw_file);
      case JobField::envelope:
        return read_envelope(value, place);
      case JobField::template_name:
      case JobField::merge:
      case JobField::recipients:
        return refuse(JobErrorKind::unsupported_field, place,
                      "templates are not supported by this version");
      case JobField::tags:
        return read_tags(value, place);
      case JobField::metadata:
        return read_metadata(value, place);
      case JobField::endpoint:
        return read_label(value, place, limits::job_endpoint_bytes_max, message_->endpoint);
      case JobField::expires_at:
        return read_expiry(value, place);
      case JobField::idempotency_key:
        return read_idempotency_key(value, place);
    }
  }

  void read_subject(ondemand::value& value, const JobPlace& place) {
    std::string_view text;
    if (!read_text(value, place, text)) {
      return;
    }
    if (std::any_of(text.begin(), text.end(), is_control)) {
      refuse(JobErrorKind::invalid_header, place, "has a line break or another control character");
      return;
    }
    draft_.subject.assign(text);
  }

  void read_path(ondemand::value& value, const JobPlace& place, std::string& path) {
    std::string_view text;
    if (!read_text(value, place, text)) {
      return;
    }
    if (text.empty()) {
      refuse(JobErrorKind::invalid_value, place, "is empty");
      return;
    }
    path.assign(text);
  }

  void read_base64(ondemand::value& value, const JobPlace& place, std::string& octets) {
    std::string_view text;
    if (!read_text(value, place, text)) {
      return;
    }
    if (const auto decoded = decode_base64(text, Base64Space::skipped, octets); !decoded) {
      refuse(JobErrorKind::invalid_base64, place,
             fmt::format("is not base64 at character {}", decoded.error().offset));
    }
  }

  // ---- Headers and attachments
  // -------------------------------------------------------------------

  void add_header(ondemand::value& value, const JobPlace& place, std::string_view name) {
    std::string_view text;
    if (!read_text(value, place, text)) {
      return;
    }
    if (draft_.headers.size() == limits::job_header_fields_max) {
      refuse(JobErrorKind::invalid_header, place,
             fmt::format("there are more than {} fields", limits::job_header_fields_max));
      return;
    }
    HeaderField& field = draft_.headers.add();
    field.name.assign(name);
    field.value.assign(text);
  }

  // No outcome line needs headers or attachments, so reading them ends with the first offence.
  void read_headers(ondemand::value& value, const JobPlace& place) {
    read_object(value, place, [&](std::string_view name, ondemand::value& member) {
      const JobPlace here = place.member(name);
      if (has_header(name)) {
        refuse(JobErrorKind::duplicate_field, here, "is given twice: use a list of strings");
      } else if (first_of(member) == '[') {
        read_list(member, [&](std::size_t index, ondemand::value& element) {
          add_header(element, here.element(index), name);
          return !draft_.error;
        });
      } else {
        add_header(member, here, name);
      }
      return !draft_.error;
    });
  }

  [[nodiscard]] bool has_header(std::string_view name) const {
    for (const HeaderField& field : draft_.headers.span()) {
      if (equal_field_names(field.name, name)) {
        return true;
      }
    }
    return false;
  }

  void read_attachment(ondemand::value& value, const JobPlace& place, AttachmentDraft& draft) {
    bool has_content = false;
    bool has_path = false;
    read_members(value, place, attachment_members, [&](std::size_t index, ondemand::value& member) {
      const JobPlace here = place.member(attachment_members[index]);
      Attachment& attachment = draft.attachment;
      switch (static_cast<AttachmentMember>(index)) {
        case AttachmentMember::filename:
          return read_path(member, here, attachment.file_name);
        case AttachmentMember::content:
          has_content = true;
          return read_base64(member, here, attachment.content);
        case AttachmentMember::path:
          has_path = true;
          return read_path(member, here, draft.path);
        case AttachmentMember::content_type:
          return read_path(member, here, attachment.content_type);
        case AttachmentMember::cid:
          return read_path(member, here, attachment.content_id);
      }
    });
    if (has_content == has_path) {
      refuse(has_content ? JobErrorKind::conflicting_fields : JobErrorKind::missing_field, place,
             has_content ? "has both \"content\" and \"path\"" : "needs \"content\" or \"path\"");
    }
  }

  void read_attachments(ondemand::value& value, const JobPlace& place) {
    if (const char first = first_of(value); first != '[') {
      refuse_type(place, words_of(JobValue::attachments), first);
      return;
    }
    read_list(value, [&](std::size_t index, ondemand::value& element) {
      if (index == limits::job_attachments_max) {
        refuse(JobErrorKind::invalid_attachment, place,
               fmt::format("are more than {}", limits::job_attachments_max));
        return false;
      }
      read_attachment(element, place.element(index), draft_.attachments.add());
      return !draft_.error;
    });
  }

  // ---- Envelope
  // -----------------------------------------------------------------------------------

  void read_envelope(ondemand::value& value, const JobPlace& place) {
    read_members(value, place, envelope_members, [&](std::size_t index, ondemand::value& member) {
      const JobPlace here = place.member(envelope_members[index]);
      switch (static_cast<EnvelopeMember>(index)) {
        case EnvelopeMember::from:
          return read_envelope_sender(member, here);
        case EnvelopeMember::to:
          draft_.has_envelope_recipients = true;
          return read_recipients(member, here, draft_.envelope_recipients);
        case EnvelopeMember::dsn:
          return read_dsn(member, here);
      }
    });
  }

  // Besides a mailbox there is the null sender of notifications (RFC 5321 4.5.5).
  void read_envelope_sender(ondemand::value& value, const JobPlace& place) {
    draft_.has_envelope_sender = true;
    if (is_null_sender(value.raw_json_token())) {
      return;
    }
    if (!read_mailbox(value, place, draft_.envelope_sender, MailboxUse::reverse_path)) {
      draft_.envelope_sender.clear();
    }
  }

  void read_dsn(ondemand::value& value, const JobPlace& place) {
    read_members(value, place, dsn_members, [&](std::size_t index, ondemand::value& member) {
      const JobPlace here = place.member(dsn_members[index]);
      switch (static_cast<DsnMember>(index)) {
        case DsnMember::notify:
          return read_notify(member, here);
        case DsnMember::ret:
          return read_return_kind(member, here);
        case DsnMember::envid:
          return read_envelope_id(member, here);
      }
    });
  }

  // A comma list or a list of strings.
  void read_notify(ondemand::value& value, const JobPlace& place) {
    std::string words;
    const auto add_words = [&](ondemand::value& one, const JobPlace& here) {
      std::string_view text;
      if (read_text(one, here, text)) {
        words += words.empty() ? "" : ",";
        words += text;
      }
    };
    if (first_of(value) == '[') {
      read_list(value, [&](std::size_t index, ondemand::value& element) {
        add_words(element, place.element(index));
        return true;
      });
    } else {
      add_words(value, place);
    }
    if (!assign_notify(words, message_->dsn)) {
      refuse(JobErrorKind::invalid_value, place,
             "must be \"NEVER\" or some of \"SUCCESS\", \"FAILURE\", \"DELAY\"");
    }
  }

  void read_return_kind(ondemand::value& value, const JobPlace& place) {
    std::string_view text;
    if (read_text(value, place, text) && !assign_return_kind(text, message_->dsn)) {
      refuse(JobErrorKind::invalid_value, place, "must be \"FULL\" or \"HDRS\"");
    }
  }

  void read_envelope_id(ondemand::value& value, const JobPlace& place) {
    std::string_view text;
    if (read_text(value, place, text) && !assign_envelope_id(text, message_->dsn)) {
      refuse(JobErrorKind::invalid_value, place, "must be 1 to 100 printable ASCII characters");
    }
  }

  // ---- The rest
  // -----------------------------------------------------------------------------------

  void read_tags(ondemand::value& value, const JobPlace& place) {
    std::string& json = message_->tags_json;
    const char first = first_of(value);
    std::string_view text;
    if (first == '"') {
      if (read_text(value, place, text)) {
        append_json_string(json, text);
      }
    } else if (first == '[') {
      json += '[';
      read_list(value, [&](std::size_t index, ondemand::value& element) {
        if (read_text(element, place.element(index), text)) {
          json += json.size() > 1 ? "," : "";
          append_json_string(json, text);
        }
        return json.size() <= limits::job_echo_bytes_max;
      });
      json += ']';
    } else {
      refuse_type(place, words_of(JobValue::tags), first);
    }
    check_echo(place, json);
  }

  // Any value: it is the user's own business, as long as it is JSON.
  void read_metadata(ondemand::value& value, const JobPlace& place) {
    std::string_view json;
    ondemand::object object;
    ondemand::array array;
    simdjson::error_code error = simdjson::SUCCESS;
    switch (first_of(value)) {
      case '{':
        error = value.get_object().get(object);
        error = error ? error : object.raw_json().get(json);
        break;
      case '[':
        error = value.get_array().get(array);
        error = error ? error : array.raw_json().get(json);
        break;
      default:
        json = value.raw_json_token();
        break;
    }
    if (!sound(error)) {
      return;
    }
    const auto compacted =
        append_compact_json(message_->metadata_json, json, limits::job_depth_max - 1);
    if (!compacted) {
      // The value ends where the walk says, so the line's own end does not come into it.
      const JsonFlaw flaw = compacted.error().flaw;
      const bool cut = flaw == JsonFlaw::truncated || flaw == JsonFlaw::trailing;
      const JsonFlaw shown = cut ? JsonFlaw::syntax : flaw;
      refuse(kind_of(shown), place,
             fmt::format("{} (octet {})", text_of(shown), compacted.error().offset));
    }
    check_echo(place, message_->metadata_json);
  }

  void check_echo(const JobPlace& place, std::string& json) {
    if (json.size() > limits::job_echo_bytes_max) {
      json.clear();
      refuse(JobErrorKind::invalid_value, place,
             fmt::format("has more than {} octets", limits::job_echo_bytes_max));
    }
  }

  void read_expiry(ondemand::value& value, const JobPlace& place) {
    const char first = first_of(value);
    std::int64_t seconds = 0;
    if (first == '"') {
      std::string_view text;
      if (!read_text(value, place, text)) {
        return;
      }
      if (const auto parsed = parse_rfc3339(text); parsed && *parsed > 0) {
        message_->expires_at_us = *parsed;
        return;
      }
    } else if (type_of(first) != "a number") {
      refuse_type(place, words_of(JobValue::moment), first);
      return;
    } else if (value.get_int64().get(seconds) == simdjson::SUCCESS && seconds > 0 &&
               seconds <= unix_seconds_max) {
      message_->expires_at_us = seconds * 1'000'000;
      return;
    }
    refuse(JobErrorKind::invalid_value, place,
           "must be a date like \"2026-11-20T21:22:23Z\" or whole seconds of Unix time");
  }

  // It may become a header field, so it is held to what every header may have.
  void read_idempotency_key(ondemand::value& value, const JobPlace& place) {
    std::string& key = message_->idempotency_key;
    read_label(value, place, limits::idempotency_key_bytes_max, key);
    const bool printable = std::all_of(key.begin(), key.end(), [](char character) {
      return character >= ' ' && character <= '~';
    });
    if (!printable) {
      refuse(JobErrorKind::invalid_value, place, "must be printable ASCII characters");
    }
  }

  JobReaderOptions options_;
  Message* message_ = nullptr;  // of the line being read
};

JobReader::JobReader(JobReaderOptions options)
    : implementation_(std::make_unique<Implementation>(options)) {}
JobReader::~JobReader() = default;
JobReader::JobReader(JobReader&&) noexcept = default;
JobReader& JobReader::operator=(JobReader&&) noexcept = default;

Result<void, JobError> JobReader::parse(Bytes line, const Source& where, Message& message) {
  return implementation_->parse(line, where, message);
}

std::string simdjson_version() {
  return fmt::format("{}.{}.{}", static_cast<int>(simdjson::SIMDJSON_VERSION_MAJOR),
                     static_cast<int>(simdjson::SIMDJSON_VERSION_MINOR),
                     static_cast<int>(simdjson::SIMDJSON_VERSION_REVISION));
}

}  // namespace ringpost::codec
