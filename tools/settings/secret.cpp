// The problem: a password shows in arguments, in the environment of this process and of those that
// it starts, in files that others may open, in core files and in error messages. The idea: never
// from the command line; variables are blanked where they stood; files must be their owner's alone,
// but for systemd's; the process leaves no core and lets no debugger in from the first secret on;
// errors name the place. The first place that is there counts, so that a mistake in it is not
// covered by the next. Limits: while it runs the process has it in memory, and nothing wipes it
// there.
#include "tools/settings/secret.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "tools/process/descriptor.h"
#include "tools/process/numbers.h"
#include "tools/process/shell_command.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

// An AUTH line has 12,288 octets at most (RFC 4954 section 4): 9,216 before base64, with the user
// name.
constexpr std::size_t secret_bytes_max = 8192;

using Text = Result<std::string, std::string>;

Text checked(std::string secret) {
  if (secret.ends_with('\n')) {
    secret.pop_back();
    if (secret.ends_with('\r')) {
      secret.pop_back();
    }
  }
  if (secret.empty()) {
    return Failure(std::string("it is empty"));
  }
  if (secret.size() > secret_bytes_max) {
    return Failure(fmt::format("it is longer than {} octets", secret_bytes_max));
  }
  if (secret.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return Failure(std::string("the password has a line end or a NUL within"));
  }
  return secret;
}

enum class Sharing : bool { refused, allowed };

constexpr Bytes credential_prefix = "credential:";

// Empty: there is none.
std::string credentials_folder() {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  return folder == nullptr ? "" : folder;
}

// systemd gives its own group read access to them, in a folder that only this service can enter.
bool is_in_credentials_folder(Bytes path) {
  const std::string folder = credentials_folder();
  return !folder.empty() && path.starts_with(folder + "/") && path.find("/..") == Bytes::npos;
}

Text read_octets(const std::string& path, Sharing sharing, std::size_t bytes_max) {
  if (is_credential_name(path)) {
    return Failure(fmt::format(
        "there is no such credential: a unit has it by LoadCredential={}:FILE, and then "
        "$CREDENTIALS_DIRECTORY",
        path.substr(credential_prefix.size())));
  }
  // Not blocking, for what turns out to be a pipe.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    return Failure(std::string(std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) {
    return Failure(std::string("it is not a regular file"));
  }
  const mode_t others = status.st_mode & (S_IRWXG | S_IRWXO);
  if (others != 0 && sharing == Sharing::refused && !is_in_credentials_folder(path)) {
    return Failure(
        fmt::format("other users may open it (its mode is {:03o}); mend it with: chmod 600 '{}'",
                    status.st_mode & 0777U, path));
  }
  std::string content(bytes_max + 1, '\0');
  std::size_t length = 0;
  while (length < content.size()) {
    const ssize_t taken = ::read(file.get(), content.data() + length, content.size() - length);
    if (taken < 0 && errno == EINTR) {
      continue;
    }
    if (taken < 0) {
      return Failure(std::string(std::strerror(errno)));
    }
    if (taken == 0) {
      break;
    }
    length += static_cast<std::size_t>(taken);
  }
  if (length > bytes_max) {
    return Failure(fmt::format("it is longer than {} octets", bytes_max));
  }
  content.resize(length);
  return content;
}

Text read_file(const std::string& path, Sharing sharing) {
  constexpr std::size_t line_end_bytes = 2;
  Text content = read_octets(path, sharing, secret_bytes_max + line_end_bytes);
  return content ? checked(std::move(*content)) : content;
}

std::string credential_path(const SecretPlace& place) {
  const std::string folder = credentials_folder();
  if (folder.empty()) {
    return {};
  }
  std::string path = fmt::format("{}/{}", folder, place.endpoint_name);
  return ::access(path.c_str(), F_OK) == 0 ? path : std::string{};
}

Result<std::optional<Secret>, std::string> named(std::string_view what, Text text,
                                                 std::string variable = {}) {
  if (!text) {
    return Failure(fmt::format("{}: {}", what, text.error()));
  }
  return Secret{std::move(*text), std::move(variable)};
}

