// The problem: services know one message for several people, several for one each, and several for
// several each; job lines know the first two. The idea: what is one message stays one, with `to`,
// `cc` and `bcc`; what is several becomes `recipients`, each reader one of them, and who shares his
// message with others has their names in To and Cc all the same. Since texts are templates as soon
// as there are `recipients` or `merge`, braces that were text stay text by way of a value. Limits:
// of a message that several share, each has a copy with a Message-ID of its own.
#include "codec/dialect/service_message.h"

#include <algorithm>
#include <span>

#include "codec/mail/header_field.h"
#include "codec/mail/header_text.h"
#include "codec/text/json_text.h"

namespace ringpost::codec {

namespace {

class JobLineWriter {
 public:
  JobLineWriter(std::string& out, const ServiceMessage& message)
      : out_(out), begin_(out.size()), message_(message) {}

  void write() {
    open('{');
    text_member("id", message_.id);
    is_list_ = message_.copies.size() > 1;
    fills_in_ = is_list_ || !message_.merge.empty() || has_own_merge() || has_template();
    if (message_.from) {
      mailbox_member("from", *message_.from);
    }
    mailboxes_member("reply_to", message_.reply_to);
    if (!is_list_ && !message_.copies.empty()) {
      const ServiceCopy& copy = message_.copies.front();
      mailboxes_member("to", copy.to);
      mailboxes_member("cc", copy.cc);
      mailboxes_member("bcc", copy.bcc);
    }
    write_content();
    write_envelope();
    write_tags();
    write_metadata();
    if (is_list_) {
      write_recipients();
    }
    if (fills_in_) {
      write_merge();
    }
    close('}');
  }

  void write_refused() {
    open('{');
    text_member("id", message_.id);
    std::vector<Mailbox> all;
    for (const ServiceCopy& copy : message_.copies) {
      for (const std::vector<Mailbox>* list : {&copy.to, &copy.cc, &copy.bcc}) {
        all.insert(all.end(), list->begin(), list->end());
      }
    }
    for (const Mailbox& mailbox : message_.envelope_recipients) {
      const bool known = std::any_of(all.begin(), all.end(), [&mailbox](const Mailbox& other) {
        return other.address == mailbox.address;
      });
      if (!known) {
        all.push_back(mailbox);
      }
    }
    mailboxes_member("to", all);
    close('}');
  }

 private:
  // ---- JSON -------------------------------------------------------------------------------------

  void open(char bracket) {
    out_ += bracket;
    is_first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    is_first_ = false;
  }
  void comma() {
    out_ += is_first_ ? "" : ",";
    is_first_ = false;
  }
  void name(Bytes name) {
    comma();
    append_json_string(out_, name);
    out_ += ':';
  }
  void string(Bytes text) {
    comma();
    append_json_string(out_, text);
  }
  void text_member(Bytes member, Bytes text) {
    if (!text.empty()) {
      name(member);
      append_json_string(out_, text);
    }
  }
  // Text that the line's templates have, too.
  void open_text(const ServiceText& text) {
    if (!fills_in_ || text.is_template) {
      return append_json_string(out_, text.text);
    }
    std::string literal;
    append_template_literal(literal, text.text, false);
    append_json_string(out_, literal);
  }
  void json_object(Bytes member, const std::vector<JsonMember>& members) {
    if (members.empty()) {
      return;
    }
    name(member);
    object_of(members);
  }
  void object_of(const std::vector<JsonMember>& members) {
    open('{');
    for (const JsonMember& one : members) {
      name(one.first);
      out_ += one.second;
    }
    close('}');
  }

  // ---- Addresses --------------------------------------------------------------------------------

