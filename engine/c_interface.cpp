// The problem: other languages call C, know nothing of exceptions, lifetimes or std::string, and
// were compiled with another year's header. The idea: each function is a thin coat over the C++ one
// of the same name: structures are copied as far as both sides know them (read_structure), every
// text becomes a string of ours, and whatever is thrown becomes a number (guarded). Limits: a
// pointer that points nowhere is not noticed; the words of servers end at their first NUL.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>

#include "codec/smtp/auth_mechanism.h"
#include "codec/smtp/dsn_request.h"
#include <ringpost/engine.h>
#include <ringpost/ringpost.h>

// What both sides of the interface hold of an engine.
struct ringpost_engine {
  std::unique_ptr<ringpost::Engine> engine;
  std::atomic<std::size_t> submitters{0};
};

struct ringpost_submitter {
  ringpost_engine& owner;
  ringpost::Engine::Submitter submitter;
};

namespace ringpost {

namespace {

static_assert(RINGPOST_STATUS_COUNT == status_count);
static_assert(RINGPOST_IO_AUTOMATIC == static_cast<int>(IoChoice::automatic) &&
              RINGPOST_IO_RING == static_cast<int>(IoChoice::ring) &&
              RINGPOST_IO_EPOLL == static_cast<int>(IoChoice::epoll));
static_assert(RINGPOST_ACCEPTED == static_cast<int>(Status::accepted) &&
              RINGPOST_REJECTED == static_cast<int>(Status::rejected) &&
              RINGPOST_DEFERRED == static_cast<int>(Status::deferred) &&
              RINGPOST_UNSENT == static_cast<int>(Status::unsent) &&
              RINGPOST_UNKNOWN == static_cast<int>(Status::unknown) &&
              RINGPOST_INVALID == static_cast<int>(Status::invalid) &&
              RINGPOST_EXPIRED == static_cast<int>(Status::expired) &&
              RINGPOST_SKIPPED == static_cast<int>(Status::skipped));

// No structure of ours comes near it: more is a number that nobody has set.
constexpr std::size_t structure_bytes_max = 64 * 1024;

// Longer than any program runs, and short enough to be added to a clock.
constexpr double seconds_max = 1e9;

// Where a function writes what went wrong.
struct ErrorText {
  char* text = nullptr;
  std::size_t bytes = 0;

  // The code, so that callers return what they say.
  std::int32_t say(std::int32_t code, std::string_view words) const {
    if (text != nullptr && bytes > 0) {
      const std::size_t length = std::min(words.size(), bytes - 1);
      std::memcpy(text, words.data(), length);
      text[length] = '\0';
    }
    return code;
  }
};

// What `work` returns, and a number for whatever it throws.
template <typename Work>
std::int32_t guarded(const ErrorText& error, Work&& work) noexcept {
  error.say(RINGPOST_OK, "");
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return error.say(RINGPOST_NO_MEMORY, "there is no memory left");
  } catch (const std::exception& thrown) {
    return error.say(RINGPOST_FAILED, thrown.what());
  } catch (...) {
    return error.say(RINGPOST_FAILED, "something that should not be");
  }
}

std::int32_t null_argument(const ErrorText& error, std::string_view which) {
  return error.say(RINGPOST_BAD_ARGUMENT, std::string(which) + " is null");
}

// The caller's structure as far as it goes, and zero behind that. False: its size is impossible, or
// it says something that this library does not know.
template <typename Structure>
bool read_structure(const Structure& given, Structure& known) {
  constexpr std::size_t known_bytes = sizeof(Structure);
  std::size_t given_bytes = 0;
  std::memcpy(&given_bytes, &given, sizeof(given_bytes));
  if (given_bytes < sizeof(given_bytes) || given_bytes > structure_bytes_max) {
    return false;
  }
  known = {};
  std::memcpy(&known, &given, std::min(known_bytes, given_bytes));
  const auto* const octets = reinterpret_cast<const unsigned char*>(&given);
  return given_bytes <= known_bytes || std::all_of(octets + known_bytes, octets + given_bytes,
                                                   [](unsigned char octet) { return octet == 0; });
}

std::int32_t unknown_structure(const ErrorText& error, std::string_view which) {
  return error.say(RINGPOST_BAD_ARGUMENT,
                   std::string(which) +
                       ": struct_bytes is not the size of that structure, or a "
                       "member is set that this library is too old for");
}

std::string text_of(const char* text) { return text == nullptr ? std::string() : text; }

// Zero stays what it was. False: it is no length of time.
bool take_seconds(double seconds, Duration& duration) {
  if (!std::isfinite(seconds) || seconds < 0) {
    return false;
  }
  if (seconds > 0) {
    duration = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(std::min(seconds, seconds_max)));
  }
  return true;
}

