#include "tools/send/newsletter_watch.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;

namespace {

Message newsletter_at(std::uint64_t line, Bytes fields, std::size_t body_bytes = 3) {
  Message message;
  message.sender = "news@example.com";
  message.recipients.add("ann@example.net");
  message.origin.file = "jobs.jsonl";
  message.origin.line = line;
  std::string body;
  for (std::size_t bytes = 0; bytes < body_bytes; bytes += 62) {
    body += std::string(60, 'x') + "\r\n";
  }
  const std::string text =
      "From: news@example.com\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
      "Message-ID: <1@example.com>\r\nList-Unsubscribe: <https://example.com/>\r\n"
      "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" +
      std::string(fields) + "\r\n" + body;
  REQUIRE(ContentMaker().assign(message.content, text).has_value());
  return message;
}

}  // namespace

TEST_CASE("newsletter watch: each kind is said once, with its first place") {
  cli::NewsletterWatch watch(cli::NewsletterWatch::About::newsletters);
  watch.look(newsletter_at(1, "Subject: a\r\nPrecedence: bulk\r\n"), false);
  watch.look(newsletter_at(2, "Precedence: bulk\r\n"), false);
  watch.look(newsletter_at(3, "Precedence: bulk\r\n"), false);
  const auto said = watch.warnings();
  REQUIRE(said.size() == 1);
  CHECK(said[0] ==
        "jobs.jsonl:2, with 1 other, has no Subject: give it one: mail without is taken for spam");
}

TEST_CASE("newsletter watch: a receipt is no newsletter") {
  cli::NewsletterWatch watch(cli::NewsletterWatch::About::newsletters);
  watch.look(newsletter_at(1, ""), false);
  CHECK(watch.warnings().empty());
  cli::NewsletterWatch all(cli::NewsletterWatch::About::all);
  all.look(newsletter_at(1, ""), false);
  CHECK(all.warnings().size() == 1);
}

TEST_CASE("newsletter watch: of a line for several the recipient is named") {
  cli::NewsletterWatch watch(cli::NewsletterWatch::About::newsletters);
  watch.look(newsletter_at(7, ""), true);
  REQUIRE(watch.warnings().size() == 1);
  CHECK(watch.warnings()[0].starts_with("jobs.jsonl:7 (ann@example.net) has no Subject: "));
}

TEST_CASE("newsletter watch: behind thousands only longer ones are looked at") {
  cli::NewsletterWatch watch(cli::NewsletterWatch::About::all);
  for (std::uint64_t line = 1; line <= 10'500; ++line) {
    watch.look(newsletter_at(line, "Subject: a\r\n"), false);
  }
  watch.look(newsletter_at(10'501, ""), false);
  CHECK(watch.warnings().empty());
  watch.look(newsletter_at(10'502, "Subject: a\r\nContent-Type: text/html\r\n", 120'000), false);
  const auto said = watch.warnings();
  REQUIRE(said.size() == 2);
  CHECK(said[0].starts_with("jobs.jsonl:10502 has html and no text: "));
  CHECK(said[1].starts_with("jobs.jsonl:10502 has html of more than 102 KB: "));
}
