// Every bound of the HTTP front end, in one place, each with its reason. What a job may be stands
// in include/ringpost/limits.h: by HTTP it may be what it may be in a file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <ringpost/limits.h>

namespace ringpost::http {

// Connections of a listener, where nobody says how many. Pools of applications have dozens; an idle
// one takes some 2 KB here. Whoever comes beyond it is told 503 and closed, and nothing is kept of
// him.
inline constexpr std::size_t connections_max = 1024;
// A request's first line and fields, and those behind a chunked body: as Apache and nginx have it.
inline constexpr std::size_t head_bytes_max = 8u << 10;
// What is read at a time, and so also the longest head of a chunk with its extensions.
inline constexpr std::size_t read_bytes = 16u << 10;
static_assert(read_bytes >= 2 * head_bytes_max);
// A body that is one job, and a line of one that is many.
inline constexpr std::size_t job_bytes_max = limits::job_line_bytes_max;
// A body that is many jobs passes through and is not kept; the bound is for a client that never
// ends, and for one that posts what is no list of jobs. It is a million messages of 8 KB: as many
// as a provider takes in hours.
inline constexpr std::uint64_t jobs_body_bytes_max = std::uint64_t{8} << 30;
// Octets of all connections of a listener that wait: parts of jobs, and answers that a client does
// not read. Each connection has some that nobody counts, so that small jobs never meet the bound.
inline constexpr std::size_t bytes_waiting_max = 256u << 20;
inline constexpr std::size_t bytes_waiting_uncounted = 64u << 10;
// Outcome lines that a client has not read, of one connection: beyond it no more of its jobs are
// read. A client that reads no outcome before it has sent everything gets some 20,000 jobs through.
inline constexpr std::size_t answer_bytes_unread_max = 8u << 20;
// Messages of one connection that have no outcome yet. Several connections share what the engine
// may have in flight, so that one alone does not keep all others out.
inline constexpr std::size_t messages_in_flight_max = limits::jobs_in_flight_max / 2;
// Of one turn of the thread that all connections share: lines that are made messages.
inline constexpr std::size_t lines_at_once_max = 64;

using namespace std::chrono_literals;
// For a whole head, from its first octet: whoever types it slowly on purpose has a connection for
// so long.
inline constexpr auto head_timeout = 30s;
// Without an octet in either direction: within a body, within an answer that the client should
// read, and between two requests. Nobody is timed who waits for outcomes, since the engine's
// patience bounds that.
inline constexpr auto idle_timeout = 60s;
// For a body that is one job. 64 MiB in ten minutes are 112 KB a second.
inline constexpr auto body_timeout = 10min;
// How long a first job waits for room before its client hears 429, and when it should come again.
inline constexpr auto room_patience = 2s;
inline constexpr auto room_look_every = 5ms;
inline constexpr auto retry_after = 5s;
// A client that has said all is asked whether it still listens (HttpConnection::probe): a reset
// takes a round trip to come, and the second try meets it. Then rarely, since there are programs
// that do so with intent, and the zeros of a chunk's size have to stay few: Go takes 16 digits.
inline constexpr Duration probe_pause = 1s;
inline constexpr std::uint32_t probes_max = 7;
// How long what a client still sends is read and thrown away once it was answered, so that the
// answer is not lost with a reset (RFC 9112 9.6).
inline constexpr auto linger_timeout = 2s;

}  // namespace ringpost::http
