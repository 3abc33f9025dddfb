// What the TLS tests share: certificates, channels in memory, channels on sockets, programs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "tls/channel.h"
#include "tls/context.h"
#include "tls/ticket_cache.h"
#include "tls/tls_error.h"
#include "tools/sink/self_signed.h"
#include <ringpost/base.h>

namespace ringpost::tls::test {

using sink::make_self_signed;
using sink::SelfSigned;

// Whom the clients ask for.
inline constexpr std::string_view mail_host = "mail.example.com";

// A folder that is removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] std::string path(std::string_view name) const;
  // Writes a file and returns its path.
  std::string write(std::string_view name, std::string_view text) const;
  [[nodiscard]] std::string read(std::string_view name) const;
  // Runs a shell command in the folder; its output if it succeeds, else the test fails with it.
  std::string run(const std::string& command) const;

 private:
  std::string folder_;
};

// Contexts that are made of PEM text; the test fails when they cannot be made.
[[nodiscard]] std::unique_ptr<Context> server_context(const SelfSigned& identity);
[[nodiscard]] std::unique_ptr<Context> client_context(std::string_view ca_pem, bool verify = true);
[[nodiscard]] SelfSigned identity_for(const std::vector<std::string>& names);

// One end of a connection and everything that happened to it.
struct End {
  std::unique_ptr<Channel> channel;
  std::string received;  // plaintext
  std::optional<TlsError> error;
  bool done = false;    // its handshake
  bool closed = false;  // the peer said close_notify
  std::size_t received_before_handshake = 0;

  End(Context& context, std::string_view host, TicketCache* tickets = nullptr);
  // Hands over ciphertext in pieces of at most `split` octets (0: as it is) and reads what it says.
  void deliver(Bytes ciphertext, std::size_t split = 0);
  void deliver_end();
  // Everything that waits to be sent.
  [[nodiscard]] std::string output();
  // Ciphertext of this plaintext, behind everything that waited.
  [[nodiscard]] std::string seal(Bytes plaintext);
  // Goes on with the handshake or with reading until more is needed.
  void advance();
};

// Passes octets to and fro until neither end has any more to say.
void exchange(End& client, End& server, std::size_t split = 0);

// A listening socket on loopback with a port that the kernel picked.
class Listener {
 public:
  Listener();
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int accept() const;  // a connected socket, or the test fails

 private:
  int fd_ = -1;
  int port_ = 0;
};

// A socket that is connected to a port of loopback; waits until somebody listens there.
[[nodiscard]] int connect_to(int port);

// Drives an end over a blocking socket. Closes it.
class Wire {
 public:
  Wire(End& end, int fd) : end_(end), fd_(fd) {}
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void shake_hands();
  void send(Bytes plaintext);
  // Until this text has been received, or the connection is over, or ten seconds have passed.
  void receive_until(std::string_view text);
  void receive_until_over() { receive_until("\n\nnever sent\n\n"); }
  void flush();

 private:
  bool receive_some();
  End& end_;
  int fd_;
};

// A program whose standard input is ours and whose output goes to a file.
class Program {
 public:
  Program(const std::string& command, std::string output_file);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void type(std::string_view text) const;
  void end_input();
  // Waits at most ten seconds for this text in its output, which is returned.
  [[nodiscard]] std::string wait_for(std::string_view text) const;
  // Its exit code.
  int wait();

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  std::string output_file_;
};

}  // namespace ringpost::tls::test
