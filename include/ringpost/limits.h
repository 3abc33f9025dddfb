// Every bound of ringpost, in one place, each with the clause or the attack it answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ringpost::limits {

// ---- Input -------------------------------------------------------------------------------------

// One job line. Larger lines are skipped up to their newline and reported as invalid, so that a
// file without newlines cannot grow the reader. 64 MiB leaves room for 25 MB of base64 or of
// escapes.
inline constexpr std::size_t job_line_bytes_max = 64u << 20;
// One row of recipients: larger ones, as those behind a quote that nobody closes, are passed over
// and reported likewise. Rows are values of a person; texts of a whole page fit.
inline constexpr std::size_t recipient_row_bytes_max = 1u << 20;
// Columns of such a table, and octets of its header row.
inline constexpr std::size_t recipient_columns_max = 1024;
inline constexpr std::size_t table_header_bytes_max = 64u << 10;
// Addresses that a run with `--dedupe` knows again, and those of suppression files: 16 octets each.
inline constexpr std::size_t known_addresses_max = 100'000'000;
// Addresses among which repeated ones are counted where nobody asked for it: 32 MB.
inline constexpr std::size_t counted_addresses_max = 2'000'000;
// One message as it goes out, before dot-stuffing. ESPs stop between 10 and 50 MB.
inline constexpr std::size_t message_bytes_max = 50u << 20;
// Recipients of one message. RFC 5321 4.5.3.1.8 obliges a server to take 100 in one transaction;
// the rest goes into further transactions, side by side.
inline constexpr std::size_t job_recipients_max = 100'000;
// What it was when journals of versions 1 and 2 were begun. A job that was refused for its number
// then is refused in their resumes, too: some of its recipients were told so.
inline constexpr std::size_t job_recipients_max_before = 10'000;
// Nesting of a job line; the schema needs six. Deeper input is an attack on the parser's stack.
inline constexpr std::size_t job_depth_max = 32;
// Ids are echoed in every outcome and kept in the journal.
inline constexpr std::size_t job_id_bytes_max = 512;
// Tags and metadata, each: every outcome line of the job repeats them.
inline constexpr std::size_t job_echo_bytes_max = 16u << 10;
// Fields in `headers`, and attachments: names are compared with each other, parts looked at one by
// one.
inline constexpr std::size_t job_header_fields_max = 256;
inline constexpr std::size_t job_attachments_max = 256;
// Values of a line in another service's format, which is held as a tree: beyond this a line of 64
// MiB could take gigabytes. A bulk body of 50 MB has some 2,000,000.
inline constexpr std::size_t dialect_values_max = 4'000'000;
// The name of an endpoint, which no host name is longer than.
inline constexpr std::size_t job_endpoint_bytes_max = 255;
// It may become a header field; no provider is known that takes more.
inline constexpr std::size_t idempotency_key_bytes_max = 256;
// RFC 3461 4.4 has 100 characters.
inline constexpr std::size_t envelope_id_bytes_max = 100;
// Of attachments: each has to fit on a line of the message. No file system has longer names.
inline constexpr std::size_t file_name_bytes_max = 255;
inline constexpr std::size_t content_type_bytes_max = 255;
inline constexpr std::size_t content_id_bytes_max = 255;
// Templates that the lines of a run define, and their texts and attachments, which stay in memory
// as long as it runs; and partials of one of them.
inline constexpr std::size_t templates_max = 1000;
inline constexpr std::size_t templates_bytes_max = 256u << 20;
inline constexpr std::size_t template_partials_max = 256;

// ---- Templates
// -------------------------------------------------------------------------------

// Nesting of the values that are filled in, as of a job line.
inline constexpr std::size_t merge_depth_max = 32;
// Values of one object with all that it holds: a recipient has a handful, a list of products some
// thousands. Each takes 36 octets and its text.
inline constexpr std::size_t merge_values_max = 100'000;
// Members of one object: they are compared with each other. Exports of customers have hundreds of
// columns.
inline constexpr std::size_t merge_members_max = 1024;
// Sections that are open at a time, partials within partials, and how often a partial may be within
// itself when it is written out. Data that reaches the bound is nested in itself by mistake.
inline constexpr std::size_t template_depth_max = 64;
// What a template has once its partials are in their places: text, and values with sections.
// Partials that use others twice each grow without bound otherwise.
inline constexpr std::size_t template_bytes_max = message_bytes_max;
inline constexpr std::size_t template_steps_max = 100'000;
// Values, literals and rounds of sections in one message: sections over long lists within each
// other take time without end and write nothing.
inline constexpr std::size_t template_walk_steps_max = 4'000'000;
// Delimiters, and filters of one value: whoever needs more made a mistake.
inline constexpr std::size_t template_delimiter_bytes_max = 16;
inline constexpr std::size_t template_filters_max = 8;

