// The problem: of the addresses of a name some are ill for a while, sessions fail at them together,
// and the name is looked up again in between. The idea: what is known of an address outlives a
// look-up, the order is made anew for each session, and failures while an address rests are the one
// that began the rest. Limits: an address that is missing from an answer loses its record, its
// count of sessions, too; the lists are short and searched in a row.
#include "engine/address_book.h"

#include <algorithm>

#include "engine/pause.h"
#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

// One of each family by turns, in their order; the first one's family first.
template <typename T, typename FamilyOf>
std::vector<T> alternate(std::vector<T> addresses, FamilyOf family_of) {
  std::vector<T> first;
  std::vector<T> second;
  for (T& address : addresses) {
    const bool of_first = first.empty() || family_of(address) == family_of(first.front());
    (of_first ? first : second).push_back(std::move(address));
  }
  std::vector<T> result;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) {
      result.push_back(std::move(first[i]));
    }
    if (i < second.size()) {
      result.push_back(std::move(second[i]));
    }
  }
  return result;
}

}  // namespace

bool AddressBook::replace(const std::vector<io::SocketAddress>& found) {
  bool news = false;
  std::vector<Entry> entries;
  for (const io::SocketAddress& address : found) {
    Entry entry;
    entry.address = address;
    entry.text = address.text();
    const bool twice = std::any_of(entries.begin(), entries.end(),
                                   [&](const Entry& other) { return other.text == entry.text; });
    if (twice) {
      continue;
    }
    if (const Entry* const known = find(entry.text)) {
      entry = *known;
    } else {
      news = true;
    }
    entries.push_back(std::move(entry));
  }
  entries_ =
      alternate(std::move(entries), [](const Entry& entry) { return entry.address.family(); });
  return news;
}

std::vector<io::SocketAddress> AddressBook::order(Instant now) { return in_order(now, true); }

std::vector<io::SocketAddress> AddressBook::rest_of_round(Instant now) {
  return in_order(now, false);
}

// Those that do not rest, the preferred family's next in turn first; then the others, the one whose
// rest ends first in front.
std::vector<io::SocketAddress> AddressBook::in_order(Instant now, bool all) {
  std::vector<const Entry*> good;
  std::vector<const Entry*> resting;
  for (const Entry& entry : entries_) {
    if (all || !entry.tried) {
      (entry.rests_until <= now ? good : resting).push_back(&entry);
    }
  }
  if (!good.empty()) {
    const int preferred = good.front()->address.family();
    const auto other = std::stable_partition(good.begin(), good.end(), [&](const Entry* entry) {
      return entry->address.family() == preferred;
    });
    const std::ptrdiff_t count = other - good.begin();
    std::rotate(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(turn_++) % count, other);
    good = alternate(std::move(good), [](const Entry* entry) { return entry->address.family(); });
  }
  std::stable_sort(resting.begin(), resting.end(),
                   [](const Entry* a, const Entry* b) { return a->rests_until < b->rests_until; });
  std::vector<io::SocketAddress> result;
  for (const std::vector<const Entry*>* const part : {&good, &resting}) {
    for (const Entry* const entry : *part) {
      result.push_back(entry->address);
    }
  }
  return result;
}

bool AddressBook::round_is_over() const {
  return std::all_of(entries_.begin(), entries_.end(),
                     [](const Entry& entry) { return entry.tried; });
}

void AddressBook::begin_round() {
  for (Entry& entry : entries_) {
    entry.tried = false;
  }
}

void AddressBook::failed(std::string_view address, Answer answer, Instant now) {
  Entry* const entry = find(address);
  if (entry == nullptr) {
    return;
  }
  entry->tried = true;
  entry->answer = answer;
  // What several sessions meet at the same time is one failure.
  if (now >= entry->rests_until) {
    ++entry->failures_in_a_row;
    entry->rests_until = now + growing_pause(limits::address_rest_first, limits::address_rest_max,
                                             entry->failures_in_a_row, now);
  }
}

void AddressBook::session_began(std::string_view address) {
  if (Entry* const entry = find(address)) {
    ++entry->sessions;
    entry->failures_in_a_row = 0;
    entry->rests_until = {};
    entry->answer = Answer::trouble;  // or better
  }
}

void AddressBook::session_ended(std::string_view address) {
  if (Entry* const entry = find(address); entry != nullptr && entry->sessions > 0) {
    --entry->sessions;
  }
}

bool AddressBook::has_rested(Instant now) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.rests_until <= now; });
}

AddressBook::Answer AddressBook::answer() const {
  const auto any = [&](Answer answer) {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&](const Entry& entry) { return entry.answer == answer; });
  };
  return any(Answer::trouble) ? Answer::trouble
                              : (any(Answer::refusal) ? Answer::refusal : Answer::none);
}

std::uint32_t AddressBook::sessions(std::string_view address) const {
  for (const Entry& entry : entries_) {
    if (entry.text == address) {
      return entry.sessions;
    }
  }
  return 0;
}

AddressBook::Entry* AddressBook::find(std::string_view address) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.text == address; });
  return found == entries_.end() ? nullptr : &*found;
}

}  // namespace ringpost::engine
