// nodemailer's message object, as JSON writes it: its fields and where they belong. The problem:
// nearly each of them has several forms: addresses are texts, objects, lists of both and groups;
// content is a text, an object, a Buffer, a path, an address of the web, or a stream, which no JSON
// has. The idea: each form that has its octets in the line or in a file is read, and every other is
// named. Limits: what is fetched from the web, parts of further kinds (calendar, AMP, alternatives)
// and signing cannot be had; how things are encoded is ours to choose.
#include <fmt/format.h>

#include "codec/dialect/nodemailer_values.h"
#include "codec/dialect/service_reader.h"
#include "codec/dialect/services.h"
#include "codec/text/base64.h"
#include "codec/text/json_text.h"

namespace ringpost::codec {

namespace {

constexpr std::string_view nodemailer_part_why = "the message has text, html and attachments";
constexpr std::string_view nodemailer_web_why = "nothing is fetched from the web";
constexpr std::string_view nodemailer_stream_why = "a stream is none any more in JSON";

class NodemailerReader : public ServiceReader {
 public:
  using ServiceReader::ServiceReader;

  void run(Node root) {
    message_.copies.emplace_back();
    const JobPlace place;
    read_message(root, place);
    if (has_file_ && forbids_files_) {
      refuse_at(JobErrorKind::conflicting_fields, "disableFileAccess",
                "is true, and a path is named");
    }
    if (!message_.from && !message_.envelope_sender) {
      require_from("from");
    }
    require_recipients("to");
    require_content("text");
    if (message_.has_raw()) {
      finish_raw();
    }
  }

 private:
  using Field = ServiceField<NodemailerReader>;

  void read_message(Node root, const JobPlace& place) {
    using Self = NodemailerReader;
    static constexpr auto fields = std::to_array<Field>({
        {"from", &Self::read_from},
        {"sender", &Self::read_sender},
        {"to", &Self::read_to},
        {"cc", &Self::read_cc},
        {"bcc", &Self::read_bcc},
        {"replyTo", &Self::read_reply_to},
        {"inReplyTo", &Self::read_in_reply_to},
        {"references", &Self::read_references},
        {"subject", &Self::read_subject},
        {"text", &Self::read_text_part},
        {"html", &Self::read_html},
        {"attachments", &Self::read_attachments},
        {"headers", &Self::read_headers},
        {"messageId", &Self::read_message_id},
        {"date", &Self::read_date},
        {"envelope", &Self::read_envelope},
        {"dsn", &Self::read_dsn},
        {"raw", &Self::read_raw},
        {"list", &Self::read_list_fields},
        {"priority", &Self::read_priority},
        {"xMailer", &Self::read_mailer},
        {"amp", nullptr, nodemailer_part_why},
        {"watchHtml", nullptr, nodemailer_part_why},
        {"icalEvent", nullptr, nodemailer_part_why},
        {"alternatives", nullptr, nodemailer_part_why},
        {"attachDataUrls", nullptr, "images stay in the html"},
        {"keepBcc", nullptr, "who is in bcc is told to nobody"},
        {"dkim", nullptr, "whoever delivers the message signs it"},
        {"auth", nullptr, "the endpoint has the login"},
        {"disableFileAccess", &Self::read_disable_files},
        {"disableUrlAccess"},
        {"encoding"},
        {"textEncoding"},
        {"normalizeHeaderKey"},
        {"newline"},
        {"boundaryPrefix"},
        {"baseBoundary"},
    });
    read_fields(*this, fields, root, place);
  }

  // ---- Addresses --------------------------------------------------------------------------------

  // A text of one or several, an object, or a list of both.
  void read_addresses(Node node, const JobPlace& place, std::vector<Mailbox>& list) {
    switch (tree_.kind(node)) {
      case Kind::string: {
        const Bytes text = tree_.text(node);
        return text.empty() ? void() : add_mailboxes(text, place, list);
      }
      case Kind::list:
        return for_each(node, place, [&](Node element, const JobPlace& here) {
          read_addresses(element, here, list);
        });
      case Kind::object:
        return read_address_object(node, place, list);
      case Kind::null:
      case Kind::boolean:
      case Kind::number:
        return is_null(node) ? void() : refuse_type(place, "an address", node);
    }
  }

