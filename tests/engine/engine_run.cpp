#include "tests/engine/engine_run.h"

#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "codec/mail/content_check.h"
#include "tests/support/io_under_test.h"
#include "tls/sha256.h"

namespace ringpost::engine::test {

namespace {

std::string sha256_of(Bytes octets) {
  tls::Sha256 hash;
  hash.update(octets);
  const auto digest = hash.finish_hex();
  return {digest.data(), digest.size()};
}

using IdAndRecipient = std::pair<std::string, std::string>;

}  // namespace

std::string TestJob::content() const {
  return "From: sender@a.example\r\nTo: reader@b.example\r\nX-Id: " + id + "\r\n\r\n" + body;
}

std::vector<TestJob> small_jobs(std::size_t count, const std::string& prefix) {
  std::vector<TestJob> jobs(count);
  for (std::size_t i = 0; i < count; ++i) {
    jobs[i].id = prefix + "-" + std::to_string(i);
    jobs[i].body = "This is " + jobs[i].id + ".\r\n";
  }
  return jobs;
}

std::vector<TestJob> various_jobs(std::size_t count, const std::string& prefix) {
  std::vector<TestJob> jobs = small_jobs(count, prefix);
  for (std::size_t i = 0; i < count; ++i) {
    TestJob& job = jobs[i];
    const std::string line = (i % 3 == 0 ? "." : "") + job.id + " says: caf\xc3\xa9\r\n";
    const std::size_t body_bytes = i % 10 == 9 ? 50'000 : 100 + i * 37 % 3000;
    while (job.body.size() < body_bytes) {
      job.body += line;
    }
    if (i % 4 == 1) {
      job.body += "no line end";
    }
  }
  return jobs;
}

void fill(Message& message, const TestJob& from) {
  message.id = from.id;
  message.sender = "sender@a.example";
  message.endpoint = from.endpoint;
  for (const std::string& recipient : from.recipients) {
    message.recipients.add(recipient);
  }
  const auto made = ContentMaker(NewlinePolicy::strict).assign(message.content, from.content());
  RP_ASSERT(made.has_value());
}

bool submit(Engine& engine, const std::vector<TestJob>& jobs) {
  Engine::Submitter submitter = engine.submitter();
  for (const TestJob& from : jobs) {
    Message* const job = submitter.next();
    if (job == nullptr) {
      return false;
    }
    fill(*job, from);
    static_cast<void>(submitter.submit());
  }
  submitter.flush();
  return true;
}

// ---- Deliveries
// ----------------------------------------------------------------------------------

OutcomeCallback Deliveries::callback() {
  return [this](std::span<const OutcomeView> decided) {
    const std::lock_guard lock(mutex_);
    for (const OutcomeView& view : decided) {
      const Outcome& outcome = *view.outcome;
      deliveries_.push_back({view.message->id, std::string(view.recipient()), outcome.status,
                             outcome.stage, outcome.code, outcome.text, outcome.reason,
                             outcome.attempts, outcome.endpoint});
    }
    changed_.notify_all();
  };
}

std::vector<Told> Deliveries::all() const {
  const std::lock_guard lock(mutex_);
  return deliveries_;
}

std::size_t Deliveries::count() const {
  const std::lock_guard lock(mutex_);
  return deliveries_.size();
}

std::size_t Deliveries::count(Status status) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(deliveries_.begin(), deliveries_.end(),
                    [status](const Told& delivery) { return delivery.status == status; }));
}

Told Deliveries::of(const std::string& id) const {
  const std::vector<Told> deliveries = all();
  const auto is_it = [&id](const Told& delivery) { return delivery.id == id; };
  INFO("outcomes of " << id);
  REQUIRE(std::count_if(deliveries.begin(), deliveries.end(), is_it) == 1);
  return *std::find_if(deliveries.begin(), deliveries.end(), is_it);
}

