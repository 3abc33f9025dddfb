// The problem: outcomes carry addresses, so where they are posted to must not be open to whoever
// listens on the way, and a mistake in an URL is found when the first batch cannot be delivered.
// The idea: the few parts of an URL that matter are looked at when the file is read, and everything
// else is the library's that posts. Limits: whether a name is one of this machine is known of
// `localhost` and of addresses alone.
#include "tools/settings/webhook_setting.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "tools/process/wording.h"
#include "tools/settings/section_value.h"
#include "tools/settings/serve_setting.h"

namespace ringpost::cli {

namespace {

using Hook = WebhookOptions;

constexpr bool is_file_of_webhook = true;

template <auto member>
Applied apply_hook_text(const SettingValue& value, ServeDraft& draft) {
  return apply_some_text(value, draft.webhook.*member);
}

template <auto member, std::uint64_t min, std::uint64_t max>
Applied apply_hook_count(const SettingValue& value, ServeDraft& draft) {
  return apply_some_count(value, {.min = min, .max = max}, draft.webhook.*member);
}

template <auto member, int least_ms>
Applied apply_hook_time(const SettingValue& value, ServeDraft& draft) {
  return apply_some_time(value, std::chrono::milliseconds(least_ms), draft.webhook.*member);
}

template <auto member>
std::string show_hook_count(const ServeDraft& draft) {
  return fmt::format("{}", draft.webhook.*member);
}

template <auto member>
std::string show_hook_time(const ServeDraft& draft) {
  return duration_text(draft.webhook.*member);
}

std::string show_no_default(const ServeDraft& /*draft*/) { return {}; }

Applied apply_hook_url(const SettingValue& value, ServeDraft& draft) {
  if (const auto parsed = parse_webhook_url(value.text()); !parsed) {
    return Failure(parsed.error());
  }
  draft.webhook.url = value.text();
  return {};
}

// A label of figures, and a word on a command line.
Applied apply_hook_name(const SettingValue& value, ServeDraft& draft) {
  constexpr std::size_t bytes_max = 64;
  const std::string& name = value.text();
  const bool is_plain =
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (name.empty() || name.size() > bytes_max || !is_plain) {
    return Failure(fmt::format("{} is no name: 1 to {} printable characters without a space",
                               in_quotes(name), bytes_max));
  }
  draft.webhook.name = name;
  return {};
}

constexpr std::pair<std::string_view, WebhookFormat> hook_format_words[] = {
    {"json", WebhookFormat::json}, {"listmonk", WebhookFormat::listmonk}};

Applied apply_hook_format(const SettingValue& value, ServeDraft& draft) {
  for (const auto& [word, format] : hook_format_words) {
    if (value.text() == word) {
      draft.webhook.format = format;
      return {};
    }
  }
  return Failure(fmt::format("{} is neither \"json\" nor \"listmonk\"", in_quotes(value.text())));
}

std::string show_hook_format(const ServeDraft& draft) {
  return std::string(hook_format_words[static_cast<std::size_t>(draft.webhook.format)].first);
}

// "127.0.0.1" of "127.0.0.1:80", "::1" of "[::1]:80"; empty where it is neither.
Bytes bare_host(Bytes host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end == Bytes::npos ? Bytes() : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

bool is_on_loopback(Bytes host) {
  const Bytes bare = bare_host(host);
  if (bare == "localhost" || bare == "::1") {
    return true;
  }
  return bare.starts_with("127.") && bare.find_first_not_of("0123456789.") == Bytes::npos;
}

}  // namespace

const SectionKey webhook_keys[webhook_key_count] = {
    {"url", "URL", "Where outcomes are posted to: https://, or http:// on this machine",
     SettingKind::text, !is_file_of_webhook, apply_hook_url, show_no_default},
    {"name", "NAME", "In figures, in log lines and for `webhook resend` [the URL's host]",
     SettingKind::text, !is_file_of_webhook, apply_hook_name, show_no_default},
    {"format", "json|listmonk",
     "A JSON array of outcome lines, or a bounce of listmonk for each recipient refused for good",
     SettingKind::text, !is_file_of_webhook, apply_hook_format, show_hook_format},
    {"dead_letters", "FILE",
     "What could not be delivered is added there; `webhook resend` sends it", SettingKind::text,
     is_file_of_webhook, apply_hook_text<&Hook::dead_letters>, show_no_default},
    {"secret_file", "FILE", "The secret by which batches are signed; without it they are not",
     SettingKind::text, is_file_of_webhook, apply_hook_text<&Hook::secret_file>, show_no_default},
    {"username", "NAME", "Of Basic authentication", SettingKind::text, !is_file_of_webhook,
     apply_hook_text<&Hook::username>, show_no_default},
    {"password_file", "FILE", "Its password", SettingKind::text, is_file_of_webhook,
     apply_hook_text<&Hook::password_file>, show_no_default},
    {"ca_file", "FILE", "PEM of those who may sign the receiver's certificate [the system's]",
     SettingKind::text, is_file_of_webhook, apply_hook_text<&Hook::ca_file>, show_no_default},
    {"allow_plaintext", "", "Addresses and passwords may go to another machine by http://",
     SettingKind::boolean, !is_file_of_webhook,
     [](const SettingValue& value, ServeDraft& draft) {
       return take(parse_boolean(value.text()), draft.webhook.allows_plaintext);
     },
     [](const ServeDraft& draft) {
       return std::string(draft.webhook.allows_plaintext ? "true" : "false");
     }},
    {"batch", "N", "Outcomes in one request at most", SettingKind::number, !is_file_of_webhook,
     apply_hook_count<&Hook::batch_max, 1, 10'000>, show_hook_count<&Hook::batch_max>},
    {"delay", "DURATION", "How long an outcome waits for others at most", SettingKind::number,
     !is_file_of_webhook, apply_hook_time<&Hook::delay, 0>, show_hook_time<&Hook::delay>},
    {"timeout", "DURATION", "How long a request may take", SettingKind::number, !is_file_of_webhook,
     apply_hook_time<&Hook::timeout, 100>, show_hook_time<&Hook::timeout>},
    {"retry_for", "DURATION",
     "How long a batch is tried while the receiver is away or says 429 or 5xx", SettingKind::number,
     !is_file_of_webhook, apply_hook_time<&Hook::retry_for, 0>, show_hook_time<&Hook::retry_for>},
    {"queue_bytes", "N", "Octets of outcomes that wait in memory; beyond, they are dead letters",
     SettingKind::number, !is_file_of_webhook,
     apply_hook_count<&Hook::queue_bytes, 100'000, std::uint64_t{1} << 40>,
     show_hook_count<&Hook::queue_bytes>},
};

Result<WebhookUrl, std::string> parse_webhook_url(Bytes url) {
  WebhookUrl parsed;
  const bool is_plain =
      std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  parsed.is_https = url.starts_with("https://");
  if (!is_plain || (!parsed.is_https && !url.starts_with("http://"))) {
    return Failure(fmt::format("{} is no URL that begins with https:// or http://",
                               in_quotes(url.substr(0, url.find_first_of(":/?@")))));
  }
  Bytes host = url.substr(url.find("//") + 2);
  host = host.substr(0, host.find_first_of("/?#"));
  if (host.find('@') != Bytes::npos) {
    return Failure(
        std::string("no name and no password stand in this URL: they go into username "
                    "and password_file"));
  }
  if (bare_host(host).empty() || host.find('\\') != Bytes::npos) {
    return Failure(std::string("it names no host"));
  }
  parsed.host = std::string(host);
  std::transform(parsed.host.begin(), parsed.host.end(), parsed.host.begin(), codec::lower);
  parsed.is_loopback = is_on_loopback(parsed.host);
  return parsed;
}

Result<void, std::string> complete_webhook(WebhookOptions& options) {
  if (options.url.empty()) {
    return Failure(std::string("[[webhook]]: it has no url"));
  }
  const auto url = parse_webhook_url(options.url);
  RP_ASSERT(url);
  if (options.name.empty()) {
    options.name = url->host;
  }
  const auto refused = [&options](std::string_view why) {
    return Failure(fmt::format("[[webhook]] {}: {}", options.name, why));
  };
  if (!url->is_https && !url->is_loopback && !options.allows_plaintext) {
    return refused(
        "http:// to another machine shows everybody on the way who gets mail: use https://, or say "
        "allow_plaintext = true");
  }
  if (options.dead_letters.empty()) {
    return refused(
        "dead_letters is missing: the file of what could not be delivered, such as dead_letters = "
        "\"/var/lib/ringpost/webhook.jsonl\"");
  }
  if (options.username.empty() != options.password_file.empty()) {
    return refused("username and password_file go together");
  }
  if (options.format == WebhookFormat::listmonk && options.username.empty()) {
    return refused(
        "listmonk asks for a login: username is the name of an API user, and password_file has its "
        "token");
  }
  return {};
}

}  // namespace ringpost::cli
