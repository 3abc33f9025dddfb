// The problem: one line stands for a million messages, each of which may be wrong by itself, and
// what is wrong with the line is wrong with each of them. The idea: what all share is read, checked
// and compiled once; then the list is walked by its brackets, and each recipient is read when his
// message is wanted. So a line costs its own octets and no more, whoever is slow. Limits: the list
// has to be JSON to its end before its first message is made, and is gone through twice for that.
#include "codec/job/fan_out.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/job/job_reader_values.h"
#include "codec/job/template_draft.h"
#include "codec/job/template_source.h"
#include "codec/template/merge_json.h"
#include "codec/template/mustache.h"
#include "codec/template/template_writer.h"
#include "codec/text/json_parts.h"
#include "codec/text/reusable_list.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

using Written = Result<void, JobError>;

JobError line_error(JobErrorKind kind, std::string_view field, std::string reason) {
  return {kind, std::string(field), std::move(reason)};
}

// Of each recipient his own: what the line and his place in it are hashed to.
LineHash identity_of(const LineHash& line, std::uint64_t index) {
  std::array<char, 3 * sizeof(std::uint64_t)> octets{};
  std::size_t at = 0;
  for (const std::uint64_t number : {line.high, line.low, index}) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      octets[at++] = static_cast<char>(static_cast<std::uint8_t>(number >> shift));
    }
  }
  return hash_line({octets.data(), octets.size()});
}

bool is_printable(Bytes text) {
  for (const char character : text) {
    if (character < ' ' || character > '~') {
      return false;
    }
  }
  return true;
}

// What the line says of each of its messages.
struct SharedFields {
  std::string id;
  std::string tags_json;
  std::string metadata_json;
  std::string endpoint;
  std::string idempotency_key;
  DsnRequest dsn;
  std::int64_t expires_at_us = 0;

  void take(const Message& message) {
    id.assign(message.id);
    tags_json.assign(message.tags_json);
    metadata_json.assign(message.metadata_json);
    endpoint.assign(message.endpoint);
    idempotency_key.assign(message.idempotency_key);
    dsn = message.dsn;
    expires_at_us = message.expires_at_us;
  }
  void give(Message& message) const {
    message.id.assign(id);
    message.tags_json.assign(tags_json);
    message.metadata_json.assign(metadata_json);
    message.endpoint.assign(endpoint);
    message.idempotency_key.assign(idempotency_key);
    message.dsn = dsn;
    message.expires_at_us = expires_at_us;
  }
};

// Text of a template that is not escaped for anything.
class PlainOutput : public MustacheOutput {
 public:
  explicit PlainOutput(std::string& text) : text_(text) {}
  void add_literal([[maybe_unused]] std::size_t literal, Bytes text) override { text_ += text; }
  void add_value(Bytes value, [[maybe_unused]] bool escaped) override { text_ += value; }

 private:
  std::string& text_;
};

}  // namespace

class FanOut::Implementation : private JobReaderValues {
 public:
  explicit Implementation(const JobReaderOptions& options)
      : JobReaderValues(options.recipients_max), options_(options) {}

  Written begin(JobDraft& line, const Source& where, const LineHash& identity, Message& message) {
    forget();
    shared_.take(message);
    file_.assign(where.file);
    line_number_ = where.line;
    identity_ = identity;
    is_list_ = line.given.has(JobField::recipients);
    recipients_ = JsonParts(
        line.templates.recipients_json.empty() ? Bytes("[]") : line.templates.recipients_json);
    count_ = is_list_ && !line.templates.recipients_json.empty()
                 ? JsonParts::count(line.templates.recipients_json)
                 : 0;
    error_ = std::move(line.error);
    if (!error_) {
      if (auto prepared = prepare(line, where); !prepared) {
        error_ = std::move(prepared.error());
      }
    }
    find_members_of_metadata();
    Written written = is_list_ ? write_first(message) : write_single(line, message);
    if (!written && message.content.empty()) {
      ContentMaker::abandon(message.content);
    }
    return written;
  }

