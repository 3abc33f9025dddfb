// What bounds the memory of a run. Whether somebody "would wait" is asked of try_acquire(), which
// knows the same bounds and does not wait; what the waiting ones do is proved by joining them.
#include "queue/job_pool.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace ringpost::queue {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

void give_back(JobPool& pool, Job* job) { pool.give_back({&job, 1}); }

// From whoever filled a job to whoever is done with it.
class Handover {
 public:
  void push(Job* job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(job);
    changed_.notify_one();
  }
  // Null when nothing will come any more.
  Job* pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return over_ || !jobs_.empty(); });
    if (jobs_.empty()) {
      return nullptr;
    }
    Job* const job = jobs_.front();
    jobs_.pop_front();
    return job;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job*> jobs_;
  bool over_ = false;
};

}  // namespace

TEST_CASE("job pool: a job comes cleared, and comes again when it was given back") {
  JobPool pool({.jobs_max = 4, .bytes_max = 1u << 20});
  Job* const first = pool.acquire();
  first->id = "one";
  first->content = "text";
  first->add_recipient().address = "a@b.example";
  pool.charge(*first);
  CHECK(pool.jobs_out() == 1);
  give_back(pool, first);
  CHECK(pool.jobs_out() == 0);
  Job* const again = pool.acquire();
  CHECK(again == first);
  CHECK(again->id.empty());
  CHECK(again->content.empty());
  CHECK(again->recipient_count == 0);
  CHECK(again->budget_bytes == 0);
  give_back(pool, again);
}

TEST_CASE("job pool: the bound on jobs is exact") {
  JobPool pool({.jobs_max = 3, .bytes_max = 1u << 20});
  std::array<Job*, 3> jobs{};
  for (Job*& job : jobs) {
    job = pool.try_acquire();
    REQUIRE(job != nullptr);
  }
  CHECK(pool.try_acquire() == nullptr);
  pool.give_back(std::span(jobs).first(1));
  Job* const job = pool.try_acquire();
  CHECK(job != nullptr);
  CHECK(pool.try_acquire() == nullptr);
  jobs[0] = job;
  pool.give_back(jobs);
}

