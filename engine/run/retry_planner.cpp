// Problem: a run without a journal is over, and some of its recipients were put off. Idea: its
// outcome lines are its memory: a hash of id and address for each that is to be tried again, and
// the last line has the last word. Limits: lines without an id or an address speak of nobody.
#include "engine/run/retry_planner.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codec/template/merge_json.h"
#include "engine/run/job_input.h"
#include <ringpost/outcome.h>

namespace ringpost::run {

namespace {

using codec::MergeData;

Bytes member_text(const MergeData& object, Bytes name) {
  const MergeData::Node node = object.find(MergeData::root, name);
  return node == MergeData::none ? Bytes() : object.text(node);
}

}  // namespace

Result<std::unique_ptr<RetryPlanner>, InputError> RetryPlanner::open(
    const std::vector<std::string>& files) {
  auto planner = std::make_unique<RetryPlanner>();
  for (const std::string& file : files) {
    if (auto read = planner->read(file); !read) {
      return Failure(std::move(read.error()));
    }
  }
  return planner;
}

Result<void, InputError> RetryPlanner::read(const std::string& file) {
  auto input = JobInput::open({file}, -1);
  if (!input) {
    return Failure(std::move(input.error()));
  }
  codec::MergeJson json;
  MergeData object;
  JobInput::Line line;
  while (true) {
    auto more = input->next(line);
    if (!more) {
      return Failure(std::move(more.error()));
    }
    if (!*more) {
      return {};
    }
    if (!json.read(line.text, object)) {
      return Failure(
          InputError{fmt::format("{}:{}: no outcome line of ringpost", file, line.number)});
    }
    const Bytes id = member_text(object, "id");
    const Bytes status = member_text(object, "status");
    if (id.empty() || status.empty()) {
      return Failure(
          InputError{fmt::format("{}:{}: no outcome line of ringpost: id or status is "
                                 "missing",
                                 file, line.number)});
    }
    if (member_text(object, "final") == "false") {
      continue;
    }
    const bool is_again = status == name_of(Status::deferred) || status == name_of(Status::unsent);
    const std::uint64_t key = recipient_key(id, member_text(object, "rcpt"));
    const auto before = last_.find(key);
    if (is_again || before) {
      count_ += is_again ? std::size_t{1} : 0;
      count_ -= before == std::optional<std::uint32_t>(1) ? std::size_t{1} : 0;
      if (last_.put(key, is_again ? 1 : 0) == AddressSet::Added::full) {
        return Failure(
            InputError{fmt::format("{}:{}: there are more than {} recipients to try "
                                   "again",
                                   file, line.number, limits::known_addresses_max)});
      }
    }
  }
}

Result<Planner::Plan, RunTrouble> RetryPlanner::plan(const Message& message,
                                                     std::vector<PriorFate>& fates) {
  Plan plan = Plan::send;
  if (inner_ != nullptr) {
    auto planned = inner_->plan(message, fates);
    if (!planned || *planned == Plan::skip) {
      return planned;
    }
    plan = *planned;
  }
  const std::size_t count = message.recipients.size();
  bool is_left = false;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, count); ++i) {
    const Bytes address = count == 0 ? Bytes() : message.recipients[i];
    const auto last = last_.find(recipient_key(message.id, address));
    const bool is_again = last == std::optional<std::uint32_t>(1);
    if (!is_again) {
      fates.resize(std::max<std::size_t>(1, count), PriorFate::none);
      fates[i] = is_told(fates[i]) ? fates[i] : PriorFate::done;
    }
    is_left = is_left || (is_again && (fates.empty() || !is_told(fates[i])));
  }
  return is_left ? plan : Plan::skip;
}

}  // namespace ringpost::run
