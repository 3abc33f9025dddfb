// The problem: a newsletter is one text for a million people, and encoding, folding and checking it
// a million times costs more than sending it. The idea: whatever no recipient changes becomes
// octets as they go out, once; texts of parts are cut at their values, and each literal is
// quoted-printable that begins in the first column, so that it may stand behind anything: where it
// does not fit on the line in front of it, a soft break makes a new one. Limits: a part with values
// in it is always quoted-printable, whatever its script.
#include "codec/template/message_template.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "codec/mail/header_text.h"
#include "codec/mail/part_tree.h"
#include "codec/mail/quoted_printable.h"
#include "codec/template/template_parts.h"
#include "codec/text/blanks.h"
#include "codec/text/unix_date.h"
#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

using Compiled = Result<void, JobError>;
using Kind = TemplateField::Kind;

// Below it a copy costs less than another piece of a content.
constexpr std::size_t segment_bytes_min = 256;

Failure<JobError> refuse_template(JobErrorKind kind, Bytes field, std::string reason) {
  return Failure(JobError{kind, std::string(field), std::move(reason)});
}

// A display name and an address apart from each other, as they stand in a definition.
struct MailboxTexts {
  std::string name;
  Bytes address;
};

// What a quoted string stands for (RFC 5322 3.2.4).
std::string unquoted(Bytes quoted) {
  std::string text;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    i += quoted[i] == '\\' && i + 2 < quoted.size() ? 1U : 0U;
    text += quoted[i];
  }
  return text;
}

// `Name <address>`: whatever a value holds later, it cannot move that bracket. parse_mailbox() is
// for what has its values: quotes and blanks of a tag would be an offence to it.
MailboxTexts split_mailbox(Bytes text) {
  text = without_outer_blanks(text);
  const std::size_t bracket = text.ends_with('>') ? text.rfind('<') : Bytes::npos;
  if (bracket == Bytes::npos) {
    return {{}, text};
  }
  const Bytes name = without_outer_blanks(text.substr(0, bracket));
  const bool is_quoted = name.size() >= 2 && name.front() == '"' && name.back() == '"';
  return {is_quoted ? unquoted(name) : std::string(name),
          text.substr(bracket + 1, text.size() - bracket - 2)};
}

class TemplateCompiler {
 public:
  TemplateCompiler(TemplateDefinition definition, const TemplateOptions& options,
                   const LineHash& identity)
      : definition_(std::move(definition)), options_(options) {
    parts_.identity = identity;
  }

  Result<std::unique_ptr<const MessageTemplate::Parts>, JobError> run() {
    parts_.merge = definition_.merge;
    parts_.missing = options_.missing;
    parts_.verp = options_.verp;
    Compiled done = take_partials()
                        .and_then([this] { return check(); })
                        .and_then([this] { return add_fields(); })
                        .and_then([this] { return add_sender(); })
                        .and_then([this] { return add_body(); });
    if (!done) {
      return Failure(std::move(done.error()));
    }
    return std::make_unique<const MessageTemplate::Parts>(std::move(parts_));
  }

 private:
  // ---- Sources
  // ---------------------------------------------------------------------------------------

  Compiled take_partials() {
    for (Partial& partial : definition_.partials) {
      if (Compiled done = put_in_order(partial.source, "partials." + partial.name); !done) {
        return done;
      }
    }
    return {};
  }

  static Compiled put_in_order(std::string& text, Bytes place) {
    const auto traits = canonicalise_text(text, NewlinePolicy::normalize);
    if (!traits) {
      return refuse_template(JobErrorKind::invalid_content, place, traits.error().message());
    }
    return {};
  }

  Result<Mustache, JobError> parse(Bytes source, Bytes place) {
    auto parsed = Mustache::parse(source, definition_.partials);
    if (!parsed) {
      return refuse_template(JobErrorKind::invalid_content, place, parsed.error().message());
    }
    add_names(parsed->required_names(), parts_.required_names);
    add_names(parsed->names(), parts_.names);
    return std::move(*parsed);
  }

  static void add_names(const std::vector<std::string>& names, std::vector<std::string>& to) {
    for (const std::string& name : names) {
      if (std::find(to.begin(), to.end(), name) == to.end()) {
        to.push_back(name);
      }
    }
  }

  static Bytes fixed_text(const Mustache& source) {
    return source.literal_count() == 0 ? Bytes{} : source.literal(0);
  }

  // ---- Checks
  // ----------------------------------------------------------------------------------------

