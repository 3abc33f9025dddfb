// The problem: a newsletter without one-click, or with its end clipped, is accepted by every server
// and then lies in spam folders, and nobody says why. The idea: the rules that a finished message
// can be held to are few, and are asked of the message as its readers see it. Limits: DNS (SPF,
// DKIM, DMARC) is `probe`'s matter, complaints are the provider's; whether a link in the text
// unsubscribes nobody can see.
#include "codec/mail/newsletter_advice.h"

#include <algorithm>
#include <optional>
#include <string>

#include "codec/mail/header_field.h"
#include "codec/mail/mime_decoding.h"
#include "codec/mail/mime_tree.h"
#include "codec/text/ascii.h"

namespace ringpost::codec {

namespace {

const MimeField* find_in(const std::vector<MimeField>& fields, Bytes name) {
  const auto found = std::find_if(fields.begin(), fields.end(), [name](const MimeField& field) {
    return equal_field_names(field.name, name);
  });
  return found == fields.end() ? nullptr : &*found;
}

Bytes value_in(const std::vector<MimeField>& fields, Bytes name) {
  const MimeField* const field = find_in(fields, name);
  return field == nullptr ? Bytes{} : field->value;
}

// A mail program shows it as a page or text, and not as a file.
bool is_shown(const MimePart& part) {
  const MimeField* const disposition = part.find("Content-Disposition");
  constexpr Bytes attachment = "attachment";
  return part.type.find("name") == nullptr &&
         (disposition == nullptr ||
          !equal_without_case(disposition->value.substr(0, attachment.size()), attachment));
}

std::size_t decoded_bytes(const MimePart& part) {
  const auto decoded = decode_body(part.body, value_in(part.fields, "Content-Transfer-Encoding"));
  return decoded ? decoded->size() : part.body.size();
}

// The domain of the last address of a field, without its closing bracket; empty where there is none
// in ASCII.
Bytes domain_in_field(Bytes value) {
  const std::size_t at = value.rfind('@');
  if (at == Bytes::npos) {
    return {};
  }
  const Bytes domain = value.substr(at + 1);
  const auto end = std::find_if(domain.begin(), domain.end(), [](char character) {
    return !is_alphanumeric(character) && character != '-' && character != '.';
  });
  return domain.substr(0, static_cast<std::size_t>(end - domain.begin()));
}

// The last two labels.
Bytes parent_of(Bytes domain) {
  const std::size_t last = domain.rfind('.');
  const std::size_t before = last == Bytes::npos || last == 0 ? last : domain.rfind('.', last - 1);
  return before == Bytes::npos ? domain : domain.substr(before + 1);
}

bool are_relatives(Bytes left, Bytes right) {
  const auto within = [](Bytes inner, Bytes outer) {
    return outer.find('.') != Bytes::npos && inner.size() > outer.size() &&
           inner[inner.size() - outer.size() - 1] == '.' &&
           equal_without_case(inner.substr(inner.size() - outer.size()), outer);
  };
  return equal_without_case(left, right) || within(left, right) || within(right, left) ||
         equal_without_case(parent_of(left), parent_of(right));
}

void advise_of_unsubscribe(const std::vector<MimeField>& fields, NewsletterAdviceSet& advice) {
  const MimeField* const urls = find_in(fields, "List-Unsubscribe");
  if (urls == nullptr || urls->value.empty()) {
    advice.add(NewsletterAdvice::no_unsubscribe);
    return;
  }
  std::string value = unfolded(urls->value);
  std::transform(value.begin(), value.end(), value.begin(), lower);
  const bool has_post = equal_without_case(unfolded(value_in(fields, "List-Unsubscribe-Post")),
                                           "List-Unsubscribe=One-Click");
  const bool is_secure = value.find("<https:") != std::string::npos;
  if (has_post && !is_secure && value.find("<http:") != std::string::npos) {
    advice.add(NewsletterAdvice::insecure_one_click);
  } else if (!has_post || !is_secure) {
    advice.add(NewsletterAdvice::no_one_click);
  }
}

void advise_of_fields(const std::vector<MimeField>& fields, Bytes sender,
                      NewsletterAdviceSet& advice) {
  if (value_in(fields, "Subject").empty()) {
    advice.add(NewsletterAdvice::no_subject);
  }
  if (value_in(fields, "Date").empty()) {
    advice.add(NewsletterAdvice::no_date);
  }
  if (value_in(fields, "Message-ID").empty()) {
    advice.add(NewsletterAdvice::no_message_id);
  }
  advise_of_unsubscribe(fields, advice);
  const Bytes author = domain_in_field(value_in(fields, "From"));
  const Bytes bounces = domain_in_field(sender);
  if (!author.empty() && !bounces.empty() && !are_relatives(author, bounces)) {
    advice.add(NewsletterAdvice::sender_not_aligned);
  }
}

void advise_of_parts(const MimeTree& tree, NewsletterAdviceSet& advice) {
  bool has_text = false;
  bool has_html = false;
  std::size_t html_bytes = 0;
  for (const MimePart& part : tree) {
    if (part.type.word == "text/plain") {
      has_text = has_text || is_shown(part);
    } else if (part.type.word == "text/html" && is_shown(part)) {
      has_html = true;
      html_bytes = std::max(html_bytes, decoded_bytes(part));
    }
  }
  if (has_html && !has_text) {
    advice.add(NewsletterAdvice::html_without_text);
  }
  if (html_bytes > html_clip_bytes) {
    advice.add(NewsletterAdvice::html_clipped);
  } else if (html_bytes > html_near_clip_bytes) {
    advice.add(NewsletterAdvice::html_near_clip);
  }
}

}  // namespace

NewsletterAdviceWords words_of(NewsletterAdvice advice) {
  switch (advice) {
    case NewsletterAdvice::no_subject:
      return {"has no Subject", "give it one: mail without is taken for spam"};
    case NewsletterAdvice::no_unsubscribe:
      return {"has no List-Unsubscribe",
              "Gmail and Yahoo ask bulk senders for it: set \"unsubscribe\" in the template, or "
              "write List-Unsubscribe and List-Unsubscribe-Post"};
    case NewsletterAdvice::no_one_click:
      return {"cannot be unsubscribed from with one click",
              "Gmail asks bulk senders for it: List-Unsubscribe with an https URL, and beside it "
              "List-Unsubscribe-Post: List-Unsubscribe=One-Click (RFC 8058)"};
    case NewsletterAdvice::insecure_one_click:
      return {"has a one-click URL that is http", "nobody posts to it: RFC 8058 asks for https"};
    case NewsletterAdvice::html_without_text:
      return {"has html and no text",
              "spam filters count it, and some readers show text alone: "
              "give it a text"};
    case NewsletterAdvice::html_near_clip:
      return {"has html of nearly 102 KB",
              "Gmail clips what is above, with the link to unsubscribe and the pixel: make it "
              "shorter"};
    case NewsletterAdvice::html_clipped:
      return {"has html of more than 102 KB",
              "Gmail clips it there, with the link to unsubscribe and the pixel: make it shorter"};
    case NewsletterAdvice::sender_not_aligned:
      return {"has a From of another domain than its envelope",
              "SPF may then say nothing for From (DMARC): make sure that the provider signs with "
              "DKIM for From's domain, or take a subdomain of it for bounces"};
    case NewsletterAdvice::no_date:
      return {"has no Date", "RFC 5322 requires it, and spam filters count it: write one"};
    case NewsletterAdvice::no_message_id:
      return {"has no Message-ID",
              "Gmail asks for it, and may refuse mail that lacks it: write one for each message"};
  }
  return {};
}

bool says_it_is_bulk(const Content& content) {
  // Fields are in the first piece, or the message is one.
  const Bytes first = content.piece(0);
  const std::size_t end = first.find("\r\n\r\n");
  const std::string whole = end == Bytes::npos ? content.text() : std::string();
  const auto header =
      read_mime_fields(end == Bytes::npos ? Bytes(whole) : first.substr(0, end + 2), 0);
  if (!header) {
    return false;
  }
  const Bytes precedence = value_in(header->fields, "Precedence");
  return find_in(header->fields, "List-ID") != nullptr || equal_without_case(precedence, "bulk") ||
         equal_without_case(precedence, "list") || equal_without_case(precedence, "junk");
}

NewsletterAdviceSet newsletter_advice(const Message& message) {
  NewsletterAdviceSet advice;
  const std::string text = message.content.text();
  if (const auto tree = read_mime_tree(text)) {
    advise_of_fields(tree->front().fields, message.sender, advice);
    advise_of_parts(*tree, advice);
  } else if (const auto header = read_mime_fields(text, 0)) {
    advise_of_fields(header->fields, message.sender, advice);
  }
  return advice;
}

}  // namespace ringpost::codec
