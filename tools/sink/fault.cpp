// The problem: faults are named by hand, ten kinds at nine stages, and some pairs make no sense.
// The idea: words come from two tables in the order of the enumerations, and sets of stages say
// where a kind is possible and where it comes when nobody says; "all" leaves out what is not
// possible, a single pair that is not is a mistake. Limits: percentages are plain digits, and of
// two that name the same fault the later one counts.
#include "tools/sink/fault.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

#include "codec/text/spelling.h"

namespace ringpost::sink {

namespace {

constexpr std::array<std::string_view, fault_kind_count> kind_names = {
    "drop",  "421",     "drop-reply", "half-reply", "garbage",
    "noise", "surplus", "late",       "trickle",    "stall"};

constexpr std::array<std::string_view, fault_stage_count> stage_names = {
    "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "content", "end"};

constexpr std::string_view every_kind = "all";

constexpr FaultStages stages(std::initializer_list<FaultStage> list) {
  unsigned set = 0;
  for (const FaultStage stage : list) {
    set |= 1u << static_cast<unsigned>(stage);
  }
  return static_cast<FaultStages>(set);
}

constexpr FaultStages content = stages({FaultStage::content});
constexpr FaultStages end_of_data = stages({FaultStage::end});
constexpr FaultStages with_reply =
    stages({FaultStage::greeting, FaultStage::ehlo, FaultStage::starttls, FaultStage::auth,
            FaultStage::mail, FaultStage::rcpt, FaultStage::data, FaultStage::end});
constexpr FaultStages of_message =
    stages({FaultStage::mail, FaultStage::rcpt, FaultStage::data, FaultStage::end});

template <std::size_t size>
std::optional<std::size_t> index_in(const std::array<std::string_view, size>& names, Bytes name) {
  const auto* const found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::nullopt : std::optional<std::size_t>(found - names.begin());
}

// Digits with a point in them, perhaps: from_chars alone takes "inf" and "1e9", too.
Result<double, std::string> parse_percent(Bytes text) {
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  const bool plain = !text.empty() && text.find_first_not_of("0123456789.") == Bytes::npos;
  if (!plain || error != std::errc{} || end != text.data() + text.size() || percent > 100) {
    return Failure("\"" + std::string(text) + "\" is no percentage from 0 to 100");
  }
  return percent / 100;
}

// With all the words there are.
std::string unknown_word(std::string_view what, Bytes given,
                         std::span<const std::string_view> known) {
  std::string text = codec::unknown_word(what, given, known);
  std::string_view separator = " (there are ";
  for (const std::string_view word : known) {
    text.append(separator).append(word);
    separator = ", ";
  }
  return text + ")";
}

std::string unknown_kind(Bytes name) {
  std::array<std::string_view, fault_kind_count + 1> known{every_kind};
  std::copy(kind_names.begin(), kind_names.end(), known.begin() + 1);
  return unknown_word("fault", name, known);
}

struct Wanted {
  std::optional<std::size_t> kind;   // nothing: all of them
  std::optional<std::size_t> stage;  // nothing: the usual ones
  double chance = 0;
};

Result<Wanted, std::string> parse_fault(Bytes text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  const Bytes name = text.substr(0, equals);
  const std::size_t at = std::min(name.find('@'), name.size());
  const Bytes kind = name.substr(0, at);
  Wanted wanted;
  wanted.kind = index_in(kind_names, kind);
  if (!wanted.kind && kind != every_kind) {
    return Failure(unknown_kind(kind));
  }
  if (at < name.size()) {
    wanted.stage = index_in(stage_names, name.substr(at + 1));
    if (!wanted.stage) {
      return Failure(unknown_word("stage", name.substr(at + 1), stage_names));
    }
  }
  const auto chance = parse_percent(text.substr(std::min(equals + 1, text.size())));
  if (!chance) {
    return Failure(chance.error());
  }
  wanted.chance = *chance;
  return wanted;
}

}  // namespace

std::string_view name_of(FaultKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

std::string_view name_of(FaultStage stage) { return stage_names[static_cast<std::size_t>(stage)]; }

FaultStages stages_of(FaultKind kind) {
  const bool needs_no_reply = kind == FaultKind::drop || kind == FaultKind::stall;
  return needs_no_reply ? with_reply | content : with_reply;
}

FaultStages usual_stages_of(FaultKind kind) {
  if (kind == FaultKind::drop_reply) {
    return end_of_data;  // elsewhere it is as good as a drop
  }
  return stages_of(kind) & (of_message | content);
}

bool FaultChances::any() const {
  const auto is_likely = [](double chance) { return chance > 0; };
  return std::any_of(anywhere.begin(), anywhere.end(), is_likely) ||
         std::any_of(at_stage.begin(), at_stage.end(), [&](const auto& chances) {
           return std::any_of(chances.begin(), chances.end(), is_likely);
         });
}

Result<void, std::string> add_fault(Bytes text, FaultChances& chances) {
  const auto wanted = parse_fault(text);
  if (!wanted) {
    return Failure(wanted.error());
  }
  bool possible = false;
  for (std::size_t kind = 0; kind < fault_kind_count; ++kind) {
    if (wanted->kind && *wanted->kind != kind) {
      continue;
    }
    if (!wanted->stage) {
      chances.anywhere[kind] = wanted->chance;
      possible = true;
    } else if (has_stage(stages_of(static_cast<FaultKind>(kind)),
                         static_cast<FaultStage>(*wanted->stage))) {
      chances.at_stage[kind][*wanted->stage] = wanted->chance;
      possible = true;
    }
  }
  if (!possible) {
    return Failure(std::string("in the middle of content there is no reply"));
  }
  return {};
}

}  // namespace ringpost::sink
