// What the mailbox providers ask of bulk senders, and a finished message lacks.
//
// Sources: Google, "Email sender guidelines" (support.google.com/a/answer/81126) and its FAQ
// (support.google.com/a/answer/14229414); Yahoo, "Sender best practices"
// (senders.yahooinc.com/best-practices); RFC 8058 (one-click), RFC 2369 (List-Unsubscribe), RFC
// 5322 3.6 (fields of a message). That Gmail shows no more than some 102 KB of an html is
// documented by nobody and seen by everybody.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::codec {

enum class NewsletterAdvice : std::uint8_t {
  no_subject,
  no_unsubscribe,      // no List-Unsubscribe
  no_one_click,        // one without List-Unsubscribe-Post, or without a URL for it
  insecure_one_click,  // List-Unsubscribe-Post beside a URL that is http
  html_without_text,
  html_near_clip,
  html_clipped,
  sender_not_aligned,  // the envelope's domain is no relative of From's
  no_date,
  no_message_id,
};
inline constexpr std::size_t newsletter_advice_count = 10;

// What Gmail shows of an html, and from where on a longer name or link may bring it over that.
inline constexpr std::size_t html_clip_bytes = 102u << 10;
inline constexpr std::size_t html_near_clip_bytes = 92u << 10;

// What is the matter, as "has no Subject", and what to do.
struct NewsletterAdviceWords {
  std::string_view what;
  std::string_view next;
};
[[nodiscard]] NewsletterAdviceWords words_of(NewsletterAdvice advice);

class NewsletterAdviceSet {
 public:
  void add(NewsletterAdvice advice) { bits_.set(static_cast<std::size_t>(advice)); }
  [[nodiscard]] bool has(NewsletterAdvice advice) const {
    return bits_.test(static_cast<std::size_t>(advice));
  }
  [[nodiscard]] bool empty() const { return bits_.none(); }
  bool operator==(const NewsletterAdviceSet&) const = default;

 private:
  std::bitset<newsletter_advice_count> bits_;
};

// Whether its own fields say so: List-ID, or a Precedence of mail for many.
[[nodiscard]] bool says_it_is_bulk(const Content& content);

// Of a finished message with its envelope. Of one that is no MIME what its fields show. Which
// domains belong together decides a list of public suffixes, which is not here: domains that are
// the same, that lie within each other, or that have two labels in common at their ends are taken
// for relatives.
[[nodiscard]] NewsletterAdviceSet newsletter_advice(const Message& message);

}  // namespace ringpost::codec
