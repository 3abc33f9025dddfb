// The problem: what comes from a platform is what goes to the provider, octet for octet, and yet a
// server has to say that it was there, must not carry mail in circles, and may not be filled up by
// clients that begin many large messages. The idea: content is gathered where the engine will have
// it, its header read once it is whole, and the one field of RFC 5321 4.4 put in front. What waits
// in all sessions together is counted. Limits: ORCPT is not passed on; recipients of one message
// who ask for different notifications get those of all of them.
#include "tools/serve/submission_observer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codec/mail/address.h"
#include "codec/text/ascii.h"
#include "codec/text/unix_date.h"

namespace ringpost::serve {

namespace {

using server::Answer;
using server::Taken;

constexpr const char* gone_reason = "its client had gone before a session had it";
// RFC 5321 6.3: a hundred at least where nothing else is known of loops; a platform's own message
// has none, and a relay in front of this one adds one.
constexpr std::size_t received_count_max = 50;
// Beyond this nothing is reserved beforehand, whatever a client says in SIZE.
constexpr std::size_t reserved_bytes_max = 64u << 10;
constexpr std::size_t received_bytes_usual = 300;  // that are put in front

std::string in_capitals(Bytes text) {
  std::string capitals(text);
  std::transform(capitals.begin(), capitals.end(), capitals.begin(), codec::upper);
  return capitals;
}

int hex_value(char digit) {
  return digit >= '0' && digit <= '9'   ? digit - '0'
         : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                        : -1;
}

// RFC 3461 4. False: it is none, or of characters that nobody prints.
bool decode_xtext(Bytes text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    char octet = text[i];
    if (octet == '+') {
      if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
        return false;
      }
      octet = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    }
    if (octet < ' ' || octet > '~') {
      return false;
    }
    out += octet;
  }
  return true;
}

// RFC 3461 4.1. One that says nothing hears of failures and delays.
std::string common_notify(const std::vector<std::string>& all) {
  const bool is_same = std::all_of(all.begin(), all.end(),
                                   [&all](const std::string& one) { return one == all.front(); });
  if (all.empty() || is_same) {
    return all.empty() ? std::string() : all.front();
  }
  std::string joined;
  for (const std::string_view word : {"SUCCESS", "FAILURE", "DELAY"}) {
    const bool is_wanted = std::any_of(all.begin(), all.end(), [word](const std::string& one) {
      return one.empty() ? word != "SUCCESS" : one.find(word) != std::string::npos;
    });
    if (is_wanted) {
      joined += joined.empty() ? "" : ",";
      joined += word;
    }
  }
  return joined;
}

// RFC 3848, RFC 6531 3.7.3.
std::string protocol_of(const server::ClientFacts& client, bool smtputf8) {
  const std::string_view name = smtputf8 ? "UTF8SMTP" : client.is_extended ? "ESMTP" : "SMTP";
  return fmt::format("{}{}{}", name, client.tls_version.empty() ? "" : "S",
                     client.user.empty() ? "" : "A");
}

}  // namespace

std::string endpoint_for(const std::vector<cli::RouteOptions>& routes, Bytes user, Bytes sender) {
  for (const cli::RouteOptions& route : routes) {
    const bool fits_user = route.user.empty() || route.user == user;
    const bool fits_sender =
        route.sender_domain.empty() ||
        (!sender.empty() &&
         codec::equal_without_case(route.sender_domain, codec::domain_of(sender)));
    if (fits_user && fits_sender) {
      return route.endpoint;
    }
  }
  return {};
}

Answer SubmissionObserver::answer(std::uint16_t code, Bytes enhanced, std::string text) {
  words_ = std::move(text);
  return {code, enhanced, words_};
}

// ---- The envelope -------------------------------------------------------------------------------

Answer SubmissionObserver::on_sender(const server::ClientFacts& /*client*/,
                                     const server::MailArguments& mail) {
  message_ = Message();
  notify_.clear();
  if (!mail.sender.empty()) {
    codec::Mailbox mailbox;
    if (const auto valid =
            codec::validate_address(mail.sender, mailbox, codec::MailboxUse::reverse_path);
        !valid) {
      return answer(553, "5.1.7", codec::describe(valid.error(), mail.sender));
    }
    message_.sender = std::move(mailbox.address);
  }
  message_.dsn.return_kind = in_capitals(mail.return_kind);
  if (!decode_xtext(mail.envelope_id, message_.dsn.envelope_id) ||
      message_.dsn.envelope_id.size() > limits::envelope_id_bytes_max) {
    return answer(501, "5.5.4", "ENVID is no xtext of 100 printable characters at most");
  }
  return {};
}

Answer SubmissionObserver::on_recipient(const server::ClientFacts& /*client*/,
                                        const server::RcptArguments& rcpt) {
  codec::Mailbox mailbox;
  if (const auto valid = codec::validate_address(rcpt.recipient, mailbox); !valid) {
    return answer(553, "5.1.3", codec::describe(valid.error(), rcpt.recipient));
  }
  message_.recipients.add(mailbox.address);
  notify_.push_back(in_capitals(rcpt.notify));
  return {};
}

// ---- The content --------------------------------------------------------------------------------

server::ContentVerdict SubmissionObserver::on_data(const server::ClientFacts& /*client*/,
                                                   std::optional<std::uint64_t> bytes) {
  forget_content();
  if (context_.incoming_bytes + bytes.value_or(0) > context_.incoming_bytes_max) {
    return {.answer = answer(452, "4.3.1", "Too much is on its way in; try again in a moment")};
  }
  content_.reserve(std::min<std::uint64_t>(bytes.value_or(0), reserved_bytes_max) +
                   received_bytes_usual);
  return {};
}

