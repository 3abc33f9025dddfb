// TLS between two channels in memory: a handshake, records sealed, and records opened.
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/micro/content.h"
#include "tls/channel.h"
#include "tls/context.h"
#include "tls/ticket_cache.h"
#include "tools/sink/self_signed.h"

namespace {

using namespace ringpost;

constexpr std::size_t room_bytes = 256u << 10;

struct Peer {
  std::unique_ptr<tls::Context> context;
  std::unique_ptr<tls::Channel> channel;
  std::vector<char> memory = std::vector<char>(room_bytes);
  ByteBuffer output{memory.data(), memory.size()};
};

class Pair {
 public:
  Pair() {
    const auto identity = sink::make_self_signed({"localhost"}, 1);
    if (!identity) {
      return;
    }
    tls::ContextOptions options;
    options.role = tls::Role::server;
    options.certificate_pem = identity->certificate_pem;
    options.key_pem = identity->key_pem;
    auto of_server = tls::Context::create(options);
    tls::ContextOptions client_options;
    client_options.ca_pem = identity->certificate_pem;
    auto of_client = tls::Context::create(client_options);
    if (of_server && of_client) {
      server.context = std::move(*of_server);
      client.context = std::move(*of_client);
    }
  }

  // False: something failed.
  bool shake_hands(tls::TicketCache* tickets = nullptr) {
    if (!server.context) {
      return false;
    }
    auto of_client = tls::Channel::create(*client.context, "localhost", tickets);
    auto of_server = tls::Channel::create(*server.context, {});
    if (!of_client || !of_server) {
      return false;
    }
    client.channel = std::move(*of_client);
    server.channel = std::move(*of_server);
    Peer* from = &client;
    Peer* to = &server;
    if (!from->channel->handshake()) {
      return false;
    }
    for (int flights = 0; flights < 6; ++flights, std::swap(from, to)) {
      if (!pass(*from, *to)) {
        return false;
      }
    }
    return client.channel->handshake_done() && server.channel->handshake_done();
  }

  Peer client;
  Peer server;

 private:
  static bool pass(Peer& from, Peer& to) {
    from.output.clear();
    from.channel->take_output(from.output);
    if (from.output.empty()) {
      return true;
    }
    to.channel->feed(from.output.bytes());
    const auto done = to.channel->handshake();
    return done && (!*done || to.channel->read());
  }
};

void handshake(benchmark::State& state, bool resumed) {
  Pair pair;
  tls::TicketCache tickets;
  for (auto _ : state) {
    if (!pair.shake_hands(resumed ? &tickets : nullptr)) {
      state.SkipWithError("the handshake failed");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations());
}

void seal(benchmark::State& state) {
  Pair pair;
  if (!pair.shake_hands()) {
    state.SkipWithError("the handshake failed");
    return;
  }
  const std::string plaintext = bench::mail_text(static_cast<std::size_t>(state.range(0)), 0);
  for (auto _ : state) {
    pair.client.output.clear();
    benchmark::DoNotOptimize(pair.client.channel->seal(plaintext, pair.client.output));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(plaintext.size()));
}

// Sealing is part of it, since each record can be opened once; subtract it.
void seal_and_open(benchmark::State& state) {
  Pair pair;
  if (!pair.shake_hands()) {
    state.SkipWithError("the handshake failed");
    return;
  }
  const std::string plaintext = bench::mail_text(static_cast<std::size_t>(state.range(0)), 0);
  for (auto _ : state) {
    pair.server.output.clear();
    benchmark::DoNotOptimize(pair.server.channel->seal(plaintext, pair.server.output));
    pair.client.channel->feed(pair.server.output.bytes());
    while (true) {
      const auto read = pair.client.channel->read();
      if (!read || read->state != tls::ReadState::plaintext) {
        break;
      }
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(plaintext.size()));
}

BENCHMARK_CAPTURE(handshake, full, false);
BENCHMARK_CAPTURE(handshake, resumed, true);
BENCHMARK(seal)->ArgName("bytes")->Arg(100)->Arg(2048)->Arg(16384)->Arg(76800);
BENCHMARK(seal_and_open)->ArgName("bytes")->Arg(100)->Arg(400)->Arg(2048);

}  // namespace
