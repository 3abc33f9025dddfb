// Where outcomes may be posted to, and what a hook lacks.
#include "tools/settings/webhook_setting.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::cli {

namespace {

WebhookOptions hook_to(const std::string& url) {
  WebhookOptions options;
  options.url = url;
  options.dead_letters = "dead.jsonl";
  return options;
}

std::string why_refused(WebhookOptions options) {
  const auto complete = complete_webhook(options);
  return complete ? std::string() : complete.error();
}

}  // namespace

TEST_CASE("webhook settings: of an URL the host is known, and whether it is this machine") {
  const auto url = parse_webhook_url("https://Hooks.example.com:8443/a?b=c@d");
  REQUIRE(url);
  CHECK(url->is_https);
  CHECK(url->host == "hooks.example.com:8443");
  CHECK_FALSE(url->is_loopback);
  for (const char* const here : {"http://localhost", "http://LOCALHOST:80/x", "http://127.0.0.1:1/",
                                 "http://127.255.0.3?x", "http://[::1]:80/", "http://[::1]"}) {
    INFO(here);
    CHECK(parse_webhook_url(here).value().is_loopback);
  }
  for (const char* const elsewhere :
       {"http://localhost.example.com", "http://127.0.0.1.example.com/", "http://[::2]/",
        "http://example.com/127.0.0.1", "http://1.127.0.0:80", "http://127.0.0.1e/"}) {
    INFO(elsewhere);
    CHECK_FALSE(parse_webhook_url(elsewhere).value().is_loopback);
  }
}

TEST_CASE(
    "webhook settings: what is no URL, or has a password in it, is refused without showing it") {
  for (const char* const url :
       {"", "example.com", "ftp://me:geheim@example.com", "me:geheim@example.com",
        "file:///etc/passwd", "https://", "https:///x", "https://:80/", "https://a b/",
        "https://a\r\nb/", "http://[::1", "HTTPS://example.com", "https://me:geheim@example.com/",
        "http://127.0.0.1\\@example.com/", "http://127.0.0.1@example.com/"}) {
    INFO(url);
    const auto parsed = parse_webhook_url(url);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().find("geheim") == std::string::npos);
  }
}

TEST_CASE("webhook settings: a hook is complete, and named after its host") {
  WebhookOptions options = hook_to("https://example.com:8443/x");
  REQUIRE(complete_webhook(options));
  CHECK(options.name == "example.com:8443");
  CHECK(why_refused(hook_to("http://127.0.0.1:9000/")).empty());
  CHECK(why_refused({}) == "[[webhook]]: it has no url");
  CHECK(why_refused(hook_to("http://example.com")).find("allow_plaintext") != std::string::npos);
  options = hook_to("http://example.com");
  options.allows_plaintext = true;
  CHECK(why_refused(options).empty());
  options.dead_letters.clear();
  CHECK(why_refused(options).find("dead_letters is missing") != std::string::npos);
  options = hook_to("https://example.com");
  options.format = WebhookFormat::listmonk;
  CHECK(why_refused(options).find("listmonk asks for a login") != std::string::npos);
  options.username = "api";
  CHECK(why_refused(options).find("go together") != std::string::npos);
  options.password_file = "token";
  CHECK(why_refused(options).empty());
}

}  // namespace ringpost::cli