template <typename Number>
void take_number(std::uint64_t given, Number& number) {
  if (given != 0) {
    number = static_cast<Number>(given);
  }
}

// ---- What an engine is told ---------------------------------------------------------------------

constexpr std::array<std::uint16_t, 3> usual_ports = {587, 465, 25};

constexpr std::size_t token_bytes_max = 16 * 1024;

TokenResult read_token(ringpost_token_callback call, void* user) {
  AccessToken token{std::string(token_bytes_max, '\0')};
  double lifetime_seconds = 0;
  const std::int32_t code = call(user, token.value.data(), token.value.size(), &lifetime_seconds);
  if (code != RINGPOST_OK) {
    return Failure("read_token returned " + std::to_string(code));
  }
  Duration lifetime{};
  if (!take_seconds(lifetime_seconds, lifetime)) {
    return Failure(std::string("read_token: lifetime_seconds is negative, or no number"));
  }
  token.value.resize(std::min(token.value.find('\0'), token.value.size()));
  if (lifetime > Duration::zero()) {
    token.lifetime = lifetime;
  }
  return token;
}

// False: there is no mechanism of that name.
bool read_login(const ringpost_endpoint& from, EndpointOptions& to) {
  if (from.mechanism != nullptr) {
    to.auth = codec::find_mechanism(from.mechanism);
  }
  if (from.read_token != nullptr) {
    to.read_token = [call = from.read_token, user = from.token_user] {
      return read_token(call, user);
    };
  }
  return from.mechanism == nullptr || to.auth.has_value();
}

// Empty: the endpoint is taken over, and what it says is for Engine::start() to judge.
std::string read_endpoint(const ringpost_endpoint& from, EndpointOptions& to) {
  if (from.security > RINGPOST_CLEAR || from.port > UINT16_MAX) {
    return from.port > UINT16_MAX ? "port: it is at most 65535" : "security: no such way";
  }
  if (!read_login(from, to)) {
    return "mechanism: none of that name is known";
  }
  to.host = text_of(from.host);
  to.name = from.name == nullptr ? to.host : from.name;
  to.security = static_cast<TransportSecurity>(from.security);
  to.port = from.port == 0 ? usual_ports[from.security] : static_cast<std::uint16_t>(from.port);
  to.username = text_of(from.username);
  to.password = text_of(from.password);
  to.ca_file = text_of(from.ca_file);
  to.client_certificate_file = text_of(from.client_certificate_file);
  to.client_key_file = text_of(from.client_key_file);
  to.client_name = text_of(from.client_name);
  to.verify_certificate = from.trusts_anybody == 0;
  to.allow_plaintext_auth = from.allows_plaintext_auth != 0;
  take_number(from.connections_max, to.connections_max);
  take_number(from.recipients_max, to.recipients_max);
  take_number(from.attempts_max, to.attempts_max);
  take_number(from.weight, to.weight);
  take_number(from.messages_per_connection, to.messages_per_connection_max);
  if (from.messages_per_second != 0) {
    to.rates = {messages_per_second(from.messages_per_second)};
  }
  Duration patience{};
  if (!take_seconds(from.patience_seconds, patience) ||
      !take_seconds(from.connect_timeout_seconds, to.connect_timeout) ||
      !take_seconds(from.command_timeout_seconds, to.command_timeout) ||
      !take_seconds(from.end_of_data_timeout_seconds, to.end_of_data_timeout)) {
    return "a number of seconds is negative, or none";
  }
  if (patience > Duration::zero()) {
    to.patience = patience;
  }
  return {};
}

