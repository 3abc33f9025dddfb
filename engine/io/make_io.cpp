// The problem: whether io_uring can be had is known by nobody but the kernel, and a sandbox may
// refuse any of its three system calls. The idea: a small ring is made and used once, before the
// threads begin, so that all of them use the same and what happens is said once. Limits: a ring
// that can be had small and not large, for lack of memory or files, is an error as it always was.
#include "engine/io/make_io.h"

#include <array>
#include <cerrno>
#include <utility>

#include "engine/io/epoll.h"
#include "engine/io/ring.h"

namespace ringpost::io {

namespace {

constexpr std::array<std::pair<std::string_view, IoChoice>, 3> choice_names = {
    {{"auto", IoChoice::automatic}, {"ring", IoChoice::ring}, {"epoll", IoChoice::epoll}}};

// Through all three calls: one to make it, one to register its table, and one to reap its wake-up.
Result<void, IoError> try_ring() {
  auto ring = Ring::create({.sockets_max = 1,
                            .receive_buffers = 1,
                            .receive_buffer_bytes = 64,
                            .submission_entries = 2});
  if (!ring) {
    return Failure(ring.error());
  }
  (*ring)->wake();
  if ((*ring)->wait((*ring)->now() + std::chrono::seconds(1)).empty()) {
    return Failure(IoError{
        EPERM, "io_uring is refused here: the seccomp profile has to allow io_uring_enter"});
  }
  return {};
}

template <typename Kind>
Result<std::unique_ptr<Io>, IoError> make(const IoOptions& options) {
  auto made = Kind::create(options);
  if (!made) {
    return Failure(made.error());
  }
  return std::unique_ptr<Io>(std::move(*made));
}

}  // namespace

Result<FoundIo, IoError> find_io(IoChoice choice) {
  if (choice == IoChoice::epoll) {
    return FoundIo{.kind = IoChoice::epoll, .why_no_ring = {}};
  }
  const auto tried = try_ring();
  if (tried) {
    return FoundIo{.kind = IoChoice::ring, .why_no_ring = {}};
  }
  if (choice == IoChoice::ring) {
    return Failure(tried.error());
  }
  return FoundIo{.kind = IoChoice::epoll, .why_no_ring = tried.error().message()};
}

std::string FoundIo::notice() const {
  return why_no_ring.empty() ? std::string() : "goes on with epoll: " + why_no_ring;
}

Result<std::unique_ptr<Io>, IoError> make_io(IoChoice kind, const IoOptions& options) {
  RP_ASSERT(kind != IoChoice::automatic);
  return kind == IoChoice::ring ? make<Ring>(options) : make<Epoll>(options);
}

std::string_view name_of(IoChoice choice) {
  return choice_names[static_cast<std::size_t>(choice)].first;
}

std::optional<IoChoice> io_choice_of(std::string_view name) {
  for (const auto& [word, choice] : choice_names) {
    if (word == name) {
      return choice;
    }
  }
  return std::nullopt;
}

}  // namespace ringpost::io