  [[nodiscard]] bool has_more() const { return given_ < count_; }
  [[nodiscard]] std::size_t given_count() const { return given_; }
  [[nodiscard]] std::size_t left_count() const { return count_ - given_; }

  Written next(Message& message) {
    Bytes element;
    const bool is_there = recipients_.next(element);
    RP_ASSERT(is_there && has_more());
    const std::size_t index = given_++;
    shared_.give(message);
    message.origin.file.assign(file_);
    message.origin.line = line_number_;
    message.origin.first_recipient = static_cast<std::uint32_t>(index);
    message.origin.job_recipients = static_cast<std::uint32_t>(count_);
    read_recipient(element, index, message);
    Written written = write_to(index, message);
    if (!written && message.recipients.empty() && !mailbox_.address.empty()) {
      message.recipients.add(mailbox_.address);
    }
    if (given_ == count_) {
      give_up_memory();
    }
    return written;
  }

  void forget() {
    error_.reset();
    template_.reset();
    sender_.reset();
    has_null_sender_ = false;
    is_list_ = false;
    count_ = given_ = 0;
    layers_.clear();
    line_headers_.clear();
    line_metadata_.clear();
  }

 private:
  // ---- What all share ---------------------------------------------------------------------------

  Written prepare(JobDraft& line, const Source& where) {
    return check_template_line(line.given)
        .and_then([&] { return check_list(line); })
        .and_then([&] { return take_values(line); })
        .and_then([&] { return take_template(line, where); });
  }

  Written check_list(const JobDraft& line) {
    if (!is_list_) {
      return {};
    }
    if (line.has_envelope_recipients) {
      return Failure(line_error(JobErrorKind::conflicting_fields, "envelope.to",
                                "may not stand beside \"recipients\", who get a message each"));
    }
    if (count_ > options_.line_recipients_max) {
      return Failure(line_error(JobErrorKind::too_many_recipients, "recipients",
                                fmt::format("has more than {}", options_.line_recipients_max)));
    }
    if (count_ == 0) {
      return Failure(line_error(JobErrorKind::no_recipients, "recipients",
                                "is empty: nobody would get the message"));
    }
    return {};
  }

  Written take_values(const JobDraft& line) {
    if (!line.templates.merge_json.empty()) {
      if (auto read = merge_json_.read(line.templates.merge_json, line_merge_); !read) {
        return Failure(line_error(JobErrorKind::invalid_value, "merge", std::move(read.error())));
      }
      layers_.push_back(&line_merge_);
    }
    if (options_.values != nullptr) {
      layers_.push_back(options_.values);
    }
    return {};
  }

  Written take_template(JobDraft& line, const Source& where) {
    const bool is_named = line.given.has(JobField::template_name);
    if (is_named || !has_content(line.given)) {
      return find_template(line, where);
    }
    if (line.from.empty() && !line.has_envelope_sender) {
      return Failure(line_error(JobErrorKind::missing_field, "from",
                                "is missing: \"from\" or \"envelope.from\" names the sender"));
    }
    TemplateDefinition definition;
    if (auto made = make_definition(line, options_, definition); !made) {
      return made;
    }
    auto compiled = MessageTemplate::compile(
        std::move(definition),
        {.date_us = where.date_us, .missing = options_.missing, .verp = options_.verp}, identity_);
    if (!compiled) {
      return Failure(std::move(compiled.error()));
    }
    template_ = std::move(*compiled);
    return {};
  }

  Written find_template(JobDraft& line, const Source& where) {
    if (options_.templates == nullptr) {
      return Failure(line_error(JobErrorKind::missing_field, "template",
                                "there are no templates here: the line needs subject and text or "
                                "html of its own"));
    }
    auto found = options_.templates->find(line.templates.name, where);
    if (!found) {
      return Failure(std::move(found.error()));
    }
    template_ = std::move(*found);
    for (const HeaderField& field : line.headers.span()) {
      line_headers_.push_back(field);
    }
    has_null_sender_ = line.has_envelope_sender && line.envelope_sender.address.empty();
    if (line.has_envelope_sender && !has_null_sender_) {
      auto parsed = Mustache::parse(line.envelope_sender.address, {});
      if (!parsed) {
        return Failure(
            line_error(JobErrorKind::invalid_value, "envelope.from", parsed.error().message()));
      }
      sender_ = std::move(*parsed);
    }
    return {};
  }

