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

#include "codec/job/fan_out.h"
#include "codec/job/job_draft.h"
#include "codec/job/job_reader_values.h"
#include "codec/job/template_draft.h"
#include "codec/journal/line_hash.h"
#include "codec/smtp/dsn_request.h"
#include "codec/template/merge_json.h"
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

}  // namespace

class JobReader::Implementation : private JobReaderValues {
 public:
  explicit Implementation(JobReaderOptions options)
      : JobReaderValues(options.recipients_max), options_(options) {
    if (options.dialect) {
      translator_.emplace(
          DialectOptions{.dialect = *options.dialect, .line_hash = options.line_hash});
    }
  }

  // A body of a service is the job that it means; the job of one that is refused is read for the
  // sake of its id and its recipients.
  Result<void, JobError> parse(Bytes given_line, const Source& where, Message& message) {
    if (!translator_) {
      return parse_job(given_line, where, message);
    }
    if (translated_.capacity() > parser_bytes_kept_max) {
      translated_ = {};
    }
    const auto translated = translator_->translate(given_line, where.date_us, translated_);
    const std::size_t bytes = translated_.size();
    translated_.append(padding_bytes, ' ');
    auto parsed = parse_job(Bytes(translated_).substr(0, bytes), where, message);
    if (!translated) {
      return Failure(translated.error());
    }
    if (!parsed && message.origin.job_recipients == 0) {
      parsed.error().reason += " (in the job that the body becomes)";
    }
    return parsed;
  }

  [[nodiscard]] bool has_more() const { return fan_out_ != nullptr && fan_out_->has_more(); }
  [[nodiscard]] std::size_t given_count() const {
    return fan_out_ == nullptr ? 0 : fan_out_->given_count();
  }
  [[nodiscard]] std::size_t left_count() const {
    return fan_out_ == nullptr ? 0 : fan_out_->left_count();
  }
  Result<void, JobError> next(Message& message) { return fan_out_->next(message); }

  Result<MessageTemplatePtr, JobError> read_definition(Bytes line, const Source& where,
                                                       DefinitionNote& note) {
    is_definition_ = true;
    Message nobody;
    read_line(line, where, nobody);
    is_definition_ = false;
    note.name = draft_.templates.name;
    if (draft_.error) {
      return Failure(std::move(*draft_.error));
    }
    TemplateDefinition definition;
    if (auto made = check_definition_line(draft_, nobody).and_then([&] {
          return make_definition(draft_, options_, definition);
        });
        !made) {
      return Failure(std::move(made.error()));
    }
    if (const Bytes values = draft_.templates.merge_json; !values.empty()) {
      if (auto read = MergeJson().read(values, definition.merge); !read) {
        return Failure(JobError{JobErrorKind::invalid_value, "merge", std::move(read.error())});
      }
    }
    note.bytes = line.size() + bytes_of_files(definition);
    return MessageTemplate::compile(
        std::move(definition),
        {.date_us = where.date_us, .missing = options_.missing, .verp = options_.verp},
        hash_line(line_, options_.line_hash));
  }

 private:
  Result<void, JobError> parse_job(Bytes given_line, const Source& where, Message& message) {
    if (fan_out_ != nullptr) {
      fan_out_->forget();
    }
    message.id.clear();
    message.origin.file.assign(where.file);
    message.origin.line = where.line;
    read_line(given_line, where, message);
    // Without an id, or with composed content, the line's hash is needed; a raw job with an id
    // saves it.
    LineHash identity;
    if (message.id.empty() || !is_raw()) {
      identity = hash_line(line_, options_.line_hash);
    }
    if (message.id.empty()) {
      append_hex(message.id, identity);
    }
    if (draft_.given.fill_in() || wants_default_template()) {
      return begin_fan_out(where, identity, message);
    }
    return complete_job(draft_, options_, where, identity, message);
  }

  void read_line(Bytes given_line, const Source& where, Message& message) {
    message_ = &message;
    draft_.clear();
    broken_ = false;
    if (where.line == 1 && given_line.starts_with(byte_order_mark)) {
      given_line.remove_prefix(byte_order_mark.size());
    }
    line_ = trimmed(given_line);
    if (looks_like_a_job()) {
      read_job();
      trim_parser();
    }
  }

  [[nodiscard]] bool wants_default_template() const {
    return options_.has_default_template && !is_raw() && !has_content(draft_.given);
  }

  static std::size_t bytes_of_files(const TemplateDefinition& definition) {
    std::size_t bytes = definition.text.value_or("").size() + definition.html.value_or("").size();
    for (const Attachment& attachment : definition.attachments) {
      bytes += attachment.content.size();
    }
    return bytes;
  }