std::int32_t read_endpoints(const ringpost_options& from, EngineOptions& to,
                            const ErrorText& error) {
  if (from.endpoints == nullptr && from.endpoint_count > 0) {
    return null_argument(error, "endpoints");
  }
  for (const ringpost_endpoint* const given : std::span(from.endpoints, from.endpoint_count)) {
    if (given == nullptr) {
      return null_argument(error, "an endpoint");
    }
    ringpost_endpoint endpoint;
    if (!read_structure(*given, endpoint)) {
      return unknown_structure(error, "ringpost_endpoint");
    }
    EndpointOptions& added = to.endpoints.emplace_back();
    if (const std::string wrong = read_endpoint(endpoint, added); !wrong.empty()) {
      return error.say(RINGPOST_BAD_OPTIONS, added.name + ": " + wrong);
    }
  }
  return RINGPOST_OK;
}

std::int32_t read_options(const ringpost_options& from, EngineOptions& to, const ErrorText& error) {
  if (from.on_outcome == nullptr) {
    return null_argument(error, "on_outcome");
  }
  if (const std::int32_t code = read_endpoints(from, to, error); code != RINGPOST_OK) {
    return code;
  }
  if (from.io > RINGPOST_IO_EPOLL) {
    return error.say(RINGPOST_BAD_OPTIONS, "io: no such way");
  }
  to.io = static_cast<IoChoice>(from.io);
  take_number(from.cores, to.cores);
  take_number(from.messages_in_flight_max, to.jobs_in_flight_max);
  take_number(from.message_bytes_in_flight_max, to.job_bytes_in_flight_max);
  if (!take_seconds(from.deadline_seconds, to.deadline)) {
    return error.say(RINGPOST_BAD_OPTIONS, "deadline_seconds: it is negative, or no number");
  }
  to.state_folder = text_of(from.state_folder);
  if (from.on_notice != nullptr) {
    to.on_notice = [call = from.on_notice, user = from.user](const EndpointNotice& notice) {
      call(user, notice.endpoint.c_str(), notice.message.c_str(), notice.is_grave ? 1 : 0);
    };
  }
  return RINGPOST_OK;
}

// ---- Outcomes -----------------------------------------------------------------------------------

std::string enhanced_text(const EnhancedStatus& enhanced) {
  return enhanced.present()
             ? std::to_string(enhanced.status_class) + '.' + std::to_string(enhanced.subject) +
                   '.' + std::to_string(enhanced.detail)
             : std::string();
}

void tell(const OutcomeView& view, const std::vector<std::string>& endpoints,
          ringpost_outcome_callback call, void* user) {
  const Outcome& from = *view.outcome;
  const std::string recipient(view.recipient());
  const std::string enhanced = enhanced_text(from.enhanced);
  // What was decided before any endpoint had it names none.
  const bool has_endpoint = from.stage != Stage::local && from.endpoint < endpoints.size();
  ringpost_outcome to{};
  to.struct_bytes = sizeof(to);
  to.id = view.message->id.c_str();
  to.recipient = recipient.c_str();
  to.status = static_cast<std::int32_t>(from.status);
  to.stage = static_cast<std::int32_t>(from.stage);
  to.code = from.code;
  to.attempts = from.attempts;
  to.enhanced = enhanced.c_str();
  to.text = from.text.c_str();
  to.reason = from.reason.c_str();
  to.queue_id = from.queue_id.c_str();
  to.endpoint = has_endpoint ? endpoints[from.endpoint].c_str() : "";
  to.peer = from.peer.c_str();
  to.timestamp_us = from.timestamp_us;
  to.queue_ms = double{from.queue_ms};
  to.submit_ms = double{from.submit_ms};
  to.total_ms = double{from.total_ms};
  to.context = view.message->context;
  call(user, &to);
}