  // Which of them a recipient says anew is seen by their names, as they are written.
  void find_members_of_metadata() {
    if (!shared_.metadata_json.starts_with('{')) {
      return;
    }
    JsonParts members(shared_.metadata_json);
    for (Bytes name, value; members.next(name, value);) {
      line_metadata_.emplace_back(name, value);
    }
  }

  // ---- One message ------------------------------------------------------------------------------

  Written write_first(Message& message) {
    if (count_ == 0) {
      return Failure(std::move(*error_));  // nobody could be read
    }
    return next(message);
  }

  // To all whom the line names in its own fields.
  Written write_single(JobDraft& line, Message& message) {
    add_job_recipients(line, message);
    if (error_) {
      return Failure(std::move(*error_));
    }
    if (auto checked = check_recipients(line, options_, message); !checked) {
      return checked;
    }
    TemplateRecipient recipient;
    recipient.to = std::as_const(line.to).span();
    recipient.cc = std::as_const(line.cc).span();
    recipient.is_hidden = line.to.empty() && line.cc.empty();
    mailbox_.clear();
    if (recipient.is_hidden) {
      mailbox_.address.assign(message.recipients[0]);
    } else {
      mailbox_ = line.to.empty() ? line.cc.span().front() : line.to.span().front();
    }
    draft_.headers.clear();
    own_id_.clear();
    has_own_merge_ = false;
    // The writer adds whom it writes for, and here others may have the message, too.
    std::swap(all_, message.recipients);
    const bool needs_smtputf8 = message.needs_smtputf8;
    Written written = write(recipient, identity_, message);
    std::swap(all_, message.recipients);
    all_.clear();
    message.needs_smtputf8 = message.needs_smtputf8 || needs_smtputf8;
    return written;
  }

  Written write_to(std::size_t index, Message& message) {
    if (error_) {
      return Failure(*error_);
    }
    if (draft_.error) {
      return Failure(std::move(*draft_.error));
    }
    if (!message.idempotency_key.empty()) {
      append_recipient(message.idempotency_key, index);
    }
    Written written = write({}, identity_of(identity_, index), message);
    if (!written) {
      place(written.error(), index);
    }
    return written;
  }

  // The writer knows no recipients: of header fields, only those that are his own are in his place.
  void place(JobError& error, std::size_t index) const {
    constexpr std::string_view headers = "headers.";
    if (error.field.starts_with(headers) && has_header(error.field.substr(headers.size()))) {
      error.field = fmt::format("recipients[{}].{}", index, error.field);
    }
  }

  // The same key for two messages would have the provider drop the second one.
  void append_recipient(std::string& key, std::size_t index) {
    key += '/';
    const bool fits = key.size() + own_id_.size() <= limits::idempotency_key_bytes_max;
    if (!own_id_.empty() && fits && is_printable(own_id_)) {
      key += own_id_;
    } else {
      key += std::to_string(index + 1);
    }
  }

  Written write(TemplateRecipient recipient, const LineHash& identity, Message& message) {
    recipient.mailbox = &mailbox_;
    recipient.id = own_id_;
    recipient.merge = has_own_merge_ ? &own_merge_ : nullptr;
    recipient.shared = layers_;
    recipient.headers = headers_of_message();
    recipient.identity = identity;
    if (auto written = writer_.write(*template_, recipient, message); !written) {
      return written;
    }
    if (has_null_sender_) {
      message.sender.clear();
    }
    return sender_ ? write_sender(message) : Written();
  }

  // The recipient's, and of the line those that he does not say himself.
  std::span<const HeaderField> headers_of_message() {
    if (line_headers_.empty()) {
      return std::as_const(draft_).headers.span();
    }
    headers_.clear();
    for (const HeaderField& field : std::as_const(draft_).headers.span()) {
      headers_.add() = field;
    }
    for (const HeaderField& field : line_headers_) {
      if (!has_header(field.name)) {
        headers_.add() = field;
      }
    }
    return std::as_const(headers_).span();
  }

