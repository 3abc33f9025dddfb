// Outcome files, counted: who got a message, who did not, and why.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/run/address_set.h"
#include "engine/time_histogram.h"
#include "tools/report/outcome_record.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>
#include <ringpost/limits.h>
#include <ringpost/outcome.h>

namespace ringpost::cli {

using StatusCounts = std::array<std::uint64_t, status_count>;

// Recipients who were told the same: the same status, stage and words but for numbers, ids and
// addresses. The words are a real reply, and the id is of its job.
struct FailureGroup {
  Status what = Status::unsent;
  std::string stage;
  std::string endpoint;  // of the first
  std::string words;
  std::string id;
  std::string recipient;
  std::uint64_t count = 0;
};

// Each recipient of each message counts once: of several lines about him, in one file or in
// several, the last has the last word. 16 octets a recipient are kept, for up to
// limits::known_addresses_max of them; beyond, each line counts. Thread: one.
class OutcomeTally {
 public:
  // What became of the line.
  enum class Taken : std::uint8_t { counted, changed, not_final };
  Taken add(const OutcomeRecord& record);

  [[nodiscard]] const StatusCounts& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t of(Status status) const {
    return counts_[static_cast<std::size_t>(status)];
  }
  [[nodiscard]] std::uint64_t recipients() const;
  [[nodiscard]] std::uint64_t repeated() const { return repeated_; }
  [[nodiscard]] std::uint64_t tries() const { return tries_; }  // lines with "final":false
  [[nodiscard]] bool knows_all() const { return knows_all_; }
  // By the name of the endpoint; those of lines without one are not there.
  [[nodiscard]] std::vector<std::pair<std::string, StatusCounts>> endpoints() const;
  // All that were not accepted, the most frequent first.
  [[nodiscard]] std::vector<FailureGroup> groups() const;
  // RFC 3339; empty: no line has a time.
  [[nodiscard]] const std::string& first_time() const { return first_time_; }
  [[nodiscard]] const std::string& last_time() const { return last_time_; }
  // From MAIL to the reply to the end of data, of accepted lines.
  [[nodiscard]] TimeSpread submit_times() const;
  [[nodiscard]] std::uint64_t accepted_bytes() const { return accepted_bytes_; }

  // The same for all lines about one recipient of one message.
  [[nodiscard]] static std::uint64_t key_of(const OutcomeRecord& record);

 private:
  // What is remembered of a recipient, in the four octets that a set has for a place.
  struct Fate {
    std::size_t which = 0;  // status
    std::size_t endpoint = 0;
    std::size_t group = 0;
  };
  [[nodiscard]] static std::uint32_t packed(const Fate& fate);
  [[nodiscard]] static Fate unpacked(std::uint32_t place);

  [[nodiscard]] std::size_t endpoint_index(Bytes name);
  [[nodiscard]] std::size_t group_index(const OutcomeRecord& record);
  void note_time(const OutcomeRecord& record);
  void change(const Fate& fate, bool is_added);

  run::AddressSet known_{limits::known_addresses_max};
  bool knows_all_ = true;
  std::uint64_t repeated_ = 0;
  std::uint64_t tries_ = 0;
  std::uint64_t accepted_bytes_ = 0;
  StatusCounts counts_{};
  std::vector<std::pair<std::string, StatusCounts>> endpoints_;  // the first has no name
  std::map<std::string, std::size_t, std::less<>> group_of_;     // by what they have in common
  std::vector<FailureGroup> groups_;                             // the first is of those accepted
  engine::TimeHistogram times_;
  std::string first_time_;
  std::string last_time_;
};

}  // namespace ringpost::cli
