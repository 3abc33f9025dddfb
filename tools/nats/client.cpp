// The problem: whoever waits for one answer after the other does a thousand round trips for a
// thousand messages, and libnats has batches for some of what JetStream does, with other names in
// each release. The idea: a batch of requests leaves at once, each with a place of its own for its
// answer below one inbox, which is read until all are there; acknowledgements, publications,
// questions about streams are the same to it. Pulls have an inbox that stays, so that a message
// that came too late for one pull is there for the next. Inboxes are kept for the next batch and
// end with their connection, and a lost connection is replaced by a new one here, so that nothing
// of the old one goes on: with fewer things that come and go libnats stays up while servers are
// killed. Limits: a batch has as many answers as libnats keeps for a subscription (65,536).
#include "tools/nats/client.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <mutex>
#include <nats/nats.h>
#include <utility>

#include <fmt/format.h>

#include "tools/nats/ack_place.h"

namespace ringpost::nats {

namespace {

using std::chrono::milliseconds;

// A server that does not answer within this time is left for the next.
constexpr std::int64_t connect_ms = 3000;
constexpr auto reconnect_wait = milliseconds(250);
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
  then(natsOptions_SetAllowReconnect(set, false));
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

// Where answers come in. Whoever borrows it is alone with it.
struct Inbox {
  std::string name;
  natsSubscription* subscription = nullptr;
  std::uint64_t batches = 0;  // whose answers may still be on their way
};

// A connection with its inboxes, shared by all who are in the middle of something when another one
// takes its place.
class Link {
 public:
  explicit Link(natsConnection* connection) : connection_(connection) {}
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  [[nodiscard]] natsConnection* connection() const { return connection_; }
  // Null: the connection is lost.
  [[nodiscard]] Inbox* borrow();
  void give_back(Inbox* inbox);

 private:
  natsConnection* const connection_;
  std::mutex mutex_;  // guards the rest
  std::vector<std::unique_ptr<Inbox>> inboxes_;
  std::vector<Inbox*> idle_;
};
using Connection = std::shared_ptr<Link>;

// No thread of libnats is at work on them when inboxes go.
Link::~Link() {
  natsConnection_Close(connection_);
  for (const auto& inbox : inboxes_) {
    natsSubscription_Destroy(inbox->subscription);
  }
  natsConnection_Destroy(connection_);
}

Inbox* Link::borrow() {
  const std::lock_guard lock(mutex_);
  if (!idle_.empty()) {
    Inbox* const inbox = idle_.back();
    idle_.pop_back();
    return inbox;
  }
  auto made = std::make_unique<Inbox>();
  made->name = new_inbox();
  const std::string subject = made->name + ".*";
  if (natsConnection_SubscribeSync(&made->subscription, connection_, subject.c_str()) != NATS_OK) {
    return nullptr;
  }
  return inboxes_.emplace_back(std::move(made)).get();
}

void Link::give_back(Inbox* inbox) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(inbox);
}

}  // namespace

bool is_built_in() { return true; }

struct Client::State {
  Options options;
  std::string url;  // for people

  std::mutex mutex;  // guards the rest
  Connection connection;
  std::string place;
  Instant next_try{};
  std::uint64_t reconnects = 0;

  [[nodiscard]] Result<Connection, std::string> open() const;
  [[nodiscard]] Connection current();
  void use(Connection opened);
};

Result<Connection, std::string> Client::State::open() const {
  natsConnection* made = nullptr;
  if (const natsStatus status = natsConnection_Connect(&made, options.get()); status != NATS_OK) {
    const char* const detail = nats_GetLastError(nullptr);
    return Failure(fmt::format("{}: {}{}{}", url, natsStatus_GetText(status),
                               detail != nullptr && *detail != '\0' ? ": " : "",
                               detail != nullptr ? detail : ""));
  }
  return std::make_shared<Link>(made);
}

void Client::State::use(Connection opened) {
  connection = std::move(opened);
  char text[512] = "";
  static_cast<void>(natsConnection_GetConnectedUrl(connection->connection(), text, sizeof text));
  place = without_secret(text);
  if (const std::size_t slashes = place.find("://"); slashes != std::string::npos) {
    place.erase(0, slashes + 3);
  }
}

// One that was lost is replaced, from time to time, by whoever wants it next.
Connection Client::State::current() {
  const std::lock_guard lock(mutex);
  const Instant now = std::chrono::steady_clock::now();
  if (natsConnection_Status(connection->connection()) == NATS_CONN_STATUS_CONNECTED ||
      now < next_try) {
    return connection;
  }
  if (auto opened = open()) {
    use(std::move(*opened));
    ++reconnects;
  } else {
    next_try = std::chrono::steady_clock::now() + reconnect_wait;
  }
  return connection;
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}

Client::~Client() = default;

