// What `nats setup` creates: two streams, a bucket and a consumer, setting by setting, each with
// the reason for its value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/nats/json_answer.h"
#include "tools/settings/nats_setting.h"
#include <ringpost/base.h>

namespace ringpost::nats {

struct SetupOptions {
  cli::NatsOptions names;
  std::uint64_t replicas = 1;
  // Until a job that nobody has acknowledged or said "in progress" for is handed out again. Nodes
  // say so at a third of it, so two such words may be lost.
  Duration ack_wait = std::chrono::seconds(30);
  // In which the outcomes stream knows a Nats-Msg-Id again, and the jobs stream a publisher's.
  Duration duplicate_window = std::chrono::minutes(10);
  Duration outcomes_kept = std::chrono::hours(24 * 7);
  std::uint64_t ack_pending_max = 20'000;  // of all nodes together
};

struct WantedSetting {
  std::string_view key;  // as the server calls it
  std::string value;     // JSON
  std::string_view why;  // for people
};

struct WantedThing {
  std::string kind;  // "stream", "bucket", "consumer"
  std::string name;
  std::string info_subject;
  std::string create_subject;
  std::string stream;  // of a consumer; empty: it is a stream itself
  std::vector<WantedSetting> settings;

  // The body that creates it.
  [[nodiscard]] std::string creation() const;
};

// In the order in which they are created.
[[nodiscard]] std::vector<WantedThing> wanted_things(const SetupOptions& options);

struct Difference {
  const WantedSetting* setting = nullptr;
  std::string is;  // JSON; of what the server does not say its default
};

// Of an answer to `info_subject` of a thing that is there.
[[nodiscard]] std::vector<Difference> differences(const WantedThing& wanted,
                                                  const JsonAnswer& info);

// "30s" for 30000000000, where the key is a time; else the JSON as it is.
[[nodiscard]] std::string shown_value(std::string_view key, const std::string& value);

}  // namespace ringpost::nats
