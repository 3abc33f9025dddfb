// The promise of docs/CONTRACT.md section 5, tried with servers that refuse, break off, hang and
// babble, in random splits and at random moments: whatever the session says of a recipient is
// compared with what the server did.
//
// To see one run again: the failing seed is printed, and `--rng-seed` with the number that Catch2
// prints first repeats all of them.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include "engine/protocol/session.h"
#include "tests/support/fixed_nonce.h"
#include "tests/support/mail.h"
#include "tests/support/model_server.h"

using namespace ringpost;
using protocol::CloseReason;
using protocol::Session;
using protocol::SessionState;
using test::Mail;
using test::ModelServer;
using test::ModelServerOptions;
using test::TakenMessage;

namespace {

using Random = std::mt19937_64;

// What all runs together have seen: a run in which nothing happens proves nothing.
struct Tally {
  std::map<std::pair<Status, Stage>, int> verdicts;
  std::set<protocol::CloseKind> ends;
  std::uint64_t resets = 0;
  std::uint64_t lone_dots = 0;
};

// Counts, and keeps the rules of SessionListener.
class Notes final : public protocol::SessionListener {
 public:
  explicit Notes(Tally& tally) : tally_(tally) {}

  void on_start_tls() override { starts_tls = true; }
  void on_ready() override {}

  void on_end_of_data(Delivery& delivery, std::uint32_t begin, std::uint32_t end) override {
    REQUIRE(in_flight.contains(&delivery));
    REQUIRE(begin < end);
    REQUIRE(announced.insert(&delivery).second);
  }
  void on_verdict(Delivery& delivery, std::uint32_t index,
                  const protocol::Verdict& verdict) override {
    Recipient& recipient = delivery.recipients[index];
    REQUIRE(!closed);
    REQUIRE(in_flight.contains(&delivery));
    REQUIRE(in_flight[&delivery].insert(&recipient).second);
    REQUIRE(!recipient.decided);
    const bool may_be_taken =
        verdict.status == Status::accepted || verdict.status == Status::unknown;
    REQUIRE((!may_be_taken || announced.contains(&delivery)));
    REQUIRE((!verdict.may_retry || verdict.status == Status::unsent));
    ++verdicts[&recipient][verdict.status];
    if (verdict.status == Status::unsent && verdict.stage == Stage::rcpt &&
        verdict.code / 10 != 42) {
      overflowed.insert(&recipient);
    }
    // 421 ends everything behind what it answers, a server without BDAT takes nothing, and an end
    // of data that is refused for the company it came in is refused: the message was not taken
    // though all of it was sent.
    const bool disproved = verdict.code == 421 || verdict.stage == Stage::data ||
                           (verdict.stage == Stage::eod && verdict.code >= 400);
    if (verdict.status == Status::unsent && verdict.code != 0 && disproved) {
      not_taken.insert(&recipient);
    }
    ++tally_.verdicts[{verdict.status, verdict.stage}];
    recipient.decided = !verdict.may_retry;
  }

  void on_delivery_done(Delivery& delivery) override {
    REQUIRE(!closed);
    REQUIRE(in_flight.contains(&delivery));
    for (Recipient& recipient : delivery.active_recipients()) {
      const bool heard = in_flight[&delivery].contains(&recipient);
      const bool waits = recipient.progress == RecipientProgress::waiting;
      REQUIRE((heard || recipient.decided || waits));
    }
    in_flight.erase(&delivery);
    announced.erase(&delivery);
  }

  void on_closed(const CloseReason& reason) override {
    REQUIRE(!closed);
    REQUIRE(in_flight.empty());
    closed = true;
    tally_.ends.insert(reason.kind);
  }

  bool starts_tls = false;
  bool closed = false;
  // Who of a job in flight has had a verdict.
  std::map<const Delivery*, std::set<const Recipient*>> in_flight;
  std::set<const Delivery*> announced;
  std::map<const Recipient*, std::map<Status, int>> verdicts;
  std::set<const Recipient*> overflowed;  // for which another transaction is needed
  std::set<const Recipient*> not_taken;   // whose message was sent, and the server said so

