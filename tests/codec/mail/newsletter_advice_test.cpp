#include "codec/mail/newsletter_advice.h"

#include <initializer_list>
#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

constexpr Bytes good_fields =
    "From: News <news@example.com>\r\nSubject: Hi\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
    "Message-ID: <1@example.com>\r\n";
constexpr Bytes one_click =
    "List-Unsubscribe: <https://example.com/u>\r\n"
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";

NewsletterAdviceSet advice_for(const std::string& content, Bytes sender = "news@example.com") {
  Message message;
  message.sender = sender;
  REQUIRE(ContentMaker().assign(message.content, content).has_value());
  return newsletter_advice(message);
}

NewsletterAdviceSet set_of(std::initializer_list<NewsletterAdvice> several) {
  NewsletterAdviceSet set;
  for (const NewsletterAdvice one : several) {
    set.add(one);
  }
  return set;
}

std::string without(std::string text, Bytes line_begin) {
  const std::size_t at = text.find(line_begin);
  REQUIRE(at != std::string::npos);
  return text.erase(at, text.find("\r\n", at) + 2 - at);
}

std::string page_with_html_of(std::size_t bytes, Bytes encoding = "7bit") {
  std::string body;
  while (body.size() < bytes) {
    body += std::string(std::min<std::size_t>(78, bytes - body.size()), 'x');
    body += bytes - body.size() > 2 ? "\r\n" : "";
  }
  body.resize(bytes, 'x');
  return std::string(good_fields) + std::string(one_click) +
         "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n--b\r\n"
         "Content-Type: text/html\r\nContent-Transfer-Encoding: " +
         std::string(encoding) + "\r\n\r\n" + body + "\r\n--b--\r\n";
}

bool is_bulk(const std::string& fields) {
  Content content;
  REQUIRE(ContentMaker().assign(content, fields + "\r\nHi\r\n").has_value());
  return says_it_is_bulk(content);
}

}  // namespace

TEST_CASE("newsletter: one that has all of it is advised of nothing") {
  const std::string fields = std::string(good_fields) + std::string(one_click);
  CHECK(advice_for(fields + "\r\nHi\r\n").empty());
  CHECK(advice_for(fields + "Content-Type: text/html; charset=utf-8\r\n\r\n<p>\r\n") ==
        set_of({NewsletterAdvice::html_without_text}));
}

TEST_CASE("newsletter: each field that is missing is said") {
  const std::string all = std::string(good_fields) + std::string(one_click) + "\r\nHi\r\n";
  CHECK(advice_for(without(all, "Subject:")) == set_of({NewsletterAdvice::no_subject}));
  CHECK(advice_for(without(all, "Date:")) == set_of({NewsletterAdvice::no_date}));
  CHECK(advice_for(without(all, "Message-ID:")) == set_of({NewsletterAdvice::no_message_id}));
  CHECK(advice_for(without(all, "List-Unsubscribe-Post:")) ==
        set_of({NewsletterAdvice::no_one_click}));
  CHECK(advice_for(without(all, "List-Unsubscribe:")) ==
        set_of({NewsletterAdvice::no_unsubscribe}));
  std::string empty = all;
  empty.replace(empty.find("Subject: Hi"), 11, "Subject: ");
  CHECK(advice_for(empty) == set_of({NewsletterAdvice::no_subject}));
}

TEST_CASE("newsletter: one click takes an https URL and its field") {
  const auto with = [](Bytes list_fields) {
    return advice_for(std::string(good_fields) + std::string(list_fields) + "\r\nHi\r\n");
  };
  constexpr Bytes post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
  const auto of = [post](Bytes urls) {
    return "List-Unsubscribe: " + std::string(urls) + "\r\n" + std::string(post);
  };
  CHECK(with(of("<mailto:u@example.com>,\r\n <HTTPS://example.com/u>")).empty());
  CHECK(with(of("<http://example.com/u>")) == set_of({NewsletterAdvice::insecure_one_click}));
  CHECK(with(of("<mailto:u@example.com>")) == set_of({NewsletterAdvice::no_one_click}));
  CHECK(with("List-Unsubscribe: <http://example.com/u>\r\n") ==
        set_of({NewsletterAdvice::no_one_click}));
}

