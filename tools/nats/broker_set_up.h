// Streams, bucket and consumer at a server: created where they are not there, compared where they
// are.
#pragma once

#include <string>

#include "tools/nats/client.h"
#include "tools/nats/wanted_things.h"
#include <ringpost/base.h>

namespace ringpost::nats {

struct SetupReport {
  std::string text;          // for people, each thing with its settings
  bool is_as_wanted = true;  // nothing that was there has other settings
};

// Creates what is not there, and changes nothing that is. The error is a sentence: no server
// answers, has JetStream, or lets this user do it.
[[nodiscard]] Result<SetupReport, std::string> set_up_broker(Client& client,
                                                             const SetupOptions& options);

}  // namespace ringpost::nats
