// A status stands in the provider's own text, so that it is said whether ENHANCEDSTATUSCODES is
// announced or not: providers do both.
#include "tools/sink/provider_session.h"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace ringpost::sink {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

server::Answer answer_of_refusal(const ProviderReply* reply) {
  return reply == nullptr ? server::Answer{} : answer_of(*reply);
}

// {id} and the like; a name that is not known stays as it is.
std::string filled_in(Bytes pattern, const server::IncomingMessage& message, Bytes host) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
  const std::array<std::pair<Bytes, std::string>, 5> values = {{
      {"{id}", std::string(message.queue_id)},
      {"{message_id}", fmt::format("{}@{}", message.queue_id, host)},
      {"{host}", std::string(host)},
      {"{time}", std::to_string(seconds)},
      {"{session}", fmt::format("{:x}", message.client.session)},
  }};
  std::string text(pattern);
  for (const auto& [name, value] : values) {
    if (const std::size_t at = text.find(name); at != std::string::npos) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

}  // namespace

server::Answer answer_of(const ProviderReply& reply) {
  return {.code = reply.code, .enhanced = {}, .text = reply.text};
}

server::Answer ProviderSession::greeting() {
  since_ = now();
  const ProviderReply* const refusal = limits_.on_greeting(session_, since_);
  counts_ = refusal == nullptr;
  return answer_of_refusal(refusal);
}

server::Answer ProviderSession::login(bool is_right) {
  return answer_of_refusal(limits_.on_login(session_, is_right, now()));
}

server::Answer ProviderSession::sender(const server::MailArguments& mail) {
  recipients_ = 0;
  mail_ = now();
  return answer_of_refusal(limits_.on_mail(
      {.session = session_, .messages = messages_, .since = since_, .bytes = mail.size.value_or(0)},
      mail_));
}

server::Answer ProviderSession::recipient() {
  const ProviderReply* const refusal = limits_.on_recipient(recipients_, now());
  recipients_ += refusal == nullptr ? 1 : 0;
  return answer_of_refusal(refusal);
}

server::Answer ProviderSession::message(std::uint64_t bytes) {
  return answer_of_refusal(
      limits_.on_end(session_, {.recipients = recipients_, .bytes = bytes, .mail = mail_}, now()));
}

server::Answer ProviderSession::accepted(const server::IncomingMessage& message, Bytes host) {
  ++messages_;
  const Bytes pattern = limits_.profile().accepted;
  if (pattern.size() < 4) {
    return {};
  }
  words_ = filled_in(pattern.substr(4), message, host);
  std::uint16_t code = 250;
  std::from_chars(pattern.data(), pattern.data() + 3, code);
  return {.code = code, .enhanced = {}, .text = words_};
}

void ProviderSession::over() {
  if (std::exchange(counts_, false)) {
    limits_.on_over(session_);
  }
}

}  // namespace ringpost::sink
