// What reading the body of any service takes. A part of the folder's services, which alone include
// it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/dialect/json_tree.h"
#include "codec/dialect/service_message.h"
#include "codec/job/job_error.h"
#include "codec/mail/address.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// A field of a service's object, and what is made of it: it is read, or it cannot be had and `why`
// says so unless it is empty or false, or it changes nothing of what is sent.
template <typename Reader>
struct ServiceField {
  std::string_view name;
  void (Reader::*read)(JsonTree::Node, const JobPlace&) = nullptr;
  std::string_view why = {};
};

// Notes the first offence and goes on, so that all recipients are known.
class ServiceReader {
 public:
  ServiceReader(JsonTree& tree, std::int64_t date_us, ServiceMessage& message)
      : tree_(tree), date_us_(date_us), message_(message) {}

  [[nodiscard]] std::optional<JobError>& error() { return error_; }

 protected:
  using Node = JsonTree::Node;
  using Kind = JsonTree::Kind;
  static constexpr Node none = JsonTree::none;

  // ---- Errors -----------------------------------------------------------------------------------

  void refuse(JobErrorKind kind, const JobPlace& place, std::string reason);
  void refuse_at(JobErrorKind kind, std::string place, std::string reason);
  void refuse_type(const JobPlace& place, std::string_view wanted, Node node);
  void refuse_unknown(const JobPlace& place, std::span<const std::string_view> known);
  void cannot_be_had(const JobPlace& place, std::string_view why);

  // ---- Values -----------------------------------------------------------------------------------

  [[nodiscard]] bool is_null(Node node) const { return tree_.kind(node) == Kind::null; }
  bool wants(Node node, Kind kind, std::string_view wanted, const JobPlace& place);
  // Empty, and refused, where it is no string.
  [[nodiscard]] Bytes read_text(Node node, const JobPlace& place);
  // A number or a word, too.
  [[nodiscard]] Bytes read_scalar(Node node, const JobPlace& place);
  [[nodiscard]] bool read_flag(Node node, const JobPlace& place);

  template <typename Reader, std::size_t count>
  void read_fields(Reader& reader, const std::array<ServiceField<Reader>, count>& fields, Node node,
                   const JobPlace& place) {
    if (!wants(node, Kind::object, "an object", place)) {
      return;
    }
    for (Node member = tree_.first(node); member != none; member = tree_.next(member)) {
      const JobPlace here = place.member(tree_.key(member));
      const auto found = std::find_if(
          fields.begin(), fields.end(),
          [&here](const ServiceField<Reader>& field) { return field.name == here.name; });
      if (found == fields.end()) {
        std::array<std::string_view, count> names;
        std::transform(fields.begin(), fields.end(), names.begin(),
                       [](const ServiceField<Reader>& field) { return field.name; });
        refuse_unknown(here, names);
      } else if (found->read != nullptr) {
        is_null(member) ? void() : (reader.*found->read)(member, here);
      } else if (!found->why.empty() && !tree_.is_empty(member)) {
        cannot_be_had(here, found->why);
      }
    }
  }

  // Calls `take(node, place)` for each element.
  template <typename Take>
  void for_each(Node list, const JobPlace& place, Take take) {
    if (!wants(list, Kind::list, "a list", place)) {
      return;
    }
    std::size_t index = 0;
    for (Node element = tree_.first(list); element != none; element = tree_.next(element)) {
      take(element, place.element(index++));
    }
  }

  // Calls `take(node, place)` for each member.
  template <typename Take>
  void for_members(Node object, const JobPlace& place, Take take) {
    if (!wants(object, Kind::object, "an object", place)) {
      return;
    }
    for (Node member = tree_.first(object); member != none; member = tree_.next(member)) {
      take(member, place.member(tree_.key(member)));
    }
  }

  // ---- What all have ----------------------------------------------------------------------------

  // "Name <a@b>", commas between several, and groups, whose members count.
  void add_mailboxes(Bytes list, const JobPlace& place, std::vector<Mailbox>& to);
  void add_address(Bytes address, Bytes name, const JobPlace& place, std::vector<Mailbox>& to);
  // Of a text, which is one mailbox.
  [[nodiscard]] std::optional<Mailbox> one_mailbox(Bytes text, const JobPlace& place);
  void set_envelope_sender(Bytes address, const JobPlace& place);

  void add_header(Bytes name, ServiceText value, std::vector<ServiceHeader>& headers);
  // Values that are no text are given by their digits or their word.
  void add_headers(Node object, const JobPlace& place, std::vector<ServiceHeader>& headers);
  // Lists of `{"Name": ..., "Value": ...}`.
  void add_named_headers(Node list, const JobPlace& place, std::vector<ServiceHeader>& headers);
  // The two members of an object of a name and a value, whatever they are called.
  [[nodiscard]] bool read_pair(Node object, const JobPlace& place, std::string_view name_member,
                               std::string_view value_member, Bytes& name, Bytes& value);

  void add_metadata(Node object, const JobPlace& place, std::vector<JsonMember>& metadata);
  [[nodiscard]] JsonMember member_of(Bytes name, Node value) const;
  void add_members(Node object, std::vector<JsonMember>& members) const;
  void add_tag(Bytes tag, const JobPlace& place);
  // A string or a list of them.
  void add_tags(Node node, const JobPlace& place);

  // Base64, checked here so that the error has the service's name.
  void set_base64(Bytes text, const JobPlace& place, ServiceAttachment& attachment);
  // Text, or the octets of a Buffer as Node writes it: `{"type":"Buffer","data":[104,105]}`.
  [[nodiscard]] bool read_octets(Node node, const JobPlace& place, std::string& octets);
  // A Content-ID without brackets.
  static std::string content_id_of(Bytes text);

  // What every message needs.
  void require_from(std::string_view place);
  void require_recipients(std::string_view place);
  void require_content(std::string_view place);

  JsonTree& tree_;
  std::int64_t date_us_;
  ServiceMessage& message_;

 private:
  std::optional<JobError> error_;
};

}  // namespace ringpost::codec
