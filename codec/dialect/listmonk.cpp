// What listmonk posts to a messenger. The problem: the body is rendered already, its type is a word
// of the campaign's editor, and only header fields lead a bounce back to the subscriber. The idea:
// `plain` is text and every other type is html; the two fields that listmonk's own mails have name
// campaign and subscriber. Limits: links to unsubscribe are the campaign's to have.
#include "codec/dialect/service_reader.h"
#include "codec/dialect/services.h"
#include "codec/text/json_text.h"

namespace ringpost::codec {

namespace {

class ListmonkReader : public ServiceReader {
 public:
  using ServiceReader::ServiceReader;

  void run(Node root) {
    static constexpr auto fields = std::to_array<ServiceField<ListmonkReader>>({
        {"subject", &ListmonkReader::read_subject},
        {"from_email", &ListmonkReader::read_from},
        {"content_type", &ListmonkReader::read_content_type},
        {"body", &ListmonkReader::read_body},
        {"recipients", &ListmonkReader::read_recipients},
        {"campaign", &ListmonkReader::read_campaign},
        {"attachments", &ListmonkReader::read_attachments},
    });
    const JobPlace place;
    read_fields(*this, fields, root, place);
    if (body_) {
      std::optional<ServiceText>& part = content_type_ == "plain" ? message_.text : message_.html;
      part = ServiceText{std::string(*body_)};
    }
    if (!message_.from) {
      message_.from = campaign_from_;
    }
    require_from("from_email");
    require_recipients("recipients");
    require_content("body");
    name_campaign();
  }

 private:
  void read_subject(Node node, const JobPlace& place) {
    message_.subject = {std::string(read_text(node, place))};
  }
  std::optional<Mailbox> read_mailbox(Node node, const JobPlace& place) {
    const Bytes text = read_text(node, place);
    return text.empty() ? std::nullopt : one_mailbox(text, place);
  }
  void read_from(Node node, const JobPlace& place) { message_.from = read_mailbox(node, place); }
  void read_content_type(Node node, const JobPlace& place) {
    content_type_ = read_text(node, place);
    constexpr auto types =
        std::to_array<Bytes>({"plain", "html", "richtext", "markdown", "visual"});
    if (std::find(types.begin(), types.end(), content_type_) == types.end()) {
      refuse(JobErrorKind::invalid_value, place,
             "must be \"plain\", \"html\", \"richtext\", \"markdown\" or \"visual\"");
    }
  }
  void read_body(Node node, const JobPlace& place) { body_ = read_text(node, place); }

  // ---- Recipients -------------------------------------------------------------------------------

  void read_recipients(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<ListmonkReader>>({
        {"uuid", &ListmonkReader::read_uuid},
        {"email", &ListmonkReader::read_email},
        {"name", &ListmonkReader::read_name},
        {"attribs"},
        {"status", &ListmonkReader::read_status},
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
  void read_uuid(Node node, const JobPlace& place) {
    ServiceCopy& copy = message_.copies.back();
    copy.id = read_text(node, place);
    if (!copy.id.empty()) {
      copy.metadata.push_back(member_of("listmonk_subscriber", node));
    }
  }
  void read_email(Node node, const JobPlace& place) { email_ = read_text(node, place); }
  void read_name(Node node, const JobPlace& place) { name_ = read_text(node, place); }
  void read_status(Node node, const JobPlace& place) {
    if (read_text(node, place) == "blocklisted") {
      refuse(JobErrorKind::invalid_value, place, "is \"blocklisted\": nothing is sent to him");
    }
  }

  // ---- Campaign ---------------------------------------------------------------------------------

  void read_campaign(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<ListmonkReader>>({
        {"from_email", &ListmonkReader::read_campaign_from},
        {"uuid", &ListmonkReader::read_campaign_uuid},
        {"name", &ListmonkReader::read_campaign_name},
        {"headers", &ListmonkReader::read_headers},
        {"tags", &ListmonkReader::read_tags},
    });
    read_fields(*this, fields, node, place);
  }
  void read_campaign_from(Node node, const JobPlace& place) {
    campaign_from_ = read_mailbox(node, place);
  }
  void read_campaign_uuid(Node node, const JobPlace& place) {
    campaign_uuid_ = read_text(node, place);
    if (!campaign_uuid_.empty()) {
      message_.metadata.push_back(member_of("listmonk_campaign", node));
    }
  }
  void read_campaign_name(Node node, const JobPlace& place) {
    if (!read_text(node, place).empty()) {
      message_.metadata.push_back(member_of("campaign", node));
    }
  }
  // A list of objects, each with some fields.
  void read_headers(Node node, const JobPlace& place) {
    for_each(node, place, [this](Node element, const JobPlace& here) {
      add_headers(element, here, message_.headers);
    });
  }
  void read_tags(Node node, const JobPlace& place) { add_tags(node, place); }

  void name_campaign() {
    if (!campaign_uuid_.empty()) {
      add_header("X-Listmonk-Campaign", {std::string(campaign_uuid_)}, message_.headers);
    }
    for (ServiceCopy& copy : message_.copies) {
      if (!copy.id.empty()) {
        add_header("X-Listmonk-Subscriber", {copy.id}, copy.headers);
      }
    }
    const bool is_named = message_.copies.size() == 1 && !message_.copies.front().id.empty();
    if (is_named && !campaign_uuid_.empty()) {
      message_.id = std::string(campaign_uuid_) + '/' + message_.copies.front().id;
    }
  }

  // ---- Attachments ------------------------------------------------------------------------------

  void read_attachments(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<ListmonkReader>>({
        {"name", &ListmonkReader::read_attached_name},
        {"header", &ListmonkReader::read_attached_header},
        {"content", &ListmonkReader::read_attached_content},
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
  // Of MIME's fields the type, without its name, and the id; a list of values each.
  void read_attached_header(Node node, const JobPlace& place) {
    for_members(node, place, [this](Node values, const JobPlace& here) {
      for_each(values, here, [&](Node value, const JobPlace& at) {
        const Bytes text = read_text(value, at);
        if (here.name == "Content-Type") {
          message_.attachments.back().content_type = text.substr(0, text.find("; name="));
        } else if (here.name == "Content-Id" || here.name == "Content-ID") {
          message_.attachments.back().content_id = content_id_of(text);
        }
      });
    });
  }

  Bytes content_type_ = "html";
  std::optional<Bytes> body_;
  std::optional<Mailbox> campaign_from_;
  Bytes campaign_uuid_;
  Bytes email_;
  Bytes name_;
};

}  // namespace

std::optional<JobError> read_listmonk(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                      ServiceMessage& message) {
  ListmonkReader reader(tree, date_us, message);
  reader.run(root);
  return std::move(reader.error());
}

}  // namespace ringpost::codec
