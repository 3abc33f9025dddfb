// The problem: eight outcomes for any number of recipients have to become one reply of SMTP, and a
// client that hears 4xx sends everything again, to everybody. The idea: each outcome is a reply by
// itself, and the best news of all decides, since what was accepted may not be sent again. Limits:
// of a mixed result the client hears that it is one; who got nothing stands in the outcome lines.
#include "tools/serve/client_answer.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "tools/process/numbers.h"

namespace ringpost::serve {

namespace {

constexpr std::uint16_t service_closes = 421;  // of the provider's session, not of the client's
constexpr std::uint16_t try_again = 451;
constexpr std::uint16_t failed = 554;

std::string enhanced_of(const Outcome& outcome, unsigned reply_class, std::string_view otherwise) {
  const EnhancedStatus& status = outcome.enhanced;
  if (!status.present() || status.status_class != reply_class) {
    return std::string(otherwise);
  }
  return fmt::format("{}.{}.{}", status.status_class, status.subject, status.detail);
}

std::string words_of(const Outcome& outcome, std::string_view otherwise) {
  return !outcome.text.empty()     ? outcome.text
         : !outcome.reason.empty() ? outcome.reason
                                   : std::string(otherwise);
}

ClientAnswer refusal(const Outcome& outcome) {
  const bool is_own = outcome.code >= 500 && outcome.code < 600;
  return {is_own ? outcome.code : failed, enhanced_of(outcome, 5, "5.0.0"),
          words_of(outcome, "The provider has refused it")};
}

ClientAnswer postponement(const Outcome& outcome) {
  const bool is_own = outcome.code >= 400 && outcome.code < 500 && outcome.code != service_closes;
  return {is_own ? outcome.code : try_again, enhanced_of(outcome, 4, "4.0.0"),
          words_of(outcome, "The provider has put it off")};
}

ClientAnswer own_words(const Outcome& outcome, std::uint16_t code, std::string_view enhanced,
                       std::string_view what) {
  return {code, std::string(enhanced),
          outcome.reason.empty() && outcome.text.empty()
              ? std::string(what)
              : fmt::format("{}: {}", what, words_of(outcome, ""))};
}

ClientAnswer answer_of(const Outcome& outcome) {
  switch (outcome.status) {
    case Status::accepted: {
      const bool is_own = outcome.code >= 200 && outcome.code < 300;
      return {is_own ? outcome.code : std::uint16_t{250}, enhanced_of(outcome, 2, "2.0.0"),
              words_of(outcome, "Ok")};
    }
    case Status::rejected:
      return refusal(outcome);
    case Status::deferred:
      return postponement(outcome);
    case Status::unsent:
      return own_words(outcome, try_again, "4.4.1", "Not sent");
    case Status::unknown:
      return own_words(outcome, try_again, "4.4.2",
                       "Unknown: the provider may have accepted it, and did not say");
    case Status::expired:
      return own_words(outcome, try_again, "4.4.7", "Not sent in time");
    case Status::invalid:
      return own_words(outcome, failed, "5.6.0", "Not sent, since it cannot be");
    case Status::skipped:
      return own_words(outcome, failed, "5.7.1", "Left out");
  }
  RP_ASSERT(false);
}

// The best news first, but for what is not known, which outweighs what surely failed.
constexpr std::array<Status, 8> by_weight = {Status::accepted, Status::unknown, Status::deferred,
                                             Status::expired,  Status::unsent,  Status::rejected,
                                             Status::invalid,  Status::skipped};

}  // namespace

ClientAnswer answer_of(std::span<const Outcome> outcomes) {
  for (const Status status : by_weight) {
    const auto is_one = [status](const Outcome& outcome) { return outcome.status == status; };
    const auto first = std::find_if(outcomes.begin(), outcomes.end(), is_one);
    if (first == outcomes.end()) {
      continue;
    }
    ClientAnswer answer = answer_of(*first);
    const auto count =
        static_cast<std::size_t>(std::count_if(outcomes.begin(), outcomes.end(), is_one));
    if (count < outcomes.size()) {
      answer.text = fmt::format("{} of {} recipients {}, the outcome lines have the others: {}",
                                count, outcomes.size(), name_of(status), answer.text);
    }
    return answer;
  }
  RP_ASSERT(false);
}

ClientAnswer answer_of_storing(StoreEnd end) {
  switch (end) {
    case StoreEnd::stored:
      return {250, "2.0.0", "Stored; the outcome lines will tell what became of it"};
    case StoreEnd::no_room:
      return {452, "4.3.1", "The disk of the spool is full; try again later"};
    case StoreEnd::failed:
      return {try_again, "4.3.0", "It could not be stored; try again later"};
  }
  RP_ASSERT(false);
}

ClientAnswer answer_of_silent_disk(Duration waited) {
  return {try_again, "4.3.0",
          fmt::format("Unknown: the disk of the spool has not answered within {}, and may have it",
                      cli::duration_text(waited))};
}

ClientAnswer answer_of_silence(Duration waited) {
  return {try_again, "4.4.7",
          fmt::format("Unknown: no answer of the provider within {}; unless it has the message "
                      "already, it will not get it",
                      cli::duration_text(waited))};
}

}  // namespace ringpost::serve
