#include "bench/e2e/floor_session.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <fmt/format.h>
// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
// clang-format on

namespace ringpost::bench {

namespace {

// AUTH PLAIN as "ringpost" with the password "ringpost" (RFC 4616).
constexpr std::string_view login = "AUTH PLAIN AHJpbmdwb3N0AHJpbmdwb3N0\r\n";
// A peer that says nothing for so long has failed.
constexpr timeval silence_max{.tv_sec = 60, .tv_usec = 0};

Failure<std::string> system_error(std::string_view what) {
  return Failure(fmt::format("{}: {}", what, std::strerror(errno)));
}

Failure<std::string> tls_error(std::string_view what, WOLFSSL* tls, int result) {
  return Failure(fmt::format("{}: wolfSSL error {}", what, wolfSSL_get_error(tls, result)));
}

}  // namespace

WOLFSSL_CTX* make_context(const std::string& ca_file) {
  WOLFSSL_CTX* context = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
  if (context != nullptr &&
      (wolfSSL_CTX_set_cipher_list(context, "TLS13-AES128-GCM-SHA256") != WOLFSSL_SUCCESS ||
       wolfSSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != WOLFSSL_SUCCESS)) {
    wolfSSL_CTX_free(context);
    return nullptr;
  }
  return context;
}

FloorSession::~FloorSession() {
  wolfSSL_free(tls_);
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Result<void, std::string> FloorSession::open(const Peer& peer) {
  if (auto connected = connect(peer.port); !connected) {
    return connected;
  }
  if (auto greeting = ask("", "220"); !greeting) {
    return Failure(greeting.error());
  }
  auto ehlo = ask("EHLO localhost\r\n", "250");
  if (ehlo && peer.context != nullptr) {
    if (auto ready = ask("STARTTLS\r\n", "220"); !ready) {
      return Failure(ready.error());
    }
    if (auto done = start_tls(peer.context); !done) {
      return done;
    }
    ehlo = ask("EHLO localhost\r\n", "250");
  }
  if (!ehlo) {
    return Failure(ehlo.error());
  }
  for (const std::string_view extension : {"PIPELINING", "CHUNKING"}) {
    if (ehlo->find(extension) == std::string::npos) {
      return Failure(fmt::format("the server does not announce {}", extension));
    }
  }
  if (peer.context != nullptr) {
    if (auto welcome = ask(login, "235"); !welcome) {
      return Failure(welcome.error());
    }
  }
  return {};
}

Result<void, std::string> FloorSession::connect(std::uint16_t port) {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) {
    return system_error("socket");
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return system_error("connect");
  }
  const int on = 1;
  if (::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &silence_max, sizeof silence_max) != 0 ||
      ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &silence_max, sizeof silence_max) != 0) {
    return system_error("setsockopt");
  }
  return {};
}

Result<void, std::string> FloorSession::start_tls(WOLFSSL_CTX* context) {
  ciphertext_.resize(std::size_t{1} << 16);
  tls_ = wolfSSL_new(context);
  if (tls_ == nullptr || wolfSSL_check_domain_name(tls_, "localhost") != WOLFSSL_SUCCESS) {
    return Failure(std::string("TLS: no session could be made"));
  }
  wolfSSL_SSLSetIORecv(tls_, &FloorSession::receive_for_tls);
  wolfSSL_SSLSetIOSend(tls_, &FloorSession::send_for_tls);
  wolfSSL_SetIOReadCtx(tls_, this);
  wolfSSL_SetIOWriteCtx(tls_, this);
  if (const int result = wolfSSL_connect(tls_); result != WOLFSSL_SUCCESS) {
    return tls_error("TLS handshake", tls_, result);
  }
  return {};
}

std::string FloorSession::cipher() const {
  return tls_ == nullptr
             ? std::string()
             : fmt::format("{} {}", wolfSSL_get_version(tls_), wolfSSL_get_cipher_name(tls_));
}

