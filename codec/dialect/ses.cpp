// Amazon SES's v2 SendEmail and SendBulkEmail. The problem: its templates are Handlebars, whose
// data is JSON within a string; those of SendBulkEmail lie below data of each entry. The idea: the
// data of all is what the copies share, that of an entry is its own, and a value that neither has
// makes that message `invalid`, as SES does not deliver it. Limits: of Handlebars names of values;
// a template by its name is stored at SES, and so are lists of contacts.
#include <fmt/format.h>

#include "codec/dialect/service_reader.h"
#include "codec/dialect/services.h"
#include "codec/dialect/tag_text.h"
#include "codec/text/json_text.h"

namespace ringpost::codec {

namespace {

constexpr std::string_view ses_template_why = "the template is stored at SES";

class SesReader : public ServiceReader {
 public:
  using ServiceReader::ServiceReader;

  void run(Node root) {
    static constexpr auto fields = std::to_array<ServiceField<SesReader>>({
        {"FromEmailAddress", &SesReader::read_from},
        {"FromEmailAddressIdentityArn"},
        {"Destination", &SesReader::read_destination},
        {"ReplyToAddresses", &SesReader::read_reply_to},
        {"FeedbackForwardingEmailAddress", &SesReader::read_feedback},
        {"FeedbackForwardingEmailAddressIdentityArn"},
        {"Content", &SesReader::read_content},
        {"EmailTags", &SesReader::read_tags},
        {"ConfigurationSetName"},
        {"EndpointId"},
        {"TenantName"},
        {"ListManagementOptions", nullptr,
         "who has unsubscribed from a list is known to SES alone"},
        {"DefaultContent", &SesReader::read_content},
        {"DefaultEmailTags", &SesReader::read_tags},
        {"BulkEmailEntries", &SesReader::read_entries},
    });
    const JobPlace place;
    read_fields(*this, fields, root, place);
    const bool is_bulk =
        tree_.kind(root) == Kind::object && tree_.find(root, "BulkEmailEntries") != none;
    if (!message_.has_raw()) {
      require_from("FromEmailAddress");
    }
    require_recipients(is_bulk ? "BulkEmailEntries" : "Destination");
    require_content(is_bulk ? "DefaultContent" : "Content");
    for (std::size_t i = 0; is_bulk && i < message_.copies.size(); ++i) {
      const ServiceCopy& copy = message_.copies[i];
      if (copy.to.empty() && copy.cc.empty() && copy.bcc.empty()) {
        refuse_at(JobErrorKind::no_recipients, fmt::format("BulkEmailEntries[{}].Destination", i),
                  "is missing");
      }
    }
    if (message_.has_raw()) {
      finish_raw();
    }
  }

 private:
  // ---- Addresses --------------------------------------------------------------------------------

  void read_from(Node node, const JobPlace& place) {
    message_.from = one_mailbox(read_text(node, place), place);
  }
  void read_list(Node node, const JobPlace& place, std::vector<Mailbox>& list) {
    for_each(node, place, [&](Node element, const JobPlace& here) {
      add_mailboxes(read_text(element, here), here, list);
    });
  }
  void read_reply_to(Node node, const JobPlace& place) {
    read_list(node, place, message_.reply_to);
  }
  void read_feedback(Node node, const JobPlace& place) {
    set_envelope_sender(read_text(node, place), place);
  }

  void read_destination(Node node, const JobPlace& place) {
    if (!is_in_entries_) {
      message_.copies.emplace_back();
    }
    static constexpr auto fields = std::to_array<ServiceField<SesReader>>({
        {"ToAddresses", &SesReader::read_to},
        {"CcAddresses", &SesReader::read_cc},
        {"BccAddresses", &SesReader::read_bcc},
    });
    read_fields(*this, fields, node, place);
  }
  void read_to(Node node, const JobPlace& place) {
    read_list(node, place, message_.copies.back().to);
  }
  void read_cc(Node node, const JobPlace& place) {
    read_list(node, place, message_.copies.back().cc);
  }
  void read_bcc(Node node, const JobPlace& place) {
    read_list(node, place, message_.copies.back().bcc);
  }

