// An engine, jobs for it, and an embedded ESP: what the tests of the engine are made of.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/sink_record.h"
#include "tests/support/temporary_folder.h"
#include "tools/sink/sink.h"
#include <ringpost/engine.h>

namespace ringpost::engine::test {

// For waits that should be over long before; only a hang comes this far.
inline constexpr Duration patience = std::chrono::seconds(100);

[[nodiscard]] inline Instant in_good_time() { return std::chrono::steady_clock::now() + patience; }

struct TestJob {
  std::string id;
  std::vector<std::string> recipients = {"reader@b.example"};
  std::string body = "Hello.\r\n";
  std::string endpoint = {};

  [[nodiscard]] std::string content() const;
};

// Jobs whose contents differ in every octet that could be mixed up: small and large ones, with
// dots, with 8-bit octets, without a CRLF at the end.
[[nodiscard]] std::vector<TestJob> various_jobs(std::size_t count,
                                                const std::string& prefix = "job");
[[nodiscard]] std::vector<TestJob> small_jobs(std::size_t count, const std::string& prefix = "job");

// Into a cleared message of a submitter.
void fill(Message& message, const TestJob& from);
// Submits all of them and flushes; false when the engine was aborted meanwhile.
bool submit(Engine& engine, const std::vector<TestJob>& jobs);

// An outcome, copied out of the callback.
struct Told {
  std::string id;
  std::string recipient;
  Status status = Status::unsent;
  Stage stage = Stage::local;
  std::uint16_t code = 0;
  std::string text;
  std::string reason;
  std::uint32_t attempts = 0;
  std::uint32_t endpoint = 0;
};

// The outcomes of an engine. Thread-safe.
class Deliveries {
 public:
  [[nodiscard]] OutcomeCallback callback();
  [[nodiscard]] std::vector<Told> all() const;
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] std::size_t count(Status status) const;
  // The one outcome of a job with one recipient; fails the test when it has none or more.
  [[nodiscard]] Told of(const std::string& id) const;
  // Waits until so many are there; false: they did not come. For any thread.
  [[nodiscard]] bool comes_to(std::size_t count) const;
  // For the thread of the test, which fails where they do not come.
  void wait_for(std::size_t count) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Told> deliveries_;
};

// A sink with all three listeners and a record. Fails the test when it cannot be started.
class TestSink {
 public:
  explicit TestSink(const std::function<void(sink::SinkOptions&)>& change = {});

  // An endpoint that works.
  [[nodiscard]] EndpointOptions endpoint(sink::ListenerKind kind = sink::ListenerKind::plain) const;
  // One with so few messages under way that, with the replies of `slow_replies`, `slow_job_count`
  // of them take four seconds at least: what a test does after the first ones comes in the middle.
  [[nodiscard]] EndpointOptions slow_endpoint(
      sink::ListenerKind kind = sink::ListenerKind::plain) const;
  [[nodiscard]] sink::Sink& sink() { return *sink_; }
  [[nodiscard]] sink::Tally tally() const { return sink_->tally(); }
  // Stops it; then its record is whole.
  sink::Tally stop() { return sink_->stop().tally; }
  [[nodiscard]] std::vector<ringpost::test::RecordedMessage> record() const;

 private:
  ringpost::test::TemporaryFolder folder_;
  std::unique_ptr<sink::Sink> sink_;
};

void slow_replies(sink::SinkOptions& options);
// No more than an engine has active, so that submit() does not wait for the first to be over.
inline constexpr std::size_t slow_job_count = 240;

[[nodiscard]] EngineOptions options_of(std::vector<EndpointOptions> endpoints,
                                       std::uint32_t cores = 1);
// Fails the test when it cannot be started.
[[nodiscard]] std::unique_ptr<Engine> start(EngineOptions options, Deliveries& deliveries);

// One that is still being opened when an engine ends counts as lost at the server.
void wait_until_sessions_are_ready(const Engine& engine);

// The first promise: one outcome for each recipient of each job, and no other.
void check_each_once(const std::vector<TestJob>& jobs, const Deliveries& deliveries);
// What the servers have is what was accepted, with the content that was submitted. Of `unknown`
// they may have any.
void check_records(const std::vector<TestJob>& jobs, const Deliveries& deliveries,
                   const std::vector<ringpost::test::RecordedMessage>& record);

}  // namespace ringpost::engine::test
