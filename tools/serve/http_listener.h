// [[listen.http]]: a listening address with the thread that serves its clients.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/serve/figures/service_figures.h"
#include "tools/serve/front_end.h"
#include "tools/serve/intake.h"
#include "tools/serve/spool/spool.h"
#include "tools/settings/serve_setting.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// Listens when it returns. The error is a sentence: an address that is not on loopback or in use, a
// token that cannot be read. `figures` is called on its thread. Intake, spool and figures outlive
// it, and neither of the first two takes or answers anything any more when it goes. `spool` may be
// null.
[[nodiscard]] Result<std::unique_ptr<FrontEnd>, std::string> start_http_listener(
    const cli::HttpListenOptions& options, std::span<const std::string> endpoint_names,
    Intake& intake, Spool* spool, std::function<ServiceFigures()> figures);

// Why no mail goes out, by what is known of endpoints and outcome lines; nothing: it does.
[[nodiscard]] std::optional<std::string> why_not_ready(const ServiceFigures& figures);

}  // namespace ringpost::serve
