#include "tests/support/model_oddities.h"

#include <fmt/format.h>

namespace ringpost::test {

namespace {

class Choice {
 public:
  explicit Choice(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] bool one_in(std::uint64_t n) { return random_() % n == 0; }
  [[nodiscard]] std::uint64_t between(std::uint64_t first, std::uint64_t last) {
    return first + random_() % (last - first + 1);
  }
  // The first of so many one time in two, else any of the others.
  template <class Enumeration>
  [[nodiscard]] Enumeration odd_one(std::uint64_t count) {
    return static_cast<Enumeration>(one_in(2) ? 0 : between(1, count - 1));
  }

 private:
  std::mt19937_64 random_;
};

void choose_words(ModelOddities& odd, Choice& choice) {
  constexpr std::string_view statuses[] = {"2.1.0", "2.1.5", "2.0.0", "2.5.0", "2.1.5", ""};
  odd.status = choice.odd_one<Statuses>(3);
  odd.words = choice.odd_one<Words>(3);
  const bool one_for_all = choice.one_in(3);
  for (std::string_view& status : odd.statuses) {
    status = statuses[choice.between(0, std::size(statuses) - 1)];
    status = one_for_all ? odd.statuses[0] : status;
  }
}

void choose_limits(ModelOddities& odd, Choice& choice) {
  odd.message_limit = static_cast<MessageLimit>(choice.between(0, 4));
  odd.overflow = static_cast<Overflow>(choice.between(0, 3));
  odd.announces_limits = choice.one_in(4);
  odd.errors_max = choice.one_in(3)
                       ? static_cast<std::uint32_t>(choice.between(2, choice.one_in(2) ? 4 : 20))
                       : 0;
  odd.errors_soft = choice.one_in(4) ? static_cast<std::uint32_t>(choice.between(1, 10)) : 0;
  odd.idle_resets_max = choice.one_in(4) ? static_cast<std::uint32_t>(choice.between(3, 11)) : 0;
}

}  // namespace

ModelOddities random_oddities(std::uint64_t seed) {
  Choice choice(seed);
  ModelOddities odd;
  choose_words(odd, choice);
  if (choice.one_in(3)) {
    odd.packets = static_cast<Packets>(choice.between(1, 5));
  }
  if (choice.one_in(3)) {
    odd.behind_dot = static_cast<BehindDot>(choice.between(1, 3));
  }
  if (choice.one_in(3)) {
    odd.bdat = static_cast<Bdat>(choice.between(1, 4));
  }
  odd.keeps_refused_chunk = choice.one_in(3);
  odd.refused_chunk_resets = choice.one_in(2);
  odd.refuses_chunk_at_length = choice.one_in(2);
  choose_limits(odd, choice);
  if (choice.one_in(12)) {
    odd.greeting = choice.one_in(2) ? 421 : 554;
  }
  odd.wants_login = choice.one_in(20);
  if (choice.one_in(10)) {
    odd.quota = choice.between(0, 20);
    constexpr Answer stages[] = {Answer::mail, Answer::rcpt, Answer::end_of_data};
    odd.quota_said_at = stages[choice.between(0, 2)];
  }
  odd.login_refused = choice.one_in(6) ? choice.between(1, 6) : 0;
  odd.login_in_many_words = choice.one_in(2);
  return odd;
}

std::string describe(const ModelOddities& odd) {
  if (odd == ModelOddities{}) {
    return {};
  }
  constexpr std::string_view statuses[] = {"usual", "drawn", "changing"};
  constexpr std::string_view words[] = {"usual", "one", "jokes"};
  constexpr std::string_view packets[] = {"obeyed",  "last only", "first only",
                                          "refused", "ends",      "closes"};
  constexpr std::string_view behind_dot[] = {"obeyed", "refused", "dropped", "ends"};
  constexpr std::string_view bdat[] = {"obeyed", "unknown", "hangs", "hangs behind", "closes"};
  constexpr std::string_view limit[] = {"goodbye", "closes", "open", "refused", "later"};
  constexpr std::string_view overflow[] = {"452", "552", "431", "at the end"};
  const auto name = [](const auto& names, auto value) {
    return names[static_cast<std::size_t>(value)];
  };
  return fmt::format(
      "statuses {}, words {}, packets {}, behind the dot {}, BDAT {}{}{}{}, message limit {}, "
      "overflow {}{}, errors {}/{}, idle RSETs {}, greeting {}{}{}{}",
      name(statuses, odd.status), name(words, odd.words), name(packets, odd.packets),
      name(behind_dot, odd.behind_dot), name(bdat, odd.bdat),
      odd.keeps_refused_chunk ? ", chunk kept" : "", odd.refused_chunk_resets ? ", resets" : "",
      odd.refuses_chunk_at_length ? ", at length" : "", name(limit, odd.message_limit),
      name(overflow, odd.overflow), odd.announces_limits ? ", LIMITS" : "", odd.errors_soft,
      odd.errors_max, odd.idle_resets_max, odd.greeting, odd.wants_login ? ", wants login" : "",
      odd.quota == ~std::uint64_t{0} ? "" : fmt::format(", quota {}", odd.quota),
      odd.login_refused == 0 ? "" : fmt::format(", login {} refused", odd.login_refused));
}

}  // namespace ringpost::test
