// A job: one line of input, from the reader to the last of its outcome lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost {

// Delivery status notifications (RFC 3461), requested by `envelope.dsn`. Empty strings: not
// requested.
struct DsnRequest {
  std::string notify;       // "NEVER" or a comma list of SUCCESS, FAILURE, DELAY
  std::string return_kind;  // "FULL" or "HDRS"
  std::string
      envelope_id;  // clear text, at most 100 printable characters; xtext is made on the wire
};

// How far a recipient has come in the transaction under way. A note of the session that holds the
// job.
enum class RecipientProgress : std::uint8_t {
  waiting,  // not part of the transaction
  offered,  // RCPT is to be sent, or its reply awaited
  taken,    // RCPT had its 2xx
  refused,  // RCPT was refused, or the recipient is decided otherwise
};

// One recipient of a job and what became of it.
struct Recipient {
  std::string address;  // validated: `local@domain`, domain in A-labels, no angle brackets
  RecipientProgress progress = RecipientProgress::waiting;
  bool postponed = false;        // waits for a later attempt; not part of transactions until then
  bool decided = false;          // the outcome is final
  bool reported = false;         // and belongs to the outcome thread
  bool noted_in_flight = false;  // the journal has it as in flight
  Outcome outcome;
};

// What the content is made of; decides extensions and encoding. Filled by scan_content().
struct ContentTraits {
  bool has_8bit = false;
  bool has_leading_dot = false;  // some line begins with a dot: stuffing is needed
  bool ends_with_crlf = false;
};

// One line of input.
//
// Lifetime and ownership: a job comes from a JobQueue's pool, is filled by the reader, owned by one
// worker while it is in flight, and by the outcome thread afterwards, which gives it back to the
// pool when every recipient's line has been delivered. Nothing in it may be touched by two threads
// at once.
struct Job {
  // What a worker needs of every job stands together: it comes from another core's cache.
  std::string sender;   // reverse-path without brackets; empty is the null sender
  std::string content;  // the RFC 5322 message: CRLF line ends only, not dot-stuffed
  std::vector<Recipient> recipients;
  std::size_t recipient_count =
      0;  // entries of `recipients` in use: they are kept for their capacity
  std::int64_t expires_at_us = 0;  // Unix time; 0: never
  Instant submitted_at{};          // when the engine took it
  Instant started_at{};            // when a session last took it
  ContentTraits traits;
  bool needs_smtputf8 = false;  // a local part or a header is not ASCII
  // Where a session was lost that was busy with it, before and in this transaction; `local`: none.
  Stage loss_stage = Stage::local;
  Stage new_loss_stage = Stage::local;
  DsnRequest dsn;
  Duration retry_pause{};  // in front of the attempt of its postponed recipients

  std::string id;                 // echoed; never empty (a hash of the line when the line has none)
  std::string tags_json;          // raw JSON of `tags`, echoed; empty when absent
  std::string metadata_json;      // raw JSON of `metadata`, echoed; empty when absent
  std::size_t outcomes_left = 0;  // outcome thread: lines still to be delivered
  std::size_t budget_bytes = 0;   // what it counts for in the job queue

  std::string endpoint;  // name of the endpoint asked for; empty: any
  std::string idempotency_key;
  std::string file;        // where the line stands, for messages to people
  std::uint64_t line = 0;  // 1-based
  // For a journal: its place, from 0, among the lines of all job files, and a hash of its line.
  std::uint64_t ordinal = 0;
  std::uint64_t line_hash = 0;

  // Ready for another line: everything empty, capacity kept up to limits::job_bytes_kept_max.
  void clear();
  // Frees what an unusually large job has swollen. What the job says is lost; clear() does the
  // rest.
  void give_up_memory();
  // A fresh recipient at the end, its strings' capacity reused.
  Recipient& add_recipient();
  [[nodiscard]] std::span<Recipient> active_recipients() {
    return {recipients.data(), recipient_count};
  }
  [[nodiscard]] std::span<const Recipient> active_recipients() const {
    return {recipients.data(), recipient_count};
  }
  // Octets it holds, for back-pressure.
  [[nodiscard]] std::size_t bytes() const;
};

}  // namespace ringpost