  Compiled check() {
    if (!definition_.text && !definition_.html && definition_.attachments.empty()) {
      return refuse_template(JobErrorKind::missing_field, "",
                             "has no content: \"text\", \"html\" or \"attachments\" is needed");
    }
    if (!definition_.from && !has_field(definition_.headers, "From")) {
      return refuse_template(JobErrorKind::missing_field, "from",
                             "is missing: a message needs an author");
    }
    if (Composed once = check_repeated_fields(definition_.headers); !once) {
      return refuse(std::move(once.error()));
    }
    return check_conflicts();
  }

  Compiled check_conflicts() {
    const std::array<std::pair<Bytes, bool>, 7> given = {
        {{"From", definition_.from.has_value()},
         {"Reply-To", definition_.reply_to.has_value()},
         {"To", definition_.to.has_value()},
         {"Subject", definition_.subject.has_value()},
         {"List-Unsubscribe", definition_.unsubscribe.has_value()},
         {"List-Unsubscribe-Post", definition_.unsubscribe.has_value()},
         {"List-ID", definition_.list_id.has_value()}}};
    for (const auto& [name, is_given] : given) {
      if (is_given && has_field(definition_.headers, name)) {
        return refuse_template(JobErrorKind::conflicting_fields, fmt::format("headers.{}", name),
                               "has a place of its own, and both are given");
      }
    }
    return {};
  }

  static Compiled refuse(CompositionError error) {
    return refuse_template(job_error_kind_of(error.kind), error.field, std::move(error.reason));
  }

  // ---- Fields
  // ----------------------------------------------------------------------------------------

  Compiled add_fields() {
    return add_mailbox("From", "from", definition_.from)
        .and_then([this] { return add_mailbox("Reply-To", "reply_to", definition_.reply_to); })
        .and_then([this] { return add_to(); })
        .and_then([this] { return add_text("Subject", "subject", definition_.subject); })
        .and_then([this] {
          add_generated();
          return add_list_fields();
        })
        .and_then([this] { return add_named(); });
  }

  TemplateField& add_field(Kind kind, Bytes name, Bytes place) {
    TemplateField& field = parts_.fields.emplace_back();
    field.kind = kind;
    field.name = name;
    field.value_kind = field_kind(name);
    field.place = place;
    return field;
  }

  Compiled add_to() {
    if (definition_.to) {
      Compiled done = add_mailbox("To", "to", definition_.to);
      if (done) {
        parts_.fields.back().kind = Kind::open_to;
      }
      return done;
    }
    if (!has_field(definition_.headers, "To")) {
      add_field(Kind::to, "To", "to");
    }
    return {};
  }

  Compiled add_mailbox(Bytes name, Bytes place, const std::optional<std::string>& given) {
    if (!given) {
      return {};
    }
    const MailboxTexts texts = split_mailbox(*given);
    auto display = parse(texts.name, place);
    auto address = parse(texts.address, place);
    if (!display || !address) {
      return Failure(std::move(!display ? display : address).error());
    }
    if (display->is_fixed() && address->is_fixed()) {
      auto source = parse(*given, place);
      return source ? add_fixed_mailbox(name, place, fixed_text(*source))
                    : Compiled(Failure(std::move(source.error())));
    }
    add_field(Kind::mailbox, name, place).mailbox =
        OpenMailbox{texts.name.empty() ? std::nullopt : std::optional(std::move(*display)),
                    std::move(*address)};
    return {};
  }

  Compiled add_fixed_mailbox(Bytes name, Bytes place, Bytes text) {
    auto mailbox = parse_mailbox(text);
    if (!mailbox) {
      return refuse_template(JobErrorKind::invalid_address, place, describe(mailbox.error(), text));
    }
    parts_.needs_smtputf8 = parts_.needs_smtputf8 || mailbox->needs_smtputf8;
    if (name == "From") {
      parts_.sender = mailbox->address;
      parts_.message_id_domain = domain_of(mailbox->address);
    }
    append_mailbox_field(add_field(Kind::fixed, name, place).octets, name, {&*mailbox, 1});
    return {};
  }

  Compiled add_text(Bytes name, Bytes place, const std::optional<std::string>& given) {
    if (!given) {
      return {};
    }
    auto source = parse(*given, place);
    if (!source) {
      return Failure(std::move(source.error()));
    }
    if (!source->is_fixed()) {
      add_field(Kind::text, name, place).source = std::move(*source);
      return {};
    }
    const Bytes text = fixed_text(*source);
    const JobPlace here{nullptr, place};
    TemplateField& field = add_field(Kind::fixed, name, place);
    Composed done = check_field_value(name, text).and_then([&] {
      return append_named_field(field.octets, name, text, here);
    });
    if (!done) {
      return refuse_template(job_error_kind_of(done.error().kind), place,
                             std::move(done.error().reason));
    }
    return {};
  }

