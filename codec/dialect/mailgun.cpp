// Mailgun's v3 /messages. The problem: that is a form and no JSON, and its libraries take an object
// with the form's names; its variables `%recipient.key%` are raw in all parts, and have values only
// where `recipient-variables` has them for an address. The idea: with those variables each address
// of `to` has a message of his own, with the values that the texts ask for; without them all are
// named in one message, as Mailgun has it, and nothing is a variable. Limits: a key's values are
// scalars; templates are stored at Mailgun.
#include <map>

#include <fmt/format.h>

#include "codec/dialect/service_reader.h"
#include "codec/dialect/services.h"
#include "codec/dialect/tag_text.h"
#include "codec/text/ascii.h"
#include "codec/text/base64.h"
#include "codec/text/json_text.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr std::string_view mailgun_template_why = "the template is stored at Mailgun";
constexpr std::string_view mailgun_time_why =
    "ringpost sends at once, and this is Mailgun's to wait for";
constexpr Bytes mailgun_variable = "%recipient.";
constexpr std::size_t mailgun_key_bytes_max = 255;

// What Mailgun puts in by itself.
constexpr auto mailgun_own_variables =
    std::to_array<Bytes>({"%unsubscribe_url%", "%unsubscribe_email%", "%tag_unsubscribe_url%",
                          "%tag_unsubscribe_email%", "%mailing_list_unsubscribe_url%"});

struct MailgunWord {
  Bytes text;
  Bytes name;  // of a value that every recipient has
};
constexpr auto mailgun_words = std::to_array<MailgunWord>(
    {{"%recipient%", "email"}, {"%recipient_email%", "email"}, {"%recipient_name%", "name"}});

std::string lowered_address(Bytes text) {
  std::string made(text);
  for (char& character : made) {
    character =
        character >= 'A' && character <= 'Z' ? static_cast<char>(character + 32) : character;
  }
  return made;
}

class MailgunReader : public ServiceReader {
 public:
  using ServiceReader::ServiceReader;

  void run(Node root) {
    message_.copies.emplace_back();
    const JobPlace place;
    if (wants(root, Kind::object, "an object", place)) {
      for_members(root, place, [this](Node member, const JobPlace& here) {
        is_null(member) ? void() : read_member(member, here);
      });
    }
    require_from("from");
    require_recipients("to");
    require_content("text");
    if (!message_.subject) {
      refuse_at(JobErrorKind::missing_field, "subject", "is missing");
    }
    if (variables_ != none) {
      fan_out();
    }
  }

 private:
  // ---- Fields -----------------------------------------------------------------------------------

  // Families of names first, then the names.
  void read_member(Node node, const JobPlace& place) {
    const Bytes name = place.name;
    const Bytes rest = name.substr(std::min<std::size_t>(2, name.size()));
    if (name.starts_with("h:") && !rest.empty()) {
      return add_header(rest, {std::string(read_scalar(node, place))}, message_.headers);
    }
    if (name.starts_with("v:") && !rest.empty()) {
      message_.metadata.push_back(member_of(rest, node));
      return;
    }
    read_named(node, place);
  }

  void read_named(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<MailgunReader>>({
        {"from", &MailgunReader::read_from},
        {"to", &MailgunReader::read_to},
        {"cc", &MailgunReader::read_cc},
        {"bcc", &MailgunReader::read_bcc},
        {"subject", &MailgunReader::read_subject},
        {"text", &MailgunReader::read_text_part},
        {"html", &MailgunReader::read_html},
        {"amp-html", nullptr, "an AMP part"},
        {"attachment", &MailgunReader::read_attached},
        {"inline", &MailgunReader::read_inline},
        {"recipient-variables", &MailgunReader::read_variables},
        {"template", nullptr, mailgun_template_why},
        {"t:version", nullptr, mailgun_template_why},
        {"t:text", nullptr, mailgun_template_why},
        {"t:variables", nullptr, mailgun_template_why},
        {"o:tag", &MailgunReader::read_tags},
        {"o:testmode", &MailgunReader::read_test_mode},
        {"o:deliverytime", nullptr, mailgun_time_why},
        {"o:deliverytime-optimize-period", nullptr, mailgun_time_why},
        {"o:time-zone-localize", nullptr, mailgun_time_why},
        {"o:deliver-within", nullptr, "the last time to deliver is Mailgun's to keep"},
        {"o:require-tls", &MailgunReader::read_require_tls},
        {"o:skip-verification"},
        {"o:dkim"},
        {"o:secondary-dkim"},
        {"o:secondary-dkim-public"},
        {"o:tracking"},
        {"o:tracking-clicks"},
        {"o:tracking-opens"},
        {"o:tracking-pixel-location-top"},
        {"o:sending-ip"},
        {"o:sending-ip-pool"},
        {"o:archive-to", nullptr, "the archive is Mailgun's to keep"},
        {"o:suppress-headers"},
    });
    read_field(fields, node, place);
  }