bool is_password_variable(std::string_view name) {
  return name == common_password_variable ||
         (name.starts_with("RINGPOST_ENDPOINT_") && name.ends_with("_PASSWORD"));
}

}  // namespace

PasswordVariables PasswordVariables::take() {
  PasswordVariables taken;
  for (char** place = environ; place != nullptr && *place != nullptr; ++place) {
    const std::string_view variable = *place;
    const std::size_t equals = std::min(variable.find('='), variable.size());
    if (equals == variable.size() || !is_password_variable(variable.substr(0, equals))) {
      continue;
    }
    taken.values_[std::string(variable.substr(0, equals))] = variable.substr(equals + 1);
    // In place, because /proc/PID/environ shows the memory that the program began with.
    ::explicit_bzero(*place + equals + 1, variable.size() - equals - 1);
  }
  for (const auto& [name, value] : taken.values_) {
    ::unsetenv(name.c_str());
  }
  return taken;
}

const std::string* PasswordVariables::find(const std::string& variable) const {
  const auto found = values_.find(variable);
  return found == values_.end() ? nullptr : &found->second;
}

std::string password_variable(Bytes endpoint_name) {
  std::string name;
  for (const char character : endpoint_name) {
    name.push_back(codec::is_alphanumeric(character) ? codec::upper(character) : '_');
  }
  return fmt::format("RINGPOST_ENDPOINT_{}_PASSWORD", name);
}

Result<std::optional<Secret>, std::string> read_secret(const SecretPlace& place,
                                                       const PasswordVariables& variables) {
  if (!place.password_file.empty()) {
    return named(fmt::format("password_file {}", in_quotes(place.password_file)),
                 read_file(place.password_file, Sharing::refused));
  }
  if (!place.password_command.empty()) {
    Text line = first_line_of_command(place.password_command, {.line_bytes_max = secret_bytes_max});
    // The command is not quoted: some have the secret in it.
    return named("password_command", line ? checked(std::move(*line)) : std::move(line));
  }
  if (const std::string path = credential_path(place); !path.empty()) {
    return named(in_quotes(path), read_file(path, Sharing::allowed));
  }
  for (const std::string& name :
       {password_variable(place.endpoint_name), std::string(common_password_variable)}) {
    if (const std::string* value = variables.find(name)) {
      return named(name, checked(*value), name);
    }
  }
  return std::nullopt;
}

std::optional<std::string> secret_place_text(const SecretPlace& place) {
  if (!place.password_file.empty()) {
    return fmt::format("password_file {}", in_quotes(place.password_file));
  }
  if (!place.password_command.empty()) {
    return "password_command";
  }
  if (std::string path = credential_path(place); !path.empty()) {
    return path;
  }
  for (const std::string& name :
       {password_variable(place.endpoint_name), std::string(common_password_variable)}) {
    if (std::getenv(name.c_str()) != nullptr) {
      return name;
    }
  }
  return std::nullopt;
}

std::string ways_to_give_a_password(Bytes endpoint_name) {
  return fmt::format(
      "Give it in one of these ways; never as an argument, which every user of this machine can "
      "read:\n"
      "  password_file = \"FILE\" under [endpoint.NAME] in ringpost.toml (mode 600)\n"
      "  password_command = \"pass show NAME\" in the same place\n"
      "  a file {} in systemd's $CREDENTIALS_DIRECTORY (LoadCredential=)\n"
      "  the variable {}\n"
      "  the variable {}",
      endpoint_name, password_variable(endpoint_name), common_password_variable);
}

bool is_credential_name(Bytes path) { return path.starts_with(credential_prefix); }

std::string credential_file(Bytes name) {
  const std::string folder = credentials_folder();
  const Bytes file = name.substr(credential_prefix.size());
  const bool is_file_name = !file.empty() && file.find('/') == Bytes::npos && file != "..";
  return folder.empty() || !is_file_name ? std::string(name) : fmt::format("{}/{}", folder, file);
}

Result<std::string, std::string> read_private_file(const std::string& path, std::size_t bytes_max) {
  return read_octets(path, Sharing::refused, bytes_max);
}

void protect_process_memory() { (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

}  // namespace ringpost::cli
