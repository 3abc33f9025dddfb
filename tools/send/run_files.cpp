// The problem: with `-o jobs.jsonl`, or `2>jobs.jsonl`, a run would destroy its jobs, and even the
// message about it would stand in them. The idea: all files of a run are listed with what they are
// to it, the standard streams among them, and compared before any is opened for writing; a refusal
// goes where it does no harm, and nowhere if there is no such place. Limits: what a shell's `>` has
// emptied was empty before this program began; files that jobs name are looked at when they are
// read.
#include "tools/send/run_files.h"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "engine/run/outcome_content.h"
#include "queue/quota_file.h"
#include "tools/process/descriptor.h"

namespace ringpost::cli {

namespace {

constexpr const char* standard_stream = "-";

// As the commands that read jobs have it: none named is standard input.
void add_files_read(std::span<const std::string> files, std::string_view what,
                    std::vector<run::FileRole>& roles) {
  const std::vector<std::string> standard_input = {standard_stream};
  for (const std::string& path : files.empty() ? std::span(standard_input) : files) {
    if (path == standard_stream) {
      roles.push_back({"standard input", path, STDIN_FILENO});
    } else {
      roles.push_back({"the " + std::string(what), path});
    }
  }
}

// Where the summary goes, or the outcome lines, and what is said to people.
void add_streams(std::vector<run::FileRole>& roles) {
  roles.push_back({"standard output", {}, STDOUT_FILENO, true});
  roles.push_back({"standard error", {}, STDERR_FILENO, true});
}

// When messages to people would go into one of the files, the refusal must not, either: it is said
// on standard output, and not at all when that is the same file.
// Those of accounts, each once.
std::vector<std::string> state_files(const SendSettings& settings) {
  std::vector<std::string> paths;
  for (const EndpointOptions& endpoint : settings.endpoints) {
    if (!settings.state_folder.empty() && (!endpoint.rates.empty() || endpoint.unknown_rate)) {
      paths.push_back(settings.state_folder + "/" +
                      queue::quota_file_name(endpoint.host, endpoint.username));
    }
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

Result<void, std::string> refuse(std::string conflict, std::span<const run::FileRole> roles) {
  const auto is_of = [](int descriptor) {
    return [descriptor](const run::FileRole& role) { return role.descriptor == descriptor; };
  };
  const auto message_stream = std::find_if(roles.begin(), roles.end(), is_of(STDERR_FILENO));
  const auto data_stream = std::find_if(roles.begin(), roles.end(), is_of(STDOUT_FILENO));
  const auto with_messages = [&](const run::FileRole& role) {
    const run::FileRole pair[] = {role, *message_stream};
    return run::file_role_conflict(pair).has_value();
  };
  if (std::any_of(roles.begin(), data_stream, with_messages)) {
    const bool is_lost = std::any_of(roles.begin(), data_stream, [&](const run::FileRole& role) {
      const run::FileRole pair[] = {role, *data_stream};
      return run::file_role_conflict(pair).has_value();
    });
    const Descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    ::dup2(is_lost ? nowhere.get() : STDOUT_FILENO, STDERR_FILENO);
  }
  return Failure(std::move(conflict));
}

}  // namespace

std::vector<run::FileRole> files_of_run(const SendSettings& settings) {
  std::vector<run::FileRole> roles;
  const RecipientSettings& recipients = settings.recipients;
  if (recipients.are_rows()) {
    add_files_read(recipients.files, "file of recipients", roles);
  } else {
    add_files_read(settings.files, "job file", roles);
  }
  if (!recipients.template_path.empty()) {
    roles.push_back({"the template", recipients.template_path});
  }
  for (const std::string& path : settings.suppression_files) {
    roles.push_back({"the suppression file", path});
  }
  for (const std::string& path : settings.selection.retry_from) {
    roles.push_back({"the file of --retry-from", path});
  }
  roles.insert(roles.end(), settings.files_read.begin(), settings.files_read.end());
  const bool has_journal = !settings.dry_run;
  for (const auto& [flag, path] :
       {std::pair{"--outcomes", settings.outcomes_path},
        {"--errors", settings.errors_path},
        {"--journal", has_journal ? settings.journal.path : std::string()}}) {
    if (!path.empty() && path != standard_stream) {
      roles.push_back({flag, path, -1, true});
    }
  }
  for (std::string& path : state_files(settings)) {
    roles.push_back({"the state file of a rate", std::move(path), -1, true});
  }
  add_streams(roles);
  return roles;
}

Result<void, std::string> check_files_of_run(const SendSettings& settings) {
  if (settings.outcomes_path == standard_stream && settings.errors_path == standard_stream) {
    return Failure(
        std::string("--outcomes and --errors are both standard output, where nobody could tell "
                    "their lines apart; give one of them a file of its own"));
  }
  const std::vector<run::FileRole> roles = files_of_run(settings);
  if (auto conflict = run::file_role_conflict(roles)) {
    return refuse(std::move(*conflict), roles);
  }
  if (auto checked = run::check_outcome_content("--outcomes", settings.outcomes_path); !checked) {
    return checked;
  }
  return run::check_outcome_content("--errors", settings.errors_path);
}

Result<void, std::string> check_files_read(std::span<const std::string> files,
                                           std::string_view what) {
  std::vector<run::FileRole> roles;
  add_files_read(files, what, roles);
  add_streams(roles);
  if (auto conflict = run::file_role_conflict(roles)) {
    return refuse(std::move(*conflict), roles);
  }
  return {};
}

}  // namespace ringpost::cli
