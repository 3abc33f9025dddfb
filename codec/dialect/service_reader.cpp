// The problem: a wrong body has to be told in the service's own words, to each of its recipients.
// The idea: an offence is noted where it is met, the first one wins, and the walk goes on; what
// would be refused later, in a job that nobody wrote, is checked here, where its name is known.
// Limits: names of fields, sizes and the rules of composing are checked with the job, and are told
// in its words.
#include "codec/dialect/service_reader.h"

#include <charconv>

#include <fmt/format.h>

#include "codec/dialect/address_list.h"
#include "codec/mail/header_field.h"
#include "codec/text/base64.h"
#include "codec/text/json_text.h"
#include "codec/text/spelling.h"
#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

// An address that was refused is named in the outcome up to here.
constexpr std::size_t refused_service_address_bytes_max = 320;

std::string_view word_of_kind(JsonTree::Kind kind) {
  switch (kind) {
    case JsonTree::Kind::null:
      return "null";
    case JsonTree::Kind::boolean:
      return "true or false";
    case JsonTree::Kind::number:
      return "a number";
    case JsonTree::Kind::string:
      return "a string";
    case JsonTree::Kind::list:
      return "a list";
    case JsonTree::Kind::object:
      return "an object";
  }
  return {};
}

std::string in_a_row(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    text += text.empty() ? "" : ", ";
    text += word;
  }
  return text;
}

Mailbox refused_mailbox(Bytes text) {
  Mailbox mailbox;
  mailbox.address = utf8_prefix(text, refused_service_address_bytes_max);
  return mailbox;
}

}  // namespace

// ---- Errors
// ---------------------------------------------------------------------------------------

void ServiceReader::refuse(JobErrorKind kind, const JobPlace& place, std::string reason) {
  refuse_at(kind, place.text(), std::move(reason));
}

void ServiceReader::refuse_at(JobErrorKind kind, std::string place, std::string reason) {
  if (!error_) {
    if (place.starts_with('.')) {
      place.erase(0, 1);
    }
    error_ = JobError{kind, std::move(place), std::move(reason)};
  }
}

void ServiceReader::refuse_type(const JobPlace& place, std::string_view wanted, Node node) {
  refuse(JobErrorKind::wrong_type, place,
         fmt::format("must be {}, and is {}", wanted, word_of_kind(tree_.kind(node))));
}

void ServiceReader::refuse_unknown(const JobPlace& place, std::span<const std::string_view> known) {
  const std::string_view nearest = nearest_word(place.name, known);
  refuse(JobErrorKind::unknown_field, place,
         nearest.empty() ? "unknown field; known are " + in_a_row(known)
                         : fmt::format("unknown field; did you mean \"{}\"?", nearest));
}

void ServiceReader::cannot_be_had(const JobPlace& place, std::string_view why) {
  refuse(JobErrorKind::unsupported_field, place, "cannot be had: " + std::string(why));
}

// ---- Values
// ---------------------------------------------------------------------------------------

bool ServiceReader::wants(Node node, Kind kind, std::string_view wanted, const JobPlace& place) {
  if (tree_.kind(node) == kind) {
    return true;
  }
  refuse_type(place, wanted, node);
  return false;
}

Bytes ServiceReader::read_text(Node node, const JobPlace& place) {
  return wants(node, Kind::string, "a string", place) ? tree_.text(node) : Bytes{};
}

Bytes ServiceReader::read_scalar(Node node, const JobPlace& place) {
  const Kind kind = tree_.kind(node);
  if (kind == Kind::list || kind == Kind::object) {
    refuse_type(place, "a string", node);
    return {};
  }
  return tree_.text(node);
}

bool ServiceReader::read_flag(Node node, const JobPlace& place) {
  return wants(node, Kind::boolean, "true or false", place) && tree_.text(node) == "true";
}

// ---- Addresses
// ------------------------------------------------------------------------------------