OutcomeCallback callback_of(const ringpost_options& options, const EngineOptions& engine) {
  std::vector<std::string> names;
  for (const EndpointOptions& endpoint : engine.endpoints) {
    names.push_back(endpoint.name);
  }
  return [names = std::move(names), call = options.on_outcome,
          user = options.user](std::span<const OutcomeView> decided) {
    for (const OutcomeView& view : decided) {
      tell(view, names, call, user);
    }
  };
}

// ---- Messages -----------------------------------------------------------------------------------

// Why the message cannot be sent; empty: it can. Recipients are all there either way, because each
// of them has an outcome.
std::string fill(Message& message, const ringpost_message& from) {
  std::string offence;
  const auto take_address = [&offence](const char* given, std::string_view what) {
    auto address = checked_address(given);
    if (!address && offence.empty()) {
      offence = std::string(what) + ": " + address.error();
    }
    return address ? std::move(*address) : std::string(given);
  };
  message.id = text_of(from.id);
  if (from.sender != nullptr && *from.sender != '\0') {
    message.sender = take_address(from.sender, "sender");
  }
  for (const char* const recipient : std::span(from.recipients, from.recipient_count)) {
    message.recipients.add(take_address(recipient, "recipient"));
  }
  message.endpoint = text_of(from.endpoint);
  message.idempotency_key = text_of(from.idempotency_key);
  message.expires_at_us = from.expires_at_us;
  message.context = from.context;
  const auto take_dsn = [&](const char* given, auto assign, const char* what) {
    if (given != nullptr && !assign(given, message.dsn) && offence.empty()) {
      offence = std::string(what) + ": RFC 3461 has no such word";
    }
  };
  take_dsn(from.dsn_notify, codec::assign_notify, "dsn_notify");
  take_dsn(from.dsn_return, codec::assign_return_kind, "dsn_return");
  take_dsn(from.dsn_envelope_id, codec::assign_envelope_id, "dsn_envelope_id");
  const ContentMaker maker(from.newlines == RINGPOST_STRICT ? NewlinePolicy::strict
                                                            : NewlinePolicy::normalize);
  const Bytes content(from.content == nullptr ? "" : from.content, from.content_bytes);
  if (const auto made = maker.assign(message.content, content); !made && offence.empty()) {
    offence = "content: " + made.error().message();
  }
  return offence;
}

// What a message must have before it is looked at.
std::int32_t check_pointers(const ringpost_message& message, const ErrorText& error) {
  if (message.id == nullptr || *message.id == '\0') {
    return null_argument(error, "id, or empty,");
  }
  if (message.recipients == nullptr && message.recipient_count > 0) {
    return null_argument(error, "recipients");
  }
  for (const char* const recipient : std::span(message.recipients, message.recipient_count)) {
    if (recipient == nullptr) {
      return null_argument(error, "a recipient");
    }
  }
  if (message.content == nullptr && message.content_bytes > 0) {
    return null_argument(error, "content");
  }
  return message.newlines > RINGPOST_STRICT
             ? error.say(RINGPOST_BAD_ARGUMENT, "newlines: there is no such policy")
             : RINGPOST_OK;
}

std::int32_t submit(Engine::Submitter& submitter, const ringpost_message& given,
                    const ErrorText& error) {
  Message* const message = submitter.next();
  if (message == nullptr) {
    return error.say(RINGPOST_ENDED, "the engine was aborted");
  }
  message->clear();  // whatever a call that ran out of memory has left
  if (const std::string offence = fill(*message, given); !offence.empty()) {
    submitter.refuse(offence);
    return error.say(RINGPOST_INVALID_MESSAGE, offence);
  }
  const auto submitted = submitter.submit();
  return submitted ? std::int32_t{RINGPOST_OK}
                   : error.say(RINGPOST_INVALID_MESSAGE, submitted.error().message);
}

// ---- What became of it --------------------------------------------------------------------------

