// The problem: whoever waits for one answer after the other does a thousand round trips for a
// thousand messages, and libnats has batches for some of what JetStream does, with other names in
// each release. The idea: a batch of requests leaves at once, each with a place of its own for its
// answer below one inbox, which is read until all are there; acknowledgements, publications,
// questions about streams are the same to it. Pulls have an inbox that stays, so that a message
// that came too late for one pull is there for the next. Limits: an inbox is subscribed for each
// batch; a batch has as many answers as libnats keeps for a subscription (65,536).
#include "tools/nats/client.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nats/nats.h>
#include <utility>

#include <fmt/format.h>

#include "tools/nats/ack_place.h"

namespace ringpost::nats {

namespace {

using std::chrono::milliseconds;

// A server that does not answer within this time is left for the next.
constexpr std::int64_t connect_ms = 3000;
constexpr std::int64_t reconnect_wait_ms = 250;
// Silence after which a connection counts as lost: twice as long.
constexpr std::int64_t ping_ms = 5000;
// A server waits a little less than the client, so that its last word finds it there.
constexpr auto pull_margin = milliseconds(50);
// For a server to say what is there.
constexpr auto at_once = milliseconds(500);

template <auto destroy>
struct Destroy {
  template <typename T>
  void operator()(T* value) const {
    destroy(value);
  }
};
using Options = std::unique_ptr<natsOptions, Destroy<natsOptions_Destroy>>;
using Connection = std::unique_ptr<natsConnection, Destroy<natsConnection_Destroy>>;
using Subscription = std::unique_ptr<natsSubscription, Destroy<natsSubscription_Destroy>>;
using Message = std::unique_ptr<natsMsg, Destroy<natsMsg_Destroy>>;

Bytes payload_of(natsMsg* message) {
  return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

// Of a message that is none but the server's word on a request: "404", "503"; empty: it is one.
Bytes status_of(natsMsg* message) {
  const char* status = nullptr;
  if (natsMsgHeader_Get(message, "Status", &status) != NATS_OK || status == nullptr) {
    return {};
  }
  return status;
}

std::string words_of(natsMsg* message) {
  const char* description = nullptr;
  static_cast<void>(natsMsgHeader_Get(message, "Description", &description));
  return fmt::format("{} {}", status_of(message), description == nullptr ? "" : description);
}

std::string new_inbox() {
  natsInbox* inbox = nullptr;
  RP_ASSERT(natsInbox_Create(&inbox) == NATS_OK);
  std::string name(inbox);
  natsInbox_Destroy(inbox);
  return name;
}

std::int64_t left_ms(Instant deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max<std::int64_t>(left.count(), 0);
}

natsStatus publish(natsConnection* connection, const Request& request, const char* reply) {
  natsMsg* made = nullptr;
  natsStatus status = natsMsg_Create(&made, request.subject.c_str(), reply, request.payload.data(),
                                     static_cast<int>(request.payload.size()));
  const Message message(made);
  if (status == NATS_OK && !request.message_id.empty()) {
    status = natsMsgHeader_Set(made, "Nats-Msg-Id", request.message_id.c_str());
  }
  return status == NATS_OK ? natsConnection_PublishMsg(connection, made) : status;
}

natsStatus set_servers(natsOptions* options, const std::string& url) {
  std::vector<std::string> urls;
  for (std::size_t begin = 0; begin <= url.size();) {
    const std::size_t comma = std::min(url.find(',', begin), url.size());
    std::string one = url.substr(begin, comma - begin);
    std::erase(one, ' ');
    if (!one.empty()) {
      urls.push_back(std::move(one));
    }
    begin = comma + 1;
  }
  std::vector<const char*> pointers;
  for (const std::string& one : urls) {
    pointers.push_back(one.c_str());
  }
  return natsOptions_SetServers(options, pointers.data(), static_cast<int>(pointers.size()));
}

natsStatus set_options(natsOptions* set, const ClientOptions& options) {
  natsStatus status = set_servers(set, options.url);
  const auto then = [&status](natsStatus next) { status = status == NATS_OK ? next : status; };
  then(natsOptions_SetName(set, "ringpost"));
  then(natsOptions_SetTimeout(set, connect_ms));
  then(natsOptions_SetMaxReconnect(set, -1));
  then(natsOptions_SetReconnectWait(set, reconnect_wait_ms));
  then(natsOptions_SetPingInterval(set, ping_ms));
  then(natsOptions_SetMaxPingsOut(set, 2));
  if (!options.user.empty()) {
    then(natsOptions_SetUserInfo(set, options.user.c_str(), options.password.c_str()));
  }
  if (!options.credentials_file.empty()) {
    then(natsOptions_SetUserCredentialsFromFiles(set, options.credentials_file.c_str(), nullptr));
  }
  if (!options.ca_file.empty()) {
    then(natsOptions_SetSecure(set, true));
    then(natsOptions_LoadCATrustedCertificates(set, options.ca_file.c_str()));
  }
  return status;
}

}  // namespace

bool is_built_in() { return true; }

struct Client::State {
  Connection connection;
  std::string place;
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}

Client::~Client() { natsConnection_Close(state_->connection.get()); }

Result<std::unique_ptr<Client>, std::string> Client::connect(const ClientOptions& options) {
  natsOptions* made = nullptr;
  natsStatus status = natsOptions_Create(&made);
  const Options set(made);
  if (status == NATS_OK) {
    status = set_options(made, options);
  }
  auto state = std::make_unique<State>();
  if (status == NATS_OK) {
    natsConnection* connection = nullptr;
    status = natsConnection_Connect(&connection, made);
    state->connection.reset(connection);
  }
  if (status != NATS_OK) {
    const char* const detail = nats_GetLastError(nullptr);
    return Failure(fmt::format(
        "{}: {}{}{}", without_secret(options.url), natsStatus_GetText(status),
        detail != nullptr && *detail != '\0' ? ": " : "", detail != nullptr ? detail : ""));
  }
  char url[512] = "";
  static_cast<void>(natsConnection_GetConnectedUrl(state->connection.get(), url, sizeof url));
  state->place = without_secret(url);
  if (const std::size_t slashes = state->place.find("://"); slashes != std::string::npos) {
    state->place.erase(0, slashes + 3);
  }
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

bool Client::is_connected() const {
  return natsConnection_Status(state_->connection.get()) == NATS_CONN_STATUS_CONNECTED;
}

std::string Client::place() const { return state_->place; }

std::uint64_t Client::reconnects() const {
  natsStatistics* statistics = nullptr;
  std::uint64_t reconnects = 0;
  if (natsStatistics_Create(&statistics) == NATS_OK) {
    if (natsConnection_GetStats(state_->connection.get(), statistics) == NATS_OK) {
      static_cast<void>(
          natsStatistics_GetCounts(statistics, nullptr, nullptr, nullptr, nullptr, &reconnects));
    }
    natsStatistics_Destroy(statistics);
  }
  return reconnects;
}

std::optional<std::string> Client::ask(const Request& request, Duration timeout) {
  return std::move(ask(std::span<const Request>(&request, 1), timeout).front());
}

std::vector<std::optional<std::string>> Client::ask(std::span<const Request> requests,
                                                    Duration timeout) {
  std::vector<std::optional<std::string>> answers(requests.size());
  natsConnection* const connection = state_->connection.get();
  const Instant deadline = std::chrono::steady_clock::now() + timeout;
  const std::string inbox = new_inbox();
  natsSubscription* made = nullptr;
  if (natsConnection_SubscribeSync(&made, connection, (inbox + ".*").c_str()) != NATS_OK) {
    return answers;
  }
  const Subscription subscription(made);
  std::size_t waited_for = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::string reply = fmt::format("{}.{}", inbox, i);
    waited_for += publish(connection, requests[i], reply.c_str()) == NATS_OK ? 1U : 0U;
  }
  while (waited_for > 0) {
    natsMsg* got = nullptr;
    if (natsSubscription_NextMsg(&got, made, left_ms(deadline)) != NATS_OK) {
      break;
    }
    const Message message(got);
    const Bytes subject = natsMsg_GetSubject(got);
    std::size_t index = requests.size();
    std::from_chars(subject.data() + inbox.size() + 1, subject.data() + subject.size(), index);
    if (index >= requests.size() || answers[index]) {
      continue;
    }
    --waited_for;
    if (status_of(got).empty()) {
      answers[index] = std::string(payload_of(got));
    }
  }
  return answers;
}

void Client::tell(std::span<const Request> requests) {
  for (const Request& request : requests) {
    static_cast<void>(publish(state_->connection.get(), request, nullptr));
  }
}

// ---- Pulls --------------------------------------------------------------------------------------

struct Client::Puller::State {
  natsConnection* connection = nullptr;
  std::string subject;  // where messages are asked for
  std::string inbox;
  Subscription subscription;

