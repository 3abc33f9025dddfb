// What a run's newsletters lack of what their receivers ask for, gathered over all of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/mail/newsletter_advice.h"
#include <ringpost/message.h>

namespace ringpost::cli {

// Whether it is one of the messages of a line with `recipients`.
[[nodiscard]] inline bool is_for_many(const Message& message) {
  return message.origin.job_recipients > 0;
}

// Looks at messages for many: those that say so in their fields, those of which whoever calls knows
// it, or all. Thread: one.
class NewsletterWatch {
 public:
  enum class About : std::uint8_t { newsletters, all };
  explicit NewsletterWatch(About about) : about_(about) {}

  // `is_for_many`: it is one of the copies that a row or a recipient of a line each has.
  void look(const Message& message, bool is_for_many);
  // One sentence for each kind of advice, with the first message that it is about.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  struct Finding {
    std::uint64_t count = 0;
    std::string first;
  };

  [[nodiscard]] std::string others(std::uint64_t count) const;

  About about_;
  std::uint64_t looked_at_ = 0;
  std::uint64_t left_out_ = 0;
  std::uint64_t bytes_max_ = 0;
  std::array<Finding, codec::newsletter_advice_count> findings_;
};

}  // namespace ringpost::cli
