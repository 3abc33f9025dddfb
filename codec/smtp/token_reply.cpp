// The problem: some programs print a token alone and some a JSON object with other secrets beside
// it, and an error may quote none of them. The idea: an opening brace tells which it is, and of the
// object two members are taken. Limits: simdjson's On-Demand front end looks at the others no
// closer than it must, so some that are no JSON pass; the copy that it reads is not wiped.
#include "codec/smtp/token_reply.h"

#include <algorithm>
#include <charconv>

#include <simdjson.h>

namespace ringpost::codec {

namespace {

using simdjson::ondemand::json_type;

bool take_seconds(simdjson::ondemand::value value, std::optional<std::uint64_t>& seconds) {
  json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) {
    return false;
  }
  std::uint64_t number = 0;
  if (type == json_type::string) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) {
      return false;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
      return false;
    }
  } else if (value.get_uint64().get(number) != simdjson::SUCCESS) {
    return false;
  }
  // A token that lives for more than a hundred years needs no bound, and a clock has one.
  constexpr std::uint64_t century_s = 100ull * 365 * 24 * 3600;
  seconds = std::min(number, century_s);
  return true;
}

Result<TokenReply, std::string> parse_object(Bytes text) {
  const simdjson::padded_string padded(text);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    return Failure(std::string("it is no JSON object"));
  }
  TokenReply reply;
  for (auto field : object) {
    std::string_view name;
    simdjson::ondemand::value value;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS ||
        field.value().get(value) != simdjson::SUCCESS) {
      return Failure(std::string("it is no JSON object"));
    }
    std::string_view token;
    if (name == "access_token") {
      if (value.get_string().get(token) != simdjson::SUCCESS) {
        return Failure(std::string("its access_token is no string"));
      }
      reply.access_token = token;
    } else if (name == "expires_in" && !take_seconds(value, reply.expires_in_s)) {
      return Failure(std::string("its expires_in is no number of seconds"));
    }
  }
  if (reply.access_token.empty()) {
    return Failure(std::string("the JSON object has no access_token"));
  }
  return reply;
}

}  // namespace

Result<TokenReply, std::string> parse_token_reply(Bytes text) {
  constexpr Bytes blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == Bytes::npos) {
    return Failure(std::string("it is empty"));
  }
  text = text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
  if (text.front() == '{') {
    return parse_object(text);
  }
  if (text.find_first_of(blanks) != Bytes::npos) {
    return Failure(std::string("it is neither one word nor a JSON object with an access_token"));
  }
  return TokenReply{std::string(text), std::nullopt};
}

}  // namespace ringpost::codec
