// The problem: the same is missing in a million messages, and to take a million apart costs more
// than to read them. The idea: one sentence for each kind, and after some thousands only those that
// are longer than any before are looked at, since what they all lack shows in the first and what
// depends on values grows with them. Limits: counts are of those that were looked at.
#include "tools/send/newsletter_watch.h"

#include <fmt/format.h>

namespace ringpost::cli {

namespace {

// 10 KB of html take 20 us: a fifth of a second.
constexpr std::uint64_t looked_at_max = 10'000;

std::string place_of_message(const Message& message, bool is_for_many) {
  const std::string place = fmt::format("{}:{}", message.origin.file, message.origin.line);
  return is_for_many && !message.recipients.empty()
             ? fmt::format("{} ({})", place, message.recipients[0])
             : place;
}

}  // namespace

void NewsletterWatch::look(const Message& message, bool is_for_many) {
  const std::uint64_t bytes = message.content.bytes();
  if (looked_at_ >= looked_at_max && bytes <= bytes_max_) {
    ++left_out_;
    return;
  }
  if (about_ == About::newsletters && !is_for_many && !codec::says_it_is_bulk(message.content)) {
    return;
  }
  ++looked_at_;
  bytes_max_ = bytes > bytes_max_ ? bytes : bytes_max_;
  const codec::NewsletterAdviceSet advice = codec::newsletter_advice(message);
  for (std::size_t index = 0; index < findings_.size() && !advice.empty(); ++index) {
    if (advice.has(static_cast<codec::NewsletterAdvice>(index))) {
      Finding& finding = findings_[index];
      if (finding.count++ == 0) {
        finding.first = place_of_message(message, is_for_many);
      }
    }
  }
}

std::vector<std::string> NewsletterWatch::warnings() const {
  std::vector<std::string> said;
  for (std::size_t index = 0; index < findings_.size(); ++index) {
    const Finding& finding = findings_[index];
    if (finding.count == 0) {
      continue;
    }
    const auto words = codec::words_of(static_cast<codec::NewsletterAdvice>(index));
    said.push_back(fmt::format("{}{} {}: {}", finding.first, others(finding.count - 1), words.what,
                               words.next));
  }
  return said;
}

std::string NewsletterWatch::others(std::uint64_t count) const {
  if (count == 0) {
    return "";
  }
  const std::string of =
      left_out_ == 0 ? "" : fmt::format(" of the {} that were looked at", looked_at_);
  return fmt::format(", with {} {}{},", count, count == 1 ? "other" : "others", of);
}

}  // namespace ringpost::cli
