// What one seed decides before anything happens: jobs, endpoint, server, faults and deaths.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/network.h"
#include "tests/sim/random.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_io.h"
#include <ringpost/config.h>

namespace ringpost::sim {

enum class JournalKind : std::uint8_t { none, process, power };

// How one life of the process goes.
struct LifePlan {
  std::uint64_t acts = 0;                 // it dies at the next one; Lifetime::endless: it does not
  bool power_cut = false;                 // and the machine with it
  Duration stop_after = Duration::max();  // SIGTERM
  Duration abort_after = Duration::max();  // and another one
  Duration deadline = Duration::max();     // --deadline
  SimIoOptions io;
  SimDiskOptions disk;
};

struct Plan {
  std::uint64_t seed = 0;
  // Nothing fails but what the server has not shown that it can, nobody kills anybody, and the
  // server is one that takes whatever it is given in the right way: so more is promised.
  bool sound = false;
  // What works at one time need not work at another, or at another node: a way of speaking may be
  // refused behind a success, and such a refusal is taken for what it says.
  bool fickle = false;
  std::vector<std::string> lines;  // of the job file
  std::size_t transactions = 0;    // as small as an endpoint or a server makes them

  JournalKind journal = JournalKind::none;
  bool resend_unknown = false;
  std::size_t workers = 1;
  std::size_t readers = 1;
  std::size_t outcome_threads = 1;
  std::size_t lines_in_hand_max = 1000;  // of a reader
  std::size_t jobs_in_flight_max = 16;
  std::size_t jobs_per_push_max = 1;
  std::size_t retry_jobs_max = 8;
  std::uint64_t taken_back_one_in = 0;  // messages, at some time in the life that reads them
  EndpointOptions endpoint;
  std::uint64_t name_failure_one_in = 0;  // look-ups
  NetworkOptions network;
  std::vector<LifePlan> lives;  // the last one has no end and no fault of the machine
};

[[nodiscard]] Plan make_plan(std::uint64_t seed);
// One line for people.
[[nodiscard]] std::string describe(const Plan& plan);

}  // namespace ringpost::sim
