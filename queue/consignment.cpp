// The problem: one message for a hundred thousand recipients would leave its memory in the pool for
// good, and clearing all that it had for each ordinary message would cost. The idea: lists that
// only such messages need are freed, the rest is kept for the next and cleared; where nothing was
// sent, recipients share outcomes and what an earlier run has left says which. Limits: the buffers
// that are counted are the large ones; strings of outcomes are not among them.
#include "queue/consignment.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include <ringpost/limits.h>

namespace ringpost {

namespace {

constexpr std::size_t recipients_kept_max = 16;

// But for its texts, a worker finds what it needs of a message in four cache lines.
static_assert(offsetof(Consignment, message) + offsetof(Message, recipients) + sizeof(std::string) +
                  sizeof(std::size_t) <=
              4 * cache_line_bytes);

}  // namespace

void Consignment::give_up_memory() {
  message.give_up_memory();
  if (first.recipients.size() > recipients_kept_max) {
    std::vector<Recipient>().swap(first.recipients);
  }
  if (!further.empty() || !fates.empty()) {
    std::vector<Delivery>().swap(further);
    std::vector<PriorFate>().swap(fates);
    std::vector<LeftOut>().swap(left_out);
  }
}

void Consignment::clear() {
  if (!is_light) {
    give_up_memory();
  }
  message.clear();
  first.begin = 0;
  first.end = 0;
  first.is_open = false;
  first.may_ask_dsn = true;
  first.is_cancellable = true;
  first.shares_outcome = false;
  first.loss_stage = Stage::local;
  first.new_loss_stage = Stage::local;
  first.rate_refusals = 0;
  first.is_too_fast = false;
  first.repeats = 0;
  first.is_repeated = false;
  first.submitted_at = {};
  first.started_at = {};
  first.retry_pause = Duration::zero();
  first.outcomes_left = 0;
  first.budget_bytes = 0;
  deliveries_left = 1;
  is_light = false;
  loss_stage.store(Stage::local, std::memory_order_relaxed);
}

std::size_t Consignment::buffer_bytes() const {
  return message.content.own_bytes() + message.recipients.bytes() + message.tags_json.capacity() +
         message.metadata_json.capacity() + first.recipients.capacity() * sizeof(Recipient);
}

bool Consignment::keeps_memory() const {
  return further.empty() && fates.empty() && message.content.shared() == nullptr &&
         std::max(first.size(), first.recipients.size()) <= recipients_kept_max &&
         buffer_bytes() <= limits::job_bytes_kept_max;
}

std::size_t left_out_index(const Consignment& consignment, std::size_t recipient) {
  const auto& all = consignment.left_out;
  const auto found = std::lower_bound(
      all.begin(), all.end(), recipient,
      [](const LeftOut& one, std::size_t number) { return one.recipient < number; });
  RP_ASSERT(found != all.end() && found->recipient == recipient);
  return static_cast<std::size_t>(found - all.begin());
}

const Outcome& outcome_of(const Delivery& delivery, std::size_t index) {
  if (!delivery.shares_outcome) {
    return delivery.recipients[index].outcome;
  }
  SharedOutcome shared = SharedOutcome::decided;
  switch (delivery.consignment->fate(delivery.begin + index)) {
    case PriorFate::in_doubt:
      shared = SharedOutcome::in_doubt;
      break;
    case PriorFate::resend_apart:
      shared = SharedOutcome::earlier_doubt;
      break;
    case PriorFate::left_out:
      return delivery
          .recipients[shared_outcome_count +
                      left_out_index(*delivery.consignment, delivery.begin + index)]
          .outcome;
    case PriorFate::none:
    case PriorFate::has_it:
    case PriorFate::done:
      break;
  }
  return delivery.recipients[static_cast<std::size_t>(shared)].outcome;
}

}  // namespace ringpost
