// The problem: a message for thousands of recipients in one session at a time takes as long as that
// session needs for all of their transactions, while others have nothing to do. The idea: it is cut
// into groups before it is sent, each of which goes its way by itself; what a group needs of memory
// for its recipients it gets when a session takes it. Limits: the bound is that of the user for the
// endpoint; a server that is found to take fewer gets a group in several transactions, one after
// the other.
#include "engine/division.h"

#include <algorithm>
#include <vector>

#include "codec/smtp/dsn_request.h"
#include "engine/outcome_record.h"

namespace ringpost::engine {

namespace {

// Of recipients [begin, end).
std::size_t untold_count(const Consignment& consignment, std::size_t begin, std::size_t end) {
  if (consignment.fates.empty()) {
    return end - begin;
  }
  const auto first = consignment.fates.begin();
  return static_cast<std::size_t>(std::count_if(first + static_cast<std::ptrdiff_t>(begin),
                                                first + static_cast<std::ptrdiff_t>(end),
                                                [](PriorFate fate) { return !is_told(fate); }));
}

// Begins of the groups of which somebody is to be told something.
std::vector<std::uint32_t> groups_of(const Consignment& consignment, std::size_t group_max) {
  std::vector<std::uint32_t> begins;
  const std::size_t count = consignment.message.recipients.size();
  for (std::size_t begin = 0; begin < count; begin += group_max) {
    if (untold_count(consignment, begin, std::min(begin + group_max, count)) > 0) {
      begins.push_back(static_cast<std::uint32_t>(begin));
    }
  }
  return begins;
}

void set_group(Consignment& consignment, Delivery& delivery, std::size_t begin, std::size_t end) {
  delivery.message = &consignment.message;
  delivery.consignment = &consignment;
  delivery.begin = static_cast<std::uint32_t>(begin);
  delivery.end = static_cast<std::uint32_t>(end);
  delivery.outcomes_left = untold_count(consignment, begin, end);
  delivery.may_ask_dsn = codec::is_requested(consignment.message.dsn);
  delivery.is_cancellable = consignment.message.cancellation != nullptr;
  RP_ASSERT(delivery.outcomes_left > 0);
}

void put_down(const Consignment& consignment, std::size_t number, Recipient& recipient,
              std::int64_t now_us) {
  const PriorFate fate = consignment.fate(number);
  switch (fate) {
    case PriorFate::none:
      break;
    case PriorFate::left_out:
      recipient.decided = true;
      record_local(recipient.outcome,
                   protocol::verdict_of_left_out(
                       consignment.left_out[left_out_index(consignment, number)].reason),
                   now_us);
      break;
    case PriorFate::in_doubt:
      recipient.decided = true;
      record_local(recipient.outcome, protocol::verdict_of_killed_run(), now_us);
      break;
    case PriorFate::resend_apart:
      record_local(recipient.outcome, protocol::verdict_of_earlier_doubt(), now_us);
      break;
    case PriorFate::has_it:
    case PriorFate::done:
      recipient.decided = true;
      recipient.reported = true;
      record_told(recipient.outcome,
                  fate == PriorFate::has_it ? Status::accepted : Status::rejected);
      break;
  }
}

}  // namespace

void divide(Consignment& consignment, std::size_t recipients_max) {
  const std::size_t count = consignment.message.recipients.size();
  const std::size_t group_max = std::max<std::size_t>(1, recipients_max);
  if (count <= group_max) {
    set_group(consignment, consignment.first, 0, count);
  } else {
    const std::vector<std::uint32_t> begins = groups_of(consignment, group_max);
    RP_ASSERT(!begins.empty());
    consignment.further = std::vector<Delivery>(begins.size() - 1);
    for (std::size_t i = 0; i < begins.size(); ++i) {
      set_group(consignment, consignment.delivery(i), begins[i],
                std::min(begins[i] + group_max, count));
    }
  }
}

void open(Delivery& delivery, std::int64_t now_us) {
  delivery.open();
  const Consignment& consignment = *delivery.consignment;
  if (consignment.fates.empty()) {
    return;
  }
  bool resends = false;
  for (std::size_t i = 0; i < delivery.size(); ++i) {
    const std::size_t number = delivery.begin + i;
    put_down(consignment, number, delivery.recipients[i], now_us);
    resends = resends || consignment.fate(number) == PriorFate::resend_apart;
  }
  for (std::size_t i = 0; resends && i < delivery.size(); ++i) {
    delivery.recipients[i].postponed = consignment.fate(delivery.begin + i) == PriorFate::none;
  }
}

}  // namespace ringpost::engine
