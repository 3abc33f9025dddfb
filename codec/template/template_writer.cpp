// The problem: what a recipient's values make of a message has to be as fit to be sent as if it had
// been written and encoded as a whole, at the cost of the values alone. The idea: fields are
// written anew, since a handful of octets costs nothing; of texts only the values are encoded, and
// the column is carried along, so that literals of the template stand as they are or behind a soft
// break. What comes out goes through ContentMaker like everything else. Limits: a value cannot
// change which parts a message has.
#include "codec/template/template_writer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/mail/header_text.h"
#include "codec/mail/quoted_printable.h"
#include "codec/template/template_parts.h"
#include "codec/text/blanks.h"
#include "codec/text/reusable_text.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

using Written = Result<void, JobError>;
using Parts = MessageTemplate::Parts;

constexpr Bytes line_ends = "\r\n";

Failure<JobError> refuse_value(JobErrorKind kind, Bytes field, std::string reason) {
  return Failure(JobError{kind, std::string(field), std::move(reason)});
}

// A line end in a value is one, whatever its octets.
void append_with_line_ends(std::string& out, Bytes value) {
  while (!value.empty()) {
    const std::size_t end = std::min(value.find_first_of(line_ends), value.size());
    out += value.substr(0, end);
    value.remove_prefix(end);
    if (!value.empty()) {
      out += line_ends;
      value.remove_prefix(value.starts_with(line_ends) ? 2 : 1);
    }
  }
}

bool is_control(char character) {
  return static_cast<std::uint8_t>(character) < 0x20 || character == '\x7f';
}

// Without leaving early, so that many octets are looked at in one step.
bool has_control(Bytes text) {
  std::uint8_t any = 0;
  for (const char character : text) {
    any |= static_cast<std::uint8_t>(is_control(character));
  }
  return any != 0;
}

bool has_nul(Bytes text) { return has_control(text) && text.find('\0') != Bytes::npos; }

// A field is one line, and values cannot begin another one. `kept`: a control that stays.
void append_without_controls(std::string& out, Bytes value, char kept = ' ') {
  const std::size_t begin = out.size();
  out += value;
  if (has_control(value)) {
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
        [kept](char character) { return is_control(character) && character != kept; }, ' ');
  }
}

// What an octet of a value asks for, in html and in other text.
enum OctetCare : std::uint8_t { stands_in_html = 1, stands_in_text = 2 };
constexpr std::array<std::uint8_t, 256> octet_cares = [] {
  std::array<std::uint8_t, 256> cares{};
  for (char c = ' '; c <= '~'; ++c) {
    const bool in_text = c != '=';
    const bool in_html = in_text && Bytes("&<>\"'").find(c) == Bytes::npos;
    cares[static_cast<std::uint8_t>(c)] =
        static_cast<std::uint8_t>((in_html ? stands_in_html : 0) | (in_text ? stands_in_text : 0));
  }
  return cares;
}();

// What most values are: a word or two that stand as they are in quoted-printable, wherever.
bool stands_as_it_is(Bytes value, OctetCare where) {
  std::uint8_t all = where;
  for (const char c : value) {
    all &= octet_cares[static_cast<std::uint8_t>(c)];
  }
  return all != 0 && value.front() != '.' && value.back() != ' ';
}

// What may stand nowhere in a URL (RFC 3986 2), or would end the one in the field.
constexpr std::array<bool, 256> stands_in_url = [] {
  std::array<bool, 256> stands{};
  for (char c = '!'; c <= '~'; ++c) {
    stands[static_cast<std::uint8_t>(c)] = Bytes("<>\"\\^`{|}").find(c) == Bytes::npos;
  }
  return stands;
}();

void append_as_url(std::string& out, Bytes text) {
  for (const char character : text) {
    if (stands_in_url[static_cast<std::uint8_t>(character)]) {
      out += character;
    } else {
      append_url_escaped(out, Bytes(&character, 1));
    }
  }
}

// What a field's value is: text keeps the tabs that stand in the template, as a field without
// values does; an address or its name has none.
enum class FieldForm : std::uint8_t { text, address, url };