  void mailbox(const Mailbox& mailbox, bool is_open) {
    comma();
    open('{');
    name("email");
    open_text({mailbox.address, !is_open});
    if (!mailbox.name.empty()) {
      name("name");
      open_text({mailbox.name, !is_open});
    }
    close('}');
  }
  void mailbox_member(Bytes member, const Mailbox& one) {
    name(member);
    is_first_ = true;
    mailbox(one, true);
  }
  void mailboxes_member(Bytes member, const std::vector<Mailbox>& list) {
    if (list.empty()) {
      return;
    }
    name(member);
    open('[');
    for (const Mailbox& one : list) {
      mailbox(one, member == "reply_to");
    }
    close(']');
  }

  // ---- Content ----------------------------------------------------------------------------------

  void write_content() {
    for (const auto& [member, text] :
         {std::pair<Bytes, const std::optional<ServiceText>*>("subject", &message_.subject),
          {"text", &message_.text},
          {"html", &message_.html}}) {
      if (*text) {
        name(member);
        open_text(**text);
      }
    }
    text_member("text_file", message_.text_file);
    text_member("html_file", message_.html_file);
    if (message_.raw) {
      name("raw");
      append_json_string(out_, *message_.raw);
    }
    text_member("raw_base64", message_.raw_base64);
    text_member("raw_file", message_.raw_file);
    write_headers(all_headers(), true);
    write_attachments();
  }

  // Of a single copy its own, too, which replace those of their name.
  [[nodiscard]] std::vector<ServiceHeader> all_headers() const {
    std::vector<ServiceHeader> headers = message_.headers;
    if (!is_list_ && !message_.copies.empty()) {
      for (const ServiceHeader& own : message_.copies.front().headers) {
        std::erase_if(headers, [&own](const ServiceHeader& all) {
          return equal_field_names(all.name, own.name);
        });
        headers.push_back(own);
      }
    }
    return headers;
  }

  void write_headers(const std::vector<ServiceHeader>& headers, bool are_open) {
    if (headers.empty()) {
      return;
    }
    name("headers");
    open('{');
    for (const ServiceHeader& header : headers) {
      name(header.name);
      const bool is_list = header.values.size() > 1;
      is_list ? open('[') : void(is_first_ = true);
      for (const ServiceText& value : header.values) {
        comma();
        open_text({value.text, value.is_template || !are_open});
      }
      is_list ? close(']') : void(is_first_ = false);
    }
    close('}');
  }

  void write_attachments() {
    if (message_.attachments.empty()) {
      return;
    }
    name("attachments");
    open('[');
    for (const ServiceAttachment& attachment : message_.attachments) {
      comma();
      open('{');
      text_member("filename", attachment.file_name);
      text_member("content_type", attachment.content_type);
      text_member("cid", attachment.content_id);
      if (attachment.path.empty()) {
        name("content");
        append_json_string(out_, attachment.base64);
      } else {
        text_member("path", attachment.path);
      }
      close('}');
    }
    close(']');
  }

  void write_envelope() {
    if (!message_.envelope_sender && message_.envelope_recipients.empty() && message_.dsn.empty()) {
      return;
    }
    name("envelope");
    open('{');
    if (message_.envelope_sender) {
      name("from");
      open_text({*message_.envelope_sender, false});
    }
    if (!message_.envelope_recipients.empty()) {
      name("to");
      open('[');
      for (const Mailbox& mailbox : message_.envelope_recipients) {
        string(mailbox.address);
      }
      close(']');
    }
    json_object("dsn", message_.dsn);
    close('}');
  }

  // ---- What is echoed ---------------------------------------------------------------------------

  void write_tags() {
    if (message_.tags.empty()) {
      return;
    }
    name("tags");
    open('[');
    for (const std::string& tag : message_.tags) {
      string(tag);
    }
    close(']');
  }

  // What a copy says itself is stronger; of a single one it is the line's.
  void write_metadata() {
    std::vector<JsonMember> members = message_.metadata;
    if (!is_list_ && !message_.copies.empty()) {
      for (const JsonMember& own : message_.copies.front().metadata) {
        std::erase_if(members, [&own](const JsonMember& all) { return all.first == own.first; });
        members.push_back(own);
      }
    }
    json_object("metadata", members);
  }

