// Values that lines have, and recipients in them: labels, header fields, what is echoed. A part of
// job_reader.cpp and fan_out.cpp, which alone include it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "codec/job/job_draft.h"
#include "codec/job/job_reader_mailboxes.h"
#include "codec/text/json_echo.h"
#include <ringpost/base.h>
#include <ringpost/limits.h>

namespace ringpost::codec {

inline bool is_control(char character) {
  return static_cast<std::uint8_t>(character) < 0x20 || character == '\x7f';
}

inline Bytes trimmed(Bytes line) {
  constexpr Bytes space = " \t\r\n";
  const std::size_t begin = line.find_first_not_of(space);
  return begin == Bytes::npos ? Bytes{}
                              : line.substr(begin, line.find_last_not_of(space) - begin + 1);
}

class JobReaderValues : protected JobReaderMailboxes {
 protected:
  using JobReaderMailboxes::JobReaderMailboxes;

  // A short string that goes into logs and keys: not empty, no controls.
  void read_label(ondemand::value& value, const JobPlace& place, std::size_t bytes_max,
                  std::string& label) {
    std::string_view text;
    if (!read_text(value, place, text)) {
      return;
    }
    if (text.empty() || text.size() > bytes_max) {
      refuse(JobErrorKind::invalid_value, place,
             text.empty()
                 ? "is empty"
                 : fmt::format("is longer than {} octets: it has {}", bytes_max, text.size()));
    } else if (std::any_of(text.begin(), text.end(), is_control)) {
      refuse(JobErrorKind::invalid_string, place, "has a control character");
    } else {
      label.assign(text);
    }
  }

  // A number is taken by its digits: they are the key of a resume, so nothing is converted.
  void read_id(ondemand::value& value, const JobPlace& place, std::string& id) {
    std::string_view token = value.raw_json_token();
    if (token.front() == '"') {
      return read_label(value, place, limits::job_id_bytes_max, id);
    }
    if (!begins_number(token.front())) {
      return refuse_type(place, words_of(JobValue::id), token.front());
    }
    token = trimmed(token);
    const Bytes digits = token.substr(token.starts_with('-') ? 1 : 0);
    if (!check_json(token, 1)) {
      refuse_json(simdjson::NUMBER_ERROR);
    } else if (digits.find_first_not_of("0123456789") != Bytes::npos) {
      refuse(JobErrorKind::invalid_value, place,
             "must be a string or a whole number: this number can be written in several ways");
    } else if (token.size() > limits::job_id_bytes_max) {
      refuse(JobErrorKind::invalid_value, place,
             fmt::format("is longer than {} octets: it has {}", limits::job_id_bytes_max,
                         token.size()));
    } else {
      id.assign(token);
    }
  }

  void add_header(ondemand::value& value, const JobPlace& place, std::string_view name) {
    std::string_view text;
    if (!read_text(value, place, text)) {
      return;
    }
    if (draft_.headers.size() == limits::job_header_fields_max) {
      refuse(JobErrorKind::invalid_header, place,
             fmt::format("there are more than {} fields", limits::job_header_fields_max));
      return;
    }
    HeaderField& field = draft_.headers.add();
    field.name.assign(name);
    field.value.assign(text);
  }

  // No outcome line needs headers or attachments, so reading them ends with the first offence.
  void read_headers(ondemand::value& value, const JobPlace& place) {
    read_object(value, place, [&](std::string_view name, ondemand::value& member) {
      const JobPlace here = place.member(name);
      if (has_header(name)) {
        refuse(JobErrorKind::duplicate_field, here, "is given twice: use a list of strings");
      } else if (first_of(member) == '[') {
        read_list(member, [&](std::size_t index, ondemand::value& element) {
          add_header(element, here.element(index), name);
          return !draft_.error;
        });
      } else {
        add_header(member, here, name);
      }
      return !draft_.error;
    });
  }

  [[nodiscard]] bool has_header(std::string_view name) const {
    for (const HeaderField& field : draft_.headers.span()) {
      if (equal_field_names(field.name, name)) {
        return true;
      }
    }
    return false;
  }

  // Any value: it is the user's own business, as long as it is JSON.
  void read_echo(ondemand::value& value, const JobPlace& place, std::string& echo) {
    std::string_view json;
    ondemand::object object;
    ondemand::array array;
    simdjson::error_code error = simdjson::SUCCESS;
    switch (first_of(value)) {
      case '{':
        error = value.get_object().get(object);
        error = error ? error : object.raw_json().get(json);
        break;
      case '[':
        error = value.get_array().get(array);
        error = error ? error : array.raw_json().get(json);
        break;
      default:
        json = value.raw_json_token();
        break;
    }
    if (!sound(error)) {
      return;
    }
    if (const auto compacted = append_compact_json(echo, json, limits::job_depth_max - 1);
        !compacted) {
      refuse_flaw(place, compacted.error());
    }
    check_echo(place, echo);
  }

  void check_echo(const JobPlace& place, std::string& json) {
    if (json.size() > limits::job_echo_bytes_max) {
      json.clear();
      refuse(JobErrorKind::invalid_value, place,
             fmt::format("has more than {} octets", limits::job_echo_bytes_max));
    }
  }

  // Its octets as they stand there: a list or an object to its end. Nothing of it is looked at.
  bool read_whole(ondemand::value& value, Bytes& json) {
    std::string_view whole;
    ondemand::object object;
    ondemand::array array;
    simdjson::error_code error = simdjson::SUCCESS;
    if (first_of(value) == '{') {
      error = value.get_object().get(object);
      error = error ? error : object.raw_json().get(whole);
    } else {
      error = value.get_array().get(array);
      error = error ? error : array.raw_json().get(whole);
    }
    json = trimmed(whole);
    return sound(error);
  }

  bool read_object_whole(ondemand::value& value, const JobPlace& place, Bytes& json) {
    if (const char first = first_of(value); first != '{') {
      refuse_type(place, "an object", first);
      return false;
    }
    return read_whole(value, json);
  }

  // The place in it is that of a value within the line: the line's own end does not come into it.
  void refuse_flaw(const JobPlace& place, const JsonError& error) {
    const bool cut = error.flaw == JsonFlaw::truncated || error.flaw == JsonFlaw::trailing;
    const JsonFlaw shown = cut ? JsonFlaw::syntax : error.flaw;
    refuse(kind_of(shown), place, fmt::format("{} (octet {})", text_of(shown), error.offset));
  }
};

}  // namespace ringpost::codec
