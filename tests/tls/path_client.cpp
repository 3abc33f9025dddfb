// A TLS client that only says whether it would talk to a server: the product's own channel over a
// socket, for path_test.py, which compares its word with that of other programs.
//
// Each line of the standard input is "PORT HOST CAFILE" (a server on 127.0.0.1, the name that is
// asked for, the CAs that are trusted beside the system's); the answer is one line, "accepted" or
// the kind of the error, a tab, and its message. All handshakes are of one process, so that what
// one of them leaves behind would show in the next.
#include <arpa/inet.h>
#include <array>
#include <iostream>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "codec/text/byte_buffer.h"
#include "tls/channel.h"
#include "tls/context.h"

namespace {

using namespace ringpost;

constexpr int patience_seconds = 10;
constexpr std::size_t block_bytes = 16'384;

int connect_to(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{patience_seconds, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

void flush(tls::Channel& channel, int fd) {
  std::array<char, block_bytes> memory;
  ByteBuffer output(memory.data(), memory.size());
  for (bool more = true; more;) {
    more = channel.take_output(output);
    const Bytes octets = output.bytes();
    if (!octets.empty() && send(fd, octets.data(), octets.size(), MSG_NOSIGNAL) < 0) {
      return;
    }
    output.clear();
  }
}

Result<void, tls::TlsError> shake_hands(tls::Context& context, const std::string& host, int fd) {
  auto channel = tls::Channel::create(context, host);
  if (!channel) {
    return Failure(channel.error());
  }
  std::array<char, block_bytes> block{};
  while (true) {
    const auto done = (*channel)->handshake();
    flush(**channel, fd);
    if (!done) {
      return Failure(done.error());
    }
    if (*done) {
      (*channel)->close_notify();
      flush(**channel, fd);
      return {};
    }
    const ssize_t count = recv(fd, block.data(), block.size(), 0);
    if (count > 0) {
      (*channel)->feed({block.data(), static_cast<std::size_t>(count)});
    } else {
      (*channel)->feed_end();
    }
  }
}

std::string answer(const std::map<std::string, std::unique_ptr<tls::Context>>& contexts,
                   const std::string& authorities, const std::string& host, int port) {
  const int fd = connect_to(port);
  if (fd < 0) {
    return "nobody\tnobody listens there";
  }
  const auto done = shake_hands(*contexts.at(authorities), host, fd);
  close(fd);
  return done ? "accepted\t"
              : std::string(tls::name_of(done.error().kind)) + '\t' + done.error().message();
}

}  // namespace

int main() {
  // A context for each file of CAs, as a worker has one for each endpoint.
  std::map<std::string, std::unique_ptr<tls::Context>> contexts;
  int port = 0;
  std::string host;
  std::string authorities;
  while (std::cin >> port >> host >> authorities) {
    if (!contexts.contains(authorities)) {
      tls::ContextOptions options;
      options.ca_file = authorities;
      auto context = tls::Context::create(options);
      if (!context) {
        std::cout << tls::name_of(context.error().kind) << '\t' << context.error().message()
                  << std::endl;
        continue;
      }
      contexts.emplace(authorities, std::move(*context));
    }
    std::cout << answer(contexts, authorities, host, port) << std::endl;
  }
}