Result<std::unique_ptr<Client>, std::string> Client::connect(const ClientOptions& options) {
  auto state = std::make_unique<State>();
  state->url = without_secret(options.url);
  natsOptions* made = nullptr;
  natsStatus status = natsOptions_Create(&made);
  state->options.reset(made);
  if (status == NATS_OK) {
    status = set_options(made, options);
  }
  if (status != NATS_OK) {
    return Failure(fmt::format("{}: {}", state->url, natsStatus_GetText(status)));
  }
  auto opened = state->open();
  if (!opened) {
    return Failure(std::move(opened.error()));
  }
  state->use(std::move(*opened));
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

bool Client::is_connected() const {
  const std::lock_guard lock(state_->mutex);
  return natsConnection_Status(state_->connection->connection()) == NATS_CONN_STATUS_CONNECTED;
}

std::string Client::place() const {
  const std::lock_guard lock(state_->mutex);
  return state_->place;
}

std::uint64_t Client::reconnects() const {
  const std::lock_guard lock(state_->mutex);
  return state_->reconnects;
}

std::optional<std::string> Client::ask(const Request& request, Duration timeout) {
  return std::move(ask(std::span<const Request>(&request, 1), timeout).front());
}

std::vector<std::optional<std::string>> Client::ask(std::span<const Request> requests,
                                                    Duration timeout) {
  std::vector<std::optional<std::string>> answers(requests.size());
  if (requests.empty()) {
    return answers;
  }
  const Connection connection = state_->current();
  const Instant deadline = std::chrono::steady_clock::now() + timeout;
  Inbox* const inbox = connection->borrow();
  if (inbox == nullptr) {
    return answers;
  }
  // Answers to an earlier batch that came too late have another number in front.
  const std::string front = fmt::format("{}.{}-", inbox->name, ++inbox->batches);
  std::size_t waited_for = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::string reply = fmt::format("{}{}", front, i);
    waited_for +=
        publish(connection->connection(), requests[i], reply.c_str()) == NATS_OK ? 1U : 0U;
  }
  while (waited_for > 0) {
    natsMsg* got = nullptr;
    if (natsSubscription_NextMsg(&got, inbox->subscription, left_ms(deadline)) != NATS_OK) {
      break;
    }
    const Message message(got);
    const Bytes subject = natsMsg_GetSubject(got);
    std::size_t index = requests.size();
    if (subject.starts_with(front)) {
      std::from_chars(subject.data() + front.size(), subject.data() + subject.size(), index);
    }
    if (index >= requests.size() || answers[index]) {
      continue;
    }
    --waited_for;
    if (status_of(got).empty()) {
      answers[index] = std::string(payload_of(got));
    }
  }
  connection->give_back(inbox);
  return answers;
}

void Client::tell(std::span<const Request> requests) {
  const Connection connection = state_->current();
  for (const Request& request : requests) {
    static_cast<void>(publish(connection->connection(), request, nullptr));
  }
}

// ---- Pulls --------------------------------------------------------------------------------------

struct Client::Puller::State {
  Client::State* client = nullptr;
  std::string subject;  // where messages are asked for
  Connection connection = {};
  Inbox* inbox = nullptr;  // of that connection

  [[nodiscard]] natsStatus follow();
  [[nodiscard]] Result<std::vector<Pulled>, std::string> take(const std::string& request,
                                                              std::size_t count, Instant deadline);
};

Client::Puller::Puller(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Puller::~Puller() = default;
Client::Puller::Puller(Puller&&) noexcept = default;

// The inbox is where the connection is now. What was on its way by another one comes once more.
natsStatus Client::Puller::State::follow() {
  Connection current = client->current();
  if (current == connection) {
    return NATS_OK;
  }
  inbox = current->borrow();
  if (inbox == nullptr) {
    connection.reset();
    return NATS_CONNECTION_CLOSED;
  }
  connection = std::move(current);
  return NATS_OK;
}

Result<Client::Puller, std::string> Client::puller(const std::string& stream,
                                                   const std::string& consumer) {
  auto state = std::make_unique<Puller::State>(Puller::State{
      state_.get(), fmt::format("$JS.API.CONSUMER.MSG.NEXT.{}.{}", stream, consumer)});
  if (const natsStatus status = state->follow(); status != NATS_OK) {
    return Failure(std::string(natsStatus_GetText(status)));
  }
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
                                                                     Instant deadline) {
  std::vector<Pulled> messages;
  natsStatus followed = follow();
  if (followed == NATS_OK) {
    const std::string reply = inbox->name + ".pull";
    followed = publish(connection->connection(), {subject, request}, reply.c_str());
  }
  if (followed != NATS_OK) {
    return Failure(std::string(natsStatus_GetText(followed)));
  }
  while (messages.size() < count) {
    natsMsg* got = nullptr;
    if (natsSubscription_NextMsg(&got, inbox->subscription, left_ms(deadline)) != NATS_OK) {
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
