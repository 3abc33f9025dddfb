// A session with a server that answers at once: everything of a message but TLS and the socket.
#include <optional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/micro/content.h"
#include "engine/protocol/session.h"
#include "queue/consignment.h"

namespace {

using namespace ringpost;

class Ear final : public protocol::SessionListener {
 public:
  void on_start_tls() override {}
  void on_ready() override {}
  void on_verdict(Delivery&, std::uint32_t, const protocol::Verdict& verdict) override {
    accepted += verdict.status == Status::accepted ? 1 : 0;
  }
  void on_delivery_done(Delivery&) override {}
  void on_closed(const protocol::CloseReason&) override {}

  std::int64_t accepted = 0;
};

void fill(Consignment& job, std::size_t bytes) {
  job.message.id = "job-1";
  job.message.sender = "bounce-1234@news.example.com";
  job.message.recipients.add("reader.1234567@mail.example.net");
  const std::string text = "Subject: x\r\n\r\n" + bench::mail_text(bytes, 100);
  const auto made = ContentMaker().assign(job.message.content, text);
  RP_ASSERT(made);
  job.first.end = 1;
  job.first.open();
}

// Of a server that other sessions have tried in every way of speaking.
protocol::PipeliningKnowledge all_shown() {
  protocol::PipeliningKnowledge knowledge;
  knowledge.proven = protocol::Pipelining::flights;
  knowledge.across_proven = true;
  knowledge.chunking_proven = true;
  knowledge.discarding_proven = true;
  knowledge.several_proven = true;
  for (protocol::Words& words : knowledge.words.by_saying) {
    words.heard = protocol::Words::settled;
  }
  return knowledge;
}

// A session that has greeted a server with PIPELINING, and what the server would say.
class Dialogue {
 public:
  explicit Dialogue(bool chunking) {
    options_.tls_mode = protocol::TlsMode::none;
    session.emplace(options_, ear, Instant(), all_shown());
    session->receive("220 mx ESMTP\r\n", Instant());
    take_output();
    session->receive("250-mx\r\n250-PIPELINING\r\n250 ", Instant());
    session->receive(chunking ? "CHUNKING\r\n" : "8BITMIME\r\n", Instant());
  }

  // Everything that the session has to say is taken and counts as sent.
  void take_output() {
    while (!session->output(room_).empty()) {
    }
    session->handed_over(session->output_offset(), Instant());
  }

  void answer(Bytes replies) {
    take_output();
    session->receive(replies, Instant());
  }

  Ear ear;
  std::optional<protocol::Session> session;

 private:
  protocol::SessionOptions options_;
  std::vector<char> room_ = std::vector<char>(limits::tls_record_bytes_max);
};

void note(benchmark::State& state, const Dialogue& dialogue) {
  if (dialogue.session->closed()) {
    state.SkipWithError("the session ended");
  }
  state.SetItemsProcessed(dialogue.ear.accepted);
  state.SetBytesProcessed(dialogue.ear.accepted * state.range(0));
}

void send_with_data(benchmark::State& state) {
  Dialogue dialogue(false);
  Consignment job;
  fill(job, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    dialogue.session->submit(job.first, Instant());
    dialogue.answer("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go on\r\n");
    dialogue.answer("250 2.0.0 Ok: queued as 4F1C2A3B\r\n");
  }
  note(state, dialogue);
}

void send_in_flights(benchmark::State& state) {
  Dialogue dialogue(true);
  std::vector<Consignment> jobs(limits::flight_messages_max);
  for (Consignment& job : jobs) {
    fill(job, static_cast<std::size_t>(state.range(0)));
  }
  // The first BDAT goes behind the answers to its envelope.
  dialogue.session->submit(jobs[0].first, Instant());
  dialogue.answer("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
  dialogue.answer("250 2.0.0 Ok: queued as 4F1C2A3B\r\n");
  std::string replies;
  for (auto _ : state) {
    replies.clear();
    for (std::size_t i = 0; i < jobs.size() && dialogue.session->wants_message(); ++i) {
      dialogue.session->submit(jobs[i].first, Instant());
      replies +=
          "250 2.0.0 Reset\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n"
          "250 2.0.0 Ok: queued as 4F1C2A3B\r\n";
    }
    dialogue.answer(replies);
  }
  note(state, dialogue);
}

BENCHMARK(send_with_data)->ArgName("bytes")->Arg(2048)->Arg(10240)->Arg(76800);
BENCHMARK(send_in_flights)->ArgName("bytes")->Arg(2048)->Arg(10240)->Arg(76800);

}  // namespace