  // What a template says of itself is known to the line alone.
  Written write_sender(Message& message) {
    builtin_.clear();
    builtin_.add(MergeData::root, "email", MergeData::Kind::string, mailbox_.address);
    if (!mailbox_.name.empty()) {
      builtin_.add(MergeData::root, "name", MergeData::Kind::string, mailbox_.name);
    }
    if (!own_id_.empty()) {
      builtin_.add(MergeData::root, "id", MergeData::Kind::string, own_id_);
    }
    sender_layers_.clear();
    if (has_own_merge_) {
      sender_layers_.push_back(&own_merge_);
    }
    sender_layers_.push_back(&builtin_);
    sender_layers_.insert(sender_layers_.end(), layers_.begin(), layers_.end());
    sender_text_.clear();
    PlainOutput output(sender_text_);
    if (const auto rendered = walk_.render(*sender_, sender_layers_, options_.missing,
                                           limits::mailbox_bytes_max * 2, output);
        !rendered) {
      return Failure(
          line_error(JobErrorKind::invalid_value, "envelope.from", rendered.error().message()));
    }
    if (const auto valid =
            validate_address(sender_text_, sender_mailbox_, MailboxUse::reverse_path);
        !valid) {
      return Failure(line_error(JobErrorKind::invalid_address, "envelope.from",
                                describe(valid.error(), sender_text_)));
    }
    message.sender.assign(sender_mailbox_.address);
    message.needs_smtputf8 = message.needs_smtputf8 || sender_mailbox_.needs_smtputf8;
    return {};
  }

  // ---- One recipient ----------------------------------------------------------------------------

  void read_recipient(Bytes element, std::size_t index, Message& message) {
    draft_.error.reset();
    draft_.headers.clear();
    broken_ = false;
    line_ = element;
    mailbox_.clear();
    own_id_.clear();
    has_own_merge_ = false;
    const JobPlace list{nullptr, "recipients"};
    const JobPlace place = list.element(index);
    const simdjson::padded_string_view padded(element.data(), element.size(),
                                              element.size() + JobReader::padding_bytes);
    ondemand::document document;
    if (!sound(parser_.iterate(padded).get(document))) {
      return;
    }
    if (element.front() == '"') {
      read_plain(document, place);
    } else if (element.front() == '{') {
      ondemand::value value;
      if (sound(document.get_value().get(value))) {
        read_members_of(value, place, message);
      }
    } else {
      refuse_type(place, "an address or an object", element.front());
    }
    message.recipient_id.assign(own_id_);
  }

  void read_plain(ondemand::document& document, const JobPlace& place) {
    std::string_view text;
    if (const simdjson::error_code error = document.get_string().get(text); error) {
      refuse_string(place, error);
    } else if (text.find('\0') != Bytes::npos) {
      refuse(JobErrorKind::invalid_string, place, "has a NUL character");
    } else if (const auto parsed = parse_mailbox(text, mailbox_); !parsed) {
      refuse_address(place, parsed.error(), text, mailbox_);
    }
  }

  void read_members_of(ondemand::value& value, const JobPlace& place, Message& message) {
    std::string_view email;
    std::string_view name;
    bool has_email = false;
    read_members(value, place, recipient_members, [&](std::size_t index, ondemand::value& member) {
      const JobPlace here = place.member(recipient_members[index]);
      switch (static_cast<RecipientMember>(index)) {
        case RecipientMember::email:
          has_email = read_text(member, here, email);
          return;
        case RecipientMember::name:
          return read_name_of_person(member, here, name);
        case RecipientMember::id:
          return read_id(member, here, own_id_);
        case RecipientMember::merge:
          return read_merge(member, here);
        case RecipientMember::metadata:
          return read_own_metadata(member, here, message.metadata_json);
        case RecipientMember::headers:
          return read_headers(member, here);
      }
    });
    const JobPlace email_place = place.member("email");
    if (!has_email) {
      return refuse(JobErrorKind::missing_field, email_place, "is missing");
    }
    if (const auto valid = validate_address(email, mailbox_); !valid) {
      return refuse_address(email_place, valid.error(), email, mailbox_);
    }
    mailbox_.name.assign(name);
  }

