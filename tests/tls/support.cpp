#include "support.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::tls::test {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;

std::string read_whole(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "ringpost-tls-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(folder_); }

std::string TemporaryFolder::path(std::string_view name) const {
  return folder_ + "/" + std::string(name);
}

std::string TemporaryFolder::write(std::string_view name, std::string_view text) const {
  std::ofstream(path(name), std::ios::binary) << text;
  return path(name);
}

std::string TemporaryFolder::read(std::string_view name) const { return read_whole(path(name)); }

std::string TemporaryFolder::run(const std::string& command) const {
  const std::string whole = "cd '" + folder_ + "' && (" + command + ") >run.log 2>&1";
  const int status = std::system(whole.c_str());
  const std::string output = read("run.log");
  INFO(command << "\n" << output);
  REQUIRE(status == 0);
  return output;
}

SelfSigned identity_for(const std::vector<std::string>& names) {
  auto identity = make_self_signed(names, 30);
  REQUIRE(identity);
  return *identity;
}

std::unique_ptr<Context> server_context(const SelfSigned& identity) {
  ContextOptions options;
  options.role = Role::server;
  options.certificate_pem = identity.certificate_pem;
  options.key_pem = identity.key_pem;
  auto context = Context::create(options);
  INFO((context ? std::string() : context.error().message()));
  REQUIRE(context);
  return std::move(*context);
}

std::unique_ptr<Context> client_context(std::string_view ca_pem, bool verify) {
  ContextOptions options;
  options.ca_pem = ca_pem;
  options.verify_peer = verify;
  auto context = Context::create(options);
  INFO((context ? std::string() : context.error().message()));
  REQUIRE(context);
  return std::move(*context);
}

End::End(Context& context, std::string_view host, TicketCache* tickets) {
  auto created = Channel::create(context, host, tickets);
  REQUIRE(created);
  channel = std::move(*created);
}

void End::advance() {
  if (error || closed) {
    return;
  }
  if (!done) {
    const auto result = channel->handshake();
    if (!result) {
      error = result.error();
      return;
    }
    done = *result;
    if (!done) {
      return;
    }
  }
  for (;;) {
    const auto result = channel->read();
    if (!result) {
      error = result.error();
      return;
    }
    if (result->state == ReadState::closed) {
      closed = true;
      return;
    }
    if (result->state == ReadState::need_more) {
      return;
    }
    received += result->plaintext;
  }
}

void End::deliver(Bytes ciphertext, std::size_t split) {
  if (split == 0) {
    split = std::max<std::size_t>(ciphertext.size(), 1);
  }
  while (!ciphertext.empty()) {
    // A copy of its own size, so that a sanitizer sees a read beyond it.
    const std::string piece(ciphertext.substr(0, split));
    ciphertext.remove_prefix(piece.size());
    channel->feed(piece);
    advance();
    if (error || closed) {
      return;
    }
  }
}

void End::deliver_end() {
  channel->feed_end();
  advance();
}

std::string End::output() {
  std::string all;
  std::array<char, 100> memory;
  bool more = true;
  while (more) {
    ByteBuffer buffer(memory.data(), memory.size());
    more = channel->take_output(buffer);
    all += buffer.bytes();
  }
  CHECK_FALSE(channel->has_output());
  return all;
}

std::string End::seal(Bytes plaintext) {
  const std::size_t room = channel->sealed_bytes_max(plaintext.size());
  std::string memory(room, '\0');
  ByteBuffer buffer(memory.data(), memory.size());
  const auto sealed = channel->seal(plaintext, buffer);
  INFO((sealed ? std::string() : sealed.error().message()));
  REQUIRE(sealed);
  CHECK(buffer.size() <= room);
  return std::string(buffer.bytes());
}

void exchange(End& client, End& server, std::size_t split) {
  client.advance();
  for (int quiet = 0; quiet < 2;) {
    const std::string to_server = client.output();
    server.deliver(to_server, split);
    const std::string to_client = server.output();
    client.deliver(to_client, split);
    quiet = to_server.empty() && to_client.empty() ? quiet + 1 : 0;
  }
}

Listener::Listener() {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd_ >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(listen(fd_, 8) == 0);
  REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
}

Listener::~Listener() { close(fd_); }

int Listener::accept() const {
  pollfd waiting{fd_, POLLIN, 0};
  REQUIRE(poll(&waiting, 1, std::chrono::milliseconds(patience).count()) == 1);
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  REQUIRE(fd >= 0);
  return fd;
}

int connect_to(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

Wire::~Wire() { close(fd_); }

void Wire::flush() {
  const std::string octets = end_.output();
  for (std::size_t sent = 0; sent < octets.size();) {
    const ssize_t count = ::send(fd_, octets.data() + sent, octets.size() - sent, MSG_NOSIGNAL);
    if (count < 0) {
      return;  // the peer has gone: its last words are still there to be read
    }
    sent += static_cast<std::size_t>(count);
  }
}

bool Wire::receive_some() {
  pollfd waiting{fd_, POLLIN, 0};
  REQUIRE(poll(&waiting, 1, std::chrono::milliseconds(patience).count()) == 1);
  std::array<char, 3000> memory;
  const ssize_t count = recv(fd_, memory.data(), memory.size(), 0);
  if (count <= 0) {
    end_.deliver_end();
    return false;
  }
  end_.deliver({memory.data(), static_cast<std::size_t>(count)});
  flush();
  return true;
}

void Wire::shake_hands() {
  end_.advance();
  flush();
  while (!end_.done && !end_.error && receive_some()) {
  }
}

void Wire::send(Bytes plaintext) {
  const std::string octets = end_.seal(plaintext);
  REQUIRE(::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(octets.size()));
}

void Wire::receive_until(std::string_view text) {
  while (end_.received.find(text) == std::string::npos && !end_.error && !end_.closed &&
         receive_some()) {
  }
}

Program::Program(const std::string& command, std::string output_file)
    : output_file_(std::move(output_file)) {
  std::array<int, 2> pipe{};
  REQUIRE(pipe2(pipe.data(), O_CLOEXEC) == 0);
  // Emptied before the program starts, so that nobody waits for the words of its predecessor.
  const int output = open(output_file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  REQUIRE(output >= 0);
  const std::string whole = "exec " + command;
  pid_ = fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    dup2(pipe[0], STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execl("/bin/sh", "sh", "-c", whole.c_str(), nullptr);
    _exit(127);
  }
  close(output);
  close(pipe[0]);
  input_ = pipe[1];
}

Program::~Program() {
  end_input();
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void Program::type(std::string_view text) const {
  REQUIRE(write(input_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

void Program::end_input() {
  if (input_ >= 0) {
    close(std::exchange(input_, -1));
  }
}

std::string Program::wait_for(std::string_view text) const {
  const auto end = std::chrono::steady_clock::now() + patience;
  std::string output;
  while (output.find(text) == std::string::npos && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(5ms);
    output = read_whole(output_file_);
  }
  INFO(output);
  REQUIRE(output.find(text) != std::string::npos);
  return output;
}

int Program::wait() {
  int status = 0;
  REQUIRE(waitpid(std::exchange(pid_, -1), &status, 0) > 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace ringpost::tls::test
