#include "tests/sim/sim_io.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringpost::sim {

namespace {

constexpr std::int64_t hour_us = 3'600'000'000;

}  // namespace

std::int64_t SimIo::unix_time_us() const {
  const auto since_begin = now_ - Instant(std::chrono::hours(1000));
  return time_begin_us + clock_offset_us_ +
         std::chrono::duration_cast<std::chrono::microseconds>(since_begin).count();
}

bool SimIo::awake() const {
  return woken_ || !settled_ || !next_.empty() || !prepared_.empty() || network_.now() >= deadline_;
}

// ---- Operations ---------------------------------------------------------------------------------

Result<io::Handle, io::IoError> SimIo::open(const io::SocketAddress&) {
  if (sockets_.size() - free_.size() >= options_.sockets_max) {
    return Failure(io::IoError{ENFILE, "every socket is in use"});
  }
  if (random_.sometimes(options_.open_failure_one_in)) {
    return Failure(io::IoError{random_.one_in(2) ? EMFILE : ENOBUFS, "socket"});
  }
  if (free_.empty()) {
    free_.push_back(static_cast<io::Handle>(sockets_.size()));
    sockets_.emplace_back();
  }
  const io::Handle handle = free_.back();
  free_.pop_back();
  sockets_[handle] = Socket{};
  sockets_[handle].open = true;
  return handle;
}

void SimIo::connect(io::Handle handle, const io::SocketAddress& address, io::Owner owner) {
  RP_ASSERT(sockets_[handle].open);
  sockets_[handle].address = address;
  sockets_[handle].connect_under_way = true;
  prepared_.push_back({io::Operation::connect, handle, owner, {}});
}

void SimIo::receive(io::Handle handle, io::Owner owner) {
  RP_ASSERT(sockets_[handle].open && !sockets_[handle].receive_under_way);
  sockets_[handle].receive_under_way = true;
  prepared_.push_back({io::Operation::receive, handle, owner, {}});
}

void SimIo::send(io::Handle handle, Bytes bytes, io::Owner owner) {
  RP_ASSERT(sockets_[handle].open && !sockets_[handle].send_under_way && !bytes.empty());
  sockets_[handle].send_under_way = true;
  prepared_.push_back({io::Operation::send, handle, owner, bytes});
}

void SimIo::close(io::Handle handle, io::Owner owner) {
  RP_ASSERT(sockets_[handle].open);
  prepared_.push_back({io::Operation::close, handle, owner, {}});
}

std::span<const io::Completion> SimIo::wait(Instant deadline) {
  free_.insert(free_.end(), closed_.begin(), closed_.end());
  closed_.clear();
  hand_over();
  now_ = network_.now();
  if (random_.sometimes(options_.clock_jump_one_in)) {
    clock_offset_us_ += static_cast<std::int64_t>(random_.below(2 * hour_us)) - hour_us;
  }
  handed_out_.clear();
  handed_out_.swap(next_);
  handed_out_octets_.clear();
  handed_out_octets_.swap(next_octets_);
  if (woken_) {
    handed_out_.emplace_back();
    woken_ = false;
  }
  if (!lifetime_.alive() && handed_out_.empty() && deadline != never) {
    now_ = std::max(now_, deadline);  // nobody waits for the dead
  }
  const bool was_quiet = std::exchange(quiet_, handed_out_.empty() && deadline > now_);
  settled_ = quiet_ && was_quiet && deadline == deadline_;
  deadline_ = deadline;
  return handed_out_;
}

void SimIo::pause(Duration duration) {
  if (lifetime_.alive()) {
    network_.advance_to(network_.now() + duration);
  }
}

// What was prepared leaves in one batch, and the process may die in the middle of it.
void SimIo::hand_over() {
  const std::vector<Prepared> prepared = std::move(prepared_);
  prepared_.clear();
  for (const Prepared& each : prepared) {
    perform(each);
  }
  if (!lifetime_.alive()) {
    leave_network();
  }
}

void SimIo::perform(const Prepared& prepared) {
  Socket& socket = sockets_[prepared.handle];
  socket.owner = prepared.owner;
  if (prepared.operation == io::Operation::close) {
    if (socket.connection != none) {
      network_.close(socket.connection);
    }
    end_operations(socket);
    complete(socket, io::Operation::close, 0);
    socket = Socket{};
    closed_.push_back(prepared.handle);
    return;
  }
  const bool sends = prepared.operation == io::Operation::send;
  const Act act = sends ? lifetime_.act() : lifetime_.alive() ? Act::done : Act::void_;
  if (act == Act::void_) {
    return;  // it ends when the socket is closed
  }
  switch (prepared.operation) {
    case io::Operation::connect:
      socket.connection = network_.connect(*this, socket.address);
      break;
    case io::Operation::receive:
      network_.receive(socket.connection);
      break;
    case io::Operation::send:
      network_.send(socket.connection, prepared.bytes);
      break;
    case io::Operation::close:
    case io::Operation::accept:
    case io::Operation::wake:
      RP_ASSERT(false);
  }
}

// Every operation has its completion, whatever happens.
void SimIo::end_operations(Socket& socket) {
  if (socket.connect_under_way) {
    complete(socket, io::Operation::connect, -ECANCELED);
  }
  if (socket.receive_under_way) {
    complete(socket, io::Operation::receive, -ECANCELED);
  }
  if (socket.send_under_way) {
    complete(socket, io::Operation::send, -ECANCELED);
  }
}

// The kernel closes the sockets of a dead process.
void SimIo::leave_network() {
  if (left_network_) {
    return;
  }
  left_network_ = true;
  for (Socket& socket : sockets_) {
    if (socket.open && socket.connection != none) {
      network_.close(socket.connection);
      socket.connection = none;
    }
  }
}

// ---- What the network says ----------------------------------------------------------------------

io::Completion& SimIo::complete(const Socket& socket, io::Operation operation, int result) {
  io::Completion& completion = next_.emplace_back();
  completion.owner = socket.owner;
  completion.handle = static_cast<io::Handle>(&socket - sockets_.data());
  completion.operation = operation;
  completion.result = result;
  return completion;
}

SimIo::Socket& SimIo::socket_of(std::size_t connection) {
  const auto found = std::find_if(sockets_.begin(), sockets_.end(), [&](const Socket& socket) {
    return socket.open && socket.connection == connection;
  });
  RP_ASSERT(found != sockets_.end());
  return *found;
}

void SimIo::connected(std::size_t connection, int result) {
  Socket& socket = socket_of(connection);
  socket.connect_under_way = false;
  complete(socket, io::Operation::connect, result);
}

void SimIo::arrived(std::size_t connection, std::string octets) {
  Socket& socket = socket_of(connection);
  next_octets_.push_back(std::move(octets));
  io::Completion& completion =
      complete(socket, io::Operation::receive, static_cast<int>(next_octets_.back().size()));
  completion.data = next_octets_.back();
  completion.more = true;
}

void SimIo::stream_ended(std::size_t connection, int result) {
  Socket& socket = socket_of(connection);
  socket.receive_under_way = false;
  complete(socket, io::Operation::receive, result);
}

void SimIo::sent(std::size_t connection, int result) {
  Socket& socket = socket_of(connection);
  socket.send_under_way = false;
  complete(socket, io::Operation::send, result);
}

}  // namespace ringpost::sim