  // A finished message goes to those who are named beside it, whoever stands in it.
  void finish_raw() {
    for (const ServiceCopy& copy : message_.copies) {
      for (const std::vector<Mailbox>* list : {&copy.to, &copy.cc, &copy.bcc}) {
        for (const Mailbox& mailbox : *list) {
          message_.envelope_recipients.push_back(mailbox);
        }
      }
    }
    if (!message_.envelope_sender && message_.from) {
      message_.envelope_sender = message_.from->address;
    }
    if (!message_.envelope_sender) {
      refuse_at(JobErrorKind::missing_field, "FromEmailAddress",
                "is missing: nobody would be the sender");
    }
    message_.from.reset();
    message_.copies.clear();
  }

  // ---- Content ----------------------------------------------------------------------------------

  void read_content(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<SesReader>>({
        {"Simple", &SesReader::read_simple},
        {"Raw", &SesReader::read_raw},
        {"Template", &SesReader::read_template},
    });
    read_fields(*this, fields, node, place);
  }

  void read_simple(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<SesReader>>({
        {"Subject", &SesReader::read_subject},
        {"Body", &SesReader::read_body},
        {"Headers", &SesReader::read_headers},
        {"Attachments", &SesReader::read_attachments},
    });
    read_fields(*this, fields, node, place);
  }

  // `Charset` is about octets, and text of JSON has none.
  ServiceText data_of(Node node, const JobPlace& place) {
    Bytes data;
    constexpr auto known = std::to_array<std::string_view>({"Data", "Charset"});
    for_members(node, place, [&](Node member, const JobPlace& here) {
      if (here.name == "Data") {
        data = read_text(member, here);
      } else if (here.name != "Charset") {
        refuse_unknown(here, known);
      }
    });
    return {std::string(data)};
  }
  void read_subject(Node node, const JobPlace& place) { message_.subject = data_of(node, place); }
  void read_body(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<SesReader>>({
        {"Text", &SesReader::read_body_text},
        {"Html", &SesReader::read_body_html},
    });
    read_fields(*this, fields, node, place);
  }
  void read_body_text(Node node, const JobPlace& place) { message_.text = data_of(node, place); }
  void read_body_html(Node node, const JobPlace& place) { message_.html = data_of(node, place); }
  void read_headers(Node node, const JobPlace& place) {
    add_named_headers(node, place, message_.headers);
  }

  void read_raw(Node node, const JobPlace& place) {
    static constexpr auto fields =
        std::to_array<ServiceField<SesReader>>({{"Data", &SesReader::read_raw_data}});
    read_fields(*this, fields, node, place);
  }
  void read_raw_data(Node node, const JobPlace& place) {
    ServiceAttachment checked;
    set_base64(read_text(node, place), place, checked);
    message_.raw_base64 = std::move(checked.base64);
  }

  void read_attachments(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<SesReader>>({
        {"FileName", &SesReader::read_attached_name},
        {"RawContent", &SesReader::read_attached_content},
        {"ContentType", &SesReader::read_attached_type},
        {"ContentId", &SesReader::read_attached_id},
        {"ContentDisposition"},
        {"ContentDescription"},
        {"ContentTransferEncoding"},
    });
    for_each(node, place, [&](Node element, const JobPlace& here) {
      message_.attachments.emplace_back();
      read_fields(*this, fields, element, here);
    });
  }
  void read_attached_name(Node node, const JobPlace& place) {
    message_.attachments.back().file_name = read_text(node, place);
  }
  void read_attached_content(Node node, const JobPlace& place) {
    set_base64(read_text(node, place), place, message_.attachments.back());
  }
  void read_attached_type(Node node, const JobPlace& place) {
    message_.attachments.back().content_type = read_text(node, place);
  }
  void read_attached_id(Node node, const JobPlace& place) {
    message_.attachments.back().content_id = content_id_of(read_text(node, place));
  }

  // ---- Templates --------------------------------------------------------------------------------