void ServiceReader::add_mailboxes(Bytes list, const JobPlace& place, std::vector<Mailbox>& to) {
  std::vector<Bytes> parts;
  split_address_list(list, parts);
  if (parts.empty()) {
    refuse(JobErrorKind::invalid_address, place, "there is no address in it");
  }
  for (const Bytes part : parts) {
    Mailbox mailbox;
    if (const auto parsed = parse_mailbox(part, mailbox); !parsed) {
      refuse(JobErrorKind::invalid_address, place, describe(parsed.error(), part));
      mailbox = refused_mailbox(part);
    }
    to.push_back(std::move(mailbox));
  }
}

void ServiceReader::add_address(Bytes address, Bytes name, const JobPlace& place,
                                std::vector<Mailbox>& to) {
  Mailbox mailbox;
  if (const auto valid = validate_address(address, mailbox); !valid) {
    refuse(JobErrorKind::invalid_address, place, describe(valid.error(), address));
    mailbox = refused_mailbox(address);
  } else if (const auto named = validate_display_name(name); !named) {
    refuse(JobErrorKind::invalid_address, place, describe(named.error(), name));
  } else {
    mailbox.name = name;
  }
  to.push_back(std::move(mailbox));
}

std::optional<Mailbox> ServiceReader::one_mailbox(Bytes text, const JobPlace& place) {
  Mailbox mailbox;
  if (const auto parsed = parse_mailbox(text, mailbox); !parsed) {
    refuse(JobErrorKind::invalid_address, place, describe(parsed.error(), text));
    return std::nullopt;
  }
  return mailbox;
}

void ServiceReader::set_envelope_sender(Bytes address, const JobPlace& place) {
  if (address.empty() || address == "<>") {
    message_.envelope_sender = "";
    return;
  }
  Mailbox mailbox;
  if (const auto parsed = parse_mailbox(address, mailbox, MailboxUse::reverse_path); !parsed) {
    return refuse(JobErrorKind::invalid_address, place, describe(parsed.error(), address));
  }
  message_.envelope_sender = mailbox.address;
}

// ---- Header fields
// --------------------------------------------------------------------------------

void ServiceReader::add_header(Bytes name, ServiceText value, std::vector<ServiceHeader>& headers) {
  for (ServiceHeader& header : headers) {
    if (equal_field_names(header.name, name)) {
      header.values.push_back(std::move(value));
      return;
    }
  }
  headers.push_back({std::string(name), {std::move(value)}});
}

void ServiceReader::add_headers(Node object, const JobPlace& place,
                                std::vector<ServiceHeader>& headers) {
  for_members(object, place, [&](Node member, const JobPlace& here) {
    if (!is_null(member)) {
      add_header(here.name, {std::string(read_scalar(member, here))}, headers);
    }
  });
}

void ServiceReader::add_named_headers(Node list, const JobPlace& place,
                                      std::vector<ServiceHeader>& headers) {
  for_each(list, place, [&](Node element, const JobPlace& here) {
    Bytes name;
    Bytes value;
    if (read_pair(element, here, "Name", "Value", name, value)) {
      add_header(name, {std::string(value)}, headers);
    }
  });
}

bool ServiceReader::read_pair(Node object, const JobPlace& place, std::string_view name_member,
                              std::string_view value_member, Bytes& name, Bytes& value) {
  const std::array<std::string_view, 2> known = {name_member, value_member};
  bool has_name = false;
  for_members(object, place, [&](Node member, const JobPlace& here) {
    if (here.name == name_member) {
      name = read_text(member, here);
      has_name = !name.empty();
    } else if (here.name == value_member) {
      value = is_null(member) ? Bytes{} : read_scalar(member, here);
    } else {
      refuse_unknown(here, known);
    }
  });
  if (tree_.kind(object) == Kind::object && !has_name) {
    refuse(JobErrorKind::missing_field, place.member(name_member), "is missing");
  }
  return has_name;
}

// ---- What is echoed
// -------------------------------------------------------------------------------

