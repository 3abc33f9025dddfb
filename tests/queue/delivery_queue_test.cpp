#include "queue/delivery_queue.h"

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::queue {

namespace {

std::vector<Delivery> numbered_jobs(std::size_t count) {
  std::vector<Delivery> jobs(count);
  for (std::size_t i = 0; i < count; ++i) {
    jobs[i].begin = static_cast<std::uint32_t>(i);
  }
  return jobs;
}

}  // namespace

TEST_CASE(
    "delivery queue: jobs of one producer come in their order, as many as there is room for") {
  DeliveryQueue queue;
  DeliveryQueue::Producer producer(queue);
  DeliveryQueue::Consumer consumer(queue);
  std::array<Delivery*, 4> taken{};
  CHECK(queue.empty());
  CHECK(consumer.take(taken) == 0);

  std::vector<Delivery> jobs = numbered_jobs(6);
  std::vector<Delivery*> pointers;
  for (Delivery& job : jobs) {
    pointers.push_back(&job);
  }
  producer.push(std::span(pointers).first(5));
  producer.push(std::span(pointers).last(1));
  CHECK_FALSE(queue.empty());
  REQUIRE(consumer.take(taken) == 4);
  CHECK(taken == std::array<Delivery*, 4>{&jobs[0], &jobs[1], &jobs[2], &jobs[3]});
  REQUIRE(consumer.take(taken) == 2);
  CHECK(taken[0] == &jobs[4]);
  CHECK(taken[1] == &jobs[5]);
  CHECK(queue.empty());
  CHECK(consumer.take(taken) == 0);
}

TEST_CASE("delivery queue: what a producer pushed stays when the producer is gone") {
  DeliveryQueue queue;
  Delivery job;
  {
    DeliveryQueue::Producer producer(queue);
    std::array<Delivery*, 1> pushed{&job};
    producer.push(pushed);
  }
  DeliveryQueue::Consumer consumer(queue);
  std::array<Delivery*, 4> taken{};
  REQUIRE(consumer.take(taken) == 1);
  CHECK(taken[0] == &job);
}

TEST_CASE("delivery queue: between many producers and consumers each job arrives exactly once") {
  constexpr std::size_t producers = 3;
  constexpr std::size_t consumers = 2;
  constexpr std::size_t jobs_each = 20'000;
  DeliveryQueue queue;
  std::vector<std::vector<Delivery>> jobs;
  std::vector<std::atomic<int>> arrivals(producers * jobs_each);
  std::atomic<std::size_t> arrived{0};
  for (std::size_t i = 0; i < producers; ++i) {
    jobs.push_back(numbered_jobs(jobs_each));
    for (Delivery& job : jobs.back()) {
      job.begin += static_cast<std::uint32_t>(i * jobs_each);
    }
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < producers; ++i) {
    threads.emplace_back([&queue, &mine = jobs[i]] {
      DeliveryQueue::Producer producer(queue);
      std::vector<Delivery*> batch;
      std::size_t batch_size = 1;
      for (Delivery& job : mine) {
        batch.push_back(&job);
        if (batch.size() >= batch_size) {
          producer.push(batch);
          batch.clear();
          batch_size = batch_size % 32 + 1;
        }
      }
      if (!batch.empty()) {
        producer.push(batch);
      }
    });
  }
  for (std::size_t i = 0; i < consumers; ++i) {
    threads.emplace_back([&] {
      DeliveryQueue::Consumer consumer(queue);
      std::array<Delivery*, 16> taken{};
      while (arrived.load() < producers * jobs_each) {
        const std::size_t count = consumer.take(taken);
        for (std::size_t at = 0; at < count; ++at) {
          ++arrivals[taken[at]->begin];
        }
        arrived += count;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  bool each_once = true;
  for (const std::atomic<int>& count : arrivals) {
    each_once = each_once && count.load() == 1;
  }
  CHECK(each_once);
  CHECK(queue.empty());
}

}  // namespace ringpost::queue