// ---- Messages that are read: templates from mail programs -----------------------------------

// Fields of one header (relays add dozens), parameters of one field, parts, and how deep parts
// stand in parts: text is read once for each level. Mail programs make four levels.
inline constexpr std::size_t mime_fields_max = 1000;
inline constexpr std::size_t mime_parameters_max = 64;
inline constexpr std::size_t mime_parts_max = 512;
inline constexpr std::size_t mime_depth_max = 16;

// ---- Addresses: RFC 5321 4.5.3.1.1 to 4.5.3.1.3
// --------------------------------------------------

inline constexpr std::size_t local_part_bytes_max = 64;
inline constexpr std::size_t domain_bytes_max = 255;
inline constexpr std::size_t mailbox_bytes_max = 254;  // a path of 256 octets less its < and >
// Names of 200 characters have been seen; an octet count that no honest one reaches.
inline constexpr std::size_t display_name_bytes_max = 512;

// ---- Content: RFC 5321 4.5.3.1.6 ----------------------------------------------------------------

// A text line without its CRLF. 8BITMIME does not lift it.
inline constexpr std::size_t content_line_bytes_max = 998;

// ---- Replies ------------------------------------------------------------------------------------

// RFC 5321 4.5.3.1.5 says 512, but Microsoft 365 sends diagnostics of several KB on one line.
inline constexpr std::size_t reply_line_bytes_max = 8192;
// A whole reply; an endless row of `250-` lines ends the session here.
inline constexpr std::size_t reply_bytes_max = 64u << 10;
inline constexpr std::size_t reply_lines_max = 256;
// Of a reply's text, this much is kept for the outcome line.
inline constexpr std::size_t outcome_text_bytes_max = 512;
// Of a line that is no reply, this much is shown.
inline constexpr std::size_t quoted_line_bytes_max = 200;
// RFC 4954 section 4: an AUTH line may have 12,288 octets; a longer challenge is an attack.
inline constexpr std::size_t auth_challenge_bytes_max = 12'288;
// RFC 5321 4.5.3.1.4, CRLF included. RFC 4954 4: an initial response that makes AUTH longer waits
// for a challenge.
inline constexpr std::size_t command_line_bytes_max = 512;
// RFC 7677 4 asks for 4,096 at least; fewer make a stolen list of proofs easy to search.
inline constexpr std::uint32_t scram_iterations_min = 4096;
// A server must not name the work that we do. OWASP advises 600,000 (2023); a million takes about a
// second, once for each worker.
inline constexpr std::uint32_t scram_iterations_max = 1'000'000;
inline constexpr std::size_t ehlo_keywords_max = 100;

// ---- Time: RFC 5321 4.5.3.2, minimum values a client should use
// ----------------------------------

using namespace std::chrono_literals;
inline constexpr auto connect_timeout = 30s;  // no RFC value; Postfix uses 30 s
// Where a name has several addresses the others are asked meanwhile, and all of them each round. A
// SYN that is lost is sent again after 1, 3 and 7 s.
inline constexpr auto connect_timeout_of_several = 10s;
inline constexpr auto connection_attempt_delay = 250ms;  // RFC 8305 8
inline constexpr auto tls_timeout = 60s;                 // no RFC value
inline constexpr auto greeting_timeout = 5min;
// Servers that let clients wait on purpose do so for some seconds. Longer silence is a port that
// waits for TLS, more often than not, and is told to whoever runs the program.
inline constexpr auto greeting_patience = 10s;
inline constexpr auto command_timeout = 5min;  // EHLO, STARTTLS, AUTH, MAIL, RCPT, RSET
inline constexpr auto data_timeout = 2min;     // DATA until 354
inline constexpr auto content_timeout = 3min;  // each block of content that the peer must take
inline constexpr auto end_of_data_timeout = 10min;
inline constexpr auto quit_timeout = 5s;  // nothing is lost when the farewell is

