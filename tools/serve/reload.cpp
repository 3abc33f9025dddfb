// The problem: whoever edits a file and reloads it wants to know what of it holds now. The idea:
// all that was read is compared with what runs, but for what is taken over, and each difference has
// the name under which it was written. Limits: what a flag says is the same as long as the process
// lives, whatever the file says below it.
#include "tools/serve/reload.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace ringpost::cli {

namespace {

// But for the files that are read anew.
SmtpListenOptions what_stays(SmtpListenOptions options) {
  for (std::string* const path :
       {&options.certificate_file, &options.key_file, &options.users_file}) {
    *path = path->empty() ? "" : "FILE";
  }
  return options;
}

HttpListenOptions what_stays(HttpListenOptions options) {
  options.token_file = options.token_file.empty() ? "" : "FILE";
  return options;
}

template <typename Listener>
void compare_listeners(std::string_view heading, const std::vector<Listener>& running,
                       const std::vector<Listener>& fresh, std::vector<std::string>& changes) {
  const auto find = [](const std::vector<Listener>& all, const std::string& address) {
    return std::find_if(all.begin(), all.end(),
                        [&address](const Listener& one) { return one.address == address; });
  };
  for (const Listener& one : fresh) {
    const auto same = find(running, one.address);
    if (same == running.end() || !(what_stays(*same) == what_stays(one))) {
      changes.push_back(fmt::format("[[{}]] {}", heading, one.address));
    }
  }
  for (const Listener& one : running) {
    if (find(fresh, one.address) == fresh.end()) {
      changes.push_back(fmt::format("[[{}]] {}, which is gone", heading, one.address));
    }
  }
}

}  // namespace

std::vector<std::string> changes_for_a_start(const ServeSettings& running,
                                             const ServeSettings& fresh) {
  std::vector<std::string> changes;
  compare_listeners("listen.smtp", running.smtp, fresh.smtp, changes);
  compare_listeners("listen.http", running.http, fresh.http, changes);
  std::map<std::string, std::string> sections = fresh.section_marks;
  sections.insert(running.section_marks.begin(), running.section_marks.end());
  for (const auto& [name, mark] : sections) {
    const auto before = running.section_marks.find(name);
    const auto after = fresh.section_marks.find(name);
    if (before == running.section_marks.end() || after == fresh.section_marks.end() ||
        before->second != after->second) {
      changes.push_back(fmt::format("[{}]", name));
    }
  }
  const auto compare = [&changes](std::string_view name, const auto& before, const auto& after) {
    if (!(before == after)) {
      changes.emplace_back(name);
    }
  };
  compare("cores", running.cores, fresh.cores);
  compare("io", running.io, fresh.io);
  compare("state", running.state_folder, fresh.state_folder);
  compare("drain", running.drain, fresh.drain);
  compare("log_level", running.log.level, fresh.log.level);
  compare("log_format", running.log.format, fresh.log.format);
  compare("outcomes", running.serve.outcomes_path, fresh.serve.outcomes_path);
  compare("messages_in_flight", running.serve.messages_max, fresh.serve.messages_max);
  compare("bytes_in_flight", running.serve.bytes_max, fresh.serve.bytes_max);
  return changes;
}

}  // namespace ringpost::cli