void wait_until_sessions_are_ready(const Engine& engine) {
  const Instant give_up_at = in_good_time();
  for (;;) {
    const EngineStatistics statistics = engine.statistics();
    if (statistics.sessions_ready == statistics.sessions_opened) {
      return;
    }
    REQUIRE(std::chrono::steady_clock::now() < give_up_at);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

bool Deliveries::comes_to(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, in_good_time(), [&] { return deliveries_.size() >= count; });
}

void Deliveries::wait_for(std::size_t count) const { REQUIRE(comes_to(count)); }

// ---- TestSink
// ------------------------------------------------------------------------------------

TestSink::TestSink(const std::function<void(sink::SinkOptions&)>& change) {
  sink::SinkOptions options;
  options.io = ringpost::test::io_under_test();
  options.listen_starttls = "127.0.0.1:0";
  options.listen_tls = "127.0.0.1:0";
  options.listen_plain = "127.0.0.1:0";
  options.certificate_out = folder_.path("sink.pem");
  options.record_file = folder_.path("record.jsonl");
  if (change) {
    change(options);
  }
  auto started = sink::Sink::start(options);
  INFO((started ? std::string() : started.error()));
  REQUIRE(started.has_value());
  sink_ = std::move(*started);
}

EndpointOptions TestSink::slow_endpoint(sink::ListenerKind kind) const {
  EndpointOptions options = endpoint(kind);
  options.messages_in_flight_max = 2;
  return options;
}

void slow_replies(sink::SinkOptions& options) {
  options.faults.reply_latency = std::chrono::milliseconds(150);
}

EndpointOptions TestSink::endpoint(sink::ListenerKind kind) const {
  EndpointOptions endpoint;
  endpoint.name = "sink";
  endpoint.host = "127.0.0.1";
  endpoint.port = sink_->port(kind);
  endpoint.connections_max = 4;
  endpoint.client_name = "client.example";
  switch (kind) {
    case sink::ListenerKind::starttls:
      endpoint.security = TransportSecurity::starttls;
      break;
    case sink::ListenerKind::tls:
      endpoint.security = TransportSecurity::implicit;
      break;
    case sink::ListenerKind::plain:
      endpoint.security = TransportSecurity::none;
      return endpoint;
  }
  endpoint.username = "ringpost";
  endpoint.password = "ringpost";
  endpoint.ca_file = sink_->certificate_file();
  return endpoint;
}

std::vector<ringpost::test::RecordedMessage> TestSink::record() const {
  return ringpost::test::read_record(folder_.path("record.jsonl"));
}

// ---- Engine
// --------------------------------------------------------------------------------------

EngineOptions options_of(std::vector<EndpointOptions> endpoints, std::uint32_t cores) {
  EngineOptions options;
  options.endpoints = std::move(endpoints);
  options.cores = cores;
  options.io = ringpost::test::io_under_test();
  return options;
}

std::unique_ptr<Engine> start(EngineOptions options, Deliveries& deliveries) {
  auto engine = Engine::start(std::move(options), deliveries.callback());
  INFO((engine ? std::string() : engine.error().message));
  REQUIRE(engine.has_value());
  return std::move(*engine);
}

// ---- Claims
// --------------------------------------------------------------------------------------

void check_each_once(const std::vector<TestJob>& jobs, const Deliveries& deliveries) {
  std::map<IdAndRecipient, int> counts;
  for (const TestJob& job : jobs) {
    for (const std::string& recipient : job.recipients) {
      ++counts[{job.id, recipient}];
    }
  }
  for (const Told& delivery : deliveries.all()) {
    --counts[{delivery.id, delivery.recipient}];
  }
  for (const auto& [key, count] : counts) {
    INFO(key.first << " " << key.second << (count > 0 ? ": no outcome" : ": too many outcomes"));
    CHECK(count == 0);
  }
}

void check_records(const std::vector<TestJob>& jobs, const Deliveries& deliveries,
                   const std::vector<ringpost::test::RecordedMessage>& record) {
  std::map<std::string, std::string> hashes;
  for (const TestJob& job : jobs) {
    // An end of data stands on a line of its own, so that content always ends with one at the
    // server.
    const std::string content = job.content();
    hashes[job.id] = sha256_of(content.ends_with("\r\n") ? content : content + "\r\n");
  }
  std::map<IdAndRecipient, int> recorded;
  for (const auto& message : record) {
    INFO("recorded message " << message.x_id);
    CHECK(hashes[message.x_id] == message.sha256);
    for (const std::string& recipient : message.recipients) {
      ++recorded[{message.x_id, recipient}];
    }
  }
  for (const Told& delivery : deliveries.all()) {
    const int count = recorded[{delivery.id, delivery.recipient}];
    INFO(delivery.id << " " << delivery.recipient << ": " << name_of(delivery.status)
                     << ", and the server has it " << count << " times");
    if (delivery.status == Status::unknown) {
      CHECK(count <= 1);
    } else {
      CHECK(count == (delivery.status == Status::accepted ? 1 : 0));
    }
  }
}

}  // namespace ringpost::engine::test