  void read_template(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<SesReader>>({
        {"TemplateName", nullptr, ses_template_why},
        {"TemplateArn", nullptr, ses_template_why},
        {"TemplateContent", &SesReader::read_template_content},
        {"TemplateData", &SesReader::read_template_data},
        {"Headers", &SesReader::read_headers},
        {"Attachments", &SesReader::read_attachments},
    });
    read_fields(*this, fields, node, place);
  }

  void read_template_content(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<SesReader>>({
        {"Subject", &SesReader::read_open_subject},
        {"Text", &SesReader::read_open_text},
        {"Html", &SesReader::read_open_html},
    });
    read_fields(*this, fields, node, place);
  }
  std::optional<ServiceText> open_text(Node node, const JobPlace& place) {
    auto made = brace_template(read_text(node, place), BraceSyntax::handlebars);
    if (!made) {
      cannot_be_had(place, made.error());
      return std::nullopt;
    }
    return ServiceText{std::move(*made), true};
  }
  void read_open_subject(Node node, const JobPlace& place) {
    message_.subject = open_text(node, place);
  }
  void read_open_text(Node node, const JobPlace& place) { message_.text = open_text(node, place); }
  void read_open_html(Node node, const JobPlace& place) { message_.html = open_text(node, place); }

  // An object that stands in a string.
  void add_data(Node node, const JobPlace& place, std::vector<JsonMember>& members) {
    const Bytes text = read_text(node, place);
    if (text.empty()) {
      return;
    }
    const auto inner = tree_.read_inner(text);
    if (!inner) {
      return refuse(inner.error().kind, place, inner.error().message());
    }
    if (wants(*inner, Kind::object, "an object in a string", place)) {
      add_members(*inner, members);
    }
  }
  void read_template_data(Node node, const JobPlace& place) {
    add_data(node, place, message_.merge);
  }

  // ---- Entries ----------------------------------------------------------------------------------

  void read_entries(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<SesReader>>({
        {"Destination", &SesReader::read_destination},
        {"ReplacementTags", &SesReader::read_own_tags},
        {"ReplacementEmailContent", &SesReader::read_replacement},
        {"ReplacementHeaders", &SesReader::read_own_headers},
    });
    is_in_entries_ = true;
    for_each(node, place, [&](Node element, const JobPlace& here) {
      message_.copies.emplace_back();
      read_fields(*this, fields, element, here);
    });
    is_in_entries_ = false;
  }
  void read_replacement(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<SesReader>>(
        {{"ReplacementTemplate", &SesReader::read_replacement_template}});
    read_fields(*this, fields, node, place);
  }
  void read_replacement_template(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<SesReader>>(
        {{"ReplacementTemplateData", &SesReader::read_replacement_data}});
    read_fields(*this, fields, node, place);
  }
  void read_replacement_data(Node node, const JobPlace& place) {
    add_data(node, place, message_.copies.back().merge);
  }
  void read_own_headers(Node node, const JobPlace& place) {
    add_named_headers(node, place, message_.copies.back().headers);
  }

  // Tags have a name and a value, so they are metadata.
  void add_tags_to(Node node, const JobPlace& place, std::vector<JsonMember>& metadata) {
    for_each(node, place, [&](Node element, const JobPlace& here) {
      Bytes name;
      Bytes value;
      if (read_pair(element, here, "Name", "Value", name, value)) {
        std::erase_if(metadata, [name](const JsonMember& one) { return one.first == name; });
        std::string json;
        append_json_string(json, value);
        metadata.emplace_back(name, std::move(json));
      }
    });
  }
  void read_tags(Node node, const JobPlace& place) { add_tags_to(node, place, message_.metadata); }
  void read_own_tags(Node node, const JobPlace& place) {
    add_tags_to(node, place, message_.copies.back().metadata);
  }

  bool is_in_entries_ = false;
};

}  // namespace

std::optional<JobError> read_ses(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                 ServiceMessage& message) {
  SesReader reader(tree, date_us, message);
  reader.run(root);
  return std::move(reader.error());
}

}  // namespace ringpost::codec