  template <std::size_t count>
  void read_field(const std::array<ServiceField<MailgunReader>, count>& fields, Node node,
                  const JobPlace& place) {
    for (const ServiceField<MailgunReader>& field : fields) {
      if (field.name != place.name) {
        continue;
      }
      if (field.read != nullptr) {
        (this->*field.read)(node, place);
      } else if (!field.why.empty() && !tree_.is_empty(node)) {
        cannot_be_had(place, field.why);
      }
      return;
    }
    std::array<std::string_view, count> names;
    std::transform(fields.begin(), fields.end(), names.begin(),
                   [](const ServiceField<MailgunReader>& field) { return field.name; });
    refuse_unknown(place, names);
  }

  void read_from(Node node, const JobPlace& place) {
    message_.from = one_mailbox(read_text(node, place), place);
  }

  void read_addresses(Node node, const JobPlace& place, std::vector<Mailbox>& list) {
    if (tree_.kind(node) != Kind::list) {
      const Bytes text = read_text(node, place);
      return text.empty() ? void() : add_mailboxes(text, place, list);
    }
    for_each(node, place, [&](Node element, const JobPlace& here) {
      add_mailboxes(read_text(element, here), here, list);
    });
  }
  void read_to(Node node, const JobPlace& place) {
    read_addresses(node, place, message_.copies.front().to);
  }
  void read_cc(Node node, const JobPlace& place) {
    read_addresses(node, place, message_.copies.front().cc);
  }
  void read_bcc(Node node, const JobPlace& place) {
    read_addresses(node, place, message_.copies.front().bcc);
  }
  void read_subject(Node node, const JobPlace& place) {
    message_.subject = {std::string(read_text(node, place))};
  }
  void read_text_part(Node node, const JobPlace& place) {
    message_.text = {std::string(read_text(node, place))};
  }
  void read_html(Node node, const JobPlace& place) {
    message_.html = {std::string(read_text(node, place))};
  }
  void read_tags(Node node, const JobPlace& place) { add_tags(node, place); }

  // `yes` and `true`, as a form has them, too.
  [[nodiscard]] bool is_yes(Node node, const JobPlace& place) {
    const Bytes word = read_scalar(node, place);
    return word == "yes" || word == "true" || word == "True";
  }
  void read_test_mode(Node node, const JobPlace& place) {
    if (is_yes(node, place)) {
      cannot_be_had(place, "it would be sent for good (--dry-run sends nothing)");
    }
  }
  void read_require_tls(Node node, const JobPlace& place) {
    if (is_yes(node, place)) {
      cannot_be_had(place,
                    "whether the next server is reached over TLS is Mailgun's to see to; "
                    "\"h:X-Mailgun-Require-TLS\" asks for it where Mailgun is the endpoint");
    }
  }

  // ---- Attachments ------------------------------------------------------------------------------

  void read_attached(Node node, const JobPlace& place) { read_files(node, place, false); }
  void read_inline(Node node, const JobPlace& place) { read_files(node, place, true); }

  void read_files(Node node, const JobPlace& place, bool is_inline) {
    if (tree_.kind(node) != Kind::list) {
      return read_file(node, place, is_inline);
    }
    for_each(node, place,
             [&](Node element, const JobPlace& here) { read_file(element, here, is_inline); });
  }

  void read_file(Node node, const JobPlace& place, bool is_inline) {
    constexpr auto fields = std::to_array<ServiceField<MailgunReader>>({
        {"filename", &MailgunReader::read_file_name},
        {"contentType", &MailgunReader::read_file_type},
        {"content", &MailgunReader::read_file_content},
        {"data", &MailgunReader::read_file_data},
        {"knownLength"},
    });
    message_.attachments.emplace_back();
    has_file_content_ = false;
    read_fields(*this, fields, node, place);
    if (!has_file_content_) {
      refuse(JobErrorKind::missing_field, place.member("data"),
             "is missing: \"content\" is base64, and \"data\" is text");
    }
    if (is_inline) {
      message_.attachments.back().content_id = message_.attachments.back().file_name;
    }
  }
  void read_file_name(Node node, const JobPlace& place) {
    message_.attachments.back().file_name = read_text(node, place);
  }
  void read_file_type(Node node, const JobPlace& place) {
    message_.attachments.back().content_type = read_text(node, place);
  }
  void read_file_content(Node node, const JobPlace& place) {
    has_file_content_ = true;
    set_base64(read_text(node, place), place, message_.attachments.back());
  }
  void read_file_data(Node node, const JobPlace& place) {
    has_file_content_ = true;
    std::string octets;
    if (read_octets(node, place, octets)) {
      message_.attachments.back().base64.clear();
      append_base64(message_.attachments.back().base64, octets);
    }
  }

  // ---- Variables --------------------------------------------------------------------------------

  // An object, or a string that is one.
  void read_variables(Node node, const JobPlace& place) {
    Node object = node;
    if (tree_.kind(node) == Kind::string) {
      auto inner = tree_.read_inner(tree_.text(node));
      if (!inner) {
        return refuse(inner.error().kind, place, inner.error().message());
      }
      object = *inner;
    }
    if (wants(object, Kind::object, "an object", place)) {
      variables_ = object;
    }
  }