  Result<void, JobError> begin_fan_out(const Source& where, const LineHash& identity,
                                       Message& message) {
    if (fan_out_ == nullptr) {
      fan_out_ = std::make_unique<FanOut>(options_);
    }
    return fan_out_->begin(draft_, where, identity, message);
  }

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
        return read_id(value, place, message_->id);
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
        return read_header_line(value, place, draft_.subject);
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
        return read_label(value, place, limits::job_id_bytes_max, draft_.templates.name);
      case JobField::merge:
        return read_merge(value, place);
      case JobField::recipients:
        return read_recipient_list(value, place);
      case JobField::define:
        return read_definition_name(value, place);
      case JobField::partials:
        return read_partials(value, place);
      case JobField::unsubscribe:
        return read_header_line(value, place, draft_.templates.unsubscribe);
      case JobField::list_id:
        return read_header_line(value, place, draft_.templates.list_id);
      case JobField::tags:
        return read_tags(value, place);
      case JobField::metadata:
        return read_echo(value, place, message_->metadata_json);
      case JobField::endpoint:
        return read_label(value, place, limits::job_endpoint_bytes_max, message_->endpoint);
      case JobField::expires_at:
        return read_expiry(value, place);
      case JobField::idempotency_key:
        return read_idempotency_key(value, place);
    }
  }

  void read_header_line(ondemand::value& value, const JobPlace& place, std::string& line) {
    std::string_view text;
    if (!read_text(value, place, text)) {
      return;
    }
    if (std::any_of(text.begin(), text.end(), is_control)) {
      refuse(JobErrorKind::invalid_header, place, "has a line break or another control character");
      return;
    }
    line.assign(text);
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

  // ---- Templates
  // ---------------------------------------------------------------------------------

  void read_definition_name(ondemand::value& value, const JobPlace& place) {
    if (!is_definition_) {
      return refuse(JobErrorKind::conflicting_fields, place,
                    "must be the first member of its line, so that whoever cuts lines sees it");
    }
    read_label(value, place, limits::job_id_bytes_max, draft_.templates.name);
  }

  // Its values are read where they are filled in.
  void read_merge(ondemand::value& value, const JobPlace& place) {
    Bytes json;
    if (!read_object_whole(value, place, json)) {
      return;
    }
    if (const auto checked = check_json(json, limits::job_depth_max - 1); !checked) {
      return refuse_flaw(place, checked.error());
    }
    draft_.templates.merge_json = json;
  }

  void read_recipient_list(ondemand::value& value, const JobPlace& place) {
    if (const char first = first_of(value); first != '[') {
      return refuse_type(place, "a list", first);
    }
    Bytes json;
    if (!read_whole(value, json)) {
      return;
    }
    if (const auto checked = check_json(json, limits::job_depth_max - 1); !checked) {
      return refuse_flaw(place, checked.error());
    }
    draft_.templates.recipients_json = json;
  }

  void read_partials(ondemand::value& value, const JobPlace& place) {
    std::vector<Partial>& partials = draft_.templates.partials;
    read_object(value, place, [&](std::string_view name, ondemand::value& member) {
      const JobPlace here = place.member(name);
      const auto has_name = [name](const Partial& partial) { return partial.name == name; };
      if (std::any_of(partials.begin(), partials.end(), has_name)) {
        refuse(JobErrorKind::duplicate_field, here, "is given twice");
      } else if (partials.size() == limits::template_partials_max) {
        refuse(JobErrorKind::invalid_value, place,
               fmt::format("has more than {}", limits::template_partials_max));
      } else {
        Partial& partial = partials.emplace_back();
        partial.name.assign(name);
        read_long_text(member, here, partial.source);
      }
      return !draft_.error;
    });
  }

  // ---- Attachments
  // -------------------------------------------------------------------------------

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
        words += text;
      }
    };
    if (first_of(value) == '[') {
      read_list(value, [&](std::size_t index, ondemand::value& element) {
        words += index == 0 ? "" : ",";
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
               seconds <= moment_seconds_max) {
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
  std::optional<DialectTranslator> translator_;
  std::string translated_;      // the job that a body became
  Message* message_ = nullptr;  // of the line being read
  bool is_definition_ = false;  // which it is
  std::unique_ptr<FanOut> fan_out_;
};

JobReader::JobReader(JobReaderOptions options)
    : implementation_(std::make_unique<Implementation>(options)) {}
JobReader::~JobReader() = default;
JobReader::JobReader(JobReader&&) noexcept = default;
JobReader& JobReader::operator=(JobReader&&) noexcept = default;

Result<void, JobError> JobReader::parse(Bytes line, const Source& where, Message& message) {
  return implementation_->parse(line, where, message);
}

bool JobReader::has_more() const { return implementation_->has_more(); }
Result<void, JobError> JobReader::next(Message& message) { return implementation_->next(message); }
std::size_t JobReader::given_count() const { return implementation_->given_count(); }
std::size_t JobReader::left_count() const { return implementation_->left_count(); }

Result<MessageTemplatePtr, JobError> JobReader::read_definition(Bytes line, const Source& where,
                                                                DefinitionNote& note) {
  return implementation_->read_definition(line, where, note);
}

bool begins_definition(Bytes line) {
  constexpr Bytes name = "\"define\"";
  if (line.starts_with(byte_order_mark)) {
    line.remove_prefix(byte_order_mark.size());
  }
  const auto skip_space = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
  };
  skip_space();
  if (!line.starts_with('{')) {
    return false;
  }
  line.remove_prefix(1);
  skip_space();
  return line.starts_with(name);
}

std::string simdjson_version() {
  return fmt::format("{}.{}.{}", static_cast<int>(simdjson::SIMDJSON_VERSION_MAJOR),
                     static_cast<int>(simdjson::SIMDJSON_VERSION_MINOR),
                     static_cast<int>(simdjson::SIMDJSON_VERSION_REVISION));
}

}  // namespace ringpost::codec
