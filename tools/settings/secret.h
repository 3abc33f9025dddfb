// Passwords, from wherever they are kept but the command line.
#pragma once

#include <map>
#include <optional>
#include <string>

#include <ringpost/base.h>

namespace ringpost::cli {

// The RINGPOST_PASSWORD and RINGPOST_ENDPOINT_<NAME>_PASSWORD variables.
class PasswordVariables {
 public:
  // Takes them out of the environment, and blanks them where they stood, so that neither a child
  // nor /proc/PID/environ has them. Nothing is left for a second call. No other thread may run.
  [[nodiscard]] static PasswordVariables take();

  [[nodiscard]] const std::string* find(const std::string& variable) const;

 private:
  std::map<std::string, std::string> values_;
};

// "RINGPOST_ENDPOINT_SMTP_EXAMPLE_COM_PASSWORD" for "smtp.example.com".
[[nodiscard]] std::string password_variable(Bytes endpoint_name);
inline constexpr const char* common_password_variable = "RINGPOST_PASSWORD";

// What is known about where an endpoint's password is.
struct SecretPlace {
  std::string endpoint_name;       // for an endpoint that was given as a URL: its host
  std::string password_file = {};  // both as configured, empty: not configured
  std::string password_command = {};
};

struct Secret {
  std::string value;
  std::string variable;  // the variable it came from; empty when it came from elsewhere
};

// Reads the first of password_file, password_command, $CREDENTIALS_DIRECTORY/NAME, the endpoint's
// variable and RINGPOST_PASSWORD that there is; one that is there and cannot be read is an error,
// not a reason to look further. Nothing: there is none of them. An error names the place and never
// the secret.
//
// password_command is run by /bin/sh, with no input, for 30 s at most; its first line is the
// password.
[[nodiscard]] Result<std::optional<Secret>, std::string> read_secret(
    const SecretPlace& place, const PasswordVariables& variables);

// Which of the places read_secret() would read, in words for `config show`; reads nothing. The
// variables still stand in the environment. Nothing: none.
[[nodiscard]] std::optional<std::string> secret_place_text(const SecretPlace& place);

// The ways to give `endpoint_name` a password, for the message that it has none.
[[nodiscard]] std::string ways_to_give_a_password(Bytes endpoint_name);

// "credential:NAME" in the place of a path: a file of systemd's $CREDENTIALS_DIRECTORY.
[[nodiscard]] bool is_credential_name(Bytes path);
// Its path; where there is no such folder, or the name is none of a file in it, the name as it is,
// which cannot be opened, and read_private_file() says why.
[[nodiscard]] std::string credential_file(Bytes name);

// The content of a regular file that nobody but its owner may open, or of a credential; errors are
// clauses.
[[nodiscard]] Result<std::string, std::string> read_private_file(const std::string& path,
                                                                 std::size_t bytes_max);

// Keeps core files and debuggers of other processes away from this process's memory. To be called
// before the first secret is read.
void protect_process_memory();

}  // namespace ringpost::cli