  [[nodiscard]] Result<std::vector<Pulled>, std::string> take(const std::string& request,
                                                              std::size_t count,
                                                              Instant deadline) const;
};

Client::Puller::Puller(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Puller::~Puller() = default;
Client::Puller::Puller(Puller&&) noexcept = default;

Result<Client::Puller, std::string> Client::puller(const std::string& stream,
                                                   const std::string& consumer) {
  auto state = std::make_unique<Puller::State>();
  state->connection = state_->connection.get();
  state->subject = fmt::format("$JS.API.CONSUMER.MSG.NEXT.{}.{}", stream, consumer);
  state->inbox = new_inbox();
  natsSubscription* made = nullptr;
  const natsStatus status =
      natsConnection_SubscribeSync(&made, state->connection, state->inbox.c_str());
  if (status != NATS_OK) {
    return Failure(std::string(natsStatus_GetText(status)));
  }
  state->subscription.reset(made);
  return Puller(std::move(state));
}

// What is there leaves at once; where there is nothing, the first that comes is waited for. So no
// request is left behind at the server when this returns, and nothing comes that nobody wants.
Result<std::vector<Pulled>, std::string> Client::Puller::pull(std::size_t count, Duration timeout) {
  const Instant deadline = std::chrono::steady_clock::now() + timeout;
  auto messages = state_->take(fmt::format(R"({{"batch":{},"no_wait":true}})", count), count,
                               std::min(deadline, std::chrono::steady_clock::now() + at_once));
  if (!messages || !messages->empty()) {
    return messages;
  }
  const auto expires = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::max<Duration>(timeout - pull_margin, pull_margin));
  return state_->take(fmt::format(R"({{"batch":1,"expires":{}}})", expires.count()), 1, deadline);
}

Result<std::vector<Pulled>, std::string> Client::Puller::State::take(const std::string& request,
                                                                     std::size_t count,
                                                                     Instant deadline) const {
  std::vector<Pulled> messages;
  if (const natsStatus status = publish(connection, {subject, request}, inbox.c_str());
      status != NATS_OK) {
    return Failure(std::string(natsStatus_GetText(status)));
  }
  while (messages.size() < count) {
    natsMsg* got = nullptr;
    if (natsSubscription_NextMsg(&got, subscription.get(), left_ms(deadline)) != NATS_OK) {
      break;
    }
    const Message message(got);
    if (const Bytes status = status_of(got); !status.empty()) {
      // 404 and 408: there is no more. Else the consumer is gone, or a bound of it is reached.
      if (messages.empty() && status != "404" && status != "408") {
        return Failure(fmt::format("the server says {} to a pull", words_of(got)));
      }
      break;
    }
    const char* const reply = natsMsg_GetReply(got);
    const auto place = read_ack_place(reply == nullptr ? "" : reply);
    if (place) {
      messages.push_back({std::string(payload_of(got)), reply, place->stream_sequence,
                          place->deliveries, place->stored_us});
    }
  }
  return messages;
}

}  // namespace ringpost::nats
