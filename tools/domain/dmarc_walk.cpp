// The problem: whether news.example.co.uk and example.co.uk are one sender depends on where names
// are sold, for which RFC 7489 wants a list that is old on the day it is installed. The idea: the
// tree walk of its successor (DMARCbis 4.10), which asks DNS itself, from the domain upwards, and
// takes the highest that says something about DMARC. Limits: receivers that still go by the list
// differ where a domain between the two has a record and the organisation has none.
#include "tools/domain/dmarc_walk.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "tools/domain/domain_name.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t labels_asked_max = 7;  // above a longer name the walk goes on from there

struct Level {
  std::string domain;
  std::string text;
  std::optional<DmarcRecord> record;
  std::string problem;
};

std::vector<std::string> levels_of(const std::string& domain) {
  std::vector<std::string> levels{domain};
  for (std::size_t labels = std::min(labels_of(domain) - 1, labels_asked_max); labels > 0;
       --labels) {
    levels.emplace_back(last_labels(domain, labels));
  }
  return levels;
}

Level read_level(const std::string& domain, const DnsAnswer& answer) {
  Level level{domain, {}, {}, {}};
  std::vector<std::string> texts;
  std::copy_if(answer.values.begin(), answer.values.end(), std::back_inserter(texts),
               [](const std::string& text) { return is_dmarc(text); });
  if (texts.size() > 1) {
    level.problem = fmt::format("_dmarc.{} has {} records, and receivers pass all of them over",
                                domain, texts.size());
  }
  if (texts.size() != 1) {
    return level;
  }
  level.text = texts.front();
  auto record = parse_dmarc(level.text);
  if (record) {
    level.record = *record;
  } else {
    level.problem = fmt::format("_dmarc.{}: {}", domain, record.error());
  }
  return level;
}

// DMARCbis 4.10.2.
std::string organization_of(const std::vector<Level>& levels) {
  const Level* highest = nullptr;
  for (const Level& level : levels) {
    if (!level.record) {
      continue;
    }
    if (level.record->suffix == DmarcSuffix::no) {
      return level.domain;
    }
    if (level.record->suffix == DmarcSuffix::yes && level.domain != levels.front().domain) {
      return std::string(last_labels(levels.front().domain, labels_of(level.domain) + 1));
    }
    highest = &level;
  }
  return highest == nullptr ? levels.front().domain : highest->domain;
}

}  // namespace

DmarcFinding walk_dmarc(std::string_view domain, const AskDns& ask) {
  DmarcFinding found;
  found.domain = plain_name(domain);
  const std::vector<std::string> names = levels_of(found.domain);
  std::vector<DnsQuestion> questions;
  for (const std::string& name : names) {
    questions.push_back({"_dmarc." + name, DnsType::txt});
  }
  const std::vector<DnsAnswer> answers = ask(questions);
  std::vector<Level> levels;
  for (std::size_t index = 0; index < names.size(); ++index) {
    if (answers[index].result == DnsResult::failed && found.problem.empty()) {
      found.problem = fmt::format("_dmarc.{}: {}", names[index], answers[index].error);
      found.may_come_later = true;
    }
    levels.push_back(read_level(names[index], answers[index]));
    if (levels.back().record && levels.back().record->suffix != DmarcSuffix::unsaid &&
        (index > 0 || levels.back().record->suffix == DmarcSuffix::no)) {
      break;
    }
  }
  found.organization = organization_of(levels);
  // The domain's own record, else that of its organisation, else that of the suffix above.
  const auto holds = [&](const std::string& name) {
    return std::find_if(levels.begin(), levels.end(), [&name](const Level& level) {
      return level.domain == name && level.record.has_value();
    });
  };
  auto level = holds(found.domain);
  level = level == levels.end() ? holds(found.organization) : level;
  if (level == levels.end() && !levels.empty() && levels.back().record) {
    level = levels.end() - 1;
  }
  if (level != levels.end()) {
    found.found_at = level->domain;
    found.text = level->text;
    found.record = level->record;
  }
  if (levels.front().problem.empty() || found.may_come_later) {
    return found;
  }
  found.problem = levels.front().problem;
  return found;
}

}  // namespace ringpost::cli
