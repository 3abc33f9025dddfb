// The consumer sleeps in a futex, and a wake-up that is lost would hang a run for good: several of
// these tests hang, and are ended by their time limit, where one is.
#include "queue/outcome_queue.h"

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::queue {

namespace {

// Takes until the queue is closed and empty; returns how often each recipient number came.
std::vector<int> consume_all(OutcomeQueue& queue, std::size_t numbers,
                             std::atomic<std::size_t>& taken_count) {
  std::vector<int> arrivals(numbers);
  std::array<DecidedRecipients, 64> taken;
  while (queue.wait()) {
    for (std::size_t count = queue.take(taken); count > 0; count = queue.take(taken)) {
      for (std::size_t i = 0; i < count; ++i) {
        ++arrivals[taken[i].begin];
      }
      taken_count += count;
      taken_count.notify_all();
    }
  }
  return arrivals;
}

}  // namespace

TEST_CASE("outcome queue: what was pushed before close() is still there, and then it is over") {
  OutcomeQueue queue;
  OutcomeQueue::Producer producer(queue);
  Delivery job;
  const std::array<DecidedRecipients, 3> decided{{{&job, 0, 1}, {&job, 1, 2}, {&job, 2, 3}}};
  producer.push(decided);
  queue.close();
  std::array<DecidedRecipients, 2> taken;
  CHECK(queue.wait());
  REQUIRE(queue.take(taken) == 2);
  CHECK(taken[0].begin == 0);
  CHECK(taken[1].begin == 1);
  CHECK(queue.wait());
  REQUIRE(queue.take(taken) == 1);
  CHECK(taken[0].begin == 2);
  CHECK(taken[0].delivery == &job);
  CHECK_FALSE(queue.wait());
  CHECK(queue.take(taken) == 0);
}

TEST_CASE("outcome queue: close() wakes a consumer that waits for nothing") {
  for (int round = 0; round < 500; ++round) {
    OutcomeQueue queue;
    bool more = true;
    std::thread consumer([&] { more = queue.wait(); });
    queue.close();
    consumer.join();
    REQUIRE_FALSE(more);
  }
}

TEST_CASE("outcome queue: a consumer that falls asleep between any two pushes is woken") {
  constexpr std::uint32_t count = 20'000;
  OutcomeQueue queue;
  std::atomic<std::size_t> taken{0};
  std::vector<int> arrivals;
  std::thread consumer([&] { arrivals = consume_all(queue, count, taken); });
  OutcomeQueue::Producer producer(queue);
  Delivery job;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::array<DecidedRecipients, 1> decided{{{&job, i, i + 1}}};
    producer.push(decided);
    // The next one is pushed when the consumer is about to sleep.
    taken.wait(i);
  }
  queue.close();
  consumer.join();
  CHECK(taken.load() == count);
  CHECK(arrivals == std::vector<int>(count, 1));
}

TEST_CASE("outcome queue: every push of several producers arrives exactly once") {
  constexpr std::uint32_t producers = 3;
  constexpr std::uint32_t each = 30'000;
  OutcomeQueue queue;
  std::atomic<std::size_t> taken{0};
  std::vector<int> arrivals;
  std::thread consumer([&] { arrivals = consume_all(queue, producers * each, taken); });
  Delivery job;
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < producers; ++i) {
    threads.emplace_back([&queue, &job, i] {
      OutcomeQueue::Producer producer(queue);
      std::vector<DecidedRecipients> batch;
      for (std::uint32_t number = 0; number < each; ++number) {
        batch.push_back({&job, i * each + number, i * each + number + 1});
        if (batch.size() > number % 7) {
          producer.push(batch);
          batch.clear();
        }
      }
      if (!batch.empty()) {
        producer.push(batch);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  queue.close();
  consumer.join();
  CHECK(taken.load() == producers * each);
  CHECK(arrivals == std::vector<int>(producers * each, 1));
}

}  // namespace ringpost::queue
