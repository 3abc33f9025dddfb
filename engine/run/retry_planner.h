// Who has had no message by what outcome files say, and may have one now.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "engine/run/address_set.h"
#include "engine/run/line_blocks.h"
#include "engine/run/planner.h"
#include <ringpost/base.h>
#include <ringpost/limits.h>

namespace ringpost::run {

// A message is sent to those recipients whose last outcome was `deferred` or `unsent`, by its id
// and their addresses; of the others nothing is told. Another planner, if there is one, has its say
// before.
class RetryPlanner : public Planner {
 public:
  // Reads outcome files to their ends, in their order.
  [[nodiscard]] static Result<std::unique_ptr<RetryPlanner>, InputError> open(
      const std::vector<std::string>& files);

  // Outlives this one.
  void set_inner(Planner* inner) { inner_ = inner; }
  [[nodiscard]] Result<Plan, RunTrouble> plan(const Message& message,
                                              std::vector<PriorFate>& fates) override;
  // Recipients that are to be tried again.
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  [[nodiscard]] Result<void, InputError> read(const std::string& file);

  AddressSet last_{limits::known_addresses_max};  // place: whether it is to be tried again
  std::size_t count_ = 0;
  Planner* inner_ = nullptr;
};

}  // namespace ringpost::run
