// From the pull to the acknowledgement, without a server: what is stored, how jobs end, and what is
// said again.
#include "tools/serve/nats/jobs_in_hand.h"

#include <memory>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::serve::test {

namespace {

nats::Pulled pulled_job(std::uint64_t sequence, std::uint64_t deliveries = 1) {
  return {"", "$JS.ACK." + std::to_string(deliveries), sequence, deliveries, 0};
}

Message message_for(const std::string& id, std::initializer_list<Bytes> recipients) {
  Message message;
  message.id = id;
  for (const Bytes recipient : recipients) {
    message.recipients.add(recipient);
  }
  return message;
}

std::vector<Outcome> outcomes_of(const std::vector<Status>& statuses) {
  std::vector<Outcome> outcomes;
  for (const Status status : statuses) {
    outcomes.emplace_back();
    outcomes.back().status = status;
  }
  return outcomes;
}

// A job with one message that came to these ends.
std::unique_ptr<JobsInHand> with_job(const std::vector<Status>& statuses,
                                     std::uint64_t deliveries = 1) {
  auto jobs = std::make_unique<JobsInHand>("JOBS", 3, std::vector<std::string>{"esp"});
  CHECK(jobs->meet(pulled_job(7, deliveries)) == JobsInHand::Met::fresh);
  jobs->begin_message(7);
  Message message = message_for("m", {"a@example.net", "b@example.net"});
  if (statuses.size() == 1) {
    message = message_for("m", {"a@example.net"});
  }
  jobs->end_message(7, message, outcomes_of(statuses));
  jobs->close_job(7);
  return jobs;
}

// All lines are stored.
std::vector<EndedJob> settled(JobsInHand& jobs, std::size_t lines, bool node_ends = false) {
  const std::vector<EndedJob> before = jobs.take_ended(node_ends);
  const SettlingRound round = jobs.begin_round(100);
  CHECK(round.notes.size() == lines);
  CHECK((lines == 0 || before.empty()));
  return lines == 0 ? before : jobs.take_ended(node_ends);
}

const std::vector<std::string> endpoint_names{"esp"};

}  // namespace

TEST_CASE("jobs: each ends by what became of its recipients") {
  struct Case {
    std::vector<Status> statuses;
    std::uint64_t deliveries;
    bool node_ends;
    JobEnd end;
    std::size_t lines;
  };
  const Case cases[] = {
      {{Status::accepted}, 1, false, JobEnd::acknowledged, 1},
      {{Status::rejected, Status::accepted}, 1, false, JobEnd::acknowledged, 2},
      {{Status::unknown}, 1, false, JobEnd::acknowledged, 1},
      {{Status::expired}, 1, false, JobEnd::acknowledged, 1},
      {{Status::invalid}, 1, false, JobEnd::poison, 1},
      {{Status::deferred}, 1, false, JobEnd::put_off, 0},
      {{Status::deferred, Status::unsent}, 2, false, JobEnd::put_off, 0},
      {{Status::unsent}, 1, false, JobEnd::put_off, 0},
      {{Status::unsent}, 1, true, JobEnd::given_back, 0},
      {{Status::unsent}, 3, true, JobEnd::given_back, 0},
      {{Status::deferred}, 1, true, JobEnd::put_off, 0},
      // The last round, and those of whom somebody has had something.
      {{Status::deferred}, 3, false, JobEnd::acknowledged, 1},
      {{Status::deferred, Status::accepted}, 1, false, JobEnd::acknowledged, 2},
      {{Status::unsent, Status::unknown}, 1, true, JobEnd::acknowledged, 2},
  };
  for (const Case& one : cases) {
    INFO(name_of(one.statuses.front()) << " after " << one.deliveries);
    const auto held = with_job(one.statuses, one.deliveries);
    JobsInHand& jobs = *held;
    const std::vector<EndedJob> ended = settled(jobs, one.lines, one.node_ends);
    REQUIRE(ended.size() == 1);
    CHECK(ended.front().end == one.end);
    CHECK(jobs.take_ended(one.node_ends).empty());  // named once
  }
}

TEST_CASE("jobs: one whose line could not be stored is not ended, and the line comes again") {
  const auto held = with_job({Status::accepted});
  JobsInHand& jobs = *held;
  CHECK(jobs.take_ended(false).empty());
  SettlingRound round = jobs.begin_round(100);
  REQUIRE(round.notes.size() == 1);
  const std::string line = round.notes.front().note.line;
  jobs.put_back(std::move(round.notes.front()));
  CHECK(jobs.take_ended(false).empty());
  CHECK(jobs.has_changed());
  round = jobs.begin_round(100);
  REQUIRE(round.notes.size() == 1);
  CHECK(round.notes.front().note.line == line);
  const std::vector<EndedJob> ended = jobs.take_ended(false);
  REQUIRE(ended.size() == 1);
  jobs.say_again(7);  // nobody has confirmed it
  CHECK(jobs.take_ended(false).size() == 1);
}

