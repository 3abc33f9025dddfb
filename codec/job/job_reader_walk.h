// Walking over one line of JSON with simdjson. The private half of job_reader.cpp: these two are
// the only files that include simdjson, and nothing else includes this one.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#define SIMDJSON_EXCEPTIONS 0
// Its checks of how it is used are for builds that are tested, not for those that are measured.
#ifdef __OPTIMIZE__
#define SIMDJSON_DEVELOPMENT_CHECKS 0
#endif
#include <simdjson.h>

#include "codec/job/job_draft.h"
#include "codec/job/job_error.h"
#include "codec/text/ascii.h"
#include "codec/text/json_echo.h"
#include "codec/text/spelling.h"
#include "codec/text/unfilled_text.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace ondemand = simdjson::ondemand;

// The type that a value's first octet promises.
inline std::string_view type_of(char first) {
  switch (first) {
    case '"':
      return "a string";
    case '{':
      return "an object";
    case '[':
      return "a list";
    case 't':
    case 'f':
      return "true or false";
    case 'n':
      return "null (leave the field out)";
    default:
      return "a number";
  }
}

inline bool begins_value(char first) {
  return std::string_view("{[\"-0123456789tfn").find(first) != std::string_view::npos;
}

inline bool begins_number(char character) { return character == '-' || is_digit(character); }

// `""`, or `"<>"` with spaces in it, as every mailbox may have them.
inline bool is_null_sender(std::string_view token) {
  if (token.starts_with("\"\"")) {
    return true;
  }
  for (const char wanted : Bytes("\"<>\"")) {
    token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
    if (!token.starts_with(wanted)) {
      return false;
    }
    token.remove_prefix(1);
  }
  return true;
}

inline JobErrorKind kind_of(JsonFlaw flaw) {
  switch (flaw) {
    case JsonFlaw::syntax:
      return JobErrorKind::invalid_json;
    case JsonFlaw::truncated:
      return JobErrorKind::truncated;
    case JsonFlaw::trailing:
      return JobErrorKind::trailing_content;
    case JsonFlaw::depth:
      return JobErrorKind::too_deep;
    case JsonFlaw::string:
      return JobErrorKind::invalid_string;
  }
  return JobErrorKind::invalid_json;
}

inline std::string text_of(JsonFlaw flaw) {
  switch (flaw) {
    case JsonFlaw::syntax:
      return "is not JSON";
    case JsonFlaw::truncated:
      return "ends too early: it was cut off, or a job stands on several lines";
    case JsonFlaw::trailing:
      return "has something behind its closing brace";
    case JsonFlaw::depth:
      return fmt::format("is nested deeper than {}", limits::job_depth_max);
    case JsonFlaw::string:
      return "has a string with NUL, a control, a bad escape or half a surrogate pair";
  }
  return {};
}

// "email, name"
inline std::string listed(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    text += text.empty() ? "" : ", ";
    text += word;
  }
  return text;
}

// Reads values where the walk meets them. An offence is noted in the draft, the first one wins, and
// the walk goes on; only broken JSON ends it. A member that did not want its value leaves it: the
// walk passes over it.
class JobReaderWalk {
 protected:
  // ---- Errors -----------------------------------------------------------------------------------

  void refuse(JobErrorKind kind, const JobPlace& place, std::string reason) {
    if (!draft_.error) {
      draft_.refuse(kind, place.text(), std::move(reason));
    }
  }

  void refuse_line(JobErrorKind kind, std::string reason) {
    draft_.refuse(kind, {}, std::move(reason));
  }

  void refuse_type(const JobPlace& place, std::string_view wanted, char first) {
    if (!begins_value(first)) {
      return refuse_json(simdjson::TAPE_ERROR);
    }
    refuse(JobErrorKind::wrong_type, place,
           fmt::format("must be {}, and is {}", wanted, type_of(first)));
  }

  void refuse_unknown(const JobPlace& place, std::span<const std::string_view> known) {
    const std::string_view nearest = nearest_word(place.name, known);
    refuse(JobErrorKind::unknown_field, place,
           nearest.empty() ? "unknown field; known are " + listed(known)
                           : fmt::format("unknown field; did you mean \"{}\"?", nearest));
  }

  // The JSON itself is broken, so nothing behind can be read. Says where, which simdjson cannot.
  void refuse_json(simdjson::error_code error) {
    if (broken_) {
      return;
    }
    broken_ = true;
    if (const std::size_t valid = valid_utf8_prefix(line_); valid != line_.size()) {
      refuse_line(JobErrorKind::invalid_utf8,
                  fmt::format("octet {} of the line is not UTF-8", valid));
      return;
    }
    if (const auto checked = check_json(line_, limits::job_depth_max); !checked) {
      refuse_line(kind_of(checked.error().flaw),
                  fmt::format("the line {} (octet {})", text_of(checked.error().flaw),
                              checked.error().offset));
      return;
    }
    refuse_line(JobErrorKind::invalid_json, simdjson::error_message(error));
  }

