// SendGrid's v3 /mail/send. The problem: its substitutions are texts that stand for others wherever
// they occur, raw, also in html, and each of its personalizations is a message to several people
// with a subject, header fields and a sender of its own. The idea: where there is one of them all
// values are known, and are put in place at once; where there are several, each tag is a value of
// the template, and who has none of that name has the tag itself, as SendGrid leaves it. Limits:
// templates, suppression groups and footers live at SendGrid; opens and clicks are not tracked.
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "codec/dialect/service_reader.h"
#include "codec/dialect/services.h"
#include "codec/dialect/tag_text.h"
#include "codec/text/json_text.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr std::string_view sendgrid_template_why = "the template is stored at SendGrid";
constexpr std::string_view sendgrid_own_subject = "__subject";
// Of all personalizations together; SendGrid takes 10,000 octets of them in each.
constexpr std::size_t sendgrid_tags_max = 1000;

class SendgridReader : public ServiceReader {
 public:
  using ServiceReader::ServiceReader;

  void run(Node root) {
    constexpr auto fields = std::to_array<ServiceField<SendgridReader>>({
        {"personalizations", &SendgridReader::read_personalizations},
        {"from", &SendgridReader::read_from},
        {"reply_to", &SendgridReader::read_reply_to},
        {"reply_to_list", &SendgridReader::read_reply_to_list},
        {"subject", &SendgridReader::read_subject},
        {"content", &SendgridReader::read_content},
        {"attachments", &SendgridReader::read_attachments},
        {"template_id", nullptr, sendgrid_template_why},
        {"headers", &SendgridReader::read_headers},
        {"categories", &SendgridReader::read_categories},
        {"custom_args", &SendgridReader::read_custom_args},
        {"send_at", &SendgridReader::read_send_at},
        {"batch_id"},
        {"asm", nullptr, "who has unsubscribed from a group is known to SendGrid alone"},
        {"ip_pool_name"},
        {"mail_settings", &SendgridReader::read_mail_settings},
        {"tracking_settings", &SendgridReader::read_tracking_settings},
        {"sections", nullptr, "section tags were removed from SendGrid"},
    });
    const JobPlace place;
    read_fields(*this, fields, root, place);
    require_from("from");
    require_recipients("personalizations");
    require_content("content");
    require_subject();
    put_substitutions();
  }

 private:
  // What one of them has beyond a copy.
  struct Own {
    std::optional<std::string> subject;
    std::optional<Mailbox> from;
    std::map<std::string, std::string, std::less<>> substitutions;
  };

  // ---- Addresses --------------------------------------------------------------------------------

  std::optional<Mailbox> read_address(Node node, const JobPlace& place) {
    Bytes email;
    Bytes name;
    if (!read_pair(node, place, "email", "name", email, name)) {
      return std::nullopt;
    }
    std::vector<Mailbox> one;
    add_address(email, name, place.member("email"), one);
    return one.front();
  }

  void read_list(Node node, const JobPlace& place, std::vector<Mailbox>& list) {
    for_each(node, place, [&](Node element, const JobPlace& here) {
      if (auto mailbox = read_address(element, here)) {
        list.push_back(std::move(*mailbox));
      }
    });
  }

  void read_from(Node node, const JobPlace& place) { message_.from = read_address(node, place); }
  void read_reply_to(Node node, const JobPlace& place) {
    if (auto mailbox = read_address(node, place)) {
      message_.reply_to.push_back(std::move(*mailbox));
    }
  }
  void read_reply_to_list(Node node, const JobPlace& place) {
    read_list(node, place, message_.reply_to);
  }

  // ---- Personalizations -------------------------------------------------------------------------

  void read_personalizations(Node node, const JobPlace& place) {
    for_each(node, place, [this](Node element, const JobPlace& here) {
      message_.copies.emplace_back();
      own_.emplace_back();
      read_personalization(element, here);
    });
  }

