// A subject is cut at its dots: nine tokens, or two more in front of the stream and perhaps more at
// the end (ADR-15 of NATS). Nothing else is in it that matters here.
#include "tools/nats/ack_place.h"

#include <charconv>
#include <vector>

namespace ringpost::nats {

namespace {

constexpr std::size_t tokens_short = 9;
constexpr std::size_t tokens_long_min = 11;

std::vector<Bytes> tokens_of(Bytes subject) {
  std::vector<Bytes> tokens;
  while (true) {
    const std::size_t dot = subject.find('.');
    tokens.push_back(subject.substr(0, dot));
    if (dot == Bytes::npos) {
      return tokens;
    }
    subject.remove_prefix(dot + 1);
  }
}

bool read_token(Bytes token, std::uint64_t& into) {
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), into);
  return error == std::errc() && end == token.data() + token.size();
}

}  // namespace

std::optional<AckPlace> read_ack_place(Bytes subject) {
  const std::vector<Bytes> tokens = tokens_of(subject);
  if (tokens.size() < tokens_short || tokens[0] != "$JS" || tokens[1] != "ACK") {
    return std::nullopt;
  }
  if (tokens.size() > tokens_short && tokens.size() < tokens_long_min) {
    return std::nullopt;
  }
  const std::size_t deliveries = tokens.size() == tokens_short ? 4 : 6;
  AckPlace place;
  std::uint64_t stored_ns = 0;
  if (!read_token(tokens[deliveries], place.deliveries) ||
      !read_token(tokens[deliveries + 1], place.stream_sequence) ||
      !read_token(tokens[deliveries + 3], stored_ns)) {
    return std::nullopt;
  }
  place.stored_us = static_cast<std::int64_t>(stored_ns / 1000);
  return place;
}

}  // namespace ringpost::nats
