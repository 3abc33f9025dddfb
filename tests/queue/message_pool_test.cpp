// What bounds the memory of a run. Whether somebody "would wait" is asked of try_acquire(), which
// knows the same bounds and does not wait; what the waiting ones do is proved by joining them.
#include "queue/message_pool.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace ringpost::queue {

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

void give_back(MessagePool& pool, Consignment* consignment) {
  for (std::size_t i = consignment->delivery_count(); i > 0; --i) {
    Delivery* const delivery = &consignment->delivery(i - 1);
    pool.give_back({&delivery, 1});
  }
}

void give_back(MessagePool& pool, std::span<Consignment* const> consignments) {
  std::vector<Delivery*> deliveries;
  for (Consignment* const consignment : consignments) {
    deliveries.push_back(&consignment->first);
  }
  pool.give_back(deliveries);
}

void charge(MessagePool& pool, Consignment& consignment) {
  RP_ASSERT(MessagePool::measure(consignment) > 0);
  Consignment* const one = &consignment;
  pool.charge({&one, 1});
}

// Of which only the size matters.
void fill(Consignment& consignment, std::size_t bytes) {
  ContentMaker::open(consignment.message.content).assign(bytes, 'x');
  ContentMaker::abandon(consignment.message.content);
}

// From whoever filled a job to whoever is done with it.
class Handover {
 public:
  void push(Consignment* job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(job);
    changed_.notify_one();
  }
  // Null when nothing will come any more.
  Consignment* pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return over_ || !jobs_.empty(); });
    if (jobs_.empty()) {
      return nullptr;
    }
    Consignment* const job = jobs_.front();
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
  std::deque<Consignment*> jobs_;
  bool over_ = false;
};

}  // namespace

TEST_CASE("message pool: a job comes cleared, and comes again when it was given back") {
  MessagePool pool({.messages_max = 4, .bytes_max = 1u << 20});
  Consignment* const first = pool.acquire();
  first->message.id = "one";
  fill(*first, 4);
  first->message.recipients.add("a@b.example");
  charge(pool, *first);
  CHECK(pool.messages_out() == 1);
  give_back(pool, first);
  CHECK(pool.messages_out() == 0);
  Consignment* const again = pool.acquire();
  CHECK(again == first);
  CHECK(again->message.id.empty());
  CHECK(again->message.content.empty());
  CHECK(again->message.recipients.empty());
  CHECK(again->first.budget_bytes == 0);
  give_back(pool, again);
}

TEST_CASE("message pool: the bound on jobs is exact") {
  MessagePool pool({.messages_max = 3, .bytes_max = 1u << 20});
  std::array<Consignment*, 3> jobs{};
  for (Consignment*& job : jobs) {
    job = pool.try_acquire();
    REQUIRE(job != nullptr);
  }
  CHECK(pool.try_acquire() == nullptr);
  give_back(pool, std::span(jobs).first(1));
  Consignment* const job = pool.try_acquire();
  CHECK(job != nullptr);
  CHECK(pool.try_acquire() == nullptr);
  jobs[0] = job;
  give_back(pool, jobs);
}