  // True when there was no error.
  bool sound(simdjson::error_code error) {
    if (error) {
      refuse_json(error);
    }
    return !error;
  }

  // ---- Values -----------------------------------------------------------------------------------

  // The octet a value begins with, which tells its type.
  static char first_of(ondemand::value& value) { return *value.raw_json_token().data(); }

  // The name of a member. Like all text, it is unescaped into the parser's own buffer.
  bool read_name(ondemand::field& field, const JobPlace& place, std::string_view& name) {
    if (field.unescaped_key().get(name)) {
      broken_ = true;
      refuse(JobErrorKind::invalid_string, place, "a field's name has a bad escape");
      return false;
    }
    return true;
  }

  // A string without NUL. The view holds until the next line.
  bool read_text(ondemand::value& value, const JobPlace& place, std::string_view& text) {
    if (const char first = first_of(value); first != '"') {
      refuse_type(place, "a string", first);
      return false;
    }
    if (const simdjson::error_code error = value.get_string().get(text); error) {
      refuse_string(place, error);
      return false;
    }
    if (text.find('\0') != Bytes::npos) {
      refuse(JobErrorKind::invalid_string, place, "has a NUL character");
      return false;
    }
    return true;
  }

  void refuse_string(const JobPlace& place, simdjson::error_code error) {
    if (error == simdjson::STRING_ERROR) {
      refuse(JobErrorKind::invalid_string, place, "has a bad escape or half a surrogate pair");
    } else {
      refuse_json(error);
    }
  }

  // A string that may be long, straight into its place. NULs are left to canonicalise().
  void read_long_text(ondemand::value& value, const JobPlace& place, std::string& text) {
    const std::string_view token = value.raw_json_token();
    if (token.front() != '"') {
      refuse_type(place, "a string", token.front());
      return;
    }
    ondemand::raw_json_string raw;
    if (!sound(value.get_raw_json_string().get(raw))) {
      return;
    }
    // No string is longer than its token; the unescaper writes whole vectors, hence the padding.
    resize_unfilled(text, token.size() + simdjson::SIMDJSON_PADDING);
    auto* to = reinterpret_cast<std::uint8_t*>(text.data());
    std::string_view unescaped;
    if (const simdjson::error_code error = parser_.unescape(raw, to).get(unescaped); error) {
      text.clear();
      refuse_string(place, error);
      return;
    }
    text.resize(unescaped.size());
  }

  // Calls `take(index, value)` for each element of a list, until it says false.
  template <typename Take>
  void read_list(ondemand::value& value, Take take) {
    ondemand::array array;
    if (!sound(value.get_array().get(array))) {
      return;
    }
    std::size_t index = 0;
    for (auto next : array) {
      ondemand::value element;
      // NOLINTNEXTLINE(performance-move-const-arg): get() wants an rvalue.
      if (!sound(std::move(next).get(element)) || !take(index, element) || broken_) {
        return;
      }
      ++index;
    }
  }

  // Calls `take(name, value)` for each member of an object, until it says false.
  template <typename Take>
  void read_object(ondemand::value& value, const JobPlace& place, Take take) {
    if (const char first = first_of(value); first != '{') {
      refuse_type(place, "an object", first);
      return;
    }
    ondemand::object object;
    if (!sound(value.get_object().get(object))) {
      return;
    }
    for (auto next : object) {
      ondemand::field field;
      std::string_view name;
      if (!sound(std::move(next).get(field)) || !read_name(field, place, name) ||
          !take(name, field.value()) || broken_) {
        return;
      }
    }
  }

  // The same for an object whose members are known: `take(index of the name, value)`, once each.
  template <std::size_t count, typename Take>
  void read_members(ondemand::value& value, const JobPlace& place,
                    const std::array<std::string_view, count>& known, Take take) {
    std::array<bool, count> seen{};
    read_object(value, place, [&](std::string_view name, ondemand::value& member) {
      const auto found = std::find(known.begin(), known.end(), name);
      if (found == known.end()) {
        refuse_unknown(place.member(name), known);
        return true;
      }
      const auto index = static_cast<std::size_t>(found - known.begin());
      if (seen[index]) {
        refuse(JobErrorKind::duplicate_field, place.member(*found), "is given twice");
        return true;
      }
      seen[index] = true;
      take(index, member);
      return true;
    });
  }

  ondemand::parser parser_;
  JobDraft draft_;
  Bytes line_;           // being read, without white space around it
  bool broken_ = false;  // the JSON cannot be walked any further
};

}  // namespace ringpost::codec