// One field's value.
class FieldOutput : public MustacheOutput {
 public:
  void begin(FieldForm form) {
    empty(text_);
    is_url_ = form == FieldForm::url;
    kept_ = form == FieldForm::text ? '\t' : ' ';
    had_nul_ = false;
  }
  void add_literal(std::size_t /*literal*/, Bytes text) override {
    if (is_url_) {
      append_as_url(text_, text);
    } else {
      append_without_controls(text_, text, kept_);
    }
  }
  void add_value(Bytes value, bool escaped) override {
    had_nul_ = had_nul_ || has_nul(value);
    if (!is_url_) {
      append_without_controls(text_, value);
    } else if (escaped) {
      append_url_escaped(text_, value);
    } else {
      append_as_url(text_, value);
    }
  }

  [[nodiscard]] Bytes text() const { return text_; }
  [[nodiscard]] bool had_nul() const { return had_nul_; }

 private:
  std::string text_;
  bool is_url_ = false;
  char kept_ = ' ';
  bool had_nul_ = false;
};

// A content in the making: own octets are gathered until a segment comes.
class ContentOutput {
 public:
  void begin(const Parts& parts, Content& content) {
    parts_ = &parts;
    content_ = &content;
    maker_.begin(content, parts.store);
    own_.clear();
  }

  std::string& own() { return own_; }

  void add(const FixedOctets& octets) {
    if (octets.segment == FixedOctets::no_segment) {
      own_ += Bytes(parts_->few).substr(octets.offset, octets.bytes);
      return;
    }
    flush();
    maker_.add_segment(*content_, octets.segment);
  }

  Result<void, ContentError> finish() {
    flush();
    return maker_.finish(*content_);
  }

  void give_up_memory() { shrink(own_); }

 private:
  void flush() {
    if (!own_.empty()) {
      maker_.add_value(*content_, own_);
      own_.clear();
    }
  }

  ContentMaker maker_{NewlinePolicy::strict};
  const Parts* parts_ = nullptr;
  Content* content_ = nullptr;
  std::string own_;
};

// The text of a part, as quoted-printable.
class BodyOutput : public MustacheOutput {
 public:
  explicit BodyOutput(ContentOutput& content) : content_(content) {}

  void begin(const OpenBody& body) {
    body_ = &body;
    column_ = 0;
    is_empty_ = true;
    had_nul_ = false;
  }

  void add_literal(std::size_t index, Bytes /*text*/) override {
    const EncodedLiteral& literal = body_->literals[index];
    if (!literal.begins_with_line_end() &&
        column_ + literal.first_line_bytes > quoted_printable_column_max) {
      content_.own() += "=\r\n";
      column_ = 0;
    }
    content_.add(literal.octets);
    column_ = literal.has_line_end ? literal.last_line_bytes : column_ + literal.last_line_bytes;
    is_empty_ = false;
  }

  void add_value(Bytes value, bool escaped) override {
    const OctetCare where = body_->is_html && escaped ? stands_in_html : stands_in_text;
    if (column_ + value.size() <= quoted_printable_column_max && stands_as_it_is(value, where)) {
      content_.own() += value;
      column_ += value.size();
      is_empty_ = false;
      return;
    }
    had_nul_ = had_nul_ || has_nul(value);
    if (body_->is_html && escaped) {
      escaped_.clear();
      append_html_escaped(escaped_, value);
      value = escaped_;
    }
    if (has_control(value) && value.find_first_of(line_ends) != Bytes::npos) {
      lines_.clear();
      append_with_line_ends(lines_, value);
      value = lines_;
    }
    append_quoted_printable_piece(content_.own(), value, column_);
    is_empty_ = is_empty_ && value.empty();
  }

  void end() {
    if (body_->ends_message && (column_ > 0 || is_empty_)) {
      content_.own() += line_ends;
    }
  }

  [[nodiscard]] bool had_nul() const { return had_nul_; }
  void give_up_memory() {
    shrink(escaped_);
    shrink(lines_);
  }