TEST_CASE("message pool: the bound on bytes stops the next job, and never the only one") {
  MessagePool pool({.messages_max = 100, .bytes_max = 10'000});
  Consignment* const large = pool.try_acquire();
  fill(*large, 1'000'000);
  charge(pool, *large);
  CHECK(pool.try_acquire() == nullptr);
  give_back(pool, large);
  Consignment* const next = pool.try_acquire();
  REQUIRE(next != nullptr);
  give_back(pool, next);
}

TEST_CASE(
    "message pool: several are taken at a time as far as there is room, and charged together") {
  MessagePool pool({.messages_max = 5, .bytes_max = 3000 + 5 * sizeof(Consignment)});
  std::array<Consignment*, 8> jobs{};
  REQUIRE(pool.try_acquire(std::span(jobs).first(3)) == 3);
  REQUIRE(pool.try_acquire(std::span(jobs).subspan(3)) == 2);
  CHECK(pool.messages_out() == 5);
  CHECK(pool.try_acquire(jobs) == 0);
  const std::set<Consignment*> different(jobs.begin(), jobs.begin() + 5);
  CHECK(different.size() == 5);
  for (Consignment* const job : different) {
    CHECK(job->message.id.empty());
  }
  give_back(pool, std::span(jobs).first(2));  // nobody has filled them
  for (Consignment* const job : {jobs[2], jobs[3], jobs[4]}) {
    fill(*job, 2000);
    CHECK(MessagePool::measure(*job) >= 2000);
  }
  std::array<Consignment*, 1> one{};
  REQUIRE(pool.try_acquire(one) == 1);  // as long as nothing is charged
  give_back(pool, one);
  pool.charge(std::span(jobs).subspan(2, 3));
  CHECK(pool.try_acquire(one) == 0);
  give_back(pool, std::span(jobs).subspan(2, 3));
  CHECK(pool.messages_out() == 0);
  pool.close();
  CHECK(pool.try_acquire(one) == 0);
}

TEST_CASE("message pool: a message goes back with its last delivery, and counts until then") {
  MessagePool pool({.messages_max = 2, .bytes_max = 1u << 20, .deliveries_active_max = 4});
  Consignment* const message = pool.acquire();
  message->further = std::vector<Delivery>(3);
  for (Delivery& delivery : message->further) {
    delivery.consignment = message;
    delivery.message = &message->message;
  }
  charge(pool, *message);
  CHECK(pool.try_acquire() == nullptr);  // four deliveries are active
  std::vector<Delivery*> deliveries = {&message->further[1], &message->first};
  pool.give_back(deliveries);
  Consignment* const other = pool.try_acquire();
  REQUIRE(other != nullptr);
  CHECK(pool.messages_out() == 2);
  deliveries = {&message->further[0], &message->further[2]};
  pool.give_back(deliveries);
  CHECK(pool.messages_out() == 1);
  Consignment* const again = pool.try_acquire();
  REQUIRE(again == message);
  CHECK(again->delivery_count() == 1);
  give_back(pool, again);
  give_back(pool, other);
}

TEST_CASE("message pool: what a delivery holds of its recipients is free when it is given back") {
  MessagePool pool({.messages_max = 100, .bytes_max = 2000 * sizeof(Recipient)});
  Consignment* const message = pool.acquire();
  message->further = std::vector<Delivery>(2);
  for (Delivery& delivery : message->further) {
    delivery.consignment = message;
    delivery.message = &message->message;
    delivery.end = 1000;
  }
  charge(pool, *message);
  CHECK(pool.try_acquire() == nullptr);
  message->further[0].open();
  Delivery* delivery = &message->further[0];
  pool.give_back({&delivery, 1});
  CHECK(message->further[0].recipients.empty());
  Consignment* const other = pool.try_acquire();
  REQUIRE(other != nullptr);
  give_back(pool, other);
  delivery = &message->first;
  pool.give_back({&delivery, 1});
  delivery = &message->further[1];
  pool.give_back({&delivery, 1});
  CHECK(pool.messages_out() == 0);
}

TEST_CASE("message pool: what messages share is charged once, until the last of them is back") {
  constexpr std::size_t shared_bytes = 100'000;
  MessagePool pool({.messages_max = 100, .bytes_max = shared_bytes + 50'000});
  const std::string line = std::string(98, 'x') + "\r\n";
  std::string text;
  while (text.size() < shared_bytes) {
    text += line;
  }
  ContentMaker maker;
  const std::vector<Bytes> texts = {text};
  const auto store = maker.share(texts);
  REQUIRE(store);
  std::vector<Consignment*> messages;
  for (int i = 0; i < 10; ++i) {
    messages.push_back(pool.try_acquire());
    REQUIRE(messages.back() != nullptr);
    Content& content = messages.back()->message.content;
    maker.begin(content, *store);
    maker.add_segment(content, 0);
    REQUIRE(maker.finish(content));
    charge(pool, *messages.back());
  }
  Consignment* const large = pool.try_acquire();
  REQUIRE(large != nullptr);
  fill(*large, 60'000);
  charge(pool, *large);
  CHECK(pool.try_acquire() == nullptr);
  for (Consignment* const message : messages) {
    CHECK(pool.try_acquire() == nullptr);
    give_back(pool, message);
    CHECK(message->message.content.shared() == nullptr);
  }
  Consignment* const next = pool.try_acquire();
  REQUIRE(next != nullptr);
  give_back(pool, next);
  give_back(pool, large);
  CHECK(store->use_count() == 1);
}

TEST_CASE("message pool: jobs that are not out keep buffers, and together no more than the bound") {
  const bool is_charged = GENERATE(false, true);
  constexpr std::size_t bytes_max = 500'000;
  MessagePool pool({.messages_max = 100, .bytes_max = bytes_max});
  std::array<Consignment*, 100> jobs{};
  for (Consignment*& job : jobs) {
    job = pool.acquire();
  }
  // One after the other has been large, as it happens when large jobs come between small ones.
  for (Consignment*& job : jobs) {
    fill(*job, 30'000);
    if (is_charged) {
      charge(pool, *job);
    }
    give_back(pool, job);
  }
  std::size_t kept = 0;
  for (const Consignment* const job : jobs) {
    kept += job->message.content.own_bytes();
  }
  CHECK(kept <= bytes_max);
  CHECK(kept >= 30'000);
}

TEST_CASE("message pool: what is kept only while it is out goes when it comes back, and its room") {
  MessagePool pool({.messages_max = 100, .bytes_max = 1u << 20});
  constexpr std::size_t swollen = 2 * limits::job_bytes_kept_max;
  const std::vector<std::function<void(Consignment&)>> kinds = {
      [](Consignment& job) { fill(job, swollen); },
      [](Consignment& job) { job.message.tags_json.assign(swollen, 'x'); },
      [](Consignment& job) { job.message.metadata_json.assign(swollen, 'x'); },
      [](Consignment& job) { job.fates.assign(1000, PriorFate::none); },
      [](Consignment& job) { job.first.end = 1000; },
      [](Consignment& job) { ContentMaker().begin(job.message.content, nullptr); },
  };
  for (const auto& make : kinds) {
    Consignment* const job = pool.acquire();
    make(*job);
    charge(pool, *job);
    job->first.open();
    give_back(pool, job);
    CHECK(job->message.content.own_bytes() <= limits::job_bytes_kept_max);
    CHECK(job->buffer_bytes() <= 2 * limits::job_bytes_kept_max);
    CHECK(job->fates.capacity() == 0);
    CHECK(job->first.recipients.size() <= 16);
    CHECK(job->first.size() == 0);  // whoever looks at it finds nobody
    Consignment* const again = pool.acquire();
    REQUIRE(again == job);
    CHECK(again->first.size() == 0);
    CHECK_FALSE(again->first.is_open);
    give_back(pool, again);
  }
}

TEST_CASE("message pool: jobs keep their buffers also when all were out before one came back") {
  constexpr std::size_t count = 1000;
  MessagePool pool({.messages_max = count, .bytes_max = 10'000'000});
  std::vector<Consignment*> jobs;
  for (std::size_t i = 0; i < count; ++i) {
    Consignment* const job = pool.acquire();
    fill(*job, 2000);
    charge(pool, *job);
    jobs.push_back(job);
  }
  for (int round = 0; round < 3; ++round) {
    give_back(pool, jobs);
    for (Consignment*& job : jobs) {
      job = pool.acquire();
      REQUIRE(job->message.content.empty());
      REQUIRE(job->message.content.own_bytes() >= 2000);
    }
  }
  give_back(pool, jobs);
}

TEST_CASE("message pool: a small job in the buffers of a large one counts for these") {
  MessagePool pool({.messages_max = 100, .bytes_max = 100'000});
  Consignment* const large = pool.acquire();
  fill(*large, 30'000);
  give_back(pool, large);
  Consignment* const small = pool.acquire();
  REQUIRE(small == large);
  fill(*small, 1);
  charge(pool, *small);
  CHECK(small->first.budget_bytes >= 30'000);
  give_back(pool, small);
}

TEST_CASE("message pool: whoever waits for room gets it when a job comes back") {
  const bool by_bytes = GENERATE(false, true);
  MessagePool pool({.messages_max = by_bytes ? 100u : 1u, .bytes_max = 10'000});
  for (int round = 0; round < 200; ++round) {
    Consignment* const held = pool.acquire();
    fill(*held, 20'000);
    charge(pool, *held);
    std::thread waiting([&pool] { give_back(pool, pool.acquire()); });
    give_back(pool, held);
    waiting.join();
  }
  CHECK(pool.messages_out() == 0);
}

TEST_CASE("message pool: one job that comes back with many bytes lets all in who find room then") {
  MessagePool pool({.messages_max = 100, .bytes_max = 10'000});
  Consignment* const large = pool.acquire();
  fill(*large, 20'000);
  charge(pool, *large);
  std::atomic<int> acquired{0};
  std::vector<std::thread> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back([&] {
      Consignment* const job = pool.acquire();
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

TEST_CASE(
    "message pool: jobs that are set aside leave room for active ones, up to the bound on all") {
  MessagePool pool({.messages_max = 4, .bytes_max = 1u << 20, .deliveries_active_max = 2});
  std::vector<Consignment*> jobs{pool.acquire(), pool.acquire()};
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
  Consignment* const last = pool.try_acquire();
  CHECK(last != nullptr);
  give_back(pool, last);
  give_back(pool, jobs[3]);
  CHECK(pool.messages_out() == 0);
}

TEST_CASE("message pool: whoever waits for an active job's room gets it when one is set aside") {
  for (int round = 0; round < 200; ++round) {
    MessagePool pool({.messages_max = 2, .bytes_max = 1u << 20, .deliveries_active_max = 1});
    Consignment* const held = pool.acquire();
    std::thread waiting([&pool] { give_back(pool, pool.acquire()); });
    pool.set_aside();
    waiting.join();
    pool.take_up();
    give_back(pool, held);
  }
}

TEST_CASE("message pool: close() ends every wait with nothing, and there is nothing afterwards") {
  for (int round = 0; round < 100; ++round) {
    MessagePool pool({.messages_max = 1, .bytes_max = 1u << 20});
    Consignment* const held = pool.acquire();
    std::array<Consignment*, 3> got{held, held, held};
    std::vector<std::thread> waiting;
    for (Consignment*& job : got) {
      waiting.emplace_back([&pool, &job] { job = pool.acquire(); });
    }
    pool.close();
    for (std::thread& thread : waiting) {
      thread.join();
    }
    CHECK(
        std::all_of(got.begin(), got.end(), [](const Consignment* job) { return job == nullptr; }));
    give_back(pool, held);
    CHECK(pool.acquire() == nullptr);
    CHECK(pool.try_acquire() == nullptr);
  }
}

TEST_CASE("message pool: it is idle when the last job is back, and not before") {
  MessagePool pool({.messages_max = 10, .bytes_max = 1u << 20});
  CHECK(pool.wait_until_idle(never));
  std::array<Consignment*, 2> jobs{pool.acquire(), pool.acquire()};
  CHECK_FALSE(pool.wait_until_idle(now()));
  CHECK_FALSE(pool.wait_until_idle(now() + std::chrono::milliseconds(5)));
  give_back(pool, std::span(jobs).first(1));
  CHECK_FALSE(pool.wait_until_idle(now()));
  std::thread other([&] { give_back(pool, std::span(jobs).last(1)); });
  CHECK(pool.wait_until_idle(never));
  other.join();
  CHECK(pool.wait_until_idle(now()));
}

TEST_CASE("message pool: several threads never have more out than the bounds allow") {
  constexpr std::size_t jobs_max = 8;
  constexpr std::size_t bytes_max = 64'000;
  constexpr std::size_t job_bytes = 10'000;
  constexpr int submitters = 3;
  constexpr int jobs_each = 3000;
  MessagePool pool({.messages_max = jobs_max, .bytes_max = bytes_max});
  Handover handover;
  std::atomic<std::size_t> most_out{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < submitters; ++i) {
    threads.emplace_back([&] {
      for (int number = 0; number < jobs_each; ++number) {
        Consignment* const job = pool.acquire();
        fill(*job, number % 2 == 0 ? job_bytes : 1);
        charge(pool, *job);
        handover.push(job);
      }
    });
  }
  std::atomic<int> returned{0};
  std::vector<std::thread> returners;
  for (int i = 0; i < 2; ++i) {
    returners.emplace_back([&] {
      while (Consignment* const job = handover.pop()) {
        const std::size_t out = pool.messages_out();
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
