// The problem: options come from flags, files and programs that embed the engine, and a wrong one
// shows late, when threads run, or never, when it is a password in clear. The idea: one function
// looks at them before anything is started, and says the first mistake in a sentence for people.
// Limits: nothing is opened or looked up, so hosts and files that do not exist show when they are
// used; weights are taken as they are.
#include <algorithm>
#include <utility>

#include "engine/endpoint_check.h"
#include "queue/intent_log.h"
#include <ringpost/config.h>

namespace ringpost {

namespace {

// What a program that embeds the engine is told, where a file's words name keys or other ways.
std::string text_for_programs(EndpointOffence offence) {
  switch (offence.rule) {
    case EndpointRule::login_in_clear:
      return "credentials are not sent without TLS; remove the user name, or set "
             "allow_plaintext_auth for a server that you reach over a network you trust";
    case EndpointRule::token_place:
      return "a token needs a user name and TLS, and takes the place of a password";
    case EndpointRule::token_mechanism:
      return "this mechanism takes a password and no token";
    case EndpointRule::certificate_pair:
      return "a client certificate and its key go together";
    case EndpointRule::other:
      break;
  }
  return std::move(offence.text);
}

}  // namespace

std::string written_host(const EndpointOptions& endpoint) {
  return endpoint.host_is_absolute ? endpoint.host + "." : endpoint.host;
}

std::string first_mistake(const EngineOptions& options) {
  if (options.endpoints.empty()) {
    return "no endpoint was given";
  }
  if (options.cores == 0 || options.cores > 1024) {
    return "the number of cores must be between 1 and 1024";
  }
  if (options.outcome_threads == 0 || options.outcome_threads > limits::outcome_threads_max) {
    return "the number of outcome threads must be between 1 and " +
           std::to_string(limits::outcome_threads_max);
  }
  if (options.jobs_in_flight_max == 0 || options.job_bytes_in_flight_max == 0) {
    return "at least one job, and one octet of it, must be allowed in flight";
  }
  if (options.journal != nullptr &&
      options.jobs_in_flight_max > options.journal->jobs_in_flight_max()) {
    return "with a journal at most " + std::to_string(options.journal->jobs_in_flight_max()) +
           " jobs may be in flight";
  }
  for (std::size_t i = 0; i < options.endpoints.size(); ++i) {
    const EndpointOptions& endpoint = options.endpoints[i];
    const std::string who = "endpoint \"" + endpoint.name + "\": ";
    for (std::size_t j = 0; j < i; ++j) {
      if (options.endpoints[j].name == endpoint.name) {
        return who + "two endpoints have this name";
      }
    }
    if (auto offence = endpoint_offence(endpoint)) {
      return who + text_for_programs(std::move(*offence));
    }
  }
  return {};
}

std::size_t jobs_active_max(const EngineOptions& options) {
  constexpr std::size_t least = 256;
  std::size_t in_sessions = 0;
  for (const EndpointOptions& endpoint : options.endpoints) {
    const bool one_at_a_time = endpoint.pipelining != PipeliningOption::automatic;
    const std::size_t messages = one_at_a_time ? 1
                                 : endpoint.messages_in_flight_max > 0
                                     ? endpoint.messages_in_flight_max
                                     : limits::flight_messages_max;
    in_sessions += endpoint.connections_max * messages;
  }
  return std::clamp(2 * in_sessions, least, std::max(least, options.jobs_in_flight_max));
}

}  // namespace ringpost
