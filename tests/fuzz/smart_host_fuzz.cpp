// tools/serve/submission_observer with engine/server's session: whatever a client says, and however
// it is split, the replies and the messages that go on are the same; what goes on may be sent as it
// stands, is no larger than it may be, and nothing of it is left behind.
//
// Input: an octet that says where to split, one that says what becomes of messages, and what the
// client says behind EHLO.
#include <optional>
#include <string>
#include <vector>

#include "engine/server/server_session.h"
#include "tests/fuzz/fuzz_input.h"
#include "tls/sasl_crypto.h"
#include "tools/serve/submission_observer.h"

using namespace ringpost;

namespace {

constexpr std::uint64_t message_bytes_max = 2000;
constexpr std::uint64_t incoming_bytes_max = 1500;

struct Heard {
  std::string replies;
  std::vector<Message> messages;
  server::Next next = server::Next::receive;
};

// What was asked at each end of data, in turns.
constexpr serve::Offer offers[] = {serve::Offer::taken, serve::Offer::full, serve::Offer::taken,
                                   serve::Offer::closed};

class Host {
 public:
  explicit Host(unsigned kind) : kind_(kind) {
    context_.host_name = "relay.example";
    context_.id_prefix = "p";
    context_.message_bytes_max = message_bytes_max;
    context_.incoming_bytes_max = incoming_bytes_max;
    context_.unix_time_us = [] { return std::int64_t{1'800'000'000'000'000}; };
    context_.on_full = [this](server::ConnectionKey, std::uint64_t, Message message,
                              const serve::Intake::Completion& done) {
      heard_.messages.push_back(std::move(message));
      done_.push_back(done);
    };
    context_.offer = [this](Message& message, const serve::Intake::Completion& done) {
      const serve::Offer offer =
          kind_ % 2 == 0 ? serve::Offer::taken : offers[offered_++ % std::size(offers)];
      if (offer == serve::Offer::taken) {
        heard_.messages.push_back(std::move(message));
        done_.push_back(done);
        message = Message();
      }
      return offer;
    };
    context_.on_taken = [this](server::ConnectionKey, std::uint64_t number) {
      numbers_.push_back(number);
    };
    context_.on_answer = [this](server::ConnectionKey, std::uint64_t number,
                                const serve::ClientAnswer& answer) {
      session_->answer_message(number, {answer.code, answer.enhanced, answer.text});
    };
    options_.extensions.auth = false;
    options_.size_max = message_bytes_max;
    options_.recipients_max = 5;
    options_.messages_max = 20;
    options_.errors_max = 30;
    setup_.options = &options_;
    setup_.policy.auth_required = false;
    setup_.crypto = &tls::sasl_crypto();
    setup_.counts = &counts_;
    session_.emplace(setup_, server::ClientFacts{.session = 1}, replies_, observer_);
  }

  Heard run(Bytes stream, std::size_t piece_bytes) {
    session_->greet();
    session_->replies_left();
    session_->receive("EHLO platform.example\r\n");
    session_->replies_left();
    while (!stream.empty() && !server::is_end(session_->receive(stream.substr(0, piece_bytes)))) {
      stream.remove_prefix(std::min(piece_bytes, stream.size()));
      RP_ASSERT(context_.incoming_bytes <= incoming_bytes_max);
    }
    RP_ASSERT(numbers_.size() == heard_.messages.size());
    // Those that were taken last are answered first.
    for (std::size_t i = done_.size(); i > 0; --i) {
      std::vector<Outcome> outcomes(heard_.messages[i - 1].recipients.size());
      done_[i - 1](heard_.messages[i - 1], outcomes);
    }
    RP_ASSERT(!session_->owes_answers());
    heard_.next = session_->receive({});
    replies_.mark(Instant::min());
    heard_.replies = replies_.due(Instant::max());
    session_->connection_lost();
    RP_ASSERT(context_.incoming_bytes == 0);
    return std::move(heard_);
  }

 private:
  const unsigned kind_;
  std::size_t offered_ = 0;
  Heard heard_;
  std::vector<serve::Intake::Completion> done_;
  std::vector<std::uint64_t> numbers_;
  serve::SubmissionContext context_;
  server::ServerOptions options_;
  server::ServerCounts counts_;
  server::ServerSetup setup_;
  server::ReplyQueue replies_;
  serve::SubmissionObserver observer_{context_, {}};
  std::optional<server::ServerSession> session_;
};

void check(const Message& message) {
  const std::string text = message.content.text();
  RP_ASSERT(message.content.is_sealed());
  RP_ASSERT(text.starts_with("Received: from "));
  RP_ASSERT(text.find("\r\n\tby relay.example (ringpost) with ") < 300);
  RP_ASSERT(text.size() <= message_bytes_max + 300);
  RP_ASSERT(!message.id.empty() && message.recipients.size() >= 1 &&
            message.recipients.size() <= 5);
  for (std::size_t i = 0; i < message.recipients.size(); ++i) {
    const auto checked = checked_address(message.recipients[i]);
    RP_ASSERT(checked && *checked == message.recipients[i]);
  }
  // Nothing of what is for ringpost is left in the header, and what it said is not said twice.
  std::string again = text;
  const auto facts = serve::take_header(again);
  RP_ASSERT(facts && again == text && facts->tags_json.empty() && facts->id.empty());
}

bool is_same(const Message& a, const Message& b) {
  return a.content.text() == b.content.text() && a.id == b.id && a.sender == b.sender &&
         a.recipients.in_front_of(a.recipients.size()) ==
             b.recipients.in_front_of(b.recipients.size()) &&
         a.tags_json == b.tags_json && a.metadata_json == b.metadata_json &&
         a.endpoint == b.endpoint && a.dsn.notify == b.dsn.notify &&
         a.dsn.envelope_id == b.dsn.envelope_id && a.needs_smtputf8 == b.needs_smtputf8;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const std::size_t piece_bytes = 1 + input.up_to(63);
  const unsigned kind = input.octet();
  const std::string stream = fuzz::own_copy(input.rest());
  const Heard whole = Host(kind).run(stream, stream.size() + 1);
  const Heard split = Host(kind).run(stream, piece_bytes);
  RP_ASSERT(whole.replies == split.replies);
  RP_ASSERT(whole.next == split.next);
  RP_ASSERT(whole.messages.size() == split.messages.size());
  for (std::size_t i = 0; i < whole.messages.size(); ++i) {
    check(whole.messages[i]);
    RP_ASSERT(is_same(whole.messages[i], split.messages[i]));
  }
  return 0;
}
