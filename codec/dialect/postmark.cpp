// Postmark's /email, /email/batch and /email/bulk. The problem: a batch is a list of bodies, and a
// line is one job; a bulk body has one content for many, with `{{name}}` in it, which in the other
// two is text. The idea: a list whose bodies differ in their recipients alone is one job of several
// copies, and every other list has to be split; of a bulk body each of `Messages` is a copy.
// Limits: TemplateId and TemplateAlias are of templates that are stored at Postmark; opens and
// links are not tracked, and CSS is not put inline.
#include <fmt/format.h>

#include "codec/dialect/service_reader.h"
#include "codec/dialect/services.h"
#include "codec/dialect/tag_text.h"

namespace ringpost::codec {

namespace {

constexpr std::string_view postmark_template_why = "the template is stored at Postmark";
// Of a body, what may differ within a batch.
constexpr auto postmark_own_members =
    std::to_array<std::string_view>({"To", "Cc", "Bcc", "Metadata"});

class PostmarkReader : public ServiceReader {
 public:
  using ServiceReader::ServiceReader;

  void run(Node root) {
    const JobPlace place;
    if (tree_.kind(root) == Kind::list) {
      return read_batch(root, place);
    }
    read_body(root, place);
    finish();
    if (is_bulk_) {
      make_templates();
    }
  }

 private:
  // ---- Bodies -----------------------------------------------------------------------------------

  void read_batch(Node list, const JobPlace& place) {
    const Node first = tree_.first(list);
    if (first == none) {
      return refuse_at(JobErrorKind::no_recipients, "", "the list is empty");
    }
    std::string shared;
    for_each(list, place, [&](Node body, const JobPlace& here) {
      const std::string content = content_of(body);
      if (body == first) {
        shared = content;
        return read_body(body, here);
      }
      if (content != shared) {
        refuse(JobErrorKind::unsupported_field, here,
               "is another message than the first: one body a line: split the array");
      }
      message_.copies.emplace_back();
      read_own(body, here);
    });
    finish();
  }

  // All of a body that a batch has to share.
  [[nodiscard]] std::string content_of(Node body) const {
    std::string json;
    for (Node member = tree_.first(body); member != none; member = tree_.next(member)) {
      const bool is_own = std::find(postmark_own_members.begin(), postmark_own_members.end(),
                                    tree_.key(member)) != postmark_own_members.end();
      if (!is_own) {
        json.append(tree_.key(member)).append(":");
        tree_.append_json(json, member);
        json += '\n';
      }
    }
    return json;
  }

  void read_own(Node body, const JobPlace& place) {
    if (!wants(body, Kind::object, "an object", place)) {
      return;
    }
    for (const std::string_view name : postmark_own_members) {
      const Node member = tree_.find(body, name);
      if (member == none || is_null(member)) {
        continue;
      }
      const JobPlace here = place.member(name);
      if (name == "Metadata") {
        add_metadata(member, here, message_.copies.back().metadata);
      } else {
        read_addresses(member, here,
                       name == "To"   ? message_.copies.back().to
                       : name == "Cc" ? message_.copies.back().cc
                                      : message_.copies.back().bcc);
      }
    }
  }

  void read_body(Node body, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<PostmarkReader>>({
        {"From", &PostmarkReader::read_from},
        {"To", &PostmarkReader::read_to},
        {"Cc", &PostmarkReader::read_cc},
        {"Bcc", &PostmarkReader::read_bcc},
        {"Subject", &PostmarkReader::read_subject},
        {"Tag", &PostmarkReader::read_tag},
        {"HtmlBody", &PostmarkReader::read_html},
        {"TextBody", &PostmarkReader::read_text_body},
        {"ReplyTo", &PostmarkReader::read_reply_to},
        {"Headers", &PostmarkReader::read_headers},
        {"Metadata", &PostmarkReader::read_metadata},
        {"Attachments", &PostmarkReader::read_attachments},
        {"Messages", &PostmarkReader::read_messages},
        {"TemplateId", nullptr, postmark_template_why},
        {"TemplateAlias", nullptr, postmark_template_why},
        {"TemplateModel", nullptr, postmark_template_why},
        {"TrackOpens"},
        {"TrackLinks"},
        {"MessageStream"},
        {"InlineCss"},
    });
    message_.copies.emplace_back();
    is_bulk_ = tree_.kind(body) == Kind::object && tree_.find(body, "Messages") != none;
    if (is_bulk_) {
      message_.copies.clear();
    }
    read_fields(*this, fields, body, place);
  }

  void finish() {
    require_from("From");
    require_recipients("To");
    require_content("TextBody");
    for (std::size_t i = 0; i < message_.copies.size(); ++i) {
      const ServiceCopy& copy = message_.copies[i];
      if (copy.to.empty() && copy.cc.empty() && copy.bcc.empty()) {
        refuse_at(JobErrorKind::no_recipients,
                  fmt::format("{}[{}].To", is_bulk_ ? "Messages" : "", i), "is missing");
      }
    }
  }

