// Which Io is chosen where, and that what was chosen works. A kernel that refuses is in
// tests/tools/package/seccomp_test.py.
#include "engine/io/make_io.h"

#include <catch2/catch_test_macros.hpp>

#include "engine/io/epoll.h"
#include "engine/io/ring.h"

namespace ringpost::io::test {

TEST_CASE("make_io: epoll that was asked for is no news") {
  const auto found = find_io(IoChoice::epoll);
  REQUIRE(found);
  CHECK(found->kind == IoChoice::epoll);
  CHECK(found->notice().empty());
  const auto made = make_io(found->kind, {});
  REQUIRE(made);
  CHECK(dynamic_cast<Epoll*>(made->get()) != nullptr);
  (*made)->wake();
  CHECK((*made)->wait(never).size() == 1);
}

TEST_CASE("make_io: by itself it is the ring where that can be had, and else says why not") {
  const auto wanted = find_io(IoChoice::ring);
  const auto found = find_io(IoChoice::automatic);
  REQUIRE(found);
  if (!wanted) {
    CHECK(found->kind == IoChoice::epoll);
    CHECK(found->notice().find(wanted.error().message()) != std::string::npos);
    return;
  }
  CHECK(wanted->kind == IoChoice::ring);
  CHECK(found->kind == IoChoice::ring);
  CHECK(found->notice().empty());
  const auto made = make_io(found->kind, {});
  REQUIRE(made);
  CHECK(dynamic_cast<Ring*>(made->get()) != nullptr);
}

TEST_CASE("make_io: choices have names") {
  for (const IoChoice choice : {IoChoice::automatic, IoChoice::ring, IoChoice::epoll}) {
    CHECK(io_choice_of(name_of(choice)) == choice);
  }
  CHECK(io_choice_of("auto") == IoChoice::automatic);
  CHECK_FALSE(io_choice_of("uring"));
  CHECK_FALSE(io_choice_of(""));
}

}  // namespace ringpost::io::test