int FloorSession::receive_for_tls(WOLFSSL*, char* data, int size, void* session) {
  auto& self = *static_cast<FloorSession*>(session);
  if (self.ciphertext_begin_ == self.ciphertext_end_) {
    const ssize_t count =
        ::recv(self.descriptor_, self.ciphertext_.data(), self.ciphertext_.size(), 0);
    if (count <= 0) {
      return count == 0 ? WOLFSSL_CBIO_ERR_CONN_CLOSE : WOLFSSL_CBIO_ERR_GENERAL;
    }
    self.ciphertext_begin_ = 0;
    self.ciphertext_end_ = static_cast<std::size_t>(count);
  }
  const std::size_t count =
      std::min(static_cast<std::size_t>(size), self.ciphertext_end_ - self.ciphertext_begin_);
  std::memcpy(data, self.ciphertext_.data() + self.ciphertext_begin_, count);
  self.ciphertext_begin_ += count;
  return static_cast<int>(count);
}

int FloorSession::send_for_tls(WOLFSSL*, char* data, int size, void* session) {
  auto& self = *static_cast<FloorSession*>(session);
  const Bytes octets(data, static_cast<std::size_t>(size));
  return self.send_in_clear(octets) ? size : WOLFSSL_CBIO_ERR_GENERAL;
}

Result<void, std::string> FloorSession::send_in_clear(Bytes octets) {
  while (!octets.empty()) {
    const ssize_t count = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count < 0) {
      return system_error("send");
    }
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void, std::string> FloorSession::send(Bytes octets) {
  if (tls_ == nullptr) {
    return send_in_clear(octets);
  }
  const int size = static_cast<int>(octets.size());
  if (const int result = wolfSSL_write(tls_, octets.data(), size); result != size) {
    return tls_error("TLS write", tls_, result);
  }
  return {};
}

Result<Bytes, std::string> FloorSession::read_some() {
  if (tls_ != nullptr) {
    const int count = wolfSSL_read(tls_, plaintext_.data(), static_cast<int>(plaintext_.size()));
    if (count <= 0) {
      return tls_error("TLS read", tls_, count);
    }
    return Bytes(plaintext_.data(), static_cast<std::size_t>(count));
  }
  const ssize_t count = ::recv(descriptor_, plaintext_.data(), plaintext_.size(), 0);
  if (count < 0) {
    return system_error("recv");
  }
  if (count == 0) {
    return Failure(std::string("the server closed the connection"));
  }
  return Bytes(plaintext_.data(), static_cast<std::size_t>(count));
}

Result<std::string, std::string> FloorSession::ask(std::string_view command,
                                                   std::string_view code) {
  if (auto sent = send(Bytes(command.data(), command.size())); !sent) {
    return Failure(sent.error());
  }
  std::string reply;
  std::size_t last_line = 0;  // where it begins
  while (true) {
    auto octets = read_some();
    if (!octets) {
      return Failure(octets.error());
    }
    reply.append(octets->data(), octets->size());
    for (std::size_t end; (end = reply.find('\n', last_line)) != std::string::npos;) {
      if (reply.compare(last_line, code.size(), code) != 0) {
        return Failure(fmt::format("instead of {} came: {}", code, reply));
      }
      if (reply[last_line + code.size()] == ' ') {
        return reply;
      }
      last_line = end + 1;
    }
  }
}

Result<void, std::string> FloorSession::receive() {
  auto octets = read_some();
  return octets ? count(*octets) : Result<void, std::string>(Failure(octets.error()));
}

Result<void, std::string> FloorSession::count(Bytes octets) {
  while (!octets.empty()) {
    const auto* end = static_cast<const char*>(std::memchr(octets.data(), '\n', octets.size()));
    if (end == nullptr) {
      line_.append(octets.data(), octets.size());
      return {};
    }
    const auto length = static_cast<std::size_t>(end - octets.data());
    std::string_view line(octets.data(), length);
    if (!line_.empty()) {
      line_.append(line);
      line = line_;
    }
    if (line.size() < 4 || !line.starts_with("250")) {
      return Failure(fmt::format("instead of 250 came: {}", line));
    }
    replies_ += line[3] == ' ' ? 1U : 0U;
    line_.clear();
    octets.remove_prefix(length + 1);
  }
  return {};
}

Result<void, std::string> FloorSession::quit() {
  auto bye = ask("QUIT\r\n", "221");
  return bye ? Result<void, std::string>() : Failure(bye.error());
}

}  // namespace ringpost::bench
