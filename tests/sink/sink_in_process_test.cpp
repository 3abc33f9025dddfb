// The sink as tests, benchmarks and the demo use it: started, asked and stopped inside the process.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "tests/support/io_under_test.h"
#include "tools/sink/sink.h"

using namespace ringpost;
using namespace ringpost::sink;

namespace {

SinkOptions any_ports() {
  SinkOptions options;
  options.io = ringpost::test::io_under_test();
  options.listen_starttls = "127.0.0.1:0";
  options.listen_tls = "[::1]:0";
  options.listen_plain = "127.0.0.1:0";
  return options;
}

// A blocking client in clear.
class Client {
 public:
  explicit Client(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
            0);
  }
  ~Client() { ::close(descriptor_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void say(std::string_view octets) {
    REQUIRE(::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(octets.size()));
  }
  // All that comes until it ends with `end`, or until the stream does.
  std::string hear(std::string_view end) {
    std::string heard;
    std::array<char, 4096> buffer{};
    while (!heard.ends_with(end)) {
      const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
      if (count <= 0) {
        break;
      }
      heard.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return heard;
  }

 private:
  int descriptor_;
};

constexpr std::string_view message = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 3 LAST\r\nx\r\n";

}  // namespace

TEST_CASE("sink: numbers are there as soon as a reply is, and stay after the stop") {
  auto sink = Sink::start(any_ports());
  REQUIRE(sink);
  REQUIRE((*sink)->port(ListenerKind::starttls) != 0);
  REQUIRE((*sink)->address(ListenerKind::tls).starts_with("[::1]:"));
  REQUIRE(::access((*sink)->certificate_file().c_str(), R_OK) == 0);
  {
    Client client((*sink)->port(ListenerKind::plain));
    client.hear("sink\r\n");
    client.say("EHLO x\r\n");
    client.hear("250 HELP\r\n");
    for (int i = 0; i < 100; ++i) {
      client.say(message);
      client.hear("queued as 1-" + fmt::format("{:x}", i + 1) + "\r\n");
      REQUIRE((*sink)->tally()[Count::messages_accepted] == static_cast<std::uint64_t>(i + 1));
    }
    REQUIRE((*sink)->cpu_time().total() > Duration::zero());
    client.say("QUIT\r\n");
    client.hear("221 2.0.0 Bye\r\n");
  }
  const Summary summary = (*sink)->stop();
  REQUIRE(summary.tally[Count::messages_accepted] == 100);
  REQUIRE(summary.tally[Count::content_bytes] == 300);
  REQUIRE(summary.tally.violations_total() == 0);
  REQUIRE(summary.cpu.total() > Duration::zero());
  REQUIRE((*sink)->stop().tally.counts == summary.tally.counts);
  REQUIRE((*sink)->tally().counts == summary.tally.counts);
}

TEST_CASE("sink: several live side by side, and a port has one of them only") {
  auto first = Sink::start(any_ports());
  auto second = Sink::start(any_ports());
  REQUIRE(first);
  REQUIRE(second);
  SinkOptions options = any_ports();
  options.listen_plain = (*first)->address(ListenerKind::plain);
  const auto third = Sink::start(options);
  REQUIRE_FALSE(third);
  REQUIRE(third.error().find((*first)->address(ListenerKind::plain)) != std::string::npos);
}

TEST_CASE("sink: it finishes by itself behind the last message that it was to take") {
  SinkOptions options = any_ports();
  options.messages_max = 2;
  auto sink = Sink::start(options);
  REQUIRE(sink);
  Client client((*sink)->port(ListenerKind::plain));
  client.hear("sink\r\n");
  client.say("EHLO x\r\n");
  client.hear("250 HELP\r\n");
  client.say(message);
  client.hear("queued as 1-1\r\n");
  REQUIRE_FALSE((*sink)->finished());
  client.say(message);
  const std::string heard = client.hear("nothing: the stream ends");
  REQUIRE(heard.ends_with("queued as 1-2\r\n421 4.3.2 The sink is going down\r\n"));
  REQUIRE((*sink)->finished());
  REQUIRE((*sink)->stop().tally[Count::messages_accepted] == 2);
}

TEST_CASE("sink: with no listener but a plain one there is no certificate") {
  SinkOptions options = any_ports();
  options.listen_starttls.clear();
  options.listen_tls.clear();
  const auto sink = Sink::start(options);
  REQUIRE(sink);
  REQUIRE((*sink)->certificate_file().empty());
  REQUIRE((*sink)->port(ListenerKind::tls) == 0);
}
