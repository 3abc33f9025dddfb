#include "tests/support/fake_io.h"

#include <algorithm>
#include <cerrno>

namespace ringpost::test {

std::int64_t FakeIo::unix_time_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch()).count();
}

std::size_t FakeIo::sockets_open() const {
  return static_cast<std::size_t>(std::count_if(sockets_.begin(), sockets_.end(),
                                                [](const Socket& socket) { return socket.open; }));
}

Result<io::Handle, io::IoError> FakeIo::open(const io::SocketAddress&) {
  if (sockets_open() >= sockets_max) {
    return Failure(io::IoError{ENFILE, "every socket is in use"});
  }
  sockets_.emplace_back();
  sockets_.back().open = true;
  return static_cast<io::Handle>(sockets_.size() - 1);
}

void FakeIo::complete(io::Owner owner, io::Handle handle, io::Operation operation,
                      std::int32_t result) {
  io::Completion completion;
  completion.owner = owner;
  completion.handle = handle;
  completion.operation = operation;
  completion.result = result;
  next_.push_back(completion);
}

void FakeIo::connect(io::Handle handle, const io::SocketAddress& address, io::Owner owner) {
  Socket& socket = sockets_[handle];
  if (server_.ignores && server_.ignores(address.text())) {
    socket.connecting = true;
    socket.owner = owner;
    return;
  }
  if (server_.refuses && server_.refuses(address.text())) {
    complete(owner, handle, io::Operation::connect, -ECONNREFUSED);
    return;
  }
  socket.connected = true;
  socket.owner = owner;
  socket.session = sessions_.size();
  sessions_.emplace_back();
  sessions_.back().handle = handle;
  sessions_.back().address = address.text();
  complete(owner, handle, io::Operation::connect, 0);
  take_command(sessions_.back(), "CONNECT");
}

void FakeIo::receive(io::Handle handle, io::Owner owner) {
  Socket& socket = sockets_[handle];
  RP_ASSERT(socket.open && !socket.receiving);
  socket.receiving = true;
  socket.owner = owner;
  deliver(socket);
}

// What has arrived becomes one completion, and the end of the stream another one.
void FakeIo::deliver(Socket& socket) {
  const auto handle = static_cast<io::Handle>(&socket - sockets_.data());
  if (!socket.receiving) {
    return;
  }
  if (!socket.arrived.empty()) {
    next_octets_.push_back(std::move(socket.arrived));
    socket.arrived.clear();
    complete(socket.owner, handle, io::Operation::receive,
             static_cast<std::int32_t>(next_octets_.back().size()));
    next_.back().data = next_octets_.back();
    next_.back().more = true;
  }
  if (socket.end_arrived) {
    socket.receiving = false;
    complete(socket.owner, handle, io::Operation::receive, 0);
  }
}

void FakeIo::send(io::Handle handle, Bytes bytes, io::Owner owner) {
  Socket& socket = sockets_[handle];
  RP_ASSERT(socket.open && socket.connected);
  FakeSession& session = sessions_[socket.session];
  if (session.ended) {
    complete(owner, handle, io::Operation::send, -EPIPE);
    return;
  }
  complete(owner, handle, io::Operation::send, static_cast<std::int32_t>(bytes.size()));
  session.unread.append(bytes);
  read_commands(session);
}

void FakeIo::read_commands(FakeSession& session) {
  for (;;) {
    const std::size_t end = session.unread.find("\r\n");
    if (end == std::string::npos || session.ended || session.busy) {
      return;
    }
    const std::string line = session.unread.substr(0, end);
    session.unread.erase(0, end + 2);
    if (session.in_content && line != ".") {
      session.content += line + "\r\n";
    } else {
      take_command(session, line);
    }
  }
}

void FakeIo::close(io::Handle handle, io::Owner owner) {
  Socket& socket = sockets_[handle];
  RP_ASSERT(socket.open);
  socket.open = false;
  if (socket.receiving) {
    socket.receiving = false;
    complete(socket.owner, handle, io::Operation::receive, -ECANCELED);
  }
  if (socket.connecting) {
    socket.connecting = false;
    complete(socket.owner, handle, io::Operation::connect, -ECANCELED);
  }
  if (socket.connected) {
    sessions_[socket.session].ended = true;
  }
  complete(owner, handle, io::Operation::close, 0);
}

std::span<const io::Completion> FakeIo::wait(Instant deadline) {
  deadline_ = deadline;
  handed_out_.clear();
  handed_out_.swap(next_);
  handed_out_octets_.clear();
  handed_out_octets_.swap(next_octets_);
  for (io::Completion& completion : handed_out_) {
    RP_ASSERT(completion.operation != io::Operation::receive || completion.result <= 0 ||
              !completion.data.empty());
  }
  if (woken_) {
    handed_out_.emplace_back();
    woken_ = false;
  }
  asleep_ = handed_out_.empty() && deadline >= clock_stops_at;
  if (handed_out_.empty() && !asleep_) {
    now_ = std::max(now_, deadline);
  }
  return handed_out_;
}

void FakeIo::say(io::Handle handle, const FakeAnswer& answer) {
  FakeSession& session = sessions_[sockets_[handle].session];
  reply(session, answer);
  read_commands(session);
}

void FakeIo::reply(FakeSession& session, const FakeAnswer& answer) {
  Socket& socket = sockets_[session.handle];
  socket.arrived += answer.reply;
  session.busy = answer.reply.empty();
  if (answer.close) {
    session.ended = true;
    socket.end_arrived = true;
  }
  deliver(socket);
}

void FakeIo::take_command(FakeSession& session, const std::string& command) {
  session.commands.push_back(command);
  session.in_content = false;
  FakeChoice answer;
  if (server_.answer) {
    answer = server_.answer(session, command);
  }
  if (!answer) {
    answer = ordinary_answer(session, command);
  }
  if (command == "DATA" && answer->reply.starts_with("354")) {
    session.in_content = true;
    session.content.clear();
  }
  if (command == "." && answer->reply.starts_with("2")) {
    ++session.accepted;
  }
  reply(session, *answer);
}

FakeAnswer FakeIo::ordinary_answer(FakeSession& session, const std::string& command) const {
  if (command == "CONNECT") {
    return {"220 fake.example\r\n"};
  }
  if (command.starts_with("EHLO")) {
    return {server_.ehlo_reply};
  }
  if (command == "DATA") {
    return {"354 go on\r\n"};
  }
  if (command == ".") {
    return {"250 2.0.0 OK queued as " + std::to_string(session.handle) + "-" +
            std::to_string(session.accepted) + "\r\n"};
  }
  if (command == "QUIT") {
    return {"221 bye\r\n", true};
  }
  return {"250 OK\r\n"};
}

}  // namespace ringpost::test
