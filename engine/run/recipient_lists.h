// Addresses that are left out of a run: those of suppression files, and those that it has met.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/run/address_set.h"
#include "engine/run/line_blocks.h"
#include "engine/run/recipient_filter.h"
#include <ringpost/base.h>
#include <ringpost/limits.h>
#include <ringpost/message.h>

namespace ringpost::run {

// What becomes of an address that occurs more than once.
enum class Repeats : std::uint8_t {
  sent,      // it has a message each time
  counted,   // the same, and it is counted, up to limits::counted_addresses_max addresses
  left_out,  // all but the first time
};

// FILE:LINE in four octets, as far as that goes.
class LinePlaces {
 public:
  explicit LinePlaces(std::vector<std::string> files);
  [[nodiscard]] std::uint32_t place_of(std::size_t file, std::uint64_t line) const;
  // "FILE:LINE", or "line LINE" where there is one file; `unknown` where four octets had no room.
  [[nodiscard]] std::string text_of(std::uint32_t place, std::string_view unknown) const;
  [[nodiscard]] const std::string& file(std::uint32_t place) const;
  [[nodiscard]] std::uint32_t line(std::uint32_t place) const { return place & line_mask(); }

 private:
  [[nodiscard]] std::uint32_t line_mask() const { return ~std::uint32_t{0} >> file_bits_; }

  const std::vector<std::string> files_;
  unsigned file_bits_ = 0;
};

class RecipientLists : public RecipientFilter {
 public:
  // Reads suppression files to their ends. `files`: of the recipients, as they were named.
  //
  // A suppression file has an address or `*@domain` a line; or it is a table with a column of
  // addresses; or JSONL with `rcpt` or `email`, of which lines with a status, which are outcomes,
  // count when that is `rejected`.
  [[nodiscard]] static Result<std::unique_ptr<RecipientLists>, InputError> open(
      const std::vector<std::string>& suppression_files, Repeats repeats,
      std::vector<std::string> files);

  [[nodiscard]] Result<void, RunTrouble> leave_out(const Message& message,
                                                   std::vector<PriorFate>& fates,
                                                   std::vector<LeftOut>& left_out) override;

  // Recipients whose address had occurred before, and how many addresses that holds for: all, or
  // those that were met first.
  [[nodiscard]] std::uint64_t repeated() {
    return left_out_.load(std::memory_order_relaxed) + met_.counted().known;
  }
  [[nodiscard]] bool has_counted_all() { return !met_.counted().was_full; }
  // Lines of suppression files that are no address, for whoever wrote them; empty: none.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  RecipientLists(const std::vector<std::string>& suppression_files, Repeats repeats,
                 std::vector<std::string> files);
  [[nodiscard]] Result<void, InputError> read_suppression(std::size_t number);
  [[nodiscard]] std::string suppression_of(Bytes address) const;

  const Repeats repeats_;
  LinePlaces places_;
  LinePlaces suppression_places_;
  AddressSet met_;
  AddressSet suppressed_{limits::known_addresses_max};
  bool has_domains_ = false;
  std::vector<std::string> warnings_;
  std::atomic<std::uint64_t> left_out_{0};
};

}  // namespace ringpost::run