  void add_generated() {
    if (!has_field(definition_.headers, "Date")) {
      std::string& date = add_field(Kind::fixed, "Date", "").octets;
      date += "Date: ";
      append_rfc5322_date(date, options_.date_us / 1'000'000);
      date += "\r\n";
    }
    if (!has_field(definition_.headers, "Message-ID")) {
      add_field(Kind::message_id, "Message-ID", "");
    }
  }

  // RFC 2369, RFC 8058, RFC 2919.
  Compiled add_list_fields() {
    return add_unsubscribe().and_then([this] { return add_list_id(); });
  }

  Compiled add_unsubscribe() {
    if (!definition_.unsubscribe) {
      return {};
    }
    const Bytes url = *definition_.unsubscribe;
    const bool is_web = url.starts_with("https://") || url.starts_with("http://");
    if (!is_web && !url.starts_with("mailto:")) {
      return refuse_template(JobErrorKind::invalid_value, "unsubscribe",
                             "must begin with https://, or with mailto:, in the template itself");
    }
    auto source = parse(url, "unsubscribe");
    if (!source) {
      return Failure(std::move(source.error()));
    }
    add_field(Kind::url, "List-Unsubscribe", "unsubscribe").source = std::move(*source);
    if (is_web) {
      add_field(Kind::fixed, "List-Unsubscribe-Post", "unsubscribe").octets =
          "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
    }
    return {};
  }

  Compiled add_list_id() {
    if (!definition_.list_id) {
      return {};
    }
    const std::string& given = *definition_.list_id;
    return add_text("List-ID", "list_id",
                    given.ends_with('>') ? given : fmt::format("<{}>", given));
  }

  Compiled add_named() {
    for (const HeaderField& field : definition_.headers) {
      if (Composed named = check_field_name(field.name); !named) {
        return refuse(std::move(named.error()));
      }
      const std::string place = fmt::format("headers.{}", field.name);
      if (Compiled done = add_text(field.name, place, field.value); !done) {
        return done;
      }
    }
    return {};
  }

  // ---- The envelope
  // ----------------------------------------------------------------------------------

  Compiled add_sender() {
    if (definition_.envelope_sender) {
      auto source = parse(*definition_.envelope_sender, "envelope.from");
      if (!source) {
        return Failure(std::move(source.error()));
      }
      if (!source->is_fixed()) {
        parts_.envelope_sender = std::move(*source);
        return {};
      }
      return take_sender(fixed_text(*source));
    }
    const bool is_open = std::any_of(
        parts_.fields.begin(), parts_.fields.end(),
        [](const TemplateField& field) { return field.name == "From" && field.mailbox; });
    if (parts_.sender.empty() && !is_open) {
      return refuse_template(JobErrorKind::missing_field, "from",
                             "is missing: \"from\" or \"envelope.from\" names the sender");
    }
    return {};
  }

  Compiled take_sender(Bytes text) {
    if (text.empty() || text == "<>") {
      parts_.sender.clear();
      parts_.has_null_sender = true;
      return {};
    }
    auto mailbox = validate_address(text, MailboxUse::reverse_path);
    if (!mailbox) {
      return refuse_template(JobErrorKind::invalid_address, "envelope.from",
                             describe(mailbox.error(), text));
    }
    parts_.sender = mailbox->address;
    parts_.needs_smtputf8 = parts_.needs_smtputf8 || mailbox->needs_smtputf8;
    return {};
  }

  // ---- Parts
  // -----------------------------------------------------------------------------------------

  // A text, parsed, and as the tree of parts wants it.
  struct Text {
    std::optional<Mustache> source;
    std::string fixed;
    TextPart part;
  };

  Compiled take_text(const std::optional<std::string>& given, Bytes place, Text& text) {
    if (!given) {
      return {};
    }
    std::string ordered = *given;
    if (Bytes(ordered).starts_with(byte_order_mark)) {
      ordered.erase(0, byte_order_mark.size());
    }
    if (Compiled done = put_in_order(ordered, place); !done) {
      return done;
    }
    auto source = parse(ordered, place);
    if (!source) {
      return Failure(std::move(source.error()));
    }
    text.part.is_open = !source->is_fixed();
    if (!text.part.is_open) {
      text.fixed = fixed_text(*source);
      text.part.traits = *traits_of_canonical(text.fixed);
      text.part.text = text.fixed;
    }
    text.source = std::move(*source);
    return {};
  }

