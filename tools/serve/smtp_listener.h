// [[listen.smtp]]: a listening address with the thread that serves its clients.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/serve/front_end.h"
#include "tools/serve/intake.h"
#include "tools/serve/spool/spool.h"
#include "tools/settings/serve_setting.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// Listens when it returns. The error is a sentence: what the options lack for this address, a port
// in use, a file that cannot be read, io_uring refused. Intake and spool outlive it; neither takes
// or answers anything any more when it goes. `spool` may be null, unless `reply` is `stored`.
[[nodiscard]] Result<std::unique_ptr<FrontEnd>, std::string> start_smtp_listener(
    const cli::SmtpListenOptions& options, const std::vector<cli::RouteOptions>& routes,
    Intake& intake, Spool* spool);

// Why these options may not be; empty: they may. Whoever can reach it from another machine has to
// log in, under TLS: an open relay is anybody's, and a password in clear is everybody's.
[[nodiscard]] std::string listen_offence(const cli::SmtpListenOptions& options);

}  // namespace ringpost::serve
