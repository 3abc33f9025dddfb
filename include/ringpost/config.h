// What an engine is told before it starts. Plain values with the defaults that a careful user would
// choose.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ringpost/auth_mechanism.h>
#include <ringpost/base.h>
#include <ringpost/io_choice.h>
#include <ringpost/limits.h>
#include <ringpost/outcome.h>
#include <ringpost/quota.h>

namespace ringpost {

namespace protocol {
class ReplyRules;
}

// How TLS comes onto the connection. There is no way to try it and go on without.
enum class TransportSecurity : std::uint8_t {
  starttls,  // ports 587 and 2525: STARTTLS, required
  implicit,  // port 465: TLS from the first octet
  none,      // port 25, to a relay of one's own: credentials are refused
};

enum class PipeliningOption : std::uint8_t {
  off,        // lock-step with every server
  within,     // the commands of one message together, where announced
  automatic,  // as far ahead as the server goes along
};

// An OAuth access token, as it was read just now.
struct AccessToken {
  std::string value;
  std::optional<Duration> lifetime = {};  // nothing: until the server refuses it
};
// The error is a clause that names the place and no secret.
using TokenResult = Result<AccessToken, std::string>;
using TokenReader = std::function<TokenResult()>;

// One of the ports that an endpoint may be reached on.
struct PortOption {
  std::uint16_t port = 587;
  TransportSecurity security = TransportSecurity::starttls;
  bool operator==(const PortOption&) const = default;
};

// One account at one server.
struct EndpointOptions {
  std::string name;  // for outcome lines and logs; unique in an engine
  std::string host;  // name or IP literal; what the certificate must be for
  // The name was written with a dot at its end (RFC 1034 3.1), which is not in `host`: it is looked
  // up as it is, without the search domains of this machine.
  bool host_is_absolute = false;
  std::uint16_t port = 587;
  TransportSecurity security = TransportSecurity::starttls;
  // Tried in this order, as long as on the ones before no address of the server takes a connection,
  // greets and comes under TLS; what it says, and a certificate that does not do, ends that. The
  // first is `port` and `security`. Empty: those alone.
  std::vector<PortOption> ports;

  std::string username;  // empty: no authentication
  std::string password;  // an OAuth token where `auth` is a mechanism that takes one
  // Where access tokens come from, in place of a password; null: there are none. Called on a thread
  // of its own, where it may wait, one call at a time.
  TokenReader read_token;
  // The mechanism to log in with. Nothing: the best that is announced (codec::choose_mechanism).
  std::optional<AuthMechanism> auth;
  bool allow_plaintext_auth = false;

  bool verify_certificate = true;
  std::string ca_file;  // PEM; trusted beside the system's CAs
  // PEM, for servers that ask who we are; both or none.
  std::string client_certificate_file;
  std::string client_key_file;

  std::uint32_t connections_max = 10;  // over all cores
  // More than these work, where there is a rate and they do not come up to it: as many as that
  // takes, and as `connections_allowed` lets be.
  bool connections_grow = false;
  // What the provider takes of the account in any second, minute, hour and day, by all cores, and
  // by other processes where EngineOptions::state_folder is there. All hold together; one at most
  // of a unit and a period. Empty: no limit.
  std::vector<QuotaLimit> rates;
  // There is a limit of a second or a minute that nobody has told, and this is what it counts.
  // Where `rates` has none of that length it is looked for from below, and held. Nothing: there is
  // none, until the server says that something came too fast.
  std::optional<QuotaUnit> unknown_rate;
  std::uint32_t recipients_max = 100;             // of one transaction
  std::uint64_t messages_per_connection_max = 0;  // 0: no limit
  // Sockets that the provider allows, those of sessions included that are opened before others end,
  // beside `connections_max` that work. 0: as many as that takes.
  std::uint32_t connections_allowed = 0;
  // The server ends sessions that are so old, or had nothing to do for so long: they are replaced,
  // or ended, before. Zero: nobody knows.
  Duration connection_age_max{};
  Duration connection_idle_max{};
  // A larger message is `invalid`; 0: what the server says (SIZE, RFC 1870) is all that counts.
  std::uint64_t message_bytes_max = 0;
  PipeliningOption pipelining = PipeliningOption::automatic;
  // Messages that one session may have in flight, where the server announces enough for more than
  // one; 0: as many as keep step, up to limits::flight_messages_max.
  std::uint32_t messages_in_flight_max = 0;
  bool chunking = true;      // BDAT where announced (RFC 3030); else always DATA
  std::uint32_t weight = 1;  // share of the jobs that name no endpoint

