// The problem: whether another node is dead is a question of time, and clocks of machines differ.
// The idea: marks have the time at which a server stored them, and this node's own was stored a
// moment ago, so all times are of servers and none is of a node. Keys, values and times come by the
// same questions that any client of a bucket may ask, from the leader of its stream. Limits: clocks
// of servers that take the lead from each other should agree to within a few seconds.
#include "tools/serve/nats/mark_board.h"

#include <utility>

#include <fmt/format.h>

#include "codec/text/base64.h"
#include "codec/text/json_text.h"
#include "codec/text/unix_date.h"
#include "tools/nats/json_answer.h"

namespace ringpost::serve {

namespace {

std::string json_text_of(Bytes text) {
  std::string json;
  codec::append_json_string(json, text);
  return json;
}

}  // namespace

MarkBoard::MarkBoard(nats::Client& client, MarkBoardOptions options)
    : client_(client),
      options_(std::move(options)),
      prefix_(fmt::format("$KV.{}.node.", options_.bucket)),
      own_subject_(prefix_ + options_.node) {}

bool MarkBoard::write(const NodeMark& mark) {
  const auto answer = client_.ask({own_subject_, mark.text()}, options_.patience);
  return answer && !nats::JsonAnswer(*answer).error();
}

std::optional<std::vector<MarkBoard::Found>> MarkBoard::read_all() {
  const auto listed =
      client_.ask({fmt::format("$JS.API.STREAM.INFO.KV_{}", options_.bucket),
                   fmt::format(R"({{"subjects_filter":{}}})", json_text_of(prefix_ + ">"))},
                  options_.patience);
  if (!listed) {
    return std::nullopt;
  }
  const nats::JsonAnswer info(*listed);
  if (info.error()) {
    return std::nullopt;
  }
  std::vector<nats::Request> requests;
  const auto subjects = info.find({"state", "subjects"});
  if (subjects != codec::JsonTree::none) {
    const codec::JsonTree& tree = info.tree();
    for (auto node = tree.first(subjects); node != codec::JsonTree::none; node = tree.next(node)) {
      requests.push_back({fmt::format("$JS.API.STREAM.MSG.GET.KV_{}", options_.bucket),
                          fmt::format(R"({{"last_by_subj":{}}})", json_text_of(tree.key(node)))});
    }
  }
  std::vector<Found> all;
  for (const auto& text : client_.ask(requests, options_.patience)) {
    if (!text) {
      return std::nullopt;
    }
    const nats::JsonAnswer answer(*text);
    if (answer.error()) {
      continue;  // it was forgotten meanwhile
    }
    std::string value;
    const auto time = codec::parse_rfc3339(answer.text({"message", "time"}));
    const auto decoded =
        codec::decode_base64(answer.text({"message", "data"}), codec::Base64Space::refused, value);
    auto mark = decoded ? NodeMark::read(value) : std::nullopt;
    if (!time || !mark) {
      return std::nullopt;  // written by a version that this one does not know
    }
    all.push_back({answer.text({"message", "subject"}), *time, std::move(*mark)});
  }
  return all;
}

std::int64_t MarkBoard::own_time_us(const std::vector<Found>& all) const {
  for (const Found& found : all) {
    if (found.subject == own_subject_) {
      return found.time_us;
    }
  }
  return 0;
}

bool MarkBoard::is_alive(const Found& found, std::int64_t now_us) const {
  return now_us - found.time_us <
         std::chrono::duration_cast<std::chrono::microseconds>(options_.alive_for).count();
}

std::optional<std::vector<OtherNode>> MarkBoard::read_others(const std::string& stream) {
  auto all = read_all();
  if (!all) {
    return std::nullopt;
  }
  const std::int64_t now_us = own_time_us(*all);
  if (now_us == 0) {
    return std::nullopt;
  }
  std::vector<OtherNode> others;
  for (Found& found : *all) {
    if (found.subject != own_subject_ && found.mark.stream == stream) {
      others.push_back({std::move(found.mark), is_alive(found, now_us)});
    }
  }
  return others;
}

void MarkBoard::forget_settled(const std::string& stream, std::uint64_t floor) {
  const auto all = read_all();
  const std::int64_t now_us = all ? own_time_us(*all) : 0;
  if (now_us == 0) {
    return;
  }
  for (const Found& found : *all) {
    const bool is_settled = found.mark.stream != stream ||
                            (found.mark.in_hand.last() <= floor && found.mark.told.last() <= floor);
    if (found.subject != own_subject_ && !is_alive(found, now_us) && is_settled) {
      static_cast<void>(
          client_.ask({fmt::format("$JS.API.STREAM.PURGE.KV_{}", options_.bucket),
                       fmt::format(R"({{"filter":{}}})", json_text_of(found.subject))},
                      options_.patience));
    }
  }
}

}  // namespace ringpost::serve
