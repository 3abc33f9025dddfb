// JSON, member by member: commas come by themselves, since one is due unless the last octet has
// opened something.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// Texts of strangers are cut there.
inline constexpr std::size_t json_text_bytes_max = 1024;

class JsonWriter {
 public:
  void open(char bracket) {
    comma();
    json_ += bracket;
  }
  void open(std::string_view name, char bracket) {
    key(name);
    json_ += bracket;
  }
  void close(char bracket) { json_ += bracket; }
  void text(std::string_view name, Bytes value) {
    key(name);
    codec::append_json_string_cut(json_, value, json_text_bytes_max);
  }
  void text(Bytes value) {
    comma();
    codec::append_json_string_cut(json_, value, json_text_bytes_max);
  }
  // Uncut, because somebody will paste it.
  void whole_text(std::string_view name, Bytes value) {
    key(name);
    codec::append_json_string(json_, value);
  }
  void number(std::string_view name, std::int64_t value) {
    key(name);
    json_ += fmt::format("{}", value);
  }
  void decimal(std::string_view name, double value) {
    key(name);
    json_ += fmt::format("{:.3f}", value);
  }
  void milliseconds(std::string_view name, double value) {
    key(name);
    codec::append_json_milliseconds(json_, static_cast<float>(value));
  }
  void boolean(std::string_view name, bool value) {
    key(name);
    json_ += value ? "true" : "false";
  }
  void null(std::string_view name) {
    key(name);
    json_ += "null";
  }
  void texts(std::string_view name, const std::vector<std::string>& values) {
    open(name, '[');
    for (const std::string& value : values) {
      text(value);
    }
    close(']');
  }
  [[nodiscard]] std::string& json() { return json_; }

 private:
  void comma() {
    if (!json_.empty() && json_.back() != '{' && json_.back() != '[' && json_.back() != ':') {
      json_ += ',';
    }
  }
  void key(std::string_view name) {
    comma();
    codec::append_json_string(json_, name);
    json_ += ':';
  }
  std::string json_;
};

}  // namespace ringpost::cli
