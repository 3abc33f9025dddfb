// A link and its socket: the one place where octets change hands.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "codec/job/delivery.h"
#include "engine/dial.h"
#include "engine/io/buffer_pool.h"
#include "engine/io/io.h"
#include "engine/link.h"
#include "engine/stats.h"
#include <ringpost/config.h>

namespace ringpost::engine {

class Connection;

// Hears what becomes of a connection and of its deliveries. Called from within the connection's
// methods: it takes notes and calls nothing of the connection's.
class ConnectionListener {
 public:
  virtual ~ConnectionListener() = default;
  virtual void on_ready(Connection& connection) = 0;
  // The server has taken the connection and said nothing for connection.silence(). Once.
  virtual void on_silence(Connection& connection) = 0;
  // As of protocol::SessionListener.
  virtual void on_end_of_data(Delivery& delivery, std::uint32_t begin, std::uint32_t end) = 0;
  virtual void on_verdict(Connection& connection, Delivery& delivery, std::uint32_t index,
                          const protocol::Verdict& verdict) = 0;
  virtual void on_delivery_done(Connection& connection, Delivery& delivery) = 0;
  virtual void on_fall_back(const protocol::CloseReason& why) = 0;
  virtual void on_unruled(Stage stage, const codec::Reply& reply,
                          const protocol::Ruling& ruling) = 0;
  [[nodiscard]] virtual protocol::SaidInARow on_repeated(Delivery& delivery,
                                                         const protocol::Ruling& ruling) = 0;
  [[nodiscard]] virtual bool on_one_too_many() = 0;
  // Dead; every delivery has been let go of. Operations may still be under way: see finished().
  virtual void on_ended(Connection& connection, const protocol::CloseReason& reason) = 0;
};

// What the connections of one worker to one endpoint share. All of it outlives them.
struct ConnectionEnvironment {
  io::Io* io = nullptr;
  io::BufferPool* send_buffers = nullptr;
  LinkEnvironment link;
  const EndpointOptions* endpoint = nullptr;
  const protocol::SessionOptions* session = nullptr;
  ConnectionListener* listener = nullptr;
  WorkerStats* stats = nullptr;
};

// Where a connection is opened to, and as whom.
struct Opening {
  std::vector<io::SocketAddress> addresses;                  // the one to begin with first
  TransportSecurity security = TransportSecurity::starttls;  // of their port
  // When it must stand, and when the session must be ready.
  Instant connect_by = never;
  Instant ready_by = never;
  // When its greeting, and TLS, must be there: another port of the endpoint is next.
  Instant secured_by = never;
  // How long an address may take to greet when all others have failed just now, before they have
  // their turn again.
  Duration greeting_patience = limits::greeting_patience;
  // What earlier sessions have learnt of the server's pipelining.
  protocol::PipeliningKnowledge knowledge;
  std::shared_ptr<const protocol::Login> login;  // null: nobody logs in
};

// Lifetime: until finished(), which comes some completions after on_ended(). Thread: its worker's.
class Connection final : private protocol::SessionListener {
 public:
  // `owner` marks its operations in completions.
  Connection(const ConnectionEnvironment& environment, io::Owner owner, bool canary);
  ~Connection() override;

  [[nodiscard]] io::Owner owner() const { return owner_; }
  [[nodiscard]] bool canary() const { return canary_; }
  [[nodiscard]] bool was_ready() const { return was_ready_; }
  [[nodiscard]] bool progressed() const { return progressed_; }
  void mark_progressed() { progressed_ = true; }
  // Whether a message was given to it.
  [[nodiscard]] bool had_message() const { return had_message_; }
  // When on_ready() came.
  [[nodiscard]] Instant ready_at() const { return ready_at_; }
  // When something came from the server last, or was taken by it, or it was given its first message
  // behind a pause; before that, when it was opened.
  [[nodiscard]] Instant stirred_at() const { return stirred_at_; }
  // The address that took the connection; empty before.
  [[nodiscard]] const std::string& peer() const { return dial_.address(); }
  // Those that did not.
  [[nodiscard]] const std::vector<std::string>& failed_addresses() const {
    return dial_.failed_addresses();
  }

