// [nats]: jobs of a stream that several nodes share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/process/log.h"
#include "tools/serve/front_end.h"
#include "tools/serve/intake.h"
#include "tools/settings/nats_setting.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// Takes jobs when it returns. The error is a sentence: the program was built without NATS, no
// server answers, or what `ringpost nats setup` creates is not there. Intake and log outlive it,
// and the intake is closed before it goes.
[[nodiscard]] Result<std::unique_ptr<FrontEnd>, std::string> start_nats_source(
    const cli::NatsOptions& options, Intake& intake, cli::Log& log);

}  // namespace ringpost::serve