  // Of a group its members count.
  void read_address_object(Node node, const JobPlace& place, std::vector<Mailbox>& list) {
    constexpr auto known = std::to_array<std::string_view>({"name", "address", "group"});
    Bytes name;
    Bytes address;
    bool is_group = false;
    for_members(node, place, [&](Node member, const JobPlace& here) {
      if (here.name == "name") {
        name = is_null(member) ? Bytes{} : read_text(member, here);
      } else if (here.name == "address") {
        address = read_text(member, here);
      } else if (here.name == "group") {
        is_group = true;
        read_addresses(member, here, list);
      } else {
        refuse_unknown(here, known);
      }
    });
    if (!is_group) {
      add_address(address, name, place.member("address"), list);
    }
  }

  std::optional<Mailbox> read_one(Node node, const JobPlace& place) {
    std::vector<Mailbox> list;
    read_addresses(node, place, list);
    if (list.size() > 1) {
      refuse(JobErrorKind::invalid_value, place, "takes one address");
    }
    return list.empty() ? std::nullopt : std::optional(list.front());
  }

  void read_from(Node node, const JobPlace& place) { message_.from = read_one(node, place); }
  void read_sender(Node node, const JobPlace& place) {
    if (const auto sender = read_one(node, place)) {
      set_header("Sender", mailboxes_as_value({*sender}));
    }
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
  void read_reply_to(Node node, const JobPlace& place) {
    read_addresses(node, place, message_.reply_to);
  }

  // ---- Content ----------------------------------------------------------------------------------

  void read_subject(Node node, const JobPlace& place) {
    message_.subject = {std::string(read_text(node, place))};
  }

  // What has octets: a text, a Buffer, or an object with `content` or `path`.
  struct Source {
    bool is_there = false;
    std::string octets;
    std::string path;
  };

  void read_text_part(Node node, const JobPlace& place) {
    read_part(node, place, message_.text, message_.text_file);
  }
  void read_html(Node node, const JobPlace& place) {
    read_part(node, place, message_.html, message_.html_file);
  }
  void read_part(Node node, const JobPlace& place, std::optional<ServiceText>& text,
                 std::string& path) {
    Source source = read_source(node, place);
    if (!source.path.empty()) {
      path = std::move(source.path);
    } else if (source.is_there) {
      text = {std::move(source.octets)};
    }
  }

  [[nodiscard]] bool is_buffer(Node node) const {
    return tree_.kind(node) == Kind::object && tree_.find(node, "data") != none;
  }

  Source read_source(Node node, const JobPlace& place) {
    source_ = {};
    encoding_ = "utf8";
    if (tree_.kind(node) != Kind::object || is_buffer(node)) {
      source_.is_there = read_octets(node, place, source_.octets);
      return std::move(source_);
    }
    using Self = NodemailerReader;
    static constexpr auto fields = std::to_array<Field>({
        {"content", &Self::read_content},
        {"path", &Self::read_path},
        {"encoding", &Self::read_encoding},
        {"href", nullptr, nodemailer_web_why},
        {"raw", nullptr, nodemailer_part_why},
        {"contentType"},
        {"contentTransferEncoding"},
    });
    read_encoding_first(node, place);
    read_fields(*this, fields, node, place);
    return std::move(source_);
  }

  // It says what `content` is, and may stand behind it.
  void read_encoding_first(Node object, const JobPlace& place) {
    encoding_ = "utf8";
    const Node encoding = tree_.find(object, "encoding");
    if (encoding != none && !tree_.is_empty(encoding)) {
      encoding_ = in_lower_case(read_text(encoding, place.member("encoding")));
    }
  }
  void read_encoding([[maybe_unused]] Node node, [[maybe_unused]] const JobPlace& place) {}

  void read_content(Node node, const JobPlace& place) {
    source_.is_there = true;
    if (tree_.kind(node) == Kind::object && !is_buffer(node)) {
      return cannot_be_had(place, nodemailer_stream_why);
    }
    std::string text;
    if (!read_octets(node, place, text)) {
      return;
    }
    const bool is_text = tree_.kind(node) != Kind::string || encoding_ == "utf8" ||
                         encoding_ == "utf-8" || encoding_ == "ascii" || encoding_ == "usascii";
    if (is_text) {
      source_.octets = std::move(text);
    } else if (encoding_ == "base64") {
      decode(text, place);
    } else if (encoding_ != "hex") {
      cannot_be_had(place, "encodings are base64, hex and utf-8");
    } else if (!append_hex_octets(text, source_.octets)) {
      refuse(JobErrorKind::invalid_value, place, "is not hexadecimal");
    }
  }

  void decode(Bytes text, const JobPlace& place) {
    if (const auto decoded = decode_base64(text, Base64Space::skipped, source_.octets); !decoded) {
      refuse(JobErrorKind::invalid_base64, place,
             fmt::format("is not base64 at character {}", decoded.error().offset));
    }
  }

  void read_path(Node node, const JobPlace& place) {
    const Bytes path = read_text(node, place);
    const std::string scheme = in_lower_case(path.substr(0, 8));
    if (scheme.starts_with("http://") || scheme.starts_with("https://")) {
      return cannot_be_had(place, nodemailer_web_why);
    }
    if (scheme.starts_with("data:")) {
      return read_data_url(path, place);
    }
    has_file_ = has_file_ || !path.empty();
    source_.is_there = true;
    source_.path = path;
  }

  void read_data_url(Bytes url, const JobPlace& place) {
    const auto data = data_of_url(url);
    if (!data) {
      return cannot_be_had(place, "of data: URLs those of base64 can");
    }
    data_url_type_ = data->type;
    source_.is_there = true;
    decode(data->base64, place);
  }

  void read_disable_files(Node node, const JobPlace& place) {
    forbids_files_ = read_flag(node, place);
  }

  // A finished message.
  void read_raw(Node node, const JobPlace& place) {
    Source source = read_source(node, place);
    if (!source.path.empty()) {
      message_.raw_file = std::move(source.path);
    } else if (source.is_there) {
      append_base64(message_.raw_base64, source.octets);
    }
  }

  void finish_raw() {
    message_.subject.reset();
    message_.text.reset();
    message_.html.reset();
    message_.text_file.clear();
    message_.html_file.clear();
    message_.attachments.clear();
    message_.headers.clear();
    message_.reply_to.clear();
  }

  // ---- Attachments ------------------------------------------------------------------------------

  void read_attachments(Node node, const JobPlace& place) {
    if (tree_.kind(node) == Kind::object) {
      return read_attachment(node, place);
    }
    for_each(node, place,
             [this](Node element, const JobPlace& here) { read_attachment(element, here); });
  }

  void read_attachment(Node node, const JobPlace& place) {
    using Self = NodemailerReader;
    static constexpr auto fields = std::to_array<Field>({
        {"filename", &Self::read_file_name},
        {"content", &Self::read_content},
        {"path", &Self::read_path},
        {"encoding", &Self::read_encoding},
        {"contentType", &Self::read_content_type},
        {"cid", &Self::read_content_id},
        {"href", nullptr, nodemailer_web_why},
        {"httpHeaders", nullptr, nodemailer_web_why},
        {"headers", nullptr, "parts have the fields they need"},
        {"raw", nullptr, nodemailer_part_why},
        {"contentDisposition"},
        {"contentTransferEncoding"},
    });
    message_.attachments.emplace_back();
    source_ = {};
    data_url_type_ = {};
    if (tree_.kind(node) == Kind::object) {
      read_encoding_first(node, place);
    }
    read_fields(*this, fields, node, place);
    ServiceAttachment& attachment = message_.attachments.back();
    if (attachment.content_type.empty()) {
      attachment.content_type = data_url_type_;
    }
    attachment.path = std::move(source_.path);
    append_base64(attachment.base64, source_.octets);
    if (!source_.is_there) {
      refuse(JobErrorKind::missing_field, place.member("content"), "is missing");
    }
  }
  void read_file_name(Node node, const JobPlace& place) {
    if (!tree_.is_empty(node)) {
      message_.attachments.back().file_name = read_text(node, place);
    }
  }
  void read_content_type(Node node, const JobPlace& place) {
    message_.attachments.back().content_type = read_text(node, place);
  }
  void read_content_id(Node node, const JobPlace& place) {
    message_.attachments.back().content_id = content_id_of(read_text(node, place));
  }

  // ---- Header fields ----------------------------------------------------------------------------

  void set_header(Bytes name, std::string value) {
    add_header(name, {std::move(value)}, message_.headers);
  }

  // An object of texts, lists and `{prepared, value}`, or a list of `{key, value}`.
  void read_headers(Node node, const JobPlace& place) {
    if (tree_.kind(node) == Kind::list) {
      return for_each(node, place, [this](Node element, const JobPlace& here) {
        Bytes name;
        Bytes value;
        if (read_pair(element, here, "key", "value", name, value)) {
          set_header(name, std::string(value));
        }
      });
    }
    for_members(node, place, [this](Node member, const JobPlace& here) {
      read_header(here.name, member, here);
    });
  }
  void read_header(Bytes name, Node node, const JobPlace& place) {
    if (is_null(node)) {
      return;
    }
    if (tree_.kind(node) == Kind::list) {
      return for_each(node, place, [&](Node element, const JobPlace& here) {
        set_header(name, std::string(read_scalar(element, here)));
      });
    }
    if (tree_.kind(node) == Kind::object) {
      const Node value = tree_.find(node, "value");
      return value == none ? refuse_type(place, "a string", node)
                           : set_header(name, std::string(read_scalar(value, place)));
    }
    set_header(name, std::string(read_scalar(node, place)));
  }

  void read_in_reply_to(Node node, const JobPlace& place) {
    set_header("In-Reply-To", in_brackets(read_text(node, place)));
  }
  void read_message_id(Node node, const JobPlace& place) {
    set_header("Message-ID", in_brackets(read_text(node, place)));
  }
  // Ids with blanks between them, or a list of ids.
  void read_references(Node node, const JobPlace& place) {
    std::string ids;
    if (tree_.kind(node) == Kind::list) {
      for_each(node, place, [&](Node one, const JobPlace& here) {
        append_references(ids, read_text(one, here));
      });
    } else {
      append_references(ids, read_text(node, place));
    }
    set_header("References", std::move(ids));
  }

  // A Date is written by JSON as RFC 3339.
  void read_date(Node node, const JobPlace& place) {
    set_header("Date", date_of_json(read_text(node, place)));
  }
  void read_mailer(Node node, const JobPlace& place) {
    if (!tree_.is_empty(node)) {
      set_header("X-Mailer", std::string(read_text(node, place)));
    }
  }
  void read_priority(Node node, const JobPlace& place) {
    const std::string word = in_lower_case(read_text(node, place));
    if (word == "high" || word == "low") {
      const bool is_high = word == "high";
      set_header("X-Priority", is_high ? "1 (Highest)" : "5 (Lowest)");
      set_header("X-MSMail-Priority", is_high ? "High" : "Low");
      set_header("Importance", is_high ? "High" : "Low");
    } else if (word != "normal" && !word.empty()) {
      refuse(JobErrorKind::invalid_value, place, "must be \"high\", \"normal\" or \"low\"");
    }
  }

  // Of each name a URL, `{url, comment}`, or a list of them, which is one field.
  void read_list_fields(Node node, const JobPlace& place) {
    for_members(node, place, [this](Node member, const JobPlace& here) {
      std::string value;
      add_list_urls(member, here, value);
      set_header(list_field_name(here.name), std::move(value));
    });
  }
  void add_list_urls(Node node, const JobPlace& place, std::string& value) {
    if (tree_.kind(node) == Kind::list) {
      return for_each(node, place, [&](Node element, const JobPlace& here) {
        add_list_urls(element, here, value);
      });
    }
    Bytes url;
    Bytes comment;
    if (tree_.kind(node) == Kind::object) {
      if (!read_pair(node, place, "url", "comment", url, comment)) {
        return;
      }
    } else {
      url = read_text(node, place);
    }
    value += value.empty() ? "" : ", ";
    value += place.name == "id" || place.name == "ID" ? fmt::format("<{}>", url) : list_url(url);
    if (!comment.empty()) {
      value += fmt::format(" ({})", comment);
    }
  }

  // ---- Envelope ---------------------------------------------------------------------------------

  void read_envelope(Node node, const JobPlace& place) {
    using Self = NodemailerReader;
    static constexpr auto fields = std::to_array<Field>({
        {"from", &Self::read_envelope_from},
        {"to", &Self::read_envelope_to},
        {"cc", &Self::read_envelope_to},
        {"bcc", &Self::read_envelope_to},
        {"dsn", &Self::read_dsn},
        {"size"},
        {"use8BitMime"},
        {"requireTLSExtensionEnabled", nullptr, "REQUIRETLS (RFC 8689) is not spoken"},
    });
    read_fields(*this, fields, node, place);
  }
  void read_envelope_from(Node node, const JobPlace& place) {
    if (tree_.is_empty(node)) {
      message_.envelope_sender = "";
    } else if (tree_.kind(node) == Kind::string) {
      set_envelope_sender(tree_.text(node), place);
    } else if (const auto sender = read_one(node, place)) {
      message_.envelope_sender = sender->address;
    }
  }
  void read_envelope_to(Node node, const JobPlace& place) {
    read_addresses(node, place, message_.envelope_recipients);
  }

  void read_dsn(Node node, const JobPlace& place) {
    using Self = NodemailerReader;
    static constexpr auto fields = std::to_array<Field>({
        {"id", &Self::read_dsn_id},
        {"envid", &Self::read_dsn_id},
        {"return", &Self::read_dsn_return},
        {"ret", &Self::read_dsn_return},
        {"notify", &Self::read_dsn_notify},
        {"recipient", nullptr, "reports name the recipient as he was given"},
        {"orcpt", nullptr, "reports name the recipient as he was given"},
    });
    read_fields(*this, fields, node, place);
  }
  void add_dsn(std::string_view name, Bytes text) {
    std::string json;
    append_json_string(json, text);
    std::erase_if(message_.dsn, [name](const JsonMember& one) { return one.first == name; });
    message_.dsn.emplace_back(name, std::move(json));
  }
  void read_dsn_id(Node node, const JobPlace& place) { add_dsn("envid", read_text(node, place)); }
  void read_dsn_return(Node node, const JobPlace& place) {
    add_dsn("ret", dsn_return_of(read_text(node, place)));
  }
  void read_dsn_notify(Node node, const JobPlace& place) {
    std::string words;
    const auto add = [&words](Bytes word) {
      words += words.empty() ? "" : ",";
      words += word;
    };
    if (tree_.kind(node) == Kind::list) {
      for_each(node, place, [&](Node one, const JobPlace& here) { add(read_text(one, here)); });
    } else {
      add(read_text(node, place));
    }
    add_dsn("notify", words);
  }

  Source source_;         // being read
  std::string encoding_;  // of its `content`
  std::string data_url_type_;
  bool has_file_ = false;
  bool forbids_files_ = false;
};

}  // namespace

std::optional<JobError> read_nodemailer(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                        ServiceMessage& message) {
  NodemailerReader reader(tree, date_us, message);
  reader.run(root);
  return std::move(reader.error());
}

}  // namespace ringpost::codec
