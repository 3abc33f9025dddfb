// KumoMTA's /api/inject/v1. The problem: text, html and header fields are templates of MiniJinja
// unless `template_dialect` says otherwise, and `content` may be a finished message, which is one
// as well. The idea: each recipient is a copy, names of values are translated, and what KumoMTA
// escapes (html alone) is what ours escapes; a finished message without tags goes to all of them as
// it stands. Limits: statements, expressions and most filters cannot be had, nor values within a
// finished message; what KumoMTA does with spool and traces is its own.
#include <fmt/format.h>

#include "codec/dialect/service_reader.h"
#include "codec/dialect/services.h"
#include "codec/dialect/tag_text.h"
#include "codec/mail/header_field.h"
#include "codec/text/base64.h"

namespace ringpost::codec {

namespace {

class KumomtaReader : public ServiceReader {
 public:
  using ServiceReader::ServiceReader;

  void run(Node root) {
    static constexpr auto fields = std::to_array<ServiceField<KumomtaReader>>({
        {"envelope_sender", &KumomtaReader::read_envelope_sender},
        {"recipients", &KumomtaReader::read_recipients},
        {"content", &KumomtaReader::read_content},
        {"substitutions", &KumomtaReader::read_substitutions},
        {"deferred_spool"},
        {"deferred_generation"},
        {"trace_headers"},
        {"template_dialect", &KumomtaReader::read_dialect},
    });
    const JobPlace place;
    read_fields(*this, fields, root, place);
    if (!message_.envelope_sender) {
      refuse_at(JobErrorKind::missing_field, "envelope_sender", "is missing");
    }
    require_recipients("recipients");
    require_content("content");
    message_.raw ? finish_raw() : make_templates();
  }

 private:
  void read_envelope_sender(Node node, const JobPlace& place) {
    set_envelope_sender(read_text(node, place), place);
  }

  // ---- Recipients -------------------------------------------------------------------------------

  void read_recipients(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<KumomtaReader>>({
        {"email", &KumomtaReader::read_email},
        {"name", &KumomtaReader::read_name},
        {"substitutions", &KumomtaReader::read_own_substitutions},
        {"metadata", &KumomtaReader::read_metadata},
    });
    for_each(node, place, [&](Node element, const JobPlace& here) {
      message_.copies.emplace_back();
      email_ = {};
      name_ = {};
      read_fields(*this, fields, element, here);
      const JobPlace email = here.member("email");
      email_.empty() ? refuse(JobErrorKind::missing_field, email, "is missing")
                     : add_address(email_, name_, email, message_.copies.back().to);
    });
  }
  void read_email(Node node, const JobPlace& place) { email_ = read_text(node, place); }
  void read_name(Node node, const JobPlace& place) { name_ = read_text(node, place); }
  void read_own_substitutions(Node node, const JobPlace& place) {
    add_metadata(node, place, message_.copies.back().merge);
  }
  void read_metadata(Node node, const JobPlace& place) {
    add_metadata(node, place, message_.copies.back().metadata);
  }
  void read_substitutions(Node node, const JobPlace& place) {
    add_metadata(node, place, message_.merge);
  }

  void read_dialect(Node node, const JobPlace& place) {
    const Bytes word = read_text(node, place);
    if (word == "Static") {
      syntax_.reset();
    } else if (word == "Handlebars") {
      syntax_ = BraceSyntax::handlebars;
    } else if (word != "Jinja") {
      refuse(JobErrorKind::invalid_value, place, "must be \"Jinja\", \"Static\" or \"Handlebars\"");
    }
  }

  // ---- Content ----------------------------------------------------------------------------------

  void read_content(Node node, const JobPlace& place) {
    if (tree_.kind(node) == Kind::string) {
      message_.raw = tree_.text(node);
      return;
    }
    static constexpr auto fields = std::to_array<ServiceField<KumomtaReader>>({
        {"text_body", &KumomtaReader::read_text_body},
        {"html_body", &KumomtaReader::read_html_body},
        {"amp_html_body", nullptr, "an AMP part"},
        {"attachments", &KumomtaReader::read_attachments},
        {"headers", &KumomtaReader::read_headers},
        {"from", &KumomtaReader::read_from},
        {"subject", &KumomtaReader::read_subject},
        {"reply_to", &KumomtaReader::read_reply_to},
    });
    read_fields(*this, fields, node, place);
  }
  void read_text_body(Node node, const JobPlace& place) {
    message_.text = {std::string(read_text(node, place))};
  }
  void read_html_body(Node node, const JobPlace& place) {
    message_.html = {std::string(read_text(node, place))};
  }
  void read_subject(Node node, const JobPlace& place) {
    message_.subject = {std::string(read_text(node, place))};
  }
  // A subject among them is the message's.
  void read_headers(Node node, const JobPlace& place) {
    for_members(node, place, [this](Node member, const JobPlace& here) {
      const Bytes value = read_text(member, here);
      if (!equal_field_names(here.name, "Subject")) {
        add_header(here.name, {std::string(value)}, message_.headers);
      } else if (!message_.subject) {
        message_.subject = {std::string(value)};
      }
    });
  }
  std::optional<Mailbox> read_mailbox(Node node, const JobPlace& place) {
    Bytes email;
    Bytes name;
    if (!read_pair(node, place, "email", "name", email, name)) {
      return std::nullopt;
    }
    std::vector<Mailbox> one;
    add_address(email, name, place.member("email"), one);
    return one.front();
  }
  void read_from(Node node, const JobPlace& place) { message_.from = read_mailbox(node, place); }
  void read_reply_to(Node node, const JobPlace& place) {
    if (auto mailbox = read_mailbox(node, place)) {
      message_.reply_to.push_back(std::move(*mailbox));
    }
  }

