// The problem: a platform has no field for tags, for an id or for the way that a message shall go,
// but header fields of its own choice, which no recipient is to see. The idea: one pass over the
// header, field by field; those of ringpost are noted and their places cut out at the end, from
// behind. Limits: nothing is decoded, so encoded words stay encoded; a header that is no header
// (a line without a colon) ends there, as for every reader of mail.
#include "tools/serve/submitted_header.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/json_text.h"
#include "codec/text/shown_text.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::serve {

namespace {

constexpr Bytes own_prefix = "x-ringpost-";
constexpr Bytes meta_prefix = "x-ringpost-meta-";
// Names of metadata: outcome lines have them in each line.
constexpr std::size_t meta_name_bytes_max = 64;

struct Field {
  std::string name;   // in lower case
  Bytes body;         // behind the colon, folded as it is, without the last CRLF
  std::size_t bytes;  // with all its lines
};

std::string in_lower_case(Bytes text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), codec::lower);
  return lower;
}

// False: here is none, the header is over.
bool take_field(Bytes rest, Field& field) {
  const std::size_t colon = rest.find_first_of(":\r\n");
  if (colon == Bytes::npos || colon == 0 || rest[colon] != ':') {
    return false;
  }
  Bytes name = rest.substr(0, colon);
  name.remove_suffix(name.size() - 1 - name.find_last_not_of(" \t"));
  std::size_t end = 0;
  do {
    end = rest.find("\r\n", end);
    end = end == Bytes::npos ? rest.size() : end + 2;
  } while (end < rest.size() && (rest[end] == ' ' || rest[end] == '\t'));
  field.name = in_lower_case(name);
  field.body = rest.substr(colon + 1, end - colon - 1);
  field.bytes = end;
  return true;
}

// In one line, without white space at its ends.
std::string value_of(Bytes body) {
  std::string value(body);
  value.erase(
      std::remove_if(value.begin(), value.end(), [](char c) { return c == '\r' || c == '\n'; }),
      value.end());
  std::replace(value.begin(), value.end(), '\t', ' ');
  const std::size_t begin = value.find_first_not_of(' ');
  if (begin == std::string::npos) {
    return {};
  }
  return value.substr(begin, value.find_last_not_of(' ') + 1 - begin);
}

class HeaderReader {
 public:
  Result<HeaderFacts, std::string> read(std::string& content) {
    std::vector<std::pair<std::size_t, std::size_t>> cuts;
    if (content.starts_with(' ') || content.starts_with('\t')) {
      // A field that is put in front would go on there.
      return Failure(std::string("the header begins with white space"));
    }
    std::size_t at = 0;
    Field field;
    while (take_field(Bytes(content).substr(at), field)) {
      if (field.name.starts_with(own_prefix)) {
        cuts.emplace_back(at, field.bytes);
      }
      if (auto noted = note(field); !noted) {
        return Failure(std::move(noted.error()));
      }
      at += field.bytes;
    }
    facts_.has_8bit = !codec::is_ascii(Bytes(content).substr(0, at));
    for (auto cut = cuts.rbegin(); cut != cuts.rend(); ++cut) {
      content.erase(cut->first, cut->second);
    }
    close();
    return std::move(facts_);
  }

 private:
  using Noted = Result<void, std::string>;

  Noted note(const Field& field) {
    const std::string& name = field.name;
    if (name == "received") {
      ++facts_.received_count;
    } else if (name == "message-id") {
      note_message_id(value_of(field.body));
    } else if (name == "x-listmonk-campaign") {
      return add_metadata("listmonk_campaign", value_of(field.body));
    } else if (name == "x-listmonk-subscriber") {
      return add_metadata("listmonk_subscriber", value_of(field.body));
    } else if (name.starts_with(meta_prefix)) {
      return add_metadata(name.substr(meta_prefix.size()), value_of(field.body));
    } else if (name == "x-ringpost-id") {
      return note_text(name, value_of(field.body), limits::job_id_bytes_max, facts_.id);
    } else if (name == "x-ringpost-endpoint") {
      return note_text(name, value_of(field.body), limits::job_endpoint_bytes_max, facts_.endpoint);
    } else if (name == "x-ringpost-tag" || name == "x-ringpost-tags") {
      return add_tags(value_of(field.body));
    } else if (name.starts_with(own_prefix)) {
      return Failure(
          fmt::format("header field {} is none that ringpost knows (there are "
                      "X-Ringpost-Id, -Endpoint, -Tag and -Meta-NAME)",
                      codec::in_quotes(name)));
    }
    return {};
  }

  // For outcome lines, if it can be one; whatever else it is goes out as it stands.
  void note_message_id(std::string value) {
    if (value.starts_with('<') && value.ends_with('>')) {
      value = value.substr(1, value.size() - 2);
    }
    if (facts_.message_id.empty() && value.size() <= limits::job_id_bytes_max) {
      facts_.message_id = std::move(value);
    }
  }

  static Noted note_text(const std::string& name, std::string value, std::size_t bytes_max,
                         std::string& into) {
    if (value.empty() || value.size() > bytes_max) {
      return Failure(fmt::format(
          "header field {} is {}", name,
          value.empty() ? std::string("empty") : fmt::format("longer than {} octets", bytes_max)));
    }
    if (into.empty()) {
      into = std::move(value);
    }
    return {};
  }

  Noted add_tags(Bytes value) {
    while (!value.empty()) {
      const std::size_t length = std::min(value.find(','), value.size());
      const std::string tag = value_of(value.substr(0, length));
      value.remove_prefix(std::min(length + 1, value.size()));
      if (!tag.empty()) {
        facts_.tags_json += facts_.tags_json.empty() ? "[" : ",";
        codec::append_json_string(facts_.tags_json, tag);
      }
    }
    return check_size("tags", facts_.tags_json);
  }

  Noted add_metadata(const std::string& name, const std::string& value) {
    if (name.empty() || name.size() > meta_name_bytes_max) {
      return Failure(
          fmt::format("header field X-Ringpost-Meta-NAME has a name of {} octets; it has "
                      "1 to {}",
                      name.size(), meta_name_bytes_max));
    }
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) {
      return {};
    }
    names_.push_back(name);
    if (names_.size() > limits::job_header_fields_max) {
      return Failure(
          fmt::format("more than {} X-Ringpost-Meta- fields", limits::job_header_fields_max));
    }
    facts_.metadata_json += facts_.metadata_json.empty() ? "{" : ",";
    codec::append_json_string(facts_.metadata_json, name);
    facts_.metadata_json += ':';
    codec::append_json_string(facts_.metadata_json, value);
    return check_size("metadata", facts_.metadata_json);
  }

  static Noted check_size(std::string_view what, const std::string& json) {
    if (json.size() >= limits::job_echo_bytes_max) {
      return Failure(fmt::format("the {} in header fields are longer than {} octets", what,
                                 limits::job_echo_bytes_max));
    }
    return {};
  }

  void close() {
    facts_.tags_json += facts_.tags_json.empty() ? "" : "]";
    facts_.metadata_json += facts_.metadata_json.empty() ? "" : "}";
  }

  HeaderFacts facts_;
  std::vector<std::string> names_;  // of metadata
};

}  // namespace

Result<HeaderFacts, std::string> take_header(std::string& content) {
  return HeaderReader().read(content);
}

}  // namespace ringpost::serve