  void open(Opening opening);
  // Only asks whether the server answers TLS from the first octet, and ends: see tls_answer().
  void ask_for_tls(const io::SocketAddress& address);
  // Where it is `other`, the reason of the end says which protocol it is.
  [[nodiscard]] TlsAnswer tls_answer() const { return link_.tls_answer(); }
  // Where the connection leads. Precondition: it stands.
  [[nodiscard]] const io::SocketAddress& address() const { return dial_.socket_address(); }
  // Where TLS failed, whether that was about the server's certificate.
  [[nodiscard]] bool certificate_was_judged() const;
  // Ends it with our own reason, so that its endpoint hears it.
  void give_up(protocol::CloseReason reason) { fail(std::move(reason)); }
  // How long a server may be silent before that is told.
  [[nodiscard]] Duration silence() const { return silence_; }
  [[nodiscard]] bool ungreeted() const { return has_session() && link_.session().ungreeted(); }
  // The greeting has not ended, and perhaps not begun.
  [[nodiscard]] bool awaits_greeting() const {
    return has_session() && link_.session().state() == protocol::SessionState::greeting;
  }
  [[nodiscard]] std::uint64_t token_number() const {
    return link_options_.login ? link_options_.login->token_number : 0;
  }
  [[nodiscard]] bool has_session() const { return link_.has_session(); }
  [[nodiscard]] std::string login_note() const { return link_.session().login_note(); }
  // What is known by now. Precondition: has_session().
  [[nodiscard]] const protocol::PipeliningKnowledge& knowledge() const {
    return link_.session().knowledge();
  }
  [[nodiscard]] std::uint64_t knowledge_version() const {
    return link_.session().knowledge_version();
  }
  // Steps that were in doubt when it was opened, and that it was chosen to try again.
  [[nodiscard]] protocol::StepSet next_steps() const { return link_options_.knowledge.doubts.next; }
  // What another connection has found out.
  void learn(const protocol::PipeliningKnowledge& knowledge) {
    if (has_session()) {
      link_.session().learn(knowledge);
    } else {
      link_options_.knowledge.merge(knowledge);
      link_options_.knowledge.words = knowledge.words;
    }
  }
  // Of the delivery that is done: as of Session.
  [[nodiscard]] Instant content_left_at() const { return link_.session().content_left_at(); }
  [[nodiscard]] protocol::Pipelining pipelining() const { return link_.session().pipelining(); }
  [[nodiscard]] bool knows_dsn() const { return link_.session().capabilities().dsn; }
  [[nodiscard]] bool tls_resumed() const { return link_.channel() && link_.channel()->resumed(); }
  void complete(const io::Completion& completion);
  void expire(Instant now);
  [[nodiscard]] Instant deadline() const;

  [[nodiscard]] bool wants_message() const {
    return has_session() && link_.session().wants_message();
  }
  // It is given no more messages, and ends behind those that it has.
  [[nodiscard]] bool is_spent() const { return has_session() && link_.session().is_spent(); }
  // As of Session. Precondition: was_ready().
  [[nodiscard]] std::uint64_t messages_left() const { return link_.session().messages_left(); }
  [[nodiscard]] std::uint64_t messages_max() const { return link_.session().messages_max(); }
  [[nodiscard]] bool idle() const { return has_session() && link_.session().idle(); }
  void submit(Delivery& delivery);
  // QUIT when the messages under way are done.
  void quit();
  // Stop now.
  void abort();

  // Seals everything that is ready, unless a send is under way; send() has to follow. False: no
  // send buffer was free; call again in a later turn.
  [[nodiscard]] bool seal();
  // Whether seal() left something to send.
  [[nodiscard]] bool sealed() const { return sealed_; }
  // Hands it to the kernel.
  void send();
  // Or nothing of it, ever: the connection ends.
  void withhold();
  // No operation is under way any more and none will be: it may be destroyed.
  [[nodiscard]] bool finished() const;

