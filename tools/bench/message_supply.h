// What a benchmark sends: generated messages, or those of a job file over and over.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/bench/bench_settings.h"
#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::cli {

// Bounded, since all of it is in memory.
inline constexpr std::size_t supply_messages_max = 1'000'000;
inline constexpr std::uint64_t supply_bytes_max = 256u << 20;

// Made before the clock starts, so that a message costs as little as it can. Thread: one.
class MessageSupply {
 public:
  // Reads the job file. An error is a sentence.
  [[nodiscard]] static Result<std::unique_ptr<MessageSupply>, std::string> open(
      const LoadSettings& load, std::int64_t date_us);

  // The id is "bench-NUMBER", and generated messages have it as X-Id.
  void fill(Message& message, std::uint64_t number);

 private:
  explicit MessageSupply(const LoadSettings& load) : load_(load) {}
  [[nodiscard]] Result<void, std::string> make_bodies();
  [[nodiscard]] Result<void, std::string> read_jobs(std::int64_t date_us);
  void generate(Message& message, std::uint64_t number);

  const LoadSettings load_;
  ContentMaker maker_;
  SegmentStorePtr bodies_;         // one for each size
  std::vector<Message> messages_;  // of the job file
};

}  // namespace ringpost::cli