  // ---- Several messages -------------------------------------------------------------------------

  void write_recipients() {
    name("recipients");
    open('[');
    for (const ServiceCopy& copy : message_.copies) {
      if (copy.has_one_reader()) {
        write_recipient(copy, copy.to.front(), copy.headers);
        continue;
      }
      std::vector<ServiceHeader> headers = copy.headers;
      add_names("To", copy.to, headers);
      add_names("Cc", copy.cc, headers);
      for (const std::vector<Mailbox>* list : {&copy.to, &copy.cc, &copy.bcc}) {
        for (const Mailbox& reader : *list) {
          write_recipient(copy, reader, headers);
        }
      }
    }
    close(']');
  }

  static void add_names(std::string_view field, const std::vector<Mailbox>& list,
                        std::vector<ServiceHeader>& headers) {
    if (!list.empty()) {
      headers.push_back({std::string(field), {{mailboxes_as_value(list)}}});
    }
  }

  void write_recipient(const ServiceCopy& copy, const Mailbox& reader,
                       const std::vector<ServiceHeader>& headers) {
    comma();
    open('{');
    text_member("email", reader.address);
    text_member("name", reader.name);
    text_member("id", copy.id);
    json_object("merge", copy.merge);
    json_object("metadata", copy.metadata);
    write_headers(headers, false);
    close('}');
  }

  void write_merge() {
    std::vector<JsonMember> members = message_.merge;
    if (!is_list_ && !message_.copies.empty()) {
      for (const JsonMember& own : message_.copies.front().merge) {
        std::erase_if(members, [&own](const JsonMember& all) { return all.first == own.first; });
        members.push_back(own);
      }
    }
    if (Bytes(out_).substr(begin_).find(brace_tag) != Bytes::npos) {
      members.emplace_back(brace_name, "\"{\"");
    }
    name("merge");
    object_of(members);
  }

  [[nodiscard]] bool has_own_merge() const {
    return std::any_of(message_.copies.begin(), message_.copies.end(),
                       [](const ServiceCopy& copy) { return !copy.merge.empty(); });
  }
  [[nodiscard]] bool has_template() const {
    const auto is_open = [](const std::optional<ServiceText>& text) {
      return text && text->is_template;
    };
    const auto has_open = [](const ServiceHeader& header) {
      return std::any_of(header.values.begin(), header.values.end(),
                         [](const ServiceText& value) { return value.is_template; });
    };
    return is_open(message_.subject) || is_open(message_.text) || is_open(message_.html) ||
           std::any_of(message_.headers.begin(), message_.headers.end(), has_open);
  }

  std::string& out_;
  std::size_t begin_;
  const ServiceMessage& message_;
  bool is_first_ = true;
  bool is_list_ = false;
  bool fills_in_ = false;
};

}  // namespace

void append_template_literal(std::string& out, Bytes literal, bool tag_follows) {
  while (!literal.empty()) {
    const std::size_t brace = std::min(literal.find('{'), literal.size());
    out += literal.substr(0, brace);
    literal.remove_prefix(brace);
    const std::size_t run = std::min(literal.find_first_not_of('{'), literal.size());
    const bool is_text = run == 1 && !(tag_follows && run == literal.size());
    for (std::size_t i = 0; i < run; ++i) {
      out += is_text ? Bytes("{") : Bytes(brace_tag);
    }
    literal.remove_prefix(run);
  }
}

void append_job(std::string& out, const ServiceMessage& message) {
  JobLineWriter(out, message).write();
}

void append_refused_job(std::string& out, const ServiceMessage& message) {
  JobLineWriter(out, message).write_refused();
}

std::string mailboxes_as_value(const std::vector<Mailbox>& mailboxes) {
  std::string field;
  append_mailbox_field(field, "To", mailboxes);
  std::string value;
  for (const char character : Bytes(field).substr(Bytes("To: ").size())) {
    if (character != '\r' && character != '\n') {
      value += character;
    }
  }
  return value;
}

}  // namespace ringpost::codec
