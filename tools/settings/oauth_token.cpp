// The problem: tokens live for an hour or so, and a run may last longer. The idea: what the engine
// gets is a function that reads the file or runs the command anew. A file's token is as old as the
// file, whose time is looked at before it is read: a file that is replaced in between seems older
// than it is, never younger. Limits: a copy with a new time of modification seems fresh.
#include "tools/settings/oauth_token.h"

#include <algorithm>
#include <ctime>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include "codec/smtp/token_reply.h"
#include "tools/process/shell_command.h"
#include "tools/process/wording.h"
#include "tools/settings/secret.h"

namespace ringpost::cli {

namespace {

// JSON with an identity token and a refresh token beside the one that we want.
constexpr std::size_t reply_bytes_max = 64u << 10;

TokenResult token_of(std::string_view what, const Result<std::string, std::string>& text,
                     std::chrono::seconds age) {
  if (!text) {
    return Failure(fmt::format("{}: {}", what, text.error()));
  }
  auto reply = codec::parse_token_reply(*text);
  if (!reply) {
    return Failure(fmt::format("{}: {}", what, reply.error()));
  }
  AccessToken token{std::move(reply->access_token)};
  if (reply->expires_in_s) {
    const std::chrono::seconds lifetime(*reply->expires_in_s);
    token.lifetime = std::max(lifetime - age, std::chrono::seconds(0));
  }
  return token;
}

std::chrono::seconds age_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return std::chrono::seconds(0);
  }
  return std::chrono::seconds(std::max<std::time_t>(0, std::time(nullptr) - status.st_mtime));
}

}  // namespace

TokenReader token_reader(const TokenPlace& place) {
  if (!place.file.empty()) {
    return [path = place.file] {
      const std::chrono::seconds age = age_of(path);
      return token_of(fmt::format("oauth_token_file {}", in_quotes(path)),
                      read_private_file(path, reply_bytes_max), age);
    };
  }
  return [command = place.command] {
    // The command is not quoted: some have the secret in it.
    return token_of("oauth_token_command",
                    output_of_command(command, {.line_bytes_max = reply_bytes_max}),
                    std::chrono::seconds(0));
  };
}

}  // namespace ringpost::cli