  Compiled take_attachments() {
    for (std::size_t i = 0; i < definition_.attachments.size(); ++i) {
      Attachment& attachment = definition_.attachments[i];
      if (is_message_type(attachment.content_type)) {
        const std::string place = fmt::format("attachments[{}]", i);
        if (Compiled done = put_in_order(attachment.content, place); !done) {
          return done;
        }
      }
      if (Composed checked = check_attachment(attachment, i); !checked) {
        return refuse(std::move(checked.error()));
      }
    }
    return {};
  }

  Compiled add_body() {
    Text text;
    Text html;
    Compiled taken = take_text(definition_.text, "text", text).and_then([&] {
      return take_text(definition_.html, "html", html);
    });
    if (!taken) {
      return taken;
    }
    if (Compiled taken_too = take_attachments(); !taken_too) {
      return taken_too;
    }
    std::string octets = "MIME-Version: 1.0\r\n";
    const std::size_t begin = octets.size();
    std::vector<OpenText> open;
    const PartTree tree{.text = text.source ? &text.part : nullptr,
                        .html = html.source ? &html.part : nullptr,
                        .attachments = definition_.attachments,
                        .identity = parts_.identity};
    if (Composed done = append_parts(tree, octets, &open); !done) {
      return refuse(std::move(done.error()));
    }
    std::size_t cut = 0;
    for (const OpenText& one : open) {
      add_row(Bytes(octets).substr(cut, begin + one.offset - cut));
      add_open(std::move(*(one.is_html ? html : text).source), one);
      cut = begin + one.offset;
    }
    add_row(Bytes(octets).substr(cut));
    return share();
  }

  void add_row(Bytes octets) { parts_.body.push_back({keep(octets), FixedOctets::no_segment}); }

  void add_open(Mustache source, const OpenText& place) {
    const auto index = static_cast<std::uint32_t>(parts_.open.size());
    OpenBody& body =
        parts_.open.emplace_back(OpenBody{std::move(source), place.is_html, place.is_all, {}});
    for (std::size_t i = 0; i < body.source.literal_count(); ++i) {
      body.literals.push_back(encoded(body.source.literal(i)));
    }
    parts_.body.push_back({{}, index});
  }

  EncodedLiteral encoded(Bytes text) {
    std::string octets;
    std::size_t column = 0;
    append_quoted_printable_piece(octets, text, column);
    EncodedLiteral literal;
    const std::size_t line_end = octets.find("\r\n");
    literal.has_line_end = line_end != std::string::npos;
    literal.first_line_bytes =
        static_cast<std::uint32_t>(literal.has_line_end ? line_end : octets.size());
    literal.last_line_bytes = static_cast<std::uint32_t>(column);
    literal.octets = keep(octets);
    return literal;
  }

  // A segment by itself, or few octets among others.
  FixedOctets keep(Bytes octets) {
    FixedOctets kept;
    kept.bytes = static_cast<std::uint32_t>(octets.size());
    if (octets.size() >= segment_bytes_min) {
      kept.segment = static_cast<std::uint32_t>(segments_.size());
      segments_.emplace_back(octets);
    } else {
      kept.offset = static_cast<std::uint32_t>(parts_.few.size());
      parts_.few += octets;
    }
    return kept;
  }

  Compiled share() {
    const std::vector<Bytes> texts(segments_.begin(), segments_.end());
    auto store = ContentMaker(NewlinePolicy::strict).share(texts);
    if (!store) {
      return refuse_template(JobErrorKind::invalid_content, "", store.error().message());
    }
    parts_.store = std::move(*store);
    return {};
  }

  TemplateDefinition definition_;
  const TemplateOptions& options_;
  MessageTemplate::Parts parts_;
  std::vector<std::string> segments_;
};

}  // namespace

Result<std::shared_ptr<const MessageTemplate>, JobError> MessageTemplate::compile(
    TemplateDefinition definition, const TemplateOptions& options, const LineHash& identity) {
  auto parts = TemplateCompiler(std::move(definition), options, identity).run();
  if (!parts) {
    return Failure(std::move(parts.error()));
  }
  return std::make_shared<const MessageTemplate>(std::move(*parts));
}

MessageTemplate::MessageTemplate(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
MessageTemplate::~MessageTemplate() = default;

const std::vector<std::string>& MessageTemplate::required_names() const {
  return parts_->required_names;
}
const std::vector<std::string>& MessageTemplate::names() const { return parts_->names; }
const LineHash& MessageTemplate::identity() const { return parts_->identity; }

}  // namespace ringpost::codec
