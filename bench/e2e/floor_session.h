// One SMTP session of the floor: a blocking socket, bare wolfSSL on it or nothing, and a count of
// replies.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>

struct WOLFSSL;
struct WOLFSSL_CTX;

namespace ringpost::bench {

// The peer of all sessions: 127.0.0.1 at `port`. With a context STARTTLS and AUTH PLAIN as
// ringpost/ringpost, and TLS 1.3 or nothing; without one neither.
struct Peer {
  std::uint16_t port = 0;
  WOLFSSL_CTX* context = nullptr;
};

// A context for TLS 1.3 with AES-128-GCM alone that trusts the certificates in `ca_file`. The
// caller frees it. Null when it cannot be made.
[[nodiscard]] WOLFSSL_CTX* make_context(const std::string& ca_file);

// Errors are texts for people; behind one the session is of no use. Never moved once it is open:
// wolfSSL has its address.
class FloorSession {
 public:
  FloorSession() = default;
  ~FloorSession();
  FloorSession(const FloorSession&) = delete;
  FloorSession& operator=(const FloorSession&) = delete;

  // Connects, and goes on to where mail may be sent. An error, too, when PIPELINING or CHUNKING is
  // not announced.
  [[nodiscard]] Result<void, std::string> open(const Peer& peer);
  // Blocks until the kernel has taken all of it.
  [[nodiscard]] Result<void, std::string> send(Bytes octets);
  // Blocks for the next octets that come and counts the 250s in them; any other reply is an error.
  [[nodiscard]] Result<void, std::string> receive();
  // Waits for the 221.
  [[nodiscard]] Result<void, std::string> quit();

  // Replies that were received since open().
  [[nodiscard]] std::uint64_t replies() const { return replies_; }
  // "TLSv1.3 TLS13-AES128-GCM-SHA256"; empty in clear.
  [[nodiscard]] std::string cipher() const;

 private:
  // wolfSSL's input and output: the socket, read in larger pieces than the five octets of a
  // record's head.
  static int receive_for_tls(WOLFSSL*, char* data, int size, void* session);
  static int send_for_tls(WOLFSSL*, char* data, int size, void* session);

  [[nodiscard]] Result<void, std::string> connect(std::uint16_t port);
  [[nodiscard]] Result<void, std::string> start_tls(WOLFSSL_CTX* context);
  [[nodiscard]] Result<void, std::string> send_in_clear(Bytes octets);
  // The next plaintext, in `plaintext_`.
  [[nodiscard]] Result<Bytes, std::string> read_some();
  // Sends a command, if there is one, and awaits a reply with this code; returns its lines.
  [[nodiscard]] Result<std::string, std::string> ask(std::string_view command,
                                                     std::string_view code);
  [[nodiscard]] Result<void, std::string> count(Bytes octets);

  int descriptor_ = -1;
  WOLFSSL* tls_ = nullptr;
  std::vector<char> ciphertext_;
  std::size_t ciphertext_begin_ = 0;
  std::size_t ciphertext_end_ = 0;
  std::array<char, 16384> plaintext_;
  std::string line_;  // the beginning of a reply line whose end has not come
  std::uint64_t replies_ = 0;
};

}  // namespace ringpost::bench
