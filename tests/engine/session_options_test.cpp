#include "engine/session_options.h"

#include <catch2/catch_test_macros.hpp>

#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

protocol::Pipelining pipelining_of(PipeliningOption option, bool chunking) {
  EndpointOptions endpoint;
  endpoint.pipelining = option;
  endpoint.chunking = chunking;
  return session_options(endpoint).pipelining;
}

}  // namespace

TEST_CASE("session options: an endpoint as it comes is spoken to with TLS and in flights") {
  EndpointOptions endpoint;
  endpoint.client_name = "client.example";
  const protocol::SessionOptions session = session_options(endpoint);
  CHECK(session.client_name == "client.example");
  CHECK(session.tls_mode == protocol::TlsMode::starttls);
  CHECK_FALSE(session.authenticate);
  CHECK_FALSE(session.allow_plaintext_auth);
  CHECK(session.peer_verified);
  CHECK(session.pipelining == protocol::Pipelining::flights);
  CHECK(session.messages_max == 0);
  const protocol::SessionTimeouts usual;
  CHECK(session.timeouts.greeting == usual.greeting);
  CHECK(session.timeouts.command == usual.command);
  CHECK(session.timeouts.data == usual.data);
  CHECK(session.timeouts.end_of_data == usual.end_of_data);
}

TEST_CASE("session options: TLS comes as the endpoint says") {
  CHECK(tls_mode_of(TransportSecurity::starttls) == protocol::TlsMode::starttls);
  CHECK(tls_mode_of(TransportSecurity::implicit) == protocol::TlsMode::implicit);
  CHECK(tls_mode_of(TransportSecurity::none) == protocol::TlsMode::none);
  EndpointOptions endpoint;
  endpoint.security = TransportSecurity::implicit;
  endpoint.verify_certificate = false;
  CHECK(session_options(endpoint).tls_mode == protocol::TlsMode::implicit);
  CHECK_FALSE(session_options(endpoint).peer_verified);
}

TEST_CASE("session options: without BDAT a session runs ahead by DATA groups at most") {
  using protocol::Pipelining;
  CHECK(pipelining_of(PipeliningOption::automatic, true) == Pipelining::flights);
  CHECK(pipelining_of(PipeliningOption::automatic, false) == Pipelining::across);
  for (const bool chunking : {true, false}) {
    CHECK(pipelining_of(PipeliningOption::within, chunking) == Pipelining::within);
    CHECK(pipelining_of(PipeliningOption::off, chunking) == Pipelining::off);
  }
}

TEST_CASE("session options: who has a user name logs in, by the mechanism that was named") {
  EndpointOptions endpoint;
  endpoint.username = "alice";
  endpoint.auth = AuthMechanism::cram_md5;
  endpoint.allow_plaintext_auth = true;
  const protocol::SessionOptions session = session_options(endpoint);
  CHECK(session.authenticate);
  CHECK(session.mechanism == AuthMechanism::cram_md5);
  CHECK(session.allow_plaintext_auth);
}

TEST_CASE("session options: bounds are the endpoint's, and a transaction has one recipient") {
  EndpointOptions endpoint;
  endpoint.messages_in_flight_max = 7;
  endpoint.messages_per_connection_max = 30;
  endpoint.recipients_max = 0;
  endpoint.idempotency_header = "X-Key";
  const protocol::SessionOptions session = session_options(endpoint);
  CHECK(session.messages_in_flight_max == 7);
  CHECK(session.messages_max == 30);
  CHECK(session.recipients_max == 1);
  CHECK(session.idempotency_header == "X-Key");
}

TEST_CASE("session options: one timeout of commands shortens other waits, and lengthens none") {
  EndpointOptions endpoint;
  endpoint.command_timeout = 7s;
  endpoint.end_of_data_timeout = 9s;
  protocol::SessionTimeouts timeouts = session_options(endpoint).timeouts;
  CHECK(timeouts.command == 7s);
  CHECK(timeouts.greeting == 7s);
  CHECK(timeouts.data == 7s);
  CHECK(timeouts.end_of_data == 9s);
  endpoint.command_timeout = 1h;
  timeouts = session_options(endpoint).timeouts;
  CHECK(timeouts.command == 1h);
  CHECK(timeouts.greeting == limits::greeting_timeout);
  CHECK(timeouts.data == limits::data_timeout);
}

}  // namespace ringpost::engine