 private:
  ContentOutput& content_;
  const OpenBody* body_ = nullptr;
  std::size_t column_ = 0;
  bool is_empty_ = true;
  bool had_nul_ = false;
  std::string escaped_;
  std::string lines_;
};

LineHash joined(const LineHash& one, const LineHash& other) {
  std::array<std::uint64_t, 4> both = {one.high, one.low, other.high, other.low};
  return hash_line(Bytes(reinterpret_cast<const char*>(both.data()), sizeof both));
}

// `bounce@example.com` and `ann@example.net`: `bounce+ann=example.net@example.com`.
std::string verp_address(Bytes sender, Bytes recipient) {
  std::string address(sender.substr(0, sender.rfind('@')));
  address += '+';
  const std::size_t at = recipient.rfind('@');
  address += recipient.substr(0, at);
  address += '=';
  address += recipient.substr(at + 1);
  address += sender.substr(sender.rfind('@'));
  return address;
}

}  // namespace

class TemplateWriter::Implementation {
 public:
  Written write(const MessageTemplate& source, const TemplateRecipient& recipient,
                Message& message) {
    parts_ = &source.parts();
    recipient_ = &recipient;
    message_ = &message;
    identity_ = joined(recipient.identity, source.identity());
    message.recipients.add(recipient.mailbox->address);
    message.needs_smtputf8 = recipient.mailbox->needs_smtputf8 || parts_->needs_smtputf8;
    take_layers();
    content_.begin(*parts_, message.content);
    Written done = check_headers();
    done = done ? write_fields() : std::move(done);
    done = done ? write_sender() : std::move(done);
    done = done ? write_body() : std::move(done);
    done = done ? finish() : std::move(done);
    if (!done) {
      message.content.clear();  // half of a message is of no use
    }
    return done;
  }

 private:
  void take_layers() {
    built_in_.clear();
    built_in_.add(MergeData::root, "email", MergeData::Kind::string, recipient_->mailbox->address);
    if (!recipient_->mailbox->name.empty()) {
      built_in_.add(MergeData::root, "name", MergeData::Kind::string, recipient_->mailbox->name);
    }
    if (!recipient_->id.empty()) {
      built_in_.add(MergeData::root, "id", MergeData::Kind::string, recipient_->id);
    }
    layers_.clear();
    if (recipient_->merge != nullptr) {
      layers_.push_back(recipient_->merge);
    }
    layers_.push_back(&built_in_);
    layers_.insert(layers_.end(), recipient_->shared.begin(), recipient_->shared.end());
    layers_.push_back(&parts_->merge);
  }

  // ---- Fields
  // ----------------------------------------------------------------------------------------

  [[nodiscard]] bool is_replaced(Bytes name) const {
    return !recipient_->headers.empty() && has_field(recipient_->headers, name);
  }

  Written check_headers() const {
    for (const HeaderField& field : recipient_->headers) {
      Composed checked = check_field_name(field.name).and_then([&field] {
        return check_field_value(field.name, field.value);
      });
      if (!checked) {
        return refuse(checked.error());
      }
    }
    if (Composed once = check_repeated_fields(recipient_->headers); !once) {
      return refuse(once.error());
    }
    return {};
  }

  static Written refuse(const CompositionError& error) {
    return refuse_value(job_error_kind_of(error.kind), error.field, error.reason);
  }

  Written write_fields() {
    for (const TemplateField& field : parts_->fields) {
      if (is_replaced(field.name)) {
        continue;
      }
      if (Written done = write_field(field); !done) {
        return done;
      }
    }
    const JobPlace headers{nullptr, "headers"};
    for (const HeaderField& field : recipient_->headers) {
      Composed done =
          append_named_field(content_.own(), field.name, field.value, headers.member(field.name));
      if (!done) {
        return refuse(done.error());
      }
    }
    return {};
  }