  void read_name_of_person(ondemand::value& value, const JobPlace& place, std::string_view& name) {
    if (!read_text(value, place, name)) {
      return;
    }
    if (const auto valid = validate_display_name(name); !valid) {
      refuse(JobErrorKind::invalid_address, place, describe(valid.error(), name));
    }
  }

  void read_merge(ondemand::value& value, const JobPlace& place) {
    Bytes json;
    if (!read_object_whole(value, place, json)) {
      return;
    }
    if (auto read = merge_json_.read(json, own_merge_); !read) {
      return refuse(JobErrorKind::invalid_value, place, std::move(read.error()));
    }
    has_own_merge_ = true;
  }

  // His own members over those of the line; what is no object stands alone.
  void read_own_metadata(ondemand::value& value, const JobPlace& place, std::string& json) {
    own_metadata_.clear();
    read_echo(value, place, own_metadata_);
    if (own_metadata_.empty()) {
      return;
    }
    json.clear();
    if (own_metadata_.front() != '{' || line_metadata_.empty()) {
      json.assign(own_metadata_);
      return;
    }
    own_names_.clear();
    JsonParts members(own_metadata_);
    for (Bytes name, member; members.next(name, member);) {
      own_names_.push_back(name);
    }
    std::sort(own_names_.begin(), own_names_.end());
    json += '{';
    for (const auto& [name, member] : line_metadata_) {
      if (!std::binary_search(own_names_.begin(), own_names_.end(), name)) {
        json += json.size() > 1 ? "," : "";
        json.append(name).append(":").append(member);
      }
    }
    const Bytes own = Bytes(own_metadata_).substr(1);
    json += json.size() > 1 && own != "}" ? "," : "";
    json += own;
    check_echo(place, json);
  }

  // One recipient with a page of values leaves no memory behind.
  void give_up_memory() {
    if (parser_.capacity() > limits::job_bytes_kept_max) {
      parser_ = ondemand::parser();
    }
    template_.reset();
  }

  const JobReaderOptions options_;
  MergeJson merge_json_;
  TemplateWriter writer_;
  MustacheWalk walk_;

  // Of the line.
  SharedFields shared_;
  std::string file_;
  std::uint64_t line_number_ = 0;
  LineHash identity_;
  std::optional<JobError> error_;
  MessageTemplatePtr template_;
  MergeData line_merge_;
  std::vector<const MergeData*> layers_;
  std::vector<HeaderField> line_headers_;
  std::vector<std::pair<Bytes, Bytes>> line_metadata_;  // names and values, of shared_
  std::optional<Mustache> sender_;                      // instead of the template's
  bool has_null_sender_ = false;
  bool is_list_ = false;
  JsonParts recipients_;
  std::size_t count_ = 0;
  std::size_t given_ = 0;

  // Of the recipient at hand.
  Mailbox mailbox_;
  std::string own_id_;
  MergeData own_merge_;
  bool has_own_merge_ = false;
  std::string own_metadata_;
  std::vector<Bytes> own_names_;  // of its members
  ReusableList<HeaderField> headers_;
  RecipientList all_;
  MergeData builtin_;
  std::vector<const MergeData*> sender_layers_;
  std::string sender_text_;
  Mailbox sender_mailbox_;
};

FanOut::FanOut(const JobReaderOptions& options)
    : implementation_(std::make_unique<Implementation>(options)) {}
FanOut::~FanOut() = default;

Result<void, JobError> FanOut::begin(JobDraft& draft, const Source& where, const LineHash& identity,
                                     Message& message) {
  return implementation_->begin(draft, where, identity, message);
}
bool FanOut::has_more() const { return implementation_->has_more(); }
Result<void, JobError> FanOut::next(Message& message) { return implementation_->next(message); }
std::size_t FanOut::given_count() const { return implementation_->given_count(); }
std::size_t FanOut::left_count() const { return implementation_->left_count(); }
void FanOut::forget() { implementation_->forget(); }

}  // namespace ringpost::codec
