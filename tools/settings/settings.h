// What one run of `ringpost send` was told, with flags, environment and files already laid over
// each other.
#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/dialect/dialect.h"
#include "codec/mail/address.h"
#include "codec/mail/content_check.h"
#include "codec/template/mustache.h"
#include "engine/run/file_role.h"
#include "engine/run/journal_binding.h"
#include "tools/process/log.h"
#include <ringpost/base.h>
#include <ringpost/config.h>
#include <ringpost/outcome.h>

namespace ringpost::cli {

using run::FileRole;
using run::JournalSettings;

enum class ProgressKind : std::uint8_t {
  automatic,  // block on a terminal, plain elsewhere
  block,      // a few lines that are drawn over
  plain,      // one line every ten seconds
  json,       // the same as JSON objects
  none,
};

enum class SummaryKind : std::uint8_t { text, json };

// One bit for each Status.
using StatusSet = std::bitset<status_count>;

// A message that is filled in for each recipient of some files, or for jobs without content.
struct RecipientSettings {
  std::string template_path;        // may be empty where jobs are lines
  std::vector<std::string> files;   // of recipients; "-" is stdin; empty: jobs are lines
  std::vector<std::string> shared;  // KEY=VALUE or KEY:=JSON
  codec::MissingPolicy missing = codec::MissingPolicy::invalid;
  bool verp = false;
  char delimiter = '\0';  // of tables; 0: each header row shows it

  [[nodiscard]] bool are_rows() const { return !files.empty(); }
};

// Which of the jobs are part of the run.
struct SelectionSettings {
  std::optional<std::uint64_t> limit;   // the first
  std::optional<std::uint64_t> sample;  // some by chance
  std::string only;                     // that id; empty: all
  std::vector<codec::Mailbox> instead;  // the first of those that are left goes there and nowhere
                                        // else
  std::vector<std::string> retry_from;  // outcome files: whom these say deferred or unsent of

  [[nodiscard]] bool selects() const {
    return limit || sample || !only.empty() || !instead.empty() || !retry_from.empty();
  }
};

struct SendSettings {
  std::vector<std::string> files;  // "-" is stdin; empty: stdin alone
  std::vector<EndpointOptions>
      endpoints;  // complete, with passwords; may be empty with dry_run only

  // What user name and password should be, by the names of endpoints whose provider is known: for
  // whom the server refuses.
  std::map<std::string, std::string> login_hints;

  // Where counts of rates are kept; empty: nowhere.
  std::string state_folder;

  std::string outcomes_path;  // "-": stdout; empty: none
  std::string errors_path;    // only what was not accepted; "-": stdout; empty: none

  RecipientSettings recipients;
  SelectionSettings selection;
  bool dedupe = false;                         // to each address once
  std::vector<std::string> suppression_files;  // to nobody of these

  JournalSettings journal;

  Duration deadline = Duration::max();
  std::uint32_t cores = 1;
  std::uint32_t readers = 1;
  std::uint32_t outcome_threads = 1;
  IoChoice io = IoChoice::automatic;
  Duration drain = std::chrono::seconds(30);  // for what is under way at the first signal
  codec::NewlinePolicy newlines = codec::NewlinePolicy::normalize;
  std::optional<codec::Dialect> dialect;  // nothing: lines are jobs

  ProgressKind progress = ProgressKind::automatic;
  Duration progress_every = std::chrono::seconds(10);
  SummaryKind summary = SummaryKind::text;
  bool internal_stats = false;  // the summary has the counters of the hot path, too
  // The classes that make the exit code other than 0. Nothing: all but accepted.
  std::optional<StatusSet> fail_on;

  LogOptions log;
  bool color = false;    // for stderr: --no-color, NO_COLOR, TERM and the terminal have been asked
  bool quiet = false;    // no progress and no summary for people
  bool dry_run = false;  // no network, and no passwords were read

  // The files that were read for all this, and those that the endpoints read later: configuration,
  // passwords, certificates. Nothing of the run may be written there.
  std::vector<FileRole> files_read;

  // To be logged before anything is sent, such as that a certificate will not be verified.
  std::vector<std::string> warnings;
};

}  // namespace ringpost::cli