  // ---- Fields -----------------------------------------------------------------------------------

  // None of a body in which there are `Messages`.
  ServiceCopy* copy_for(const JobPlace& place) {
    if (!is_bulk_ || is_in_messages_) {
      return &message_.copies.back();
    }
    refuse(JobErrorKind::conflicting_fields, place, "may not stand beside \"Messages\"");
    return nullptr;
  }

  void read_from(Node node, const JobPlace& place) {
    message_.from = one_mailbox(read_text(node, place), place);
  }
  void read_addresses(Node node, const JobPlace& place, std::vector<Mailbox>& list) {
    const Bytes text = read_text(node, place);
    if (!text.empty()) {
      add_mailboxes(text, place, list);
    }
  }
  void read_to(Node node, const JobPlace& place) {
    if (ServiceCopy* const copy = copy_for(place)) {
      read_addresses(node, place, copy->to);
    }
  }
  void read_cc(Node node, const JobPlace& place) {
    if (ServiceCopy* const copy = copy_for(place)) {
      read_addresses(node, place, copy->cc);
    }
  }
  void read_bcc(Node node, const JobPlace& place) {
    if (ServiceCopy* const copy = copy_for(place)) {
      read_addresses(node, place, copy->bcc);
    }
  }
  void read_subject(Node node, const JobPlace& place) {
    message_.subject = {std::string(read_text(node, place))};
  }
  void read_tag(Node node, const JobPlace& place) {
    if (const Bytes tag = read_text(node, place); !tag.empty()) {
      add_tag(tag, place);
    }
  }
  void read_html(Node node, const JobPlace& place) {
    message_.html = {std::string(read_text(node, place))};
  }
  void read_text_body(Node node, const JobPlace& place) {
    message_.text = {std::string(read_text(node, place))};
  }
  void read_reply_to(Node node, const JobPlace& place) {
    read_addresses(node, place, message_.reply_to);
  }
  void read_headers(Node node, const JobPlace& place) {
    add_named_headers(node, place,
                      is_in_messages_ ? message_.copies.back().headers : message_.headers);
  }
  void read_metadata(Node node, const JobPlace& place) {
    const bool is_own = is_in_messages_ || !is_bulk_;
    add_metadata(node, place, is_own ? message_.copies.back().metadata : message_.metadata);
  }

  void read_attachments(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<PostmarkReader>>({
        {"Name", &PostmarkReader::read_attached_name},
        {"Content", &PostmarkReader::read_attached_content},
        {"ContentType", &PostmarkReader::read_attached_type},
        {"ContentID", &PostmarkReader::read_attached_id},
        {"ContentLength"},
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
    Bytes id = read_text(node, place);
    if (constexpr Bytes scheme = "cid:"; id.starts_with(scheme)) {
      id.remove_prefix(scheme.size());
    }
    message_.attachments.back().content_id = content_id_of(id);
  }

  // ---- Bulk -------------------------------------------------------------------------------------

  void read_messages(Node node, const JobPlace& place) {
    static constexpr auto fields = std::to_array<ServiceField<PostmarkReader>>({
        {"To", &PostmarkReader::read_to},
        {"Cc", &PostmarkReader::read_cc},
        {"Bcc", &PostmarkReader::read_bcc},
        {"TemplateModel", &PostmarkReader::read_model},
        {"Headers", &PostmarkReader::read_headers},
        {"Metadata", &PostmarkReader::read_metadata},
        {"TemplateId", nullptr, postmark_template_why},
        {"TemplateAlias", nullptr, postmark_template_why},
    });
    is_in_messages_ = true;
    for_each(node, place, [&](Node element, const JobPlace& here) {
      message_.copies.emplace_back();
      read_fields(*this, fields, element, here);
    });
    is_in_messages_ = false;
  }

  void read_model(Node node, const JobPlace& place) {
    if (wants(node, Kind::object, "an object", place)) {
      add_members(node, message_.copies.back().merge);
    }
  }

  void make_templates() {
    const std::array<std::pair<std::string_view, std::optional<ServiceText>*>, 3> texts = {
        {{"Subject", &message_.subject},
         {"TextBody", &message_.text},
         {"HtmlBody", &message_.html}}};
    for (const auto& [name, text] : texts) {
      if (!*text) {
        continue;
      }
      auto made = brace_template((*text)->text, BraceSyntax::mustachio);
      if (!made) {
        refuse_at(JobErrorKind::unsupported_field, std::string(name),
                  "cannot be had: " + made.error());
      } else {
        *text = {std::move(*made), true};
      }
    }
  }

  bool is_bulk_ = false;
  bool is_in_messages_ = false;
};

}  // namespace

std::optional<JobError> read_postmark(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                      ServiceMessage& message) {
  PostmarkReader reader(tree, date_us, message);
  reader.run(root);
  return std::move(reader.error());
}

}  // namespace ringpost::codec