JsonMember ServiceReader::member_of(Bytes name, Node value) const {
  JsonMember member{std::string(name), {}};
  tree_.append_json(member.second, value);
  return member;
}

void ServiceReader::add_members(Node object, std::vector<JsonMember>& members) const {
  for (Node member = tree_.first(object); member != none; member = tree_.next(member)) {
    members.push_back(member_of(tree_.key(member), member));
  }
}

void ServiceReader::add_metadata(Node object, const JobPlace& place,
                                 std::vector<JsonMember>& metadata) {
  if (wants(object, Kind::object, "an object", place)) {
    add_members(object, metadata);
  }
}

void ServiceReader::add_tag(Bytes tag, const JobPlace& place) {
  if (tag.empty()) {
    return refuse(JobErrorKind::invalid_value, place, "is empty");
  }
  message_.tags.emplace_back(tag);
}

void ServiceReader::add_tags(Node node, const JobPlace& place) {
  if (tree_.kind(node) != Kind::list) {
    return add_tag(read_text(node, place), place);
  }
  for_each(node, place,
           [this](Node element, const JobPlace& here) { add_tag(read_text(element, here), here); });
}

// ---- Attachments
// ----------------------------------------------------------------------------------

void ServiceReader::set_base64(Bytes text, const JobPlace& place, ServiceAttachment& attachment) {
  std::string octets;
  if (const auto decoded = decode_base64(text, Base64Space::skipped, octets); !decoded) {
    return refuse(JobErrorKind::invalid_base64, place,
                  fmt::format("is not base64 at character {}", decoded.error().offset));
  }
  attachment.base64 = text;
}

bool ServiceReader::read_octets(Node node, const JobPlace& place, std::string& octets) {
  if (tree_.kind(node) == Kind::string) {
    octets = tree_.text(node);
    return true;
  }
  const Node type = tree_.find(node, "type");
  const Node data = tree_.find(node, "data");
  const bool is_buffer = tree_.kind(node) == Kind::object && type != none &&
                         tree_.text(type) == "Buffer" && data != none &&
                         tree_.kind(data) == Kind::list;
  if (!is_buffer) {
    refuse(JobErrorKind::wrong_type, place, "must be a string, or a Buffer as Node writes it");
    return false;
  }
  for (Node element = tree_.first(data); element != none; element = tree_.next(element)) {
    const Bytes digits = tree_.text(element);
    unsigned octet = 256;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), octet);
    if (tree_.kind(element) != Kind::number || read.ptr != digits.data() + digits.size() ||
        octet > 255) {
      refuse(JobErrorKind::invalid_value, place.member("data"), "has something that is no octet");
      return false;
    }
    octets += static_cast<char>(octet);
  }
  return true;
}

std::string ServiceReader::content_id_of(Bytes text) {
  if (text.starts_with('<') && text.ends_with('>') && text.size() > 2) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

// ---- What every message needs
// ---------------------------------------------------------------------

void ServiceReader::require_from(std::string_view place) {
  if (!message_.from) {
    refuse_at(JobErrorKind::missing_field, std::string(place),
              "is missing: nobody would be the sender");
  }
}

void ServiceReader::require_recipients(std::string_view place) {
  const bool has_any =
      std::any_of(message_.copies.begin(), message_.copies.end(), [](const ServiceCopy& copy) {
        return !copy.to.empty() || !copy.cc.empty() || !copy.bcc.empty();
      });
  if (!has_any && message_.envelope_recipients.empty()) {
    refuse_at(JobErrorKind::no_recipients, std::string(place),
              "is missing: without a recipient nobody would get the message");
  }
}

void ServiceReader::require_content(std::string_view place) {
  const bool has_any = message_.text || message_.html || !message_.attachments.empty() ||
                       !message_.text_file.empty() || !message_.html_file.empty() ||
                       message_.has_raw();
  if (!has_any) {
    refuse_at(JobErrorKind::missing_field, std::string(place), "is missing: there is no content");
  }
}

}  // namespace ringpost::codec