  // What refusals are about, before the rules that hold at any server; null: those alone
  // (engine/protocol/reply_rules.h).
  std::shared_ptr<const protocol::ReplyRules> reply_rules;

  // The header field that carries a message's idempotency key to the provider; empty: none does.
  std::string idempotency_header;

  std::string client_name;  // for EHLO; empty: the machine's name, or an address literal

  // Attempts of one message: after a 4xx, and after sessions that died before its end of data was
  // handed over. Between them are pauses (engine::retry_pause), the first so long.
  std::uint32_t attempts_max = 5;
  // Refusals (5xx) in a row, all in the same words, by an endpoint that has accepted nothing yet:
  // then it is not asked any more. An account that is closed says so to every recipient. 0: never.
  std::uint32_t equal_refusals_max = 100;
  Duration retry_pause_first = std::chrono::seconds(1);
  // How long an endpoint that is away is tried, with growing pauses, before it is given up.
  // Nothing: ten minutes when it has worked in this run, one when it has not.
  std::optional<Duration> patience;
  // Rounds of all its addresses in a row that fail before it is given up, however long they take;
  // 0: `patience` alone decides.
  std::uint32_t connect_attempts_max = 0;

  Duration connect_timeout = limits::connect_timeout;
  Duration tls_timeout = limits::tls_timeout;
  Duration command_timeout = limits::command_timeout;
  Duration end_of_data_timeout = limits::end_of_data_timeout;
};

// The host with the dot at its end, where it was written with one: what a resolver is asked for.
[[nodiscard]] RINGPOST_API std::string written_host(const EndpointOptions& endpoint);

// Something that whoever runs the engine should hear of while it runs, once.
struct EndpointNotice {
  std::string endpoint;  // empty: it is about the machine
  std::string message;   // one sentence
  // Whoever asked to hear of errors alone wants to hear of it.
  bool is_grave = false;
};

namespace queue {
class IntentLog;
}

struct EngineOptions {
  std::vector<EndpointOptions> endpoints;  // at least one
  std::uint32_t cores = 1;                 // worker threads, each with sockets of its own
  IoChoice io = IoChoice::automatic;
  // That tell outcomes, each those of a share of the workers. With several the callback is called
  // on all of them, perhaps at the same time.
  std::uint32_t outcome_threads = 1;
  std::size_t jobs_in_flight_max = limits::jobs_in_flight_max;
  std::size_t job_bytes_in_flight_max = limits::job_bytes_in_flight_max;
  // What has no final outcome so long after the start is tried no more.
  Duration deadline = Duration::max();
  // What is under way at the deadline has so long to come to its end; then its sessions are ended.
  Duration deadline_drain = std::chrono::seconds(30);
  // Written to before an end of data may leave; the jobs need `ordinal` and `line_hash`. Outlives
  // the engine. Outcomes are the callback's to write.
  queue::IntentLog* journal = nullptr;
  // Where the counts of rates outlive this process, and are one with those of others that send for
  // the same user at the same host; made where it is not there. Empty: nowhere.
  std::string state_folder;
  // How long an outcome waits for others, which share a call of the callback with it. Whoever waits
  // for single ones wants none of it.
  Duration outcome_delay = std::chrono::milliseconds(1);
  // How often the calling thread has allocated memory so far, for EngineStatistics. Null: they are
  // not counted.
  std::uint64_t (*count_allocations)() = nullptr;
  // Called by each worker, on its thread and with its number, for each step of its sessions, with
  // how long the server took: connect, the TLS handshake, each reply, the whole of a login; eod is
  // of a message. Empty: only what statistics need is timed.
  std::function<void(std::uint32_t worker, Stage stage, Duration taken)> on_step;
  // Called on any thread of the engine, perhaps several at once; may be empty.
  std::function<void(const EndpointNotice&)> on_notice;
};

// The first thing wrong with the options, for whoever wrote them; empty when there is none.
[[nodiscard]] RINGPOST_API std::string first_mistake(const EngineOptions& options);

// Jobs that may be under way, besides those that wait for another attempt: what all sessions can
// have in flight, and as much again that is being read or reported. More would only push out of
// the caches what is wanted next.
[[nodiscard]] RINGPOST_API std::size_t jobs_active_max(const EngineOptions& options);

}  // namespace ringpost