std::int32_t report_of(const DrainReport& report, const ErrorText& error) {
  if (!report.is_complete) {
    return error.say(RINGPOST_TIMED_OUT, "not every message has its outcomes yet");
  }
  std::string words;
  for (const EndpointFailure& failure : report.endpoint_failures) {
    words += (words.empty() ? "" : "; ") + failure.endpoint + ": " + failure.message;
  }
  if (report.endpoint_failures.empty()) {
    return RINGPOST_OK;
  }
  return error.say(report.login_failed() ? RINGPOST_LOGIN_FAILED : RINGPOST_ENDPOINT_FAILED, words);
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

ringpost_time_spread spread_of(const TimeSpread& times) {
  return {times.count,
          milliseconds(times.p50),
          milliseconds(times.p90),
          milliseconds(times.p99),
          milliseconds(times.p999),
          milliseconds(times.max)};
}

ringpost_statistics statistics_of(const Engine& engine) {
  const EngineStatistics from = engine.statistics();
  const EndpointCounts counts = engine.endpoint_counts();
  ringpost_statistics to{};
  std::copy(from.outcomes.begin(), from.outcomes.end(), std::begin(to.outcomes));
  to.messages_in_flight = from.messages_in_flight;
  to.waiting = counts.waiting;
  to.transactions = from.messages;
  to.content_bytes = from.content_bytes;
  to.sessions = counts.sessions;
  to.sessions_opened = from.sessions_opened;
  to.sessions_resumed = from.sessions_resumed;
  to.reply_times = spread_of(counts.reply_times);
  to.opening_times = spread_of(counts.opening_times);
  return to;
}

}  // namespace

}  // namespace ringpost

// ---- The functions ------------------------------------------------------------------------------

using ringpost::ErrorText;

const char* ringpost_version(void) { return RINGPOST_LIBRARY_VERSION; }

uint32_t ringpost_c_version(void) { return RINGPOST_C_VERSION; }

// The words are literals, which end with a NUL.
const char* ringpost_status_name(int32_t status) {
  const bool is_one = status >= 0 && static_cast<std::size_t>(status) < ringpost::status_count;
  return is_one ? ringpost::name_of(static_cast<ringpost::Status>(status)).data() : nullptr;
}

const char* ringpost_stage_name(int32_t stage) {
  const bool is_one = stage >= 0 && static_cast<std::size_t>(stage) < ringpost::stage_count;
  return is_one ? ringpost::name_of(static_cast<ringpost::Stage>(stage)).data() : nullptr;
}

int32_t ringpost_check_address(const char* address, char* error, size_t error_bytes) {
  const ErrorText text{error, error_bytes};
  return ringpost::guarded(text, [&]() -> std::int32_t {
    if (address == nullptr) {
      return ringpost::null_argument(text, "address");
    }
    const auto checked = ringpost::checked_address(address);
    return checked ? std::int32_t{RINGPOST_OK}
                   : text.say(RINGPOST_INVALID_MESSAGE, checked.error());
  });
}

int32_t ringpost_engine_start(const ringpost_options* options, ringpost_engine** engine,
                              char* error, size_t error_bytes) {
  const ErrorText text{error, error_bytes};
  return ringpost::guarded(text, [&]() -> std::int32_t {
    if (engine == nullptr) {
      return ringpost::null_argument(text, "engine");
    }
    *engine = nullptr;
    if (options == nullptr) {
      return ringpost::null_argument(text, "options");
    }
    ringpost_options known;
    if (!ringpost::read_structure(*options, known)) {
      return ringpost::unknown_structure(text, "ringpost_options");
    }
    ringpost::EngineOptions given;
    if (const std::int32_t code = ringpost::read_options(known, given, text); code != RINGPOST_OK) {
      return code;
    }
    auto callback = ringpost::callback_of(known, given);
    auto handle = std::make_unique<ringpost_engine>();
    auto started = ringpost::Engine::start(std::move(given), std::move(callback));
    if (!started) {
      return text.say(RINGPOST_BAD_OPTIONS, started.error().message);
    }
    handle->engine = std::move(*started);
    *engine = handle.release();
    return RINGPOST_OK;
  });
}

int32_t ringpost_submitter_new(ringpost_engine* engine, ringpost_submitter** submitter) {
  return ringpost::guarded({}, [&]() -> std::int32_t {
    if (submitter != nullptr) {
      *submitter = nullptr;
    }
    if (engine == nullptr || submitter == nullptr) {
      return RINGPOST_BAD_ARGUMENT;
    }
    *submitter = new ringpost_submitter{*engine, engine->engine->submitter()};
    ++engine->submitters;
    return RINGPOST_OK;
  });
}

