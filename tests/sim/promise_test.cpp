// What holds the promise up must fall when it is broken: each way of breaking it is found.
#include "tests/sim/promise.h"

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using sim::broken_promise;
using sim::Story;

namespace {

// Two jobs: the first with two recipients, the second with one.
struct World {
  sim::Plan plan;
  Story story{plan, {}, {{0, 0}, {0, 1}, {1, 0}}, 0, {{"j0", "Hello.\r\n"}, {"j1", "Hi"}}};
  test::TakenMessage first{"j0@a.example", {"r0.j0@b.example", "r1.j0@b.example"}, "Hello.\r\n"};
  test::TakenMessage second{"j1@a.example", {"r0.j1@b.example"}, "Hi\r\n"};
  std::vector<const test::TakenMessage*> taken = {&first, &second};

  World() {
    story.told = {{0, 0, Status::accepted}, {0, 1, Status::accepted}, {1, 0, Status::accepted}};
  }
  [[nodiscard]] std::string broken() const { return broken_promise(story, taken); }
};

}  // namespace

TEST_CASE("promise: what is told and what the servers have agree") {
  World world;
  CHECK(world.broken() == "");
  world.story.told[2].status = Status::unknown;
  CHECK(world.broken() == "");
  world.taken.pop_back();
  CHECK(world.broken() == "");
}

TEST_CASE("promise: a message that was accepted and is nowhere breaks it") {
  World world;
  world.taken.pop_back();
  CHECK(world.broken() == "line 1, recipient 0: told accepted, and the servers have 0");
}

TEST_CASE("promise: a message that a server has twice breaks it") {
  World world;
  world.taken.push_back(&world.second);
  CHECK(world.broken() == "line 1, recipient 0: told accepted, and the servers have 2");
  world.story.told[2].status = Status::unknown;
  CHECK(world.broken() != "");
}

TEST_CASE("promise: a second copy is allowed where an unknown message was to be sent again") {
  World world;
  world.plan.resend_unknown = true;
  world.story.told.insert(world.story.told.begin(), {1, 0, Status::unknown});
  world.taken.push_back(&world.second);
  CHECK(world.broken() == "");
  world.taken.push_back(&world.second);
  CHECK(world.broken() != "");
}

TEST_CASE("promise: every other word than accepted and unknown means that no server has it") {
  for (const Status status :
       {Status::rejected, Status::deferred, Status::unsent, Status::invalid, Status::expired}) {
    World world;
    world.story.told[1].status = status;
    world.story.refusals = {{"j0@a.example", "r1.j0@b.example", true}};
    INFO(name_of(status));
    CHECK(world.broken() != "");
    world.first.recipients.pop_back();
    CHECK(world.broken() == "");
  }
}

TEST_CASE("promise: a recipient without a word, and one with a word too many, break it") {
  World world;
  world.story.told.push_back({1, 0, Status::accepted});
  CHECK(world.broken() == "line 1, recipient 0: told accepted behind accepted");
  world.story.told.resize(2);
  CHECK(world.broken() == "line 1, recipient 0: nothing was told");
}

TEST_CASE("promise: a word behind deferred and unsent is the next attempt's") {
  World world;
  world.story.told.insert(world.story.told.begin(),
                          {{1, 0, Status::unsent}, {1, 0, Status::deferred}});
  CHECK(world.broken() == "");
}

TEST_CASE("promise: another content, another recipient or an unknown sender break it") {
  World world;
  world.second.content = "Hi\r\n\r\n";
  CHECK(world.broken() != "");
  world.second.content = "Hi\r\n";
  world.second.recipients = {"r0.j0@b.example"};
  CHECK(world.broken() == "a server has j1 for r0.j0@b.example");
  world.second.recipients = {"r0.j1@b.example"};
  world.second.sender = "j7@a.example";
  CHECK(world.broken() != "");
}

TEST_CASE("promise: rejected is only who was refused for good by a server's own judgement") {
  World world;
  world.story.told[2].status = Status::rejected;
  world.taken.pop_back();
  CHECK(world.broken() == "line 1, recipient 0: told rejected, and no server refused it");
  world.story.refusals = {{"j1@a.example", "r0.j1@b.example", false}, {"j0@a.example", "", true}};
  CHECK(world.broken() != "");
  world.story.refusals = {{"j1@a.example", "r0.j1@b.example", true}};
  CHECK(world.broken() == "");
  world.story.refusals = {{"j1@a.example", "", true}};
  CHECK(world.broken() == "");
}

TEST_CASE("promise: at a sound server nobody is in doubt, unsent, or put off without a reason") {
  for (const Status status : {Status::unknown, Status::unsent, Status::deferred}) {
    World world;
    world.story.told[2].status = status;
    world.taken.pop_back();
    INFO(name_of(status));
    CHECK(world.broken() == "");
    world.plan.sound = true;
    CHECK(world.broken() != "");
    world.story.refusals = {{"j1@a.example", "", false}};
    CHECK((world.broken() == "") == (status == Status::deferred));
  }
}

TEST_CASE("promise: a recipient with a message of his own has that one") {
  World world;
  world.story.contents.erase("j1");
  CHECK(world.broken() != "");
  world.story.contents["r0.j1@b.example"] = "Hi";
  CHECK(world.broken() == "");
  world.story.contents["r0.j1@b.example"] = "Hello";
  CHECK(world.broken() != "");
}