void SubmissionObserver::on_content(Bytes octets) {
  if (dropped_ != Dropped::nothing) {
    return;
  }
  if (kept_bytes_ + octets.size() > context_.message_bytes_max) {
    return drop_content(Dropped::too_large);  // the session will say so
  }
  if (context_.incoming_bytes + octets.size() > context_.incoming_bytes_max) {
    return drop_content(Dropped::no_room);
  }
  kept_bytes_ += octets.size();
  context_.incoming_bytes += octets.size();
  content_.append(octets);
}

void SubmissionObserver::drop_content(Dropped why) {
  forget_content();
  dropped_ = why;
}

void SubmissionObserver::forget_content() {
  context_.incoming_bytes -= std::exchange(kept_bytes_, 0);
  dropped_ = Dropped::nothing;
  content_ = std::string();  // sessions that have nothing to say keep nothing
}

Taken SubmissionObserver::on_message(const server::IncomingMessage& incoming) {
  Taken taken;
  if (dropped_ != Dropped::nothing) {
    taken.answer = answer(452, "4.3.1", "Too much is on its way in; try again in a moment");
  } else if (const Answer refusal = make_message(incoming); refusal.is_given()) {
    taken.answer = refusal;
  } else {
    taken = context_.store ? store(incoming.number) : submit(incoming.number);
  }
  forget_content();
  return taken;
}

// Nothing, or why it cannot be sent.
Answer SubmissionObserver::make_message(const server::IncomingMessage& incoming) {
  const auto facts = take_header(content_);
  if (!facts) {
    return answer(554, "5.6.0", facts.error());
  }
  if (facts->received_count >= received_count_max) {
    return answer(
        554, "5.4.6",
        fmt::format("It goes round in circles: {} servers had it already", facts->received_count));
  }
  const std::int64_t now_us = context_.unix_time_us();
  const std::string own_id =
      fmt::format("{}-{:x}-{:x}", context_.id_prefix, incoming.client.session, incoming.number);
  const bool smtputf8 = incoming.envelope.smtputf8;
  std::string received = fmt::format("Received: from {}\r\n\tby {} (ringpost) with {} id {};\r\n\t",
                                     incoming.client.hello, context_.host_name,
                                     protocol_of(incoming.client, smtputf8), own_id);
  codec::append_rfc5322_date(received, now_us / 1'000'000);
  content_.insert(0, received + "\r\n");
  ContentMaker::open(message_.content).swap(content_);
  if (const auto sealed = ContentMaker(NewlinePolicy::strict).seal(message_.content); !sealed) {
    return answer(554, "5.6.0", sealed.error().message());
  }
  message_.needs_smtputf8 = smtputf8 && facts->has_8bit;
  message_.id = !facts->id.empty()           ? facts->id
                : !facts->message_id.empty() ? facts->message_id
                                             : own_id;
  message_.tags_json = facts->tags_json;
  message_.metadata_json = facts->metadata_json;
  message_.endpoint = !facts->endpoint.empty()
                          ? facts->endpoint
                          : endpoint_for(context_.routes, incoming.client.user, message_.sender);
  message_.dsn.notify = common_notify(notify_);
  if (!context_.store && context_.answer_within > Duration::zero()) {
    message_.expires_at_us =
        now_us +
        std::chrono::duration_cast<std::chrono::microseconds>(context_.answer_within).count();
  }
  return {};
}

// A client that sends again what it has no answer to would have it sent twice. One that has said
// QUIT still listens.
void SubmissionObserver::on_lost() {
  if (cancellation_ != nullptr && !cancellation_->is_cancelled()) {
    context_.cancel(*cancellation_);
  }
}

Taken SubmissionObserver::submit(std::uint64_t number) {
  if (cancellation_ == nullptr) {
    cancellation_ = std::make_shared<Cancellation>(gone_reason);
  }
  message_.cancellation = cancellation_;
  const Intake::Completion done = [&context = context_, key = key_, number](
                                      const Message& /*message*/,
                                      std::span<const Outcome> outcomes) {
    context.on_answer(key, number, answer_of(outcomes));
  };
  const Offer offer = context_.offer(message_, done);
  if (offer == Offer::closed) {
    return {.answer = answer(421, "4.3.2", "The server is going down")};
  }
  if (offer == Offer::full) {
    context_.on_full(key_, number, std::move(message_), done);
  }
  message_ = Message();  // its memory is another's
  context_.on_taken(key_, number);
  return {.later = true};
}

Taken SubmissionObserver::store(std::uint64_t number) {
  const auto stored =
      context_.store(message_, [&context = context_, key = key_, number](StoreEnd end) {
        context.on_answer(key, number, answer_of_storing(end));
      });
  message_ = Message();  // the spool has what it needs
  if (stored) {
    context_.on_taken(key_, number);
    return {.later = true};
  }
  switch (stored.error().kind) {
    case StoreRefusal::Kind::invalid:
      return {.answer = answer(554, "5.6.0", "It cannot be sent: " + stored.error().words)};
    case StoreRefusal::Kind::full:
      return {.answer = answer(452, "4.3.1", stored.error().words + "; try again later")};
    case StoreRefusal::Kind::closed:
      return {.answer = answer(421, "4.3.2", "The server is going down")};
  }
  RP_ASSERT(false);
}

}  // namespace ringpost::serve