TEST_CASE("jobs: final outcomes are stored before the job is over, those put off are not") {
  JobsInHand jobs("JOBS", 3, endpoint_names);
  CHECK(jobs.meet(pulled_job(1)) == JobsInHand::Met::fresh);
  for (const Status status : {Status::accepted, Status::deferred}) {
    jobs.begin_message(1);
    jobs.end_message(1, message_for("m", {"a@example.net"}), outcomes_of({status}));
  }
  CHECK(jobs.take_ended(false).empty());
  CHECK(jobs.begin_round(100).notes.size() == 1);
  CHECK(jobs.take_ended(false).empty());
  jobs.close_job(1);
  CHECK(jobs.take_ended(false).empty());
  CHECK(jobs.begin_round(100).notes.size() == 1);  // `deferred`, since the other one has his
  REQUIRE(jobs.take_ended(false).size() == 1);
}

TEST_CASE("jobs: a second delivery is known, in hand and behind its end") {
  const auto held = with_job({Status::accepted});
  JobsInHand& jobs = *held;
  CHECK(jobs.meet(pulled_job(7, 2)) == JobsInHand::Met::in_hand);
  const std::vector<EndedJob> ended = settled(jobs, 1);
  REQUIRE(ended.size() == 1);
  CHECK(ended.front().reply == pulled_job(7, 2).reply);  // the last one is acknowledged
  jobs.forget(7, true);
  CHECK(jobs.meet(pulled_job(7, 3)) == JobsInHand::Met::told);
  jobs.age_told();
  CHECK(jobs.meet(pulled_job(7, 3)) == JobsInHand::Met::told);
  jobs.age_told();
  CHECK(jobs.meet(pulled_job(7, 3)) == JobsInHand::Met::fresh);
}

TEST_CASE("jobs: the mark has what is in hand and what was told, and not what was given back") {
  JobsInHand jobs("JOBS", 3, endpoint_names);
  for (const std::uint64_t sequence : {1U, 2U, 3U, 4U}) {
    CHECK(jobs.meet(pulled_job(sequence)) == JobsInHand::Met::fresh);
  }
  jobs.forget(1, true);
  jobs.age_told();
  jobs.forget(2, true);
  jobs.forget(3, false);
  CHECK(jobs.mark("now").text() == "stream now\nin-hand 4\ntold 1-2\n");
  CHECK(jobs.replies().size() == 1);
}

TEST_CASE("jobs: ids of outcomes differ by job, place and recipient, and not by node") {
  const Message one = message_for("m", {"a@example.net", "b@example.net"});
  const Message other = message_for("n", {"a@example.net", "b@example.net"});
  const std::string id = outcome_message_id("JOBS", 7, one, 0);
  CHECK(id == outcome_message_id("JOBS", 7, one, 0));
  CHECK(id != outcome_message_id("JOBS", 7, one, 1));
  CHECK(id != outcome_message_id("JOBS", 8, one, 0));
  CHECK(id != outcome_message_id("JOBS", 7, other, 0));
  Message second = message_for("m", {"a@example.net"});
  second.origin.first_recipient = 1;
  CHECK(id != outcome_message_id("JOBS", 7, second, 0));
  CHECK(outcome_message_id("JOBS", 7, Message(), 0).starts_with("JOBS.7.0."));
}

TEST_CASE("jobs: rounds come later and later, up to an hour") {
  using std::chrono::hours;
  using std::chrono::minutes;
  CHECK(round_delay(minutes(1), 1) == minutes(1));
  CHECK(round_delay(minutes(1), 2) == minutes(2));
  CHECK(round_delay(minutes(1), 4) == minutes(8));
  CHECK(round_delay(minutes(1), 50) == hours(1));
  CHECK(round_delay(hours(2), 5) == hours(2));
}

TEST_CASE("jobs: a message of the stream is one job, or says why it is none") {
  nats::Pulled pulled = pulled_job(9);
  pulled.payload =
      "\n{\"id\":\"x\",\n\"from\":\"a@example.com\",\"to\":\"b@example.net\",\"text\":\"t\"}\n";
  Message message;
  BrokerJobReader one(pulled);
  CHECK(one.next(message) == BrokerJobReader::Step::message);
  CHECK(message.id == "x");
  CHECK(one.next(message) == BrokerJobReader::Step::end);

  pulled.payload = R"({"from":"a@example.com","text":"t","recipients":[{"email":"b@example.net"},)"
                   R"({"email":"c@example.net"}]})";
  BrokerJobReader fan(pulled);
  for (const Bytes recipient : {"b@example.net", "c@example.net"}) {
    message.clear();
    REQUIRE(fan.next(message) == BrokerJobReader::Step::message);
    CHECK(message.recipients[0] == recipient);
  }
  CHECK(fan.next(message) == BrokerJobReader::Step::end);

  for (const char* const payload : {"", " ", "no JSON", "[]", R"({"id":"x","nonsense":1})",
                                    R"({"define":"x","subject":"s","text":"t"})"}) {
    INFO(payload);
    pulled.payload = payload;
    BrokerJobReader bad(pulled);
    message.clear();
    CHECK(bad.next(message) == BrokerJobReader::Step::refused);
    CHECK(bad.words().starts_with("nats:9: "));
    CHECK_FALSE(message.id.empty());
    CHECK(bad.next(message) == BrokerJobReader::Step::end);
  }
}

}  // namespace ringpost::serve::test