  void read_attachments(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<KumomtaReader>>({
        {"data", &KumomtaReader::read_attached_data},
        {"content_type", &KumomtaReader::read_attached_type},
        {"content_id", &KumomtaReader::read_attached_id},
        {"file_name", &KumomtaReader::read_attached_name},
        {"base64", &KumomtaReader::read_attached_base64},
    });
    for_each(node, place, [&](Node element, const JobPlace& here) {
      message_.attachments.emplace_back();
      data_ = {};
      is_base64_ = false;
      read_fields(*this, fields, element, here);
      ServiceAttachment& attachment = message_.attachments.back();
      is_base64_ ? set_base64(data_, here.member("data"), attachment)
                 : append_base64(attachment.base64, data_);
    });
  }
  void read_attached_data(Node node, const JobPlace& place) { data_ = read_text(node, place); }
  void read_attached_base64(Node node, const JobPlace& place) {
    is_base64_ = read_flag(node, place);
  }
  void read_attached_type(Node node, const JobPlace& place) {
    message_.attachments.back().content_type = read_text(node, place);
  }
  void read_attached_id(Node node, const JobPlace& place) {
    message_.attachments.back().content_id = content_id_of(read_text(node, place));
  }
  void read_attached_name(Node node, const JobPlace& place) {
    message_.attachments.back().file_name = read_text(node, place);
  }

  // ---- Templates --------------------------------------------------------------------------------

  void make_template(ServiceText& text, std::string place) {
    if (!syntax_) {
      return;
    }
    auto made = brace_template(text.text, *syntax_);
    if (!made) {
      return refuse_at(JobErrorKind::unsupported_field, std::move(place),
                       "cannot be had: " + made.error());
    }
    text = {std::move(*made), true};
  }

  void make_templates() {
    const std::array<std::pair<std::string_view, std::optional<ServiceText>*>, 3> texts = {
        {{"content.subject", &message_.subject},
         {"content.text_body", &message_.text},
         {"content.html_body", &message_.html}}};
    for (const auto& [name, text] : texts) {
      if (*text) {
        make_template(**text, std::string(name));
      }
    }
    for (ServiceHeader& header : message_.headers) {
      const JobPlace headers{nullptr, "content.headers"};
      for (ServiceText& value : header.values) {
        make_template(value, headers.member(header.name).text());
      }
    }
    if (!syntax_) {
      message_.merge.clear();
      for (ServiceCopy& copy : message_.copies) {
        copy.merge.clear();
      }
    }
  }

  void finish_raw() {
    if (syntax_) {
      const auto made = brace_template(*message_.raw, *syntax_);
      if (!made || made->find("{{") != std::string::npos) {
        refuse_at(JobErrorKind::unsupported_field, "content",
                  "cannot be had: values within a finished message; give text_body, html_body and "
                  "headers instead, or \"template_dialect\": \"Static\"");
      }
    }
    for (std::size_t i = 0; i < message_.copies.size(); ++i) {
      ServiceCopy& copy = message_.copies[i];
      if (message_.copies.size() > 1 && !copy.metadata.empty()) {
        refuse_at(JobErrorKind::unsupported_field, fmt::format("recipients[{}].metadata", i),
                  "cannot be had: a finished message for several has the metadata of all; one "
                  "recipient a line");
      }
      message_.metadata.insert(message_.metadata.end(), copy.metadata.begin(), copy.metadata.end());
      message_.envelope_recipients.insert(message_.envelope_recipients.end(), copy.to.begin(),
                                          copy.to.end());
    }
    message_.copies.clear();
    message_.merge.clear();
  }

  std::optional<BraceSyntax> syntax_ = BraceSyntax::jinja;
  Bytes email_;
  Bytes name_;
  Bytes data_;
  bool is_base64_ = false;
};

}  // namespace

std::optional<JobError> read_kumomta(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                     ServiceMessage& message) {
  KumomtaReader reader(tree, date_us, message);
  reader.run(root);
  return std::move(reader.error());
}

}  // namespace ringpost::codec