  void fan_out() {
    std::vector<Mailbox> readers;
    readers.swap(message_.copies.front().to);
    const ServiceCopy& all = message_.copies.front();
    if (!all.cc.empty() || !all.bcc.empty()) {
      refuse_at(JobErrorKind::conflicting_fields, all.cc.empty() ? "bcc" : "cc",
                "may not stand beside \"recipient-variables\": who is named there would get a copy "
                "of each message");
    }
    std::vector<ServiceCopy> copies;
    if (!all.cc.empty() || !all.bcc.empty()) {
      copies.push_back(all);
    }
    for (std::optional<ServiceText>* text : {&message_.subject, &message_.text, &message_.html}) {
      if (*text) {
        *text = as_template((*text)->text);
      }
    }
    for (ServiceHeader& header : message_.headers) {
      for (ServiceText& value : header.values) {
        value = as_template(value.text);
      }
    }
    if (keys_.size() * readers.size() > limits::dialect_values_max) {
      refuse_at(JobErrorKind::invalid_value, "recipient-variables",
                fmt::format("all values together are more than {}", limits::dialect_values_max));
    }
    index_variables();
    for (Mailbox& reader : readers) {
      ServiceCopy copy;
      give_values(reader, copy);
      copy.to.push_back(std::move(reader));
      copies.push_back(std::move(copy));
    }
    message_.copies = std::move(copies);
  }

  // Addresses are the same whatever their case.
  void index_variables() {
    const JobPlace place;
    for_members(variables_, place.member("recipient-variables"),
                [this](Node member, const JobPlace& here) {
                  if (wants(member, Kind::object, "an object", here)) {
                    by_address_.try_emplace(lowered_address(tree_.key(member)), member);
                  }
                });
  }

  void give_values(const Mailbox& reader, ServiceCopy& copy) {
    if (error()) {
      return;
    }
    const auto own = by_address_.find(lowered_address(reader.address));
    if (own == by_address_.end()) {
      return;
    }
    std::string values;
    for (const auto& [key, name] : keys_) {
      const Node value = tree_.find(own->second, key);
      if (value == none || is_null(value)) {
        continue;
      }
      const JobPlace all{nullptr, "recipient-variables"};
      const JobPlace of = all.member(tree_.key(own->second));
      values += values.empty() ? "{" : ",";
      append_json_string(values, name);
      values += ':';
      append_json_string(values, read_scalar(value, of.member(key)));
    }
    if (!values.empty()) {
      copy.merge.emplace_back("recipient", values + '}');
    }
  }

  // Names of templates have no octet that would mean something in a tag.
  std::string name_of_key(Bytes key) {
    const auto known = keys_.find(key);
    if (known != keys_.end()) {
      return known->second;
    }
    std::string name;
    for (const char character : key) {
      const bool is_plain = is_digit(character) || character == '_' ||
                            (static_cast<unsigned char>(character) | 0x20U) - 'a' < 26U;
      name += is_plain ? character : '_';
    }
    while (!names_.insert({name, std::string(key)}).second) {
      name += '_';
    }
    keys_.emplace(key, name);
    return name;
  }

  ServiceText as_template(Bytes text) {
    TemplateText made;
    while (!text.empty()) {
      const std::size_t percent = std::min(text.find('%'), text.size());
      made.add_literal(text.substr(0, percent));
      text.remove_prefix(percent);
      if (!text.empty()) {
        text.remove_prefix(take_variable(text, made));
      }
    }
    return {made.take(), true};
  }

  // How many octets it was.
  std::size_t take_variable(Bytes text, TemplateText& made) {
    for (const MailgunWord& word : mailgun_words) {
      if (text.starts_with(word.text)) {
        made.add_value(word.name, false);
        return word.text.size();
      }
    }
    for (const Bytes word : mailgun_own_variables) {
      if (text.starts_with(word)) {
        refuse_at(JobErrorKind::unsupported_field, std::string(word),
                  "cannot be had: Mailgun would put it in");
      }
    }
    const Bytes within = text.substr(0, mailgun_variable.size() + mailgun_key_bytes_max + 1);
    const std::size_t end = within.find('%', 1);
    if (!text.starts_with(mailgun_variable) || end == Bytes::npos ||
        end == mailgun_variable.size()) {
      made.add_literal(text.substr(0, 1));
      return 1;
    }
    const Bytes key = text.substr(mailgun_variable.size(), end - mailgun_variable.size());
    if (key.find_first_of(" \t\r\n<>") != Bytes::npos) {
      made.add_literal(text.substr(0, 1));
      return 1;
    }
    made.add_value("recipient." + name_of_key(key), false);
    return end + 1;
  }

  Node variables_ = none;
  std::map<std::string, Node, std::less<>> by_address_;
  std::map<std::string, std::string, std::less<>> keys_;   // to names
  std::map<std::string, std::string, std::less<>> names_;  // to keys
  bool has_file_content_ = false;
};

}  // namespace

std::optional<JobError> read_mailgun(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                     ServiceMessage& message) {
  MailgunReader reader(tree, date_us, message);
  reader.run(root);
  return std::move(reader.error());
}

}  // namespace ringpost::codec
