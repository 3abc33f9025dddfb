#include "tests/sim/plan.h"

#include <array>

#include <fmt/format.h>

#include "engine/session_options.h"

namespace ringpost::sim {

namespace {

using namespace std::chrono_literals;

// ---- Jobs ---------------------------------------------------------------------------------------

std::string random_text(Random& random) {
  constexpr std::array<std::string_view, 7> parts = {
      ".", R"(\r\n)", R"(\r\n.\r\n)", "text", R"(\r\n..)", "a.b", R"(\r\nFrom here)"};
  std::string text;
  for (std::uint64_t i = random.below(10); i > 0; --i) {
    text += parts[random.below(parts.size())];
  }
  if (random.one_in(40)) {
    for (std::uint64_t i = random.between(10, 400); i > 0; --i) {
      text += R"(a longer line of a longer message, as they come\r\n)";
    }
  }
  return text;
}

std::string recipients_json(const std::string& id, std::size_t count) {
  std::string json = "[";
  for (std::size_t i = 0; i < count; ++i) {
    json += fmt::format(R"({}"r{}.{}@b.example")", i == 0 ? "" : ",", i, id);
  }
  return json + "]";
}

void add_job(Plan& plan, Random& random) {
  // The age of a job is no matter of the server.
  const bool has_age = !plan.sound;
  const std::string id = fmt::format("j{}", plan.lines.size());
  // Now and then one that goes in many deliveries at a time.
  const std::size_t count = random.one_in(2) ? 1 : random.one_in(12) ? 40 : random.between(1, 5);
  std::string line = fmt::format(R"({{"id":"{}",)", id);
  if (random.one_in(30)) {
    plan.lines.push_back(line + R"("no such field":1})");
    ++plan.transactions;
    return;
  }
  if (has_age && random.one_in(25)) {
    constexpr std::int64_t begin_of_2026 = 1'767'225'600;
    line += fmt::format(R"("expires_at":{},)",
                        begin_of_2026 + static_cast<std::int64_t>(random.below(600)));
  }
  if (random.one_in(6)) {
    plan.lines.push_back(line +
                         fmt::format(R"("from":"{0}@a.example","subject":"about {0}",)"
                                     R"("text":"Hello {{{{email}}}} {1}","recipients":{2}}})",
                                     id, random_text(random), recipients_json(id, count)));
    plan.transactions += count;
    return;
  }
  if (random.one_in(2)) {
    line += fmt::format(
        R"("envelope":{{"from":"{0}@a.example","to":{1}}},"raw":"X-Id: {0}\r\n\r\n{2}"}})", id,
        recipients_json(id, count), random_text(random));
  } else {
    line += fmt::format(R"("from":"{0}@a.example","to":{1},"subject":"about {0}","text":"{2}"}})",
                        id, recipients_json(id, count), "Hello " + random_text(random));
  }
  plan.lines.push_back(std::move(line));
  plan.transactions += count <= 5 ? 1 : count;
}

void add_jobs(Plan& plan, Random& random) {
  for (std::uint64_t count = random.one_in(10) ? random.between(30, 120) : random.between(1, 30);
       count > 0; --count) {
    add_job(plan, random);
  }
}

// ---- The server and the way to it ---------------------------------------------------------------

test::ModelServerOptions random_server(Random& random) {
  test::ModelServerOptions options;
  options.auth_login_only = random.one_in(2);
  options.pipelining = !random.one_in(4);
  options.chunking = !random.one_in(3);
  options.chunking_known = !random.one_in(10);
  options.messages_max = random.one_in(4) ? random.between(1, 9) : ~std::uint64_t{0};
  options.says_goodbye = random.one_in(2);
  options.enhanced = !random.one_in(3);
  options.recipients_max =
      random.one_in(4) ? static_cast<std::uint32_t>(random.between(1, 3)) : 100;
  constexpr std::array<int, 3> answers = {354, 503, 554};
  options.data_without_recipients = answers[random.below(answers.size())];
  constexpr std::array<std::uint32_t, 5> chances = {0, 0, 5, 20, 60};
  options.refusal_chance = chances[random.below(chances.size())];
  options.shutdown_chance = random.one_in(4) ? 2 : 0;
  options.babble_chance = random.one_in(6) ? 2 : 0;
  options.silence_chance = random.one_in(5) ? 2 : 0;
  options.interruption_chance = random.one_in(6) ? 10 : 0;
  return options;
}

test::ModelServerOptions odd_server(Random& random) {
  test::ModelServerOptions options = random_server(random);
  options.ehlo_refused = random.one_in(8);
  if (random.one_in(2)) {
    options.dies_after_input = random.below(3000);
  } else {
    options.dies_after_output = random.below(1200);
  }
  return options;
}

// Up to eight of which nobody answers, before and behind those that work.
void choose_addresses(NetworkOptions& options, Random& random) {
  options.addresses.clear();
  const std::uint64_t dead = random.below(9);
  const std::uint64_t well = random.between(1, 3);
  const std::uint64_t before = random.below(dead + 1);
  for (std::uint64_t i = 0; i < dead + well; ++i) {
    const bool is_well = i >= before && i < before + well;
    const bool six = random.one_in(3);
    options.addresses.push_back(fmt::format("{}{}", six ? "2001:db8::" : "192.0.2.", i + 1));
    if (!is_well) {
      const std::string& address = options.addresses.back();
      (random.one_in(2) ? options.silent : options.refusing)
          .push_back(six ? "[" + address + "]" : address);
    }
  }
}

NetworkOptions random_network(Random& random) {
  NetworkOptions options;
  options.server = random_server(random);
  options.odd_server = odd_server(random);
  options.odd_one_in = random.one_in(2) ? random.between(1, 6) : 0;
  constexpr std::array<Duration, 4> latencies = {0ms, 1ms, 50ms, 2s};
  options.latency_max = latencies[random.below(latencies.size())];
  options.away_for = random.one_in(10) ? random.duration_up_to(20s) : 0s;
  if (random.one_in(4)) {
    options.restart_after = random.duration_up_to(20s);
    options.restart_for = random.one_in(3) ? random.duration_up_to(90s) : random.duration_up_to(4s);
  }
  if (random.one_in(4)) {
    choose_addresses(options, random);
  }
  options.refused_one_in = random.one_in(6) ? random.between(3, 12) : 0;
  options.black_hole_one_in = random.one_in(8) ? random.between(3, 12) : 0;
  options.reset_one_in = random.one_in(3) ? random.between(10, 200) : 0;
  options.send_failure_one_in = random.one_in(4) ? random.between(10, 200) : 0;
  return options;
}

// ---- ringpost -----------------------------------------------------------------------------------

// In the words of an endpoint.
void choose_pipelining(EndpointOptions& endpoint, protocol::Pipelining most) {
  endpoint.chunking = most != protocol::Pipelining::across;
  endpoint.pipelining = most == protocol::Pipelining::off      ? PipeliningOption::off
                        : most == protocol::Pipelining::within ? PipeliningOption::within
                                                               : PipeliningOption::automatic;
}

void choose_endpoint(Plan& plan, Random& random) {
  EndpointOptions& endpoint = plan.endpoint;
  endpoint.name = "sim";
  endpoint.host = "sim.example";
  endpoint.security = TransportSecurity::none;
  endpoint.connections_max = static_cast<std::uint32_t>(random.between(1, 5));
  if (random.one_in(8)) {
    endpoint.rates = {messages_per_second(5)};
  }
  endpoint.attempts_max = static_cast<std::uint32_t>(random.between(1, 5));
  endpoint.connect_attempts_max =
      random.one_in(3) ? static_cast<std::uint32_t>(random.between(2, 8)) : 0;
  if (random.one_in(3)) {
    endpoint.patience = random.duration_up_to(120s);
  }
  if (random.one_in(3)) {
    endpoint.username = "alice";
    endpoint.password = "wonderland";
    endpoint.allow_plaintext_auth = true;
  }
  endpoint.client_name = "client.example";
  choose_pipelining(endpoint, random.one_in(2)
                                  ? protocol::Pipelining::flights
                                  : static_cast<protocol::Pipelining>(random.below(4)));
  endpoint.messages_in_flight_max =
      random.one_in(2) ? 0 : static_cast<std::uint32_t>(random.between(1, 16));
  endpoint.messages_per_connection_max = random.one_in(5) ? random.between(1, 8) : 0;
  endpoint.recipients_max =
      random.one_in(3) ? static_cast<std::uint32_t>(random.between(1, 4)) : 100;
}

LifePlan random_life(Plan& plan, Random& random) {
  LifePlan life;
  life.io.sockets_max = random.one_in(6) ? random.between(1, 3) : 64;
  life.io.open_failure_one_in = random.one_in(8) ? random.between(2, 10) : 0;
  life.io.clock_offset_us = static_cast<std::int64_t>(random.below(1'000'000));
  life.io.clock_jump_one_in = random.one_in(8) ? random.between(5, 100) : 0;
  if (plan.journal != JournalKind::none) {
    life.disk.full_one_in = random.one_in(4) ? random.between(3, 50) : 0;
    life.disk.write_failure_one_in = random.one_in(10) ? random.between(10, 200) : 0;
    life.disk.sync_failure_one_in = random.one_in(10) ? random.between(10, 100) : 0;
    life.disk.interrupted_one_in = random.one_in(3) ? random.between(2, 20) : 0;
  }
  if (random.one_in(8)) {
    life.stop_after = random.duration_up_to(10s);
    life.abort_after =
        random.one_in(2) ? life.stop_after + random.duration_up_to(5s) : Duration::max();
  }
  life.deadline = random.one_in(10) ? random.duration_up_to(60s) : Duration::max();
  return life;
}

// Most deaths come early: it is then that most is in flight.
void choose_lives(Plan& plan, Random& random) {
  const std::uint64_t deaths = plan.journal == JournalKind::none ? 0 : random.below(6);
  for (std::uint64_t i = 0; i < deaths; ++i) {
    LifePlan life = random_life(plan, random);
    life.acts =
        random.one_in(6) ? Lifetime::endless : random.below(8 + 4 * plan.lines.size() / (1 + i));
    life.power_cut = plan.journal == JournalKind::power && random.one_in(2);
    plan.lives.push_back(life);
  }
  LifePlan last = plan.journal == JournalKind::none ? random_life(plan, random) : LifePlan{};
  last.acts = Lifetime::endless;
  plan.lives.push_back(last);
}

// ---- Odd ways -----------------------------------------------------------------------------------

// Over a plan that was there before: its other choices stay as they are.
void make_odd(Plan& plan, Random& random) {
  NetworkOptions& network = plan.network;
  network.server.odd = test::random_oddities(random.next());
  network.odd_server.odd = test::random_oddities(random.next());
  const bool whole = !random.one_in(4);
  plan.fickle = plan.fickle || !whole;
  if (whole) {
    test::ModelOddities& other = network.odd_server.odd;
    other.packets = network.server.odd.packets;
    other.behind_dot = network.server.odd.behind_dot;
    other.bdat = network.server.odd.bdat;
    other.keeps_refused_chunk = network.server.odd.keeps_refused_chunk;
  }
  network.whole_reads = whole;
  network.idle_max = random.one_in(6) ? random.duration_up_to(60s) : 0s;
  network.idle_says_so = random.one_in(2);
}

// Less what no way of speaking helps against. Where a flight may be ended without a word, some of
// it is in doubt.
test::ModelOddities sound_oddities(Random& random, bool flies) {
  test::ModelOddities odd = test::random_oddities(random.next());
  const test::ModelOddities none;
  odd.greeting = none.greeting;
  odd.wants_login = none.wants_login;
  odd.quota = none.quota;
  odd.login_refused = none.login_refused;
  odd.login_in_many_words = false;
  if (flies && odd.message_limit == test::MessageLimit::closes) {
    odd.message_limit = test::MessageLimit::goodbye;
  }
  return odd;
}

test::ModelServerOptions sound_server(Random& random, protocol::Pipelining pipelining) {
  test::ModelServerOptions server;
  // One that says this and that at random may be taken for one that is out of step.
  server.steady = true;
  server.auth_login_only = random.one_in(2);
  server.pipelining = !random.one_in(4);
  server.chunking = random.one_in(2);
  const bool flies =
      server.pipelining && server.chunking && pipelining == protocol::Pipelining::flights;
  server.messages_max = random.one_in(3) ? random.between(1, 9) : ~std::uint64_t{0};
  server.says_goodbye = random.one_in(2) || flies;
  server.enhanced = !random.one_in(4);
  server.recipients_max = random.one_in(3) ? static_cast<std::uint32_t>(random.between(1, 3)) : 100;
  constexpr std::array<int, 3> answers = {354, 503, 554};
  server.data_without_recipients = answers[random.below(answers.size())];
  constexpr std::array<std::uint32_t, 5> chances = {0, 0, 0, 5, 30};
  server.refusal_chance = chances[random.below(chances.size())];
  server.odd = sound_oddities(random, flies);
  return server;
}

// Beside the choices that were there before.
void choose_threads(Plan& plan) {
  Random random(plan.seed ^ 0x7472656164730000ull);
  plan.readers = random.one_in(3) ? 1 : random.between(2, 4);
  plan.outcome_threads = random.between(1, 2);
  plan.lines_in_hand_max = random.between(1, 6);
}

Plan make_sound_plan(std::uint64_t seed) {
  Random random(seed);
  Plan plan;
  plan.seed = seed;
  choose_threads(plan);
  plan.sound = true;
  plan.workers = random.between(1, 2);
  plan.jobs_in_flight_max = random.between(2, 64);
  plan.jobs_per_push_max = random.between(1, 8);
  plan.retry_jobs_max = plan.jobs_in_flight_max;
  choose_endpoint(plan, random);
  const EndpointOptions defaults;
  plan.endpoint.attempts_max = defaults.attempts_max;
  plan.endpoint.connect_attempts_max = defaults.connect_attempts_max;
  plan.network.server = sound_server(random, engine::session_options(plan.endpoint).pipelining);
  // Who may be refused at any stage may be refused at the login.
  if (plan.network.server.refusal_chance > 0) {
    plan.endpoint.username.clear();
  }
  plan.network.overtaken_one_in = 0;
  plan.network.whole_reads = true;
  constexpr std::array<Duration, 3> latencies = {0ms, 1ms, 50ms};
  plan.network.latency_max = latencies[random.below(latencies.size())];
  add_jobs(plan, random);
  LifePlan life;
  life.acts = Lifetime::endless;
  plan.lives.push_back(life);
  return plan;
}

}  // namespace

Plan make_plan(std::uint64_t seed) {
  if (seed % 4 == 0) {
    return make_sound_plan(seed);
  }
  Random random(seed);
  Plan plan;
  plan.seed = seed;
  choose_threads(plan);
  constexpr std::array<JournalKind, 4> journals = {JournalKind::none, JournalKind::process,
                                                   JournalKind::process, JournalKind::power};
  plan.journal = journals[random.below(journals.size())];
  plan.resend_unknown = random.one_in(3);
  plan.workers = random.between(1, 2);
  plan.jobs_in_flight_max = random.between(2, 64);
  plan.jobs_per_push_max = random.between(1, 8);
  plan.retry_jobs_max = random.between(1, plan.jobs_in_flight_max);
  plan.name_failure_one_in = random.one_in(10) ? random.between(2, 5) : 0;
  choose_endpoint(plan, random);
  plan.network = random_network(random);
  add_jobs(plan, random);
  choose_lives(plan, random);
  Random taking_back(seed ^ 0x6361'6e63'656c'0000ull);
  plan.taken_back_one_in = taking_back.one_in(4) ? taking_back.between(1, 4) : 0;
  // Nodes behind one name of which only some know BDAT.
  plan.fickle = plan.network.odd_one_in > 0 &&
                plan.network.server.chunking_known != plan.network.odd_server.chunking_known;
  Random more(~seed);
  if (more.one_in(2)) {
    make_odd(plan, more);
  }
  return plan;
}

std::string describe(const Plan& plan) {
  constexpr std::array<std::string_view, 3> journals = {"no journal", "journal (process)",
                                                        "journal (power)"};
  const std::string odd = test::describe(plan.network.server.odd);
  return fmt::format(
      "{}{} jobs, {} readers, {} workers, {} tell, {} sessions at most, {}, {} lives, {}{}{}{}",
      plan.sound    ? "sound: "
      : plan.fickle ? "fickle: "
                    : "",
      plan.lines.size(), plan.readers, plan.workers, plan.outcome_threads,
      plan.endpoint.connections_max,
      protocol::name_of(engine::session_options(plan.endpoint).pipelining), plan.lives.size(),
      journals[static_cast<std::size_t>(plan.journal)],
      plan.resend_unknown ? ", unknown ones are sent again" : "",
      odd.empty() ? "" : "; the server: ", odd);
}

}  // namespace ringpost::sim
