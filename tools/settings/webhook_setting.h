// [[webhook]]: who is told outcomes by HTTP, and how.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <ringpost/base.h>

namespace ringpost::cli {

enum class WebhookFormat : std::uint8_t {
  json,      // a JSON array of outcome lines
  listmonk,  // a bounce of each recipient who was refused for good
};

struct WebhookOptions {
  std::string name;  // in figures, log lines and for `webhook resend`; empty: the URL's host
  std::string url;
  WebhookFormat format = WebhookFormat::json;
  std::string secret_file;  // empty: nothing is signed
  std::string username;     // of Basic authentication; empty: none
  std::string password_file;
  std::string ca_file;            // PEM; empty: the system's
  bool allows_plaintext = false;  // http:// to another machine
  std::string dead_letters;       // the file of what could not be delivered
  // Some 30 KB of usual lines, which fit below the 100 KB that many a framework takes by default.
  std::size_t batch_max = 100;
  Duration delay = std::chrono::seconds(1);
  Duration timeout = std::chrono::seconds(30);
  // Long enough for a receiver's restart or a deployment; who is away for longer is told later, by
  // the dead-letter file, than waits in memory.
  Duration retry_for = std::chrono::hours(1);
  // 50,000 usual lines.
  std::uint64_t queue_bytes = 16'000'000;
};

// What of a URL decides who is spoken to.
struct WebhookUrl {
  bool is_https = false;
  std::string host;  // with its port, as it stands in the URL
  bool is_loopback = false;
};

// Nothing else than https:// and http:// with a host, without a name and a password in it. The
// error is a clause.
[[nodiscard]] Result<WebhookUrl, std::string> parse_webhook_url(Bytes url);

// What a hook lacks, or has that does not go together; its name is filled in. A sentence.
[[nodiscard]] Result<void, std::string> complete_webhook(WebhookOptions& options);

inline constexpr std::size_t webhook_key_count = 14;

}  // namespace ringpost::cli
