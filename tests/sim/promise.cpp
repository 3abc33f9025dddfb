#include "tests/sim/promise.h"

#include <set>
#include <utility>

#include <fmt/format.h>

namespace ringpost::sim {

namespace {

using Key = std::pair<std::uint64_t, std::uint32_t>;

struct LastWord {
  Status status = Status::unsent;
  std::uint64_t unknown_count = 0;
};

// The words that were said of each recipient, as far as they may follow each other.
std::string collect(const Story& story, std::map<Key, LastWord>& words) {
  for (const Told& told : story.told) {
    const auto [found, is_new] = words.try_emplace({told.ordinal, told.recipient_index});
    LastWord& word = found->second;
    if (!is_new && !is_sent_again(word.status, story.plan.resend_unknown)) {
      return fmt::format("line {}, recipient {}: told {} behind {}", told.ordinal,
                         told.recipient_index, name_of(told.status), name_of(word.status));
    }
    word.status = told.status;
    word.unknown_count += told.status == Status::unknown ? 1 : 0;
  }
  for (const auto& place : story.recipients_read) {
    if (!words.contains(place)) {
      return fmt::format("line {}, recipient {}: nothing was told", place.first, place.second);
    }
  }
  return {};
}

// How often servers have a message for each address, and whether it is the right one.
std::string count_copies(const Story& story, std::span<const test::TakenMessage* const> taken,
                         std::map<std::string, std::uint64_t>& copies) {
  for (const test::TakenMessage* const message : taken) {
    const std::string id = message->sender.substr(0, message->sender.find('@'));
    auto content = story.contents.find(id);
    if (content == story.contents.end() && message->recipients.size() == 1) {
      content = story.contents.find(message->recipients.front());
    }
    if (content == story.contents.end()) {
      return fmt::format("a server has a message from {}, whom nobody sent for", message->sender);
    }
    const std::string end = content->second.ends_with("\r\n") ? "" : "\r\n";
    if (message->content != content->second + end) {
      return fmt::format("a server has another content of {}: {} octets in the place of {}", id,
                         message->content.size(), content->second.size() + end.size());
    }
    for (const std::string& address : message->recipients) {
      if (address.find("." + id + "@") == std::string::npos) {
        return fmt::format("a server has {} for {}", id, address);
      }
      ++copies[address];
    }
  }
  return {};
}

// Who was refused, for now or for good.
class Refused {
 public:
  explicit Refused(const Story& story) {
    for (const test::Refusal& refusal : story.refusals) {
      names_[refusal.permanent ? 1 : 0].insert(refusal.recipient.empty() ? refusal.sender
                                                                         : refusal.recipient);
    }
  }
  [[nodiscard]] bool has(const Key& key, bool permanent) const {
    const auto& names = names_[permanent ? 1 : 0];
    return names.contains(fmt::format("r{}.j{}@b.example", key.second, key.first)) ||
           names.contains(fmt::format("j{}@a.example", key.first));
  }

 private:
  std::set<std::string> names_[2];
};

// Whether the servers' own judgement bears the word out.
std::string judge_refusal(const Story& story, const Key& key, Status status,
                          const Refused& refused) {
  const bool invented = status == Status::rejected && !story.plan.fickle && !refused.has(key, true);
  const bool gave_up =
      story.plan.sound && (status == Status::unknown || status == Status::unsent ||
                           (status == Status::deferred && !refused.has(key, false)));
  if (!invented && !gave_up) {
    return {};
  }
  return fmt::format("line {}, recipient {}: told {}, and no server refused it", key.first,
                     key.second, name_of(status));
}

std::string judge(const Story& story, const Key& key, const LastWord& word, std::uint64_t copies) {
  const bool may_be_there = word.status == Status::accepted || word.status == Status::unknown;
  const std::uint64_t least = word.status == Status::accepted ? 1 : 0;
  std::uint64_t most = may_be_there ? 1 : 0;
  if (story.plan.resend_unknown) {
    most += word.unknown_count + story.lives_cut_short;
  }
  if (copies >= least && copies <= most) {
    return {};
  }
  return fmt::format("line {}, recipient {}: told {}, and the servers have {}", key.first,
                     key.second, name_of(word.status), copies);
}

}  // namespace

bool is_sent_again(Status status, bool resend_unknown) {
  return status == Status::deferred || status == Status::unsent ||
         (status == Status::unknown && resend_unknown);
}

std::string broken_promise(const Story& story, std::span<const test::TakenMessage* const> taken) {
  std::map<Key, LastWord> words;
  if (std::string broken = collect(story, words); !broken.empty()) {
    return broken;
  }
  std::map<std::string, std::uint64_t> copies;
  if (std::string broken = count_copies(story, taken, copies); !broken.empty()) {
    return broken;
  }
  const Refused refused(story);
  for (const auto& [key, word] : words) {
    const std::string address = fmt::format("r{}.j{}@b.example", key.second, key.first);
    if (std::string broken = judge(story, key, word, copies[address]); !broken.empty()) {
      return broken;
    }
    if (std::string broken = judge_refusal(story, key, word.status, refused); !broken.empty()) {
      return broken;
    }
    copies.erase(address);
  }
  if (!copies.empty()) {
    return "a server has a message for " + copies.begin()->first + ", of whom nothing was told";
  }
  return {};
}

}  // namespace ringpost::sim
