#include "queue/consignment.h"

#include <ringpost/limits.h>

namespace ringpost {

void Consignment::give_up_memory() {
  message.give_up_memory();
  first.begin = 0;
  first.end = 0;
  first.is_open = false;
  constexpr std::size_t recipients_kept_max = 16;
  if (first.recipients.size() > recipients_kept_max) {
    std::vector<Recipient>().swap(first.recipients);
  }
  if (!further.empty() || !fates.empty()) {
    std::vector<Delivery>().swap(further);
    std::vector<PriorFate>().swap(fates);
  }
}

void Consignment::clear() {
  give_up_memory();
  message.clear();
  first.shares_outcome = false;
  first.loss_stage = Stage::local;
  first.new_loss_stage = Stage::local;
  first.submitted_at = {};
  first.started_at = {};
  first.retry_pause = Duration::zero();
  first.outcomes_left = 0;
  first.budget_bytes = 0;
  deliveries_left = 1;
  loss_stage.store(Stage::local, std::memory_order_relaxed);
}

std::size_t Consignment::buffer_bytes() const {
  return message.content.own_bytes() + message.recipients.bytes() + message.tags_json.capacity() +
         message.metadata_json.capacity() + first.recipients.capacity() * sizeof(Recipient);
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
    case PriorFate::none:
    case PriorFate::has_it:
    case PriorFate::done:
      break;
  }
  return delivery.recipients[static_cast<std::size_t>(shared)].outcome;
}

}  // namespace ringpost