int32_t ringpost_submit(ringpost_submitter* submitter, const ringpost_message* message, char* error,
                        size_t error_bytes) {
  const ErrorText text{error, error_bytes};
  return ringpost::guarded(text, [&]() -> std::int32_t {
    if (submitter == nullptr || message == nullptr) {
      return ringpost::null_argument(text, submitter == nullptr ? "submitter" : "message");
    }
    ringpost_message known;
    if (!ringpost::read_structure(*message, known)) {
      return ringpost::unknown_structure(text, "ringpost_message");
    }
    const std::int32_t code = ringpost::check_pointers(known, text);
    return code == RINGPOST_OK ? ringpost::submit(submitter->submitter, known, text) : code;
  });
}

int32_t ringpost_flush(ringpost_submitter* submitter) {
  return ringpost::guarded({}, [&]() -> std::int32_t {
    if (submitter == nullptr) {
      return RINGPOST_BAD_ARGUMENT;
    }
    submitter->submitter.flush();
    return RINGPOST_OK;
  });
}

void ringpost_submitter_free(ringpost_submitter* submitter) {
  if (submitter == nullptr) {
    return;
  }
  std::atomic<std::size_t>& submitters = submitter->owner.submitters;
  static_cast<void>(ringpost::guarded({}, [&]() -> std::int32_t {
    delete submitter;
    return RINGPOST_OK;
  }));
  --submitters;
}

int32_t ringpost_drain(ringpost_engine* engine, double seconds, char* error, size_t error_bytes) {
  const ErrorText text{error, error_bytes};
  return ringpost::guarded(text, [&]() -> std::int32_t {
    if (engine == nullptr || std::isnan(seconds)) {
      return text.say(RINGPOST_BAD_ARGUMENT, engine == nullptr ? "engine is null" : "no number");
    }
    ringpost::Duration wait{};
    const bool has_end = ringpost::take_seconds(seconds, wait);
    const ringpost::Instant deadline =
        has_end ? std::chrono::steady_clock::now() + wait : ringpost::never;
    return ringpost::report_of(engine->engine->drain(deadline), text);
  });
}

int32_t ringpost_stop_sending(ringpost_engine* engine) {
  return ringpost::guarded({}, [&]() -> std::int32_t {
    if (engine == nullptr) {
      return RINGPOST_BAD_ARGUMENT;
    }
    engine->engine->stop_sending();
    return RINGPOST_OK;
  });
}

int32_t ringpost_abort(ringpost_engine* engine) {
  return ringpost::guarded({}, [&]() -> std::int32_t {
    if (engine == nullptr) {
      return RINGPOST_BAD_ARGUMENT;
    }
    engine->engine->abort();
    return RINGPOST_OK;
  });
}

int32_t ringpost_get_statistics(ringpost_engine* engine, ringpost_statistics* statistics) {
  return ringpost::guarded({}, [&]() -> std::int32_t {
    if (engine == nullptr || statistics == nullptr) {
      return RINGPOST_BAD_ARGUMENT;
    }
    const std::size_t wanted = statistics->struct_bytes;
    if (wanted < sizeof(wanted) || wanted > ringpost::structure_bytes_max) {
      return RINGPOST_BAD_ARGUMENT;
    }
    ringpost_statistics known = ringpost::statistics_of(*engine->engine);
    known.struct_bytes = wanted;
    std::memset(statistics, 0, wanted);
    std::memcpy(statistics, &known, std::min(wanted, sizeof(known)));
    return RINGPOST_OK;
  });
}

int32_t ringpost_engine_free(ringpost_engine* engine) {
  if (engine == nullptr) {
    return RINGPOST_OK;
  }
  if (engine->submitters.load() != 0) {
    return RINGPOST_BAD_ARGUMENT;
  }
  return ringpost::guarded({}, [&]() -> std::int32_t {
    delete engine;
    return RINGPOST_OK;
  });
}