  // For the route: whether it stands in the list of connections with room.
  bool listed = false;
  // For the route: whether a recipient of the transaction that ends next was accepted.
  bool accepted = false;
  // For the route: whether its message had a reply to the end of its data.
  bool judged = false;
  // For the route: whether it counts as leaving, which is_spent().
  bool is_going = false;
  // For the route: whether it is one of those that are given messages, or waits to take the place
  // of one, and messages that it has.
  bool on_duty = false;
  bool in_reserve = false;
  std::size_t deliveries = 0;
  // For the route: when it was opened, was given its latest message, and was done with one.
  Instant opened_at{};
  Instant given_at{};
  Instant done_at{};
  // For the route: whether it has left a message in doubt.
  bool in_doubt = false;
  // For the route: what the endpoint's gate was told of last.
  std::uint64_t knowledge_told = 0;  // its version
  bool words_told = false;           // those of its server
  // For the worker: whether it stands in the list of connections to pump.
  bool dirty = false;

 private:
  enum class Phase : std::uint8_t {
    idle,  // nothing was opened
    connecting,
    open,      // the link is at work
    farewell,  // dead, but the last octets (close_notify, an alert) are on their way
    closing,   // the socket is being closed
    closed,
  };

  void dialed();
  void complete_own(const io::Completion& completion);
  void received(const io::Completion& completion);
  void sent(std::int32_t result);

  void session_began(Instant now);
  void stream_ended(const io::Completion& completion);

  // The connection fails: through the link, so that messages get their verdicts.
  void fail(protocol::CloseReason reason);
  void expire_link(Instant now);
  [[nodiscard]] bool is_left_for_others(Instant now);
  [[nodiscard]] bool is_left_for_next_port(Instant now);
  // Neither greeted nor, where it comes to that, under TLS.
  [[nodiscard]] bool awaits_security() const;
  void ended(const protocol::CloseReason& reason);
  void close_socket();

  void on_start_tls() override;
  void on_ready() override;
  void on_end_of_data(Delivery& delivery, std::uint32_t begin, std::uint32_t end) override;
  void on_verdict(Delivery& delivery, std::uint32_t index,
                  const protocol::Verdict& verdict) override;
  void on_delivery_done(Delivery& delivery) override;
  void on_fall_back(const protocol::CloseReason& why) override;
  void on_unruled(Stage stage, const codec::Reply& reply, const protocol::Ruling& ruling) override;
  [[nodiscard]] protocol::SaidInARow on_repeated(Delivery& delivery,
                                                 const protocol::Ruling& ruling) override;
  [[nodiscard]] bool on_one_too_many() override;
  void on_closed(const protocol::CloseReason& reason) override;

  const ConnectionEnvironment& environment_;
  io::Owner owner_;
  io::Handle handle_ = 0;
  Phase phase_ = Phase::idle;
  bool canary_ = false;
  bool has_others_ = false;  // the round has further addresses
  bool was_ready_ = false;
  bool progressed_ = false;
  bool had_message_ = false;
  bool receive_under_way_ = false;
  bool sealed_ = false;
  bool send_under_way_ = false;
  bool close_under_way_ = false;
  bool asks_for_tls_ = false;
  bool sending_broken_ = false;  // a send failed; what the server still said is read to its end
  Instant farewell_by_ = never;
  Duration greeting_patience_ = limits::greeting_patience;
  Duration silence_ = {};
  Instant silence_at_ = never;  // when no greeting by then is told
  Instant leave_at_ = never;    // when another address has its turn
  Instant ready_by_ = never;
  Instant secured_by_ = never;
  Instant ready_at_ = never;
  Instant stirred_at_{};
  Dial dial_;
  // Of this port, where it is secured in another way than the endpoint's first one.
  std::unique_ptr<const protocol::SessionOptions> own_session_options_;
  LinkOptions link_options_;
  Link link_;
  ByteBuffer sending_;  // a slab while a send is under way
};

}  // namespace ringpost::engine
