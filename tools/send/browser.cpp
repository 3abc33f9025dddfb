// The problem: a page has personal data in it, and how a browser is called each system says in
// another way. The idea: a file that only its owner may read, and the two ways that are documented:
// $BROWSER (a list with colons, `%s` is the page) and xdg-open. Limits: the file is left, since a
// browser may read it at any time.
#include "tools/send/browser.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "tools/process/descriptor.h"

extern char** environ;

namespace ringpost::cli {

namespace {

std::string variable_or_empty(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string, std::string> write_page(Bytes page) {
  const std::string own = variable_or_empty("XDG_RUNTIME_DIR");
  const std::string folder = own.empty() ? "/tmp" : own;
  std::string path = folder + "/ringpost-XXXXXX.html";
  const auto failed = [&folder](int error) {
    return Failure(
        fmt::format("the page cannot be written to {}: {}", folder, std::strerror(error)));
  };
  // mkstemp(3): mode 0600, and never a file that is there.
  const Descriptor file(::mkostemps(path.data(), 5, O_CLOEXEC));
  if (file.get() < 0) {
    return failed(errno);
  }
  while (!page.empty()) {
    const ssize_t written = ::write(file.get(), page.data(), page.size());
    if (written < 0 && errno != EINTR) {
      const int error = errno;
      ::unlink(path.c_str());
      return failed(error);
    }
    page.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
  return path;
}

std::vector<std::string> split(Bytes text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) {
      parts.emplace_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// The words of `firefox %s`, or of `firefox`.
std::vector<std::string> words_with_page(Bytes command, const std::string& path) {
  std::vector<std::string> words = split(command, ' ');
  bool has_page = false;
  for (std::string& word : words) {
    const std::size_t at = word.find("%s");
    if (at != std::string::npos) {
      word.replace(at, 2, path);
      has_page = true;
    }
  }
  if (!has_page) {
    words.push_back(path);
  }
  return words;
}

// Nothing where it has shown the page; else a clause.
std::optional<std::string> run_browser(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ);
  if (error != 0) {
    return fmt::format("{}: {}", words[0], std::strerror(error));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return std::nullopt;
  }
  return WIFEXITED(status) ? fmt::format("{} ended with status {}", words[0], WEXITSTATUS(status))
                           : fmt::format("{} was killed", words[0]);
}

}  // namespace

Result<ShownPage, std::string> show_in_browser(Bytes page) {
  auto path = write_page(page);
  if (!path) {
    return Failure(std::move(path.error()));
  }
  std::vector<std::string> commands = split(variable_or_empty("BROWSER"), ':');
  commands.emplace_back("xdg-open");
  ShownPage shown{std::move(*path), std::string()};
  std::string troubles;
  for (const std::string& command : commands) {
    const auto trouble = run_browser(words_with_page(command, shown.path));
    if (!trouble) {
      shown.trouble.reset();
      return shown;
    }
    troubles += (troubles.empty() ? "" : "; ") + *trouble;
  }
  shown.trouble = std::move(troubles);
  return shown;
}

}  // namespace ringpost::cli
