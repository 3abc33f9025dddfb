// The probe of one port: the link that `ringpost send` uses, over a socket that somebody else
// polls. No message is sent.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/socket_address.h"
#include "engine/link.h"
#include "tools/probe/dialogue_recorder.h"
#include "tools/probe/probe_finding.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// What the probes of one endpoint share. All of it outlives them.
struct ProbeEnvironment {
  const EndpointOptions* endpoint = nullptr;  // with the password, where there is one
  tls::Context* tls_context = nullptr;        // null: nothing here uses TLS
  Duration timeout{0};                        // of each step
};

// How TLS comes onto a port of this endpoint, and whether credentials may go there.
struct PortPlan {
  std::uint16_t port = 0;
  TransportSecurity security = TransportSecurity::starttls;
  bool authenticate = false;
};

// Driven like this: start(), then poll fd() for events() until deadline(), act() on what poll said,
// expire() when the deadline has passed, until done(). Thread: one, that of the TLS context.
class PortProbe final : private protocol::SessionListener, private engine::LinkObserver {
 public:
  // `addresses` (at least one) are tried in their order, within one timeout for all of them.
  PortProbe(const ProbeEnvironment& environment, const PortPlan& plan,
            std::vector<io::SocketAddress> addresses);
  ~PortProbe() override;
  PortProbe(const PortProbe&) = delete;
  PortProbe& operator=(const PortProbe&) = delete;

  void start(Instant now);
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] short events() const;
  [[nodiscard]] Instant deadline() const;
  void act(short revents, Instant now);
  void expire(Instant now);
  // Ends it now, whatever is under way.
  void give_up(Instant now);
  [[nodiscard]] bool done() const { return phase_ == Phase::done; }
  // Complete when done().
  [[nodiscard]] const PortFinding& finding() const { return finding_; }

 private:
  enum class Phase : std::uint8_t {
    idle,
    connecting,
    linked,  // where no greeting came, a second link asks: would TLS be answered?
    done,
  };

  void try_next_address(Instant now);
  void connect(Instant now);
  void connect_failed(int error, Instant now);
  void connected(Instant now);
  void open_link();
  void ask_for_tls(Instant now);
  void connect_to_ask(Instant now);
  void keep_tls_finding();

  void receive(Instant now);
  void note_answer(protocol::SessionState state, SmtpAnswer answer);
  void stream_ended(int error, Instant now);
  void send_output(Instant now);
  void seal_output();
  void flush(Instant now);
  void note_time(protocol::SessionState state, const SmtpAnswer& answer, Instant now);
  void note_progress(Instant now);
  [[nodiscard]] double ms_since_start(Instant now) const;

  void fail(ProbeFault fault, ProbeStep step, std::string detail);
  void fail_tls(const tls::TlsError& error);
  void hear_tls_answer(const protocol::CloseReason& reason);
  void finish();

  void on_start_tls() override {}
  void on_ready() override;
  void on_verdict(Delivery&, std::uint32_t, const protocol::Verdict&) override {}
  void on_delivery_done(Delivery&) override {}
  void on_closed(const protocol::CloseReason& reason) override;

  void on_text_in(Bytes text) override;
  void on_text_out(Bytes text, protocol::SessionState said_in) override;
  void on_handshake() override;

  const ProbeEnvironment& environment_;
  std::vector<io::SocketAddress> addresses_;
  codec::ScramCache scram_cache_;
  protocol::SessionOptions session_options_;
  PortFinding finding_;
  DialogueRecorder recorder_;

  Phase phase_ = Phase::idle;
  int fd_ = -1;
  std::size_t next_address_ = 0;
  Instant started_at_{};
  Instant step_started_at_{};
  Instant deadline_ = never;    // of the connection request
  Instant give_up_at_ = never;  // of the connection request to all addresses
  protocol::SessionState last_state_ = protocol::SessionState::greeting;
  std::array<char, 4096> plaintext_room_{};
  engine::LinkEnvironment link_environment_;
  engine::LinkOptions link_options_;
  std::optional<engine::Link> link_;
  std::string sending_;  // for the socket
  bool ready_ = false;
  bool heard_anything_ = false;
  bool asks_anew_ = false;  // for TLS, over another connection than that which ended
  Instant now_{};           // of the call under way, for what the link calls back
};

}  // namespace ringpost::cli