// ---- Patience with an endpoint that is away
// ------------------------------------------------------

// A relay that is restarted is back within a minute, and one that is moved or mended within ten.
inline constexpr auto patience = 10min;
// One that has never worked in this run may be a mistake.
inline constexpr auto patience_unproven = 1min;
// Between tries of all its addresses, doubled each time. A quarter of a minute is short for whoever
// waits, and four connections a minute are little for whoever was lost.
inline constexpr auto endpoint_pause_first = 250ms;
inline constexpr auto endpoint_pause_max = 15s;
// How long an address that failed goes behind the others.
inline constexpr auto address_rest_first = 10s;
inline constexpr auto address_rest_max = 10min;
// Names are looked up again when the answer is so old (getaddrinfo tells no TTL), and when a
// look-up failed while an answer is there.
inline constexpr auto address_age_max = 5min;
inline constexpr auto look_up_pause = 30s;
// Between logins that are refused although one was taken: mail servers lock accounts for a handful
// of refusals within minutes.
inline constexpr auto refused_login_pause_first = 2s;
inline constexpr auto refused_login_pause_max = 1min;

// An endpoint that has not answered for so long has its messages sent by others, where there are
// others and the messages name none. Slow ones get up to a minute.
inline constexpr auto failover_after = 3s;
inline constexpr auto failover_after_max = 1min;

// ---- Work in flight
// ------------------------------------------------------------------------------

// Jobs between the reader and the outcome line, by count and by bytes: what bounds resident memory.
inline constexpr std::size_t jobs_in_flight_max = 4096;
inline constexpr std::size_t job_bytes_in_flight_max = 64u << 20;
// Threads that read jobs, and that tell outcomes.
inline constexpr std::uint32_t readers_max = 64;
inline constexpr std::uint32_t outcome_threads_max = 64;
// Lines that several readers have in hand together, and have not made jobs of: by so many more than
// by what is in flight the order of jobs may differ from that of their lines.
inline constexpr std::size_t lines_in_hand_max = 2048;
// A job that was given back keeps its buffers for the next one up to this size: most newsletters,
// so that a run of them asks for no memory. What all jobs keep together is bounded by the line
// above.
inline constexpr std::size_t job_bytes_kept_max = 128u << 10;

// Messages that one session may have in flight behind BDAT when nobody says how many. A connection
// that dies leaves all of them in doubt, and beyond this a round trip of 50 ms costs little.
inline constexpr std::size_t flight_messages_max = 32;
// Messages that somebody may ask for.
inline constexpr std::size_t flight_messages_limit = 1024;
// Their content: no further message joins a flight that holds this much.
inline constexpr std::size_t flight_bytes_max = 4u << 20;

// The longest pause in front of another attempt. Greylisting lets a sender in after five minutes.
inline constexpr auto retry_pause_max = 5min;

// ---- TLS
// -----------------------------------------------------------------------------------------

// RFC 8446 5.1: plaintext of one record.
inline constexpr std::size_t tls_record_bytes_max = 16u << 10;

// ---- The journal
// ---------------------------------------------------------------------------------

// One record, head included. An outcome line has some 100 KB at the very most; the header names as
// many job files as fit on a command line (2 MB on Linux).
inline constexpr std::size_t journal_record_bytes_max = 4u << 20;
// Jobs of one journal: what is known of each takes four octets of a run that resumes.
inline constexpr std::uint64_t journal_jobs_max = std::uint64_t{1} << 32;
// Recipients that a journal knows of one job: a line of `recipients` is a message for each of them,
// a job beyond its bound is refused to each of them, and a line has no room for more.
inline constexpr std::size_t journal_recipients_max = job_line_bytes_max / 2;
// Damaged stretches of one journal, and octets that the search for the next record behind them may
// checksum in vain: beyond this the file is no journal any more.
inline constexpr std::size_t journal_damages_max = 1000;
inline constexpr std::uint64_t journal_search_bytes_max = std::uint64_t{4} << 30;

}  // namespace ringpost::limits