  Written write_field(const TemplateField& field) {
    std::string& out = content_.own();
    switch (field.kind) {
      case TemplateField::Kind::fixed:
        return copy(field);
      case TemplateField::Kind::to:
        write_recipients();
        return {};
      case TemplateField::Kind::open_to:
        if (names_recipients()) {
          write_recipients();
          return {};
        }
        return field.mailbox ? write_mailbox(field) : copy(field);
      case TemplateField::Kind::mailbox:
        return write_mailbox(field);
      case TemplateField::Kind::text:
        return write_text(field);
      case TemplateField::Kind::url:
        return write_url(field);
      case TemplateField::Kind::message_id:
        append_message_id_field(out, identity_, message_id_domain());
        return {};
    }
    return {};
  }

  void write_recipients() {
    std::string& out = content_.own();
    if (recipient_->is_hidden) {
      out += "To: undisclosed-recipients:;\r\n";
      return;
    }
    if (!recipient_->to.empty()) {
      append_mailbox_field(out, "To", recipient_->to);
    }
    if (!recipient_->cc.empty()) {
      append_mailbox_field(out, "Cc", recipient_->cc);
    }
    if (recipient_->to.empty() && recipient_->cc.empty()) {
      append_mailbox_field(out, "To", {recipient_->mailbox, 1});
    }
  }

  // Whether the caller has said who stands in To, whatever the template says.
  [[nodiscard]] bool names_recipients() const {
    return recipient_->is_hidden || !recipient_->to.empty() || !recipient_->cc.empty();
  }

  [[nodiscard]] Bytes message_id_domain() const {
    return parts_->message_id_domain.empty() ? Bytes("localhost")
                                             : Bytes(parts_->message_id_domain);
  }

  Written copy(const TemplateField& field) {
    content_.own() += field.octets;
    return {};
  }

  Written write_text(const TemplateField& field) {
    if (Written done = render(*field.source, field.place, FieldForm::text); !done) {
      return done;
    }
    Bytes text = field_.text();
    if (field.value_kind != FieldKind::text) {
      text = without_outer_blanks(text);
    }
    const JobPlace place{nullptr, field.place};
    Composed done = append_checked_field(content_.own(), field.name, field.value_kind, text, place);
    if (!done) {
      return refuse_value(job_error_kind_of(done.error().kind), field.place, done.error().reason);
    }
    return {};
  }

  Written write_url(const TemplateField& field) {
    if (Written done = render(*field.source, field.place, FieldForm::url); !done) {
      return done;
    }
    url_.assign("<");
    url_ += field_.text();
    url_ += '>';
    const JobPlace place{nullptr, field.place};
    if (Composed done =
            append_checked_field(content_.own(), field.name, field.value_kind, url_, place);
        !done) {
      return refuse(done.error());
    }
    return {};
  }

  Written write_mailbox(const TemplateField& field) {
    mailbox_.clear();
    if (Written done = render_address(field.mailbox->address, field.place, MailboxUse::any);
        !done) {
      return done;
    }
    if (field.mailbox->name) {
      if (Written done = render(*field.mailbox->name, field.place, FieldForm::address); !done) {
        return done;
      }
      if (const auto checked = validate_display_name(field_.text()); !checked) {
        return refuse_value(JobErrorKind::invalid_address, field.place,
                            describe(checked.error(), field_.text()));
      }
      mailbox_.name.assign(field_.text());
    }
    message_->needs_smtputf8 = message_->needs_smtputf8 || mailbox_.needs_smtputf8;
    if (field.name == "From") {
      message_->sender.assign(mailbox_.address);
    }
    append_mailbox_field(content_.own(), field.name, {&mailbox_, 1});
    return {};
  }

  // Into the mailbox, whose name stays empty.
  Written render_address(const Mustache& source, Bytes place, MailboxUse use) {
    if (Written done = render(source, place, FieldForm::address); !done) {
      return done;
    }
    if (const auto valid = validate_address(field_.text(), mailbox_, use); !valid) {
      return refuse_value(JobErrorKind::invalid_address, place,
                          describe(valid.error(), field_.text()));
    }
    return {};
  }

  Written render(const Mustache& source, Bytes place, FieldForm form) {
    field_.begin(form);
    return walked(source, place, field_, [this] { return field_.had_nul(); });
  }

