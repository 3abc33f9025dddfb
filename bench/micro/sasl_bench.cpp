// What a login costs beside the hashes, which are tls/'s.
#include <benchmark/benchmark.h>

#include "codec/smtp/sasl.h"

namespace {

void respond(benchmark::State& state, ringpost::AuthMechanism mechanism) {
  ringpost::codec::Credentials credentials;
  credentials.username = "mailer@example.com";
  credentials.password = "correct horse battery staple";
  credentials.token = "ya29.a0AfH6SMBx-0123456789abcdefghijklmnopqrstuvwxyz";
  credentials.host = "smtp.example.com";
  credentials.port = 587;
  const ringpost::codec::SaslExchange exchange(mechanism, credentials, {});
  for (auto _ : state) {
    benchmark::DoNotOptimize(exchange.initial_response());
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(respond, plain, ringpost::AuthMechanism::plain);
BENCHMARK_CAPTURE(respond, oauthbearer, ringpost::AuthMechanism::oauthbearer);

}  // namespace