TEST_CASE("newsletter: domains of From and envelope") {
  const std::string mail = std::string(good_fields) + std::string(one_click) + "\r\nHi\r\n";
  const auto is_said = [&mail](Bytes sender) {
    return advice_for(mail, sender).has(NewsletterAdvice::sender_not_aligned);
  };
  CHECK_FALSE(is_said("a@example.com"));
  CHECK_FALSE(is_said("a@EXAMPLE.com"));
  CHECK_FALSE(is_said("bounce+1@mail.example.com"));
  CHECK_FALSE(is_said(""));
  CHECK(is_said("a@example.net"));
  CHECK(is_said("a@notexample.com"));
  CHECK(is_said("a@com"));
  std::string sub = mail;
  sub.replace(sub.find("news@example.com"), 16, "news@shop.example.com");
  CHECK_FALSE(advice_for(sub, "a@bounce.example.com").has(NewsletterAdvice::sender_not_aligned));
  CHECK_FALSE(advice_for(sub, "a@example.com").has(NewsletterAdvice::sender_not_aligned));
  CHECK(advice_for(sub, "a@shop.example.net").has(NewsletterAdvice::sender_not_aligned));
}

TEST_CASE("newsletter: what Gmail clips is counted as it is decoded") {
  CHECK(advice_for(page_with_html_of(html_near_clip_bytes)).empty());
  CHECK(advice_for(page_with_html_of(html_near_clip_bytes + 1)) ==
        set_of({NewsletterAdvice::html_near_clip}));
  CHECK(advice_for(page_with_html_of(html_clip_bytes)) ==
        set_of({NewsletterAdvice::html_near_clip}));
  CHECK(advice_for(page_with_html_of(html_clip_bytes + 1)) ==
        set_of({NewsletterAdvice::html_clipped}));
  // 130 KB of base64 are 95 KB of html.
  CHECK(
      advice_for(page_with_html_of(1666 * 80 - 2, "base64")).has(NewsletterAdvice::html_near_clip));
}

TEST_CASE("newsletter: attached pages and texts are not what is shown") {
  const std::string head = std::string(good_fields) + std::string(one_click) +
                           "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
  CHECK(advice_for(head + "\r\nHi\r\n--b\r\nContent-Type: text/html\r\n"
                          "Content-Disposition: Attachment\r\n\r\n<p>\r\n--b--\r\n")
            .empty());
  CHECK(advice_for(head + "Content-Type: text/html\r\n\r\n<p>\r\n--b\r\n"
                          "Content-Type: text/plain; name=a.txt\r\n\r\nHi\r\n--b--\r\n") ==
        set_of({NewsletterAdvice::html_without_text}));
}

TEST_CASE("newsletter: of what is no MIME the fields are looked at") {
  CHECK(advice_for(std::string(good_fields) + "Content-Type: multipart/mixed\r\n\r\nHi\r\n") ==
        set_of({NewsletterAdvice::no_unsubscribe}));
}

TEST_CASE("newsletter: a message says that it is one") {
  CHECK(is_bulk("List-Id: <news.example.com>\r\n"));
  CHECK(is_bulk("Precedence: Bulk\r\n"));
  CHECK(is_bulk("precedence: list\r\n"));
  CHECK_FALSE(is_bulk("Precedence: first-class\r\n"));
  CHECK_FALSE(is_bulk("Subject: List-ID: x\r\n"));
  CHECK_FALSE(is_bulk("List-Unsubscribe: <https://example.com/u>\r\n"));
}

TEST_CASE("newsletter: each advice has words of its own") {
  std::set<std::string_view> words;
  for (std::size_t index = 0; index < newsletter_advice_count; ++index) {
    const auto one = words_of(static_cast<NewsletterAdvice>(index));
    CHECK_FALSE(one.next.empty());
    CHECK(words.insert(one.what).second);
  }
}