  template <typename HadNul>
  Written walked(const Mustache& source, Bytes place, MustacheOutput& output,
                 const HadNul& had_nul) {
    const auto rendered =
        walk_.render(source, layers_, parts_->missing, limits::message_bytes_max, output);
    if (!rendered) {
      const bool is_missing = rendered.error().kind == RenderError::Kind::missing;
      return refuse_value(
          is_missing ? JobErrorKind::missing_field : JobErrorKind::message_too_large, place,
          rendered.error().message());
    }
    if (had_nul()) {
      return refuse_value(JobErrorKind::invalid_content, place,
                          "a value has a NUL octet, which no message may have");
    }
    return {};
  }

  // ---- Envelope and parts
  // ----------------------------------------------------------------------------

  // Behind the fields: an open From has left its address already.
  Written write_sender() {
    std::string& sender = message_->sender;
    if (parts_->envelope_sender) {
      mailbox_.clear();
      Written done =
          render_address(*parts_->envelope_sender, "envelope.from", MailboxUse::reverse_path);
      if (!done) {
        return done;
      }
      sender.assign(mailbox_.address);
      message_->needs_smtputf8 = message_->needs_smtputf8 || mailbox_.needs_smtputf8;
    } else if (!parts_->sender.empty() || parts_->has_null_sender) {
      sender.assign(parts_->sender);
    }
    return parts_->verp && !sender.empty() ? write_verp() : Written{};
  }

  Written write_verp() {
    const std::string address = verp_address(message_->sender, recipient_->mailbox->address);
    mailbox_.clear();
    if (const auto valid = validate_address(address, mailbox_, MailboxUse::reverse_path); !valid) {
      return refuse_value(
          JobErrorKind::invalid_address, "envelope.from",
          fmt::format("{} (by --verp: {})", describe(valid.error(), address), address));
    }
    message_->sender.assign(mailbox_.address);
    message_->needs_smtputf8 = message_->needs_smtputf8 || mailbox_.needs_smtputf8;
    return {};
  }

  Written write_body() {
    for (const BodyRow& row : parts_->body) {
      if (row.open == FixedOctets::no_segment) {
        content_.add(row.octets);
        continue;
      }
      const OpenBody& body = parts_->open[row.open];
      body_.begin(body);
      Written done = walked(body.source, body.is_html ? "html" : "text", body_,
                            [this] { return body_.had_nul(); });
      if (!done) {
        return done;
      }
      body_.end();
    }
    return {};
  }

  Written finish() {
    if (const auto made = content_.finish(); !made) {
      return refuse_value(JobErrorKind::invalid_content, "", made.error().message());
    }
    const std::uint64_t bytes = message_->content.bytes();
    content_.give_up_memory();
    body_.give_up_memory();
    if (bytes > limits::message_bytes_max) {
      return refuse_value(JobErrorKind::message_too_large, "",
                          fmt::format("the message has {} octets, and {} are allowed", bytes,
                                      limits::message_bytes_max));
    }
    if (message_->idempotency_key.empty()) {
      message_->idempotency_key = message_->id;
      message_->idempotency_key += '/';
      append_hex(message_->idempotency_key, identity_.high);
    }
    return {};
  }

  const Parts* parts_ = nullptr;
  const TemplateRecipient* recipient_ = nullptr;
  Message* message_ = nullptr;
  LineHash identity_;
  MergeData built_in_;
  std::vector<const MergeData*> layers_;
  MustacheWalk walk_;
  FieldOutput field_;
  Mailbox mailbox_;
  std::string url_;
  ContentOutput content_;
  BodyOutput body_{content_};
};

TemplateWriter::TemplateWriter() : implementation_(std::make_unique<Implementation>()) {}
TemplateWriter::~TemplateWriter() = default;
TemplateWriter::TemplateWriter(TemplateWriter&&) noexcept = default;
TemplateWriter& TemplateWriter::operator=(TemplateWriter&&) noexcept = default;

Written TemplateWriter::write(const MessageTemplate& source, const TemplateRecipient& recipient,
                              Message& message) {
  return implementation_->write(source, recipient, message);
}

}  // namespace ringpost::codec
