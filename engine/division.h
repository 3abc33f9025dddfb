// How a message becomes deliveries.
#pragma once

#include <cstdint>

#include "queue/consignment.h"

namespace ringpost::engine {

// Divides the message's recipients into deliveries of `recipients_max` at most, in their order.
// Groups that an earlier run has told of as a whole are left out; one recipient at least is none of
// those. Says in each how many outcomes are to be told, and opens none: what a worker will write is
// left to it.
void divide(Consignment& consignment, std::size_t recipients_max);

// Makes room for what becomes of a delivery's recipients, and puts down what an earlier run has
// left of them. Those whom it left in doubt, and who get the message again, get it in a transaction
// of their own: a provider that knows it again drops all of it, and so nobody else may be in it.
void open(Delivery& delivery, std::int64_t now_us);

}  // namespace ringpost::engine