 private:
  Tally& tally_;
};

ModelServerOptions random_server(Random& random) {
  const auto one_in = [&](std::uint64_t n) { return random() % n == 0; };
  ModelServerOptions options;
  options.starttls = one_in(4);
  options.auth_login_only = one_in(2);
  options.pipelining = !one_in(4);
  options.chunking = !one_in(3);
  options.chunking_known = !one_in(10);
  options.messages_max = one_in(4) ? 1 + random() % 5 : ~std::uint64_t{0};
  options.says_goodbye = one_in(2);
  options.enhanced = !one_in(3);
  options.ehlo_refused = one_in(20);
  options.recipients_max = one_in(3) ? static_cast<std::uint32_t>(1 + random() % 3) : 100;
  constexpr int answers[] = {354, 503, 554};
  options.data_without_recipients = answers[random() % 3];
  constexpr std::uint32_t chances[] = {0, 10, 40, 80};
  options.refusal_chance = chances[random() % 4];
  options.shutdown_chance = one_in(5) ? 3 : 0;
  options.babble_chance = one_in(5) ? 3 : 0;
  options.silence_chance = one_in(5) ? 3 : 0;
  options.interruption_chance = one_in(5) ? 20 : 0;
  if (one_in(3)) {
    options.dies_after_input = random() % 1500;
  } else if (one_in(3)) {
    options.dies_after_output = random() % 600;
  }
  return options;
}

std::string random_content(Random& random, const std::string& id) {
  std::string content = "X-Id: " + id + "\r\n";
  constexpr std::string_view parts[] = {".", "\r\n", "\r\n.\r\n", "text", "\r\n..", "a.b"};
  for (std::uint64_t i = random() % 12; i > 0; --i) {
    content += parts[random() % std::size(parts)];
  }
  if (random() % 20 == 0) {
    content += std::string(9000 + random() % 40'000, random() % 2 == 0 ? 'x' : '.');
  }
  return content;
}

std::vector<Mail> random_jobs(Random& random) {
  std::vector<Mail> jobs;
  const std::uint64_t count = 1 + random() % 6;
  for (std::uint64_t i = 0; i < count; ++i) {
    test::MailText text;
    text.id = "j" + std::to_string(i);
    text.sender = text.id + "@a.example";
    for (std::uint64_t n = 1 + random() % 4; n > 0; --n) {
      text.recipients.push_back("r" + std::to_string(n) + "." + text.id + "@b.example");
    }
    text.content = random_content(random, text.id);
    text.pieces = 1 + random() % 4;
    jobs.push_back(test::make_mail(text));
  }
  return jobs;
}

bool has_undecided(const Delivery& delivery) {
  return std::any_of(delivery.active_recipients().begin(), delivery.active_recipients().end(),
                     [](const Recipient& recipient) { return !recipient.decided; });
}

protocol::SessionOptions random_options(Random& random, bool starttls) {
  protocol::SessionOptions options;
  options.tls_mode = starttls ? protocol::TlsMode::starttls : protocol::TlsMode::none;
  options.authenticate = random() % 3 == 0;
  options.allow_plaintext_auth = true;
  options.credentials = {"alice", "wonderland"};
  static const ringpost::test::FixedNonce crypto;
  static codec::ScramCache scram_cache;
  options.sasl = {&crypto, &scram_cache};
  options.pipelining = random() % 2 == 0 ? protocol::Pipelining::flights
                                         : static_cast<protocol::Pipelining>(random() % 3);
  options.messages_in_flight_max = static_cast<std::uint32_t>(random() % 8);
  options.messages_max = random() % 4 == 0 ? 1 + random() % 6 : 0;
  options.recipients_max = random() % 3 == 0 ? static_cast<std::uint32_t>(1 + random() % 3) : 100;
  return options;
}

// One connection: octets of both sides go their way in random pieces at random moments.
class Connection {
 public:
  Connection(Random& random, std::vector<Mail>& jobs, const ModelServerOptions& server,
             const protocol::PipeliningKnowledge& knowledge, Tally& tally)
      : random_(random),
        jobs_(jobs),
        server_options_(server),
        options_(random_options(random, server_options_.starttls)),
        server_(server_options_, random()),
        notes_(tally),
        chunking_proven_before_(knowledge.chunking_proven),
        session_(options_, notes_, now_, knowledge) {}

  void run() {
    for (int idle_turns = 0; !session_.closed();) {
      const std::uint64_t before = progress_;
      turn();
      idle_turns = progress_ == before ? idle_turns + 1 : 0;
      if (idle_turns > 60 && !session_.closed()) {
        end_of_patience();
        idle_turns = 0;
      }
    }
    // What was handed over may still arrive.
    server_.receive(to_server_);
    to_server_.clear();
  }

  void check(const Tally&) const {
    INFO("complaint: " << server_.complaint());
    REQUIRE(server_.complaint().empty());
    REQUIRE(server_.nested_mails() == 0);
    // The first BDAT goes alone: one that is not known is no proof, whatever else comes.
    const bool believed = session_.knowledge().chunking_proven && !chunking_proven_before_;
    REQUIRE((server_options_.chunking_known || !believed));
    // Those of the trial of BDAT, whose MAIL may be refused, and of what was refused in it.
    REQUIRE(server_.needless_resets() <= 2);
    REQUIRE(notes_.closed);
    REQUIRE(notes_.in_flight.empty());
    REQUIRE(!session_.wants_message());
    REQUIRE(session_.deadline() == never);
    check_promise();
  }

  [[nodiscard]] const protocol::PipeliningKnowledge& knowledge() const {
    return session_.knowledge();
  }

  void add_to(Tally& tally) const {
    tally.resets += server_.resets();
    tally.lone_dots += server_.lone_dots();
  }

 private:
  void turn() {
    switch (random_() % 6) {
      case 0:
        submit();
        break;
      case 1:
        pull();
        break;
      case 2:
        hand_over();
        break;
      case 3:
        server_reads();
        break;
      case 4:
        deliver();
        break;
      case 5:
        now_ += std::chrono::milliseconds(10);
        session_.expire(now_);
        break;
    }
    if (random_() % 3000 == 0 && !session_.closed()) {
      random_() % 2 == 0 ? session_.abort() : session_.quit(now_);
    }
  }

  void submit() {
    if (!session_.wants_message()) {
      return;
    }
    for (const Mail& job : jobs_) {
      Delivery& delivery = job.delivery;
      if (!notes_.in_flight.contains(&delivery) && has_undecided(delivery)) {
        notes_.in_flight[&delivery];
        session_.submit(delivery, now_);
        ++progress_;
        return;
      }
    }
  }

  void pull() {
    if (!session_.has_output()) {
      return;
    }
    room_.resize(random_() % 3 == 0 ? 16'384 : 1024 + random_() % 2000);
    const Bytes octets = session_.output(room_);
    REQUIRE(!octets.empty());
    pulled_ += octets;
    ++progress_;
  }

  void hand_over() {
    const std::size_t count = piece_of(pulled_.size());
    to_server_ += pulled_.substr(0, count);
    pulled_.erase(0, count);
    handed_over_ += count;
    session_.about_to_hand_over(handed_over_);
    session_.handed_over(handed_over_, now_);
    progress_ += count;
  }

  void server_reads() {
    const std::size_t count = piece_of(to_server_.size());
    server_.receive(to_server_.substr(0, count));
    to_server_.erase(0, count);
    progress_ += count;
  }

  void deliver() {
    std::string& said = server_.output();
    const std::size_t count = piece_of(said.size());
    const std::string octets = said.substr(0, count);
    said.erase(0, count);
    progress_ += count;
    if (session_.closed()) {
      return;
    }
    session_.receive(octets, now_);
    if (session_.state() == SessionState::handshake && notes_.starts_tls &&
        server_.wants_handshake()) {
      server_.handshake_done();
      session_.tls_established(now_);
    }
  }

  // Everything at once in half of the cases.
  std::size_t piece_of(std::size_t available) {
    return available == 0 || random_() % 2 == 0 ? available : random_() % (available + 1);
  }

  // Nothing has moved for a while.
  void end_of_patience() {
    ++progress_;
    const bool work_left = std::any_of(jobs_.begin(), jobs_.end(),
                                       [](const Mail& job) { return has_undecided(job.delivery); });
    if (server_.ended() && server_.output().empty()) {
      CloseReason reason;
      reason.kind =
          random_() % 2 == 0 ? protocol::CloseKind::peer_closed : protocol::CloseKind::io_error;
      session_.transport_closed(reason);
    } else if (session_.idle() && (!work_left || !session_.wants_message())) {
      session_.quit(now_);
    } else if (session_.deadline() != never) {
      now_ = session_.deadline();
      session_.expire(now_);
      REQUIRE(session_.closed());
    }
  }

  void check_promise() const {
    std::map<std::string, int> taken;
    for (const TakenMessage& message : server_.taken()) {
      const Message* const job = job_of(message);
      REQUIRE(job != nullptr);
      for (const std::string& address : message.recipients) {
        REQUIRE(address.find("." + job->id + "@") != std::string::npos);
        ++taken[address];
      }
    }
    for (const Mail& job : jobs_) {
      for (const Recipient& recipient : job.delivery.active_recipients()) {
        const std::string address = job.address(recipient);
        const auto verdicts = notes_.verdicts.find(&recipient);
        const auto count = [&](Status status) {
          const bool none = verdicts == notes_.verdicts.end() || !verdicts->second.contains(status);
          return none ? 0 : verdicts->second.at(status);
        };
        INFO(address);
        REQUIRE(taken[address] >= count(Status::accepted));
        REQUIRE(taken[address] <= count(Status::accepted) + count(Status::unknown));
      }
    }
  }

  // The message that the server took, octet by octet; null when nobody sent this.
  const Message* job_of(const TakenMessage& taken) const {
    for (const Mail& job : jobs_) {
      const Message& message = job.message;
      const std::string end = message.content.traits().ends_with_crlf() ? "" : "\r\n";
      if (taken.sender == message.sender && taken.content == message.content.text() + end) {
        return &message;
      }
    }
    return nullptr;
  }

  Random& random_;
  std::vector<Mail>& jobs_;
  ModelServerOptions server_options_;
  protocol::SessionOptions options_;
  ModelServer server_;
  Notes notes_;
  Instant now_{std::chrono::hours(1)};
  bool chunking_proven_before_;
  Session session_;
  std::string pulled_;     // what output() gave and was not handed over
  std::string to_server_;  // what was handed over and not read
  std::uint64_t handed_over_ = 0;
  std::uint64_t progress_ = 0;
  std::vector<char> room_;
};

void run_seed(std::uint64_t seed, Tally& tally) {
  INFO("seed " << seed);
  Random random(seed);
  std::vector<Mail> jobs = random_jobs(random);
  const ModelServerOptions server = random_server(random);
  protocol::PipeliningKnowledge knowledge;
  for (int sessions = 0; sessions < 4; ++sessions) {
    Connection connection(random, jobs, random() % 4 == 0 ? random_server(random) : server,
                          knowledge, tally);
    connection.run();
    connection.check(tally);
    connection.add_to(tally);
    knowledge = connection.knowledge();
  }
}

// A server that has no idea: octets of replies, and of none, now and then what would be right.
std::string random_babble(Random& random, SessionState state) {
  constexpr std::string_view replies[] = {"250 ok\r\n",
                                          "354 go\r\n",
                                          "450 4.2.1 later\r\n",
                                          "550 5.1.1 no\r\n",
                                          "452 4.5.3 many\r\n",
                                          "503 no\r\n",
                                          "421 bye\r\n",
                                          "221 bye\r\n",
                                          "220 go\r\n",
                                          "250-a\r\n",
                                          "334 VXNlcjo=\r\n",
                                          "235 ok\r\n",
                                          "250 2.1.0 ok\r\n",
                                          "250 2.1.5 ok\r\n",
                                          "250",
                                          "2",
                                          "250x\r\n",
                                          "\n",
                                          "999 x\r\n",
                                          "535 no\r\n"};
  constexpr std::string_view groups[] = {"250 ok\r\n",
                                         "354 go\r\n",
                                         "250 ok\r\n250 ok\r\n354 go\r\n",
                                         "250 ok\r\n550 no\r\n354 go\r\n",
                                         "250 ok\r\n450 no\r\n451 no\r\n",
                                         "550 no\r\n",
                                         "250 ok\r\n250 ok\r\n250 ok\r\n",
                                         "500 what?\r\n"};
  constexpr std::string_view hellos[] = {"250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n",
                                         "250-mx\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n",
                                         "250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n"
                                         "250-AUTH PLAIN\r\n250 STARTTLS\r\n",
                                         "250-mx\r\n250 AUTH LOGIN\r\n",
                                         "250-mx\r\n250 AUTH CRAM-MD5\r\n",
                                         "250-mx\r\n250 AUTH SCRAM-SHA-256\r\n",
                                         "502 no\r\n"};
  if (random() % 100 == 0) {
    std::string noise(1 + random() % 20, '\0');
    std::generate(noise.begin(), noise.end(), [&] { return static_cast<char>(random()); });
    return noise;
  }
  if (random() % 10 == 0) {
    return std::string(replies[random() % std::size(replies)]);
  }
  switch (state) {
    case SessionState::greeting:
    case SessionState::starttls:
      return "220 mx\r\n";
    case SessionState::hello:
    case SessionState::hello_tls:
      return std::string(hellos[random() % std::size(hellos)]);
    case SessionState::auth:
      return random() % 2 == 0 ? "334 VXNlcjo=\r\n" : "235 ok\r\n";
    case SessionState::handshake:
    case SessionState::ready:
    case SessionState::quitting:
    case SessionState::closed:
      break;
  }
  return std::string(groups[random() % std::size(groups)]);
}

// Whether the content that begins there has its end of data behind it, or all the octets that its
// BDAT counts.
bool content_has_ended(const std::string& octets, std::size_t begin) {
  const std::size_t line = octets.rfind('\n', begin - 2) + 1;
  if (!std::string_view(octets).substr(line).starts_with("BDAT ")) {
    return octets.find("\r\n.\r\n", begin) != std::string::npos;
  }
  const std::size_t end = begin + std::stoull(octets.substr(line + 5));
  if (octets.substr(line, begin - line).ends_with(" LAST\r\n")) {
    return octets.size() >= end;
  }
  const std::size_t rest = end < octets.size() ? octets.find('\n', end) : std::string::npos;
  const bool goes_on = rest != std::string::npos && octets.compare(end, 5, "BDAT ") == 0;
  return goes_on && octets.size() > rest + std::stoull(octets.substr(end + 5));
}

// It may have begun more than once: in the way that is on trial, and again.
bool message_has_ended(const std::string& octets, const std::string& id) {
  const std::string field = "X-Id: " + id;
  for (std::size_t begin = octets.find(field + "\r\n"); begin != std::string::npos;
       begin = octets.find(field + "\r\n", begin + 1)) {
    if (content_has_ended(octets, begin)) {
      return true;
    }
  }
  for (std::size_t begin = octets.find(field + "BDAT "); begin != std::string::npos;
       begin = octets.find(field + "BDAT ", begin + 1)) {
    if (content_has_ended(octets, begin)) {
      return true;
    }
  }
  return false;
}

// The session does its part towards such a server: nobody can say what was taken, but the boundary
// between unsent and unknown is ours.
void run_babble(std::uint64_t seed, Tally& tally) {
  INFO("seed " << seed);
  Random random(seed);
  std::vector<Mail> jobs = random_jobs(random);
  const protocol::SessionOptions options = random_options(random, random() % 4 == 0);
  Notes notes(tally);
  Instant now{std::chrono::hours(1)};
  Session session(options, notes, now);
  std::vector<char> room(2048);
  std::string handed_over;
  std::size_t next_job = 0;
  while (!session.closed()) {
    if (session.wants_message() && next_job < jobs.size()) {
      notes.in_flight[&jobs[next_job].delivery];
      session.submit(jobs[next_job++].delivery, now);
    }
    for (std::uint64_t pulls = random() % 8; pulls > 0 && session.has_output(); --pulls) {
      handed_over += session.output(room);
      session.about_to_hand_over(handed_over.size());
      session.handed_over(handed_over.size(), now);
    }
    if (session.state() == SessionState::handshake && random() % 20 != 0) {
      session.tls_established(now);
    } else if (random() % 50 == 0) {
      now += std::chrono::minutes(random() % 6);
      session.expire(now);
    } else if (random() % 200 == 0) {
      session.quit(now);
    } else {
      session.receive(random_babble(random, session.state()), now);
    }
  }
  for (const Mail& job : jobs) {
    const bool ended = message_has_ended(handed_over, job.message.id);
    for (const Recipient& recipient : job.delivery.active_recipients()) {
      for (const auto& [status, count] : notes.verdicts[&recipient]) {
        INFO(job.address(recipient) << " " << name_of(status));
        REQUIRE(count == 1);
        REQUIRE((status != Status::accepted || ended));
        REQUIRE((status != Status::unknown || ended));
        const bool known =
            notes.overflowed.contains(&recipient) || notes.not_taken.contains(&recipient);
        REQUIRE((status != Status::unsent || !ended || known));
      }
    }
  }
}

}  // namespace

TEST_CASE("session: whatever a server does, what is said of a recipient is true") {
  Tally tally;
  const std::uint64_t random_seeds = std::uint64_t{Catch::getSeed()} << 16;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    run_seed(seed, tally);
    run_seed(random_seeds + seed, tally);
  }

  // All that can happen has happened.
  const auto seen = [&](Status status, Stage stage) {
    return tally.verdicts.contains({status, stage});
  };
  CHECK(seen(Status::accepted, Stage::eod));
  CHECK(seen(Status::unknown, Stage::eod));
  for (const Stage stage : {Stage::mail, Stage::rcpt, Stage::data, Stage::eod}) {
    INFO(name_of(stage));
    CHECK(seen(Status::rejected, stage));
    CHECK(seen(Status::deferred, stage));
    CHECK((stage == Stage::eod || seen(Status::unsent, stage)));
  }
  using protocol::CloseKind;
  for (const CloseKind kind : {CloseKind::quit, CloseKind::aborted, CloseKind::peer_closed,
                               CloseKind::peer_closing, CloseKind::io_error, CloseKind::timeout,
                               CloseKind::protocol_error, CloseKind::auth_refused}) {
    INFO(name_of(kind));
    CHECK(tally.ends.contains(kind));
  }
  CHECK(tally.resets > 0);
  CHECK(tally.lone_dots > 0);
}

TEST_CASE(
    "session: whatever a server babbles, each recipient has its verdict and no rule is broken") {
  Tally tally;
  const std::uint64_t random_seeds = std::uint64_t{Catch::getSeed()} << 16;
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    run_babble(seed, tally);
    run_babble(random_seeds + seed, tally);
  }
  const auto seen = [&](Status status, Stage stage) {
    return tally.verdicts.contains({status, stage});
  };
  CHECK(seen(Status::accepted, Stage::eod));
  CHECK(seen(Status::unknown, Stage::eod));
  CHECK(seen(Status::unsent, Stage::data));
  CHECK(seen(Status::rejected, Stage::data));
  for (std::size_t i = 0; i < protocol::close_kind_count; ++i) {
    const auto kind = static_cast<protocol::CloseKind>(i);
    using protocol::CloseKind;
    const bool from_outside = kind == CloseKind::aborted || kind == CloseKind::connect_failed ||
                              kind == CloseKind::peer_closed || kind == CloseKind::io_error ||
                              kind == CloseKind::tls_failed || kind == CloseKind::auth_in_clear ||
                              kind == CloseKind::token_unavailable ||
                              kind == CloseKind::way_refused || kind == CloseKind::all_refused ||
                              kind == CloseKind::rate_refused;
    INFO(protocol::name_of(kind));
    CHECK((from_outside || tally.ends.contains(kind)));
  }
}