  void read_personalization(Node node, const JobPlace& place) {
    constexpr auto fields = std::to_array<ServiceField<SendgridReader>>({
        {"to", &SendgridReader::read_to},
        {"cc", &SendgridReader::read_cc},
        {"bcc", &SendgridReader::read_bcc},
        {"from", &SendgridReader::read_own_from},
        {"subject", &SendgridReader::read_own_subject},
        {"headers", &SendgridReader::read_own_headers},
        {"substitutions", &SendgridReader::read_substitutions},
        {"dynamic_template_data", nullptr, sendgrid_template_why},
        {"custom_args", &SendgridReader::read_own_custom_args},
        {"send_at", &SendgridReader::read_send_at},
    });
    read_fields(*this, fields, node, place);
    if (message_.copies.back().to.empty()) {
      refuse(JobErrorKind::no_recipients, place.member("to"), "is missing");
    }
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
  void read_own_from(Node node, const JobPlace& place) {
    own_.back().from = read_address(node, place);
  }
  void read_own_subject(Node node, const JobPlace& place) {
    own_.back().subject = read_text(node, place);
  }
  void read_own_headers(Node node, const JobPlace& place) {
    add_headers(node, place, message_.copies.back().headers);
  }
  void read_own_custom_args(Node node, const JobPlace& place) {
    add_metadata(node, place, message_.copies.back().metadata);
  }
  void read_substitutions(Node node, const JobPlace& place) {
    for_members(node, place, [this](Node member, const JobPlace& here) {
      const Bytes tag = tree_.key(member);
      if (tag.empty()) {
        return refuse(JobErrorKind::invalid_value, here, "a tag is empty");
      }
      if (tags_.count() == sendgrid_tags_max) {
        return refuse(JobErrorKind::invalid_value, here,
                      fmt::format("there are more than {} tags", sendgrid_tags_max));
      }
      own_.back().substitutions.emplace(tag, read_scalar(member, here));
      if (tag_numbers_.try_emplace(std::string(tag), tags_.count()).second) {
        tags_.add(tag);
      }
    });
  }

  // ---- Content ----------------------------------------------------------------------------------

  void read_subject(Node node, const JobPlace& place) {
    message_.subject = {std::string(read_text(node, place))};
  }

  void read_content(Node node, const JobPlace& place) {
    for_each(node, place, [this](Node element, const JobPlace& here) {
      Bytes type;
      Bytes value;
      if (!read_pair(element, here, "type", "value", type, value)) {
        return;
      }
      std::optional<ServiceText>* const part = type == "text/plain"  ? &message_.text
                                               : type == "text/html" ? &message_.html
                                                                     : nullptr;
      if (part == nullptr) {
        return cannot_be_had(here.member("type"), "text/plain and text/html can");
      }
      if (*part) {
        return refuse(JobErrorKind::conflicting_fields, here.member("type"), "is given twice");
      }
      *part = {std::string(value)};
    });
  }

  void read_attachments(Node node, const JobPlace& place) {
    constexpr auto fields = std::to_array<ServiceField<SendgridReader>>({
        {"content", &SendgridReader::read_attached_content},
        {"type", &SendgridReader::read_attached_type},
        {"filename", &SendgridReader::read_attached_name},
        {"disposition"},
        {"content_id", &SendgridReader::read_attached_id},
    });
    for_each(node, place, [&](Node element, const JobPlace& here) {
      message_.attachments.emplace_back();
      read_fields(*this, fields, element, here);
    });
  }
  void read_attached_content(Node node, const JobPlace& place) {
    set_base64(read_text(node, place), place, message_.attachments.back());
  }
  void read_attached_type(Node node, const JobPlace& place) {
    message_.attachments.back().content_type = read_text(node, place);
  }
  void read_attached_name(Node node, const JobPlace& place) {
    message_.attachments.back().file_name = read_text(node, place);
  }
  void read_attached_id(Node node, const JobPlace& place) {
    message_.attachments.back().content_id = content_id_of(read_text(node, place));
  }

  // ---- The rest ---------------------------------------------------------------------------------

  void read_headers(Node node, const JobPlace& place) {
    add_headers(node, place, message_.headers);
  }
  void read_categories(Node node, const JobPlace& place) { add_tags(node, place); }
  void read_custom_args(Node node, const JobPlace& place) {
    add_metadata(node, place, message_.metadata);
  }

  void read_send_at(Node node, const JobPlace& place) {
    if (!wants(node, Kind::number, "a whole number", place)) {
      return;
    }
    const Bytes digits = tree_.text(node);
    std::int64_t seconds = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    const bool is_whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
    if (!is_whole || seconds > date_us_ / 1'000'000) {
      cannot_be_had(place, "ringpost sends at once, and this is a time to come");
    }
  }

  void read_mail_settings(Node node, const JobPlace& place) {
    for_members(node, place, [this](Node setting, const JobPlace& here) {
      const bool changes_what_is_sent =
          here.name == "sandbox_mode" || here.name == "footer" || here.name == "bcc";
      if (changes_what_is_sent && is_enabled(setting)) {
        cannot_be_had(here, "SendGrid does it, and SMTP submission does not");
      }
    });
  }
  void read_tracking_settings(Node node, const JobPlace& place) {
    for_members(node, place, [this](Node setting, const JobPlace& here) {
      if (here.name == "subscription_tracking" && is_enabled(setting)) {
        cannot_be_had(here, "SendGrid would write a link to unsubscribe");
      }
    });
  }
  [[nodiscard]] bool is_enabled(Node setting) const {
    const Node enable = tree_.find(setting, "enable");
    return enable != none && !tree_.is_empty(enable);
  }

  void require_subject() {
    const auto has_own = [](const Own& own) { return own.subject.has_value(); };
    if (!message_.subject && !std::all_of(own_.begin(), own_.end(), has_own)) {
      refuse_at(JobErrorKind::missing_field, "subject", "is missing");
    }
  }

  // ---- Substitutions ----------------------------------------------------------------------------

  static std::string name_of_tag(std::size_t number) { return fmt::format("__tag{}", number); }

  // The text as that personalization has it.
  [[nodiscard]] std::string filled_in(Bytes text, const Own& own) const {
    std::string filled;
    LiteralTags tags;
    std::vector<Bytes> values;
    for (const auto& [tag, value] : own.substitutions) {
      tags.add(tag);
      values.push_back(value);
    }
    tags.walk(
        text, [&filled](Bytes literal) { filled += literal; },
        [&](std::size_t number) { filled += values[number]; });
    return filled;
  }

  [[nodiscard]] ServiceText as_template(Bytes text) const {
    TemplateText made;
    tags_.walk(
        text, [&made](Bytes literal) { made.add_literal(literal); },
        [&made](std::size_t number) { made.add_value(name_of_tag(number), false); });
    return {made.take(), true};
  }

  void put_substitutions() {
    if (error() || message_.copies.empty()) {
      return;
    }
    for (const Mailbox& mailbox : message_.reply_to) {
      if (tags_.occur_in(mailbox.address) || tags_.occur_in(mailbox.name)) {
        return refuse_at(JobErrorKind::unsupported_field, "reply_to",
                         "cannot be had: a substitution tag stands in it");
      }
    }
    message_.copies.size() == 1 ? put_into_one() : put_into_several();
  }

  void put_into_one() {
    const Own& own = own_.front();
    if (own.from) {
      message_.from = own.from;
    }
    if (own.subject) {
      message_.subject = {*own.subject};
    }
    for (std::optional<ServiceText>* text : {&message_.subject, &message_.text, &message_.html}) {
      if (*text) {
        (*text)->text = filled_in((*text)->text, own);
      }
    }
  }

  void put_into_several() {
    std::vector<std::pair<Bytes, std::size_t>> used;
    for (const auto& [tag, number] : tag_numbers_) {
      if (occurs(tag)) {
        used.emplace_back(tag, number);
      }
    }
    if (used.size() * own_.size() > limits::dialect_values_max) {
      return refuse_at(JobErrorKind::invalid_value, "personalizations",
                       fmt::format("all of them together have more than {} substitutions",
                                   limits::dialect_values_max));
    }
    for (std::optional<ServiceText>* text : {&message_.text, &message_.html}) {
      if (*text && tags_.occur_in((*text)->text)) {
        *text = as_template((*text)->text);
      }
    }
    const bool have_subjects = std::any_of(own_.begin(), own_.end(),
                                           [](const Own& own) { return own.subject.has_value(); });
    const std::string shared_subject = message_.subject ? message_.subject->text : std::string();
    if (have_subjects) {
      TemplateText subject;
      subject.add_value(sendgrid_own_subject, false);
      message_.subject = {subject.take(), true};
    } else if (tags_.occur_in(shared_subject)) {
      message_.subject = as_template(shared_subject);
    }
    for (std::size_t i = 0; i < own_.size(); ++i) {
      ServiceCopy& copy = message_.copies[i];
      const Own& own = own_[i];
      if (have_subjects) {
        add_value(copy, std::string(sendgrid_own_subject),
                  filled_in(own.subject.value_or(shared_subject), own));
      }
      for (const auto& [tag, number] : used) {
        const auto value = own.substitutions.find(tag);
        add_value(copy, name_of_tag(number),
                  value == own.substitutions.end() ? tag : Bytes(value->second));
      }
      if (own.from) {
        copy.headers.push_back({"From", {{mailboxes_as_value({*own.from})}}});
      }
    }
  }

  [[nodiscard]] bool occurs(Bytes tag) const {
    for (const auto* text : {&message_.subject, &message_.text, &message_.html}) {
      if (*text && (*text)->text.find(tag) != Bytes::npos) {
        return true;
      }
    }
    return false;
  }

  static void add_value(ServiceCopy& copy, std::string name, Bytes value) {
    std::string json;
    append_json_string(json, value);
    copy.merge.emplace_back(std::move(name), std::move(json));
  }

  std::vector<Own> own_;  // as many as there are copies
  LiteralTags tags_;      // of all of them
  std::map<std::string, std::size_t, std::less<>> tag_numbers_;
};

}  // namespace

std::optional<JobError> read_sendgrid(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                      ServiceMessage& message) {
  SendgridReader reader(tree, date_us, message);
  reader.run(root);
  return std::move(reader.error());
}

}  // namespace ringpost::codec