TEST_CASE("job pool: the bound on bytes stops the next job, and never the only one") {
  JobPool pool({.jobs_max = 100, .bytes_max = 10'000});
  Job* const large = pool.try_acquire();
  large->content.assign(1'000'000, 'x');
  pool.charge(*large);
  CHECK(pool.try_acquire() == nullptr);
  give_back(pool, large);
  Job* const next = pool.try_acquire();
  REQUIRE(next != nullptr);
  give_back(pool, next);
}

TEST_CASE("job pool: charging a job again replaces what it counted for") {
  JobPool pool({.jobs_max = 100, .bytes_max = 100'000});
  Job* const job = pool.try_acquire();
  for (int i = 0; i < 10; ++i) {
    job->content.assign(50'000, 'x');
    pool.charge(*job);
  }
  Job* const second = pool.try_acquire();
  REQUIRE(second != nullptr);
  second->content.assign(60'000, 'x');
  pool.charge(*second);
  CHECK(pool.try_acquire() == nullptr);
  give_back(pool, job);
  give_back(pool, second);
}

TEST_CASE("job pool: jobs that are not out keep buffers, and together no more than the bound") {
  constexpr std::size_t bytes_max = 500'000;
  JobPool pool({.jobs_max = 100, .bytes_max = bytes_max});
  std::array<Job*, 100> jobs{};
  for (Job*& job : jobs) {
    job = pool.acquire();
    pool.charge(*job);
  }
  // One after the other has been large, as it happens when large jobs come between small ones.
  for (Job*& job : jobs) {
    job->content.assign(30'000, 'x');
    give_back(pool, job);
  }
  std::size_t kept = 0;
  for (const Job* const job : jobs) {
    kept += job->content.capacity();
  }
  CHECK(kept <= bytes_max);
  CHECK(kept >= 30'000);
}

TEST_CASE("job pool: jobs keep their buffers also when all were out before one came back") {
  constexpr std::size_t count = 1000;
  JobPool pool({.jobs_max = count, .bytes_max = 10'000'000});
  std::vector<Job*> jobs;
  for (std::size_t i = 0; i < count; ++i) {
    Job* const job = pool.acquire();
    job->content.assign(2000, 'x');
    pool.charge(*job);
    jobs.push_back(job);
  }
  for (int round = 0; round < 3; ++round) {
    pool.give_back(jobs);
    for (Job*& job : jobs) {
      job = pool.acquire();
      REQUIRE(job->content.empty());
      REQUIRE(job->content.capacity() >= 2000);
    }
  }
  pool.give_back(jobs);
}

TEST_CASE("job pool: a small job in the buffers of a large one counts for these") {
  JobPool pool({.jobs_max = 100, .bytes_max = 100'000});
  Job* const large = pool.acquire();
  large->content.assign(30'000, 'x');
  give_back(pool, large);
  Job* const small = pool.acquire();
  REQUIRE(small == large);
  small->content = "x";
  pool.charge(*small);
  CHECK(small->budget_bytes >= 30'000);
  give_back(pool, small);
}

TEST_CASE("job pool: whoever waits for room gets it when a job comes back") {
  const bool by_bytes = GENERATE(false, true);
  JobPool pool({.jobs_max = by_bytes ? 100u : 1u, .bytes_max = 10'000});
  for (int round = 0; round < 200; ++round) {
    Job* const held = pool.acquire();
    held->content.assign(20'000, 'x');
    pool.charge(*held);
    std::thread waiting([&pool] { give_back(pool, pool.acquire()); });
    give_back(pool, held);
    waiting.join();
  }
  CHECK(pool.jobs_out() == 0);
}

TEST_CASE("job pool: one job that comes back with many bytes lets all in who find room then") {
  JobPool pool({.jobs_max = 100, .bytes_max = 10'000});
  Job* const large = pool.acquire();
  large->content.assign(20'000, 'x');
  pool.charge(*large);
  std::atomic<int> acquired{0};
  std::vector<std::thread> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back([&] {
      Job* const job = pool.acquire();
      ++acquired;
      acquired.notify_all();
      // Each holds its job until all have one: nobody lives on another's.
      for (int seen = acquired.load(); seen < 4; seen = acquired.load()) {
        acquired.wait(seen);
      }
      give_back(pool, job);
    });
  }
  give_back(pool, large);
  for (std::thread& thread : waiting) {
    thread.join();
  }
  CHECK(acquired.load() == 4);
}

TEST_CASE("job pool: jobs that are set aside leave room for active ones, up to the bound on all") {
  JobPool pool({.jobs_max = 4, .bytes_max = 1u << 20, .jobs_active_max = 2});
  std::vector<Job*> jobs{pool.acquire(), pool.acquire()};
  CHECK(pool.try_acquire() == nullptr);
  pool.set_aside();
  jobs.push_back(pool.try_acquire());
  REQUIRE(jobs.back() != nullptr);
  CHECK(pool.try_acquire() == nullptr);
  pool.set_aside();
  jobs.push_back(pool.try_acquire());
  REQUIRE(jobs.back() != nullptr);
  pool.set_aside();
  CHECK(pool.try_acquire() == nullptr);  // all four are out
  pool.take_up();
  pool.take_up();
  pool.take_up();
  give_back(pool, jobs[0]);
  give_back(pool, jobs[1]);
  CHECK(pool.try_acquire() == nullptr);  // two are active
  give_back(pool, jobs[2]);
  Job* const last = pool.try_acquire();
  CHECK(last != nullptr);
  give_back(pool, last);
  give_back(pool, jobs[3]);
  CHECK(pool.jobs_out() == 0);
}

TEST_CASE("job pool: whoever waits for an active job's room gets it when one is set aside") {
  for (int round = 0; round < 200; ++round) {
    JobPool pool({.jobs_max = 2, .bytes_max = 1u << 20, .jobs_active_max = 1});
    Job* const held = pool.acquire();
    std::thread waiting([&pool] { give_back(pool, pool.acquire()); });
    pool.set_aside();
    waiting.join();
    pool.take_up();
    give_back(pool, held);
  }
}

TEST_CASE("job pool: close() ends every wait with nothing, and there is nothing afterwards") {
  for (int round = 0; round < 100; ++round) {
    JobPool pool({.jobs_max = 1, .bytes_max = 1u << 20});
    Job* const held = pool.acquire();
    std::array<Job*, 3> got{held, held, held};
    std::vector<std::thread> waiting;
    for (Job*& job : got) {
      waiting.emplace_back([&pool, &job] { job = pool.acquire(); });
    }
    pool.close();
    for (std::thread& thread : waiting) {
      thread.join();
    }
    CHECK(std::all_of(got.begin(), got.end(), [](const Job* job) { return job == nullptr; }));
    give_back(pool, held);
    CHECK(pool.acquire() == nullptr);
    CHECK(pool.try_acquire() == nullptr);
  }
}

TEST_CASE("job pool: it is idle when the last job is back, and not before") {
  JobPool pool({.jobs_max = 10, .bytes_max = 1u << 20});
  CHECK(pool.wait_until_idle(never));
  std::array<Job*, 2> jobs{pool.acquire(), pool.acquire()};
  CHECK_FALSE(pool.wait_until_idle(now()));
  CHECK_FALSE(pool.wait_until_idle(now() + std::chrono::milliseconds(5)));
  pool.give_back(std::span(jobs).first(1));
  CHECK_FALSE(pool.wait_until_idle(now()));
  std::thread other([&] { pool.give_back(std::span(jobs).last(1)); });
  CHECK(pool.wait_until_idle(never));
  other.join();
  CHECK(pool.wait_until_idle(now()));
}

TEST_CASE("job pool: several threads never have more out than the bounds allow") {
  constexpr std::size_t jobs_max = 8;
  constexpr std::size_t bytes_max = 64'000;
  constexpr std::size_t job_bytes = 10'000;
  constexpr int submitters = 3;
  constexpr int jobs_each = 3000;
  JobPool pool({.jobs_max = jobs_max, .bytes_max = bytes_max});
  Handover handover;
  std::atomic<std::size_t> most_out{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < submitters; ++i) {
    threads.emplace_back([&] {
      for (int number = 0; number < jobs_each; ++number) {
        Job* const job = pool.acquire();
        job->content.assign(number % 2 == 0 ? job_bytes : 1, 'x');
        pool.charge(*job);
        handover.push(job);
      }
    });
  }
  std::atomic<int> returned{0};
  std::vector<std::thread> returners;
  for (int i = 0; i < 2; ++i) {
    returners.emplace_back([&] {
      while (Job* const job = handover.pop()) {
        const std::size_t out = pool.jobs_out();
        std::size_t most = most_out.load();
        while (out > most && !most_out.compare_exchange_weak(most, out)) {
        }
        give_back(pool, job);
        ++returned;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(pool.wait_until_idle(never));
  handover.end();
  for (std::thread& thread : returners) {
    thread.join();
  }
  CHECK(returned.load() == submitters * jobs_each);
  CHECK(most_out.load() <= jobs_max);
  CHECK(most_out.load() > 0);
}

}  // namespace ringpost::queue
