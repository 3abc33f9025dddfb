// A session with somebody at each end: what it says, and what it tells its owner.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "engine/protocol/session.h"
#include <ringpost/base.h>

namespace ringpost::protocol::test {

class Listener final : public SessionListener {
 public:
  void on_start_tls() override { heard.emplace_back("start_tls"); }
  void on_ready() override { heard.emplace_back("ready"); }
  void on_end_of_data(Delivery& delivery, std::uint32_t begin, std::uint32_t end) override {
    announced.push_back(delivery.message->id + " " + std::to_string(begin) + "-" +
                        std::to_string(end));
  }
  void on_verdict(Delivery& delivery, std::uint32_t index, const Verdict& verdict) override {
    heard.push_back(delivery.message->id + " " + std::string(delivery.address(index)) + " " +
                    std::string(name_of(verdict.status)));
    reasons.emplace_back(verdict.reason);
    stages.push_back(verdict.stage);
    put_back_for_rate +=
        verdict.too_fast && verdict.may_retry && !verdict.counts_as_attempt ? 1u : 0u;
    delivery.recipients[index].decided = true;
  }
  void on_delivery_done(Delivery& delivery) override {
    heard.push_back(delivery.message->id + " done");
  }
  void on_unruled(Stage stage, const codec::Reply& reply, const Ruling& /*ruling*/) override {
    unruled.push_back(std::string(name_of(stage)) + " " + std::to_string(reply.code) + " " +
                      std::string(reply.text));
  }
  SaidInARow on_repeated(Delivery& /*delivery*/, const Ruling& /*ruling*/) override {
    return said_in_a_row;
  }
  bool on_one_too_many() override {
    ++told_one_too_many;
    return others_go_on;
  }
  void on_closed(const CloseReason& why) override {
    heard.push_back("closed " + std::string(name_of(why.kind)));
    reasons.push_back(why.message());
  }

  std::vector<std::string> heard;
  std::vector<std::string> announced;
  std::vector<std::string> unruled;
  std::vector<std::string> reasons;
  std::vector<Stage> stages;
  std::size_t put_back_for_rate = 0;  // verdicts
  SaidInARow said_in_a_row;           // what it answers
  bool others_go_on = false;          // the same
  int told_one_too_many = 0;
};

struct Rig {
  explicit Rig(TlsMode tls_mode = TlsMode::none, Pipelining pipelining = Pipelining::across,
               const PipeliningKnowledge& knowledge = {})
      : session(options, listener, now, knowledge) {
    options.client_name = "client.example";
    options.tls_mode = tls_mode;
    options.pipelining = pipelining;
  }

  void receive(std::string_view octets) { session.receive(octets, now); }

  // Everything that it has to say, handed over.
  std::string send() {
    std::string said;
    while (session.has_output()) {
      said += session.output(room);
    }
    session.handed_over(session.output_offset(), now);
    return said;
  }

  void greet(const std::string& keywords) {
    receive("220 mx\r\n");
    send();
    receive("250-mx\r\n" + keywords);
  }

  SessionOptions options;
  Listener listener;
  Instant now{std::chrono::hours(1)};
  std::vector<char> room = std::vector<char>(16'384);
  Session session;
};

}  // namespace ringpost::protocol::test
