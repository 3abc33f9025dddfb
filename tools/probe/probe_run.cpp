// Side by side, because a blocked port costs the whole timeout; in one thread with poll(2), because
// there are a handful of sockets and a TLS context belongs to one thread.
#include "tools/probe/probe_run.h"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <utility>

#include "engine/endpoint_check.h"
#include "engine/io/resolver.h"
#include "engine/session_options.h"
#include "engine/submission_port.h"
#include "tls/context.h"
#include "tools/settings/endpoint_url.h"

namespace ringpost::cli {

namespace {

// A server may use its whole time for some steps, to make clients wait; not for all of them.
constexpr int port_timeouts_max = 4;

Instant clock_now() { return std::chrono::steady_clock::now(); }

TransportSecurity security_of_port(std::uint16_t port, const EndpointOptions& endpoint) {
  const bool plain_relay = port == relay_port && endpoint.security == TransportSecurity::none;
  return plain_relay ? TransportSecurity::none : default_security(port);
}

bool has_password(const EndpointOptions& endpoint) {
  return !endpoint.username.empty() && !endpoint.password.empty();
}

PortPlan plan_port(std::uint16_t port, const ProbeRequest& request) {
  const EndpointOptions& endpoint = request.endpoint.draft.options;
  const std::vector<PortOption> listed = ports_of(endpoint);
  const auto found = std::find_if(listed.begin(), listed.end(),
                                  [port](const PortOption& own) { return own.port == port; });
  const bool own = found != listed.end();
  PortPlan plan;
  plan.port = port;
  plan.security = own ? found->security : security_of_port(port, endpoint);
  const bool secret = plan.security != TransportSecurity::none || endpoint.allow_plaintext_auth;
  plan.authenticate = has_password(endpoint) && secret && (own || port != relay_port);
  return plan;
}

// A look-up that outlives the wait is left to its thread; what it writes to is shared with it.
struct Look {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<io::Resolver::Answer> answer;
};

std::vector<io::SocketAddress> resolve(const std::string& host, Duration timeout,
                                       NameFinding& found) {
  const Instant begin = clock_now();
  const auto look = std::make_shared<Look>();
  io::Resolver resolver;
  resolver.resolve(host, relay_port, [look](io::Resolver::Answer answer) {
    const std::lock_guard lock(look->mutex);
    look->answer = std::move(answer);
    look->changed.notify_all();
  });
  std::unique_lock lock(look->mutex);
  look->changed.wait_for(lock, timeout, [&] { return look->answer.has_value(); });
  found.ms = std::chrono::duration<double, std::milli>(clock_now() - begin).count();
  if (!look->answer) {
    found.error = "the name server did not answer in time";
    found.may_resolve_later = true;
    return {};
  }
  if (!*look->answer) {
    found.error = look->answer->error().message;
    found.may_resolve_later = look->answer->error().temporary;
    return {};
  }
  for (const io::SocketAddress& address : **look->answer) {
    const std::string text = address.text();
    found.addresses.push_back(text.substr(0, text.rfind(':')));
  }
  return **look->answer;
}

std::vector<io::SocketAddress> with_port(const std::vector<io::SocketAddress>& addresses,
                                         std::uint16_t port) {
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  const std::uint16_t in_network_order = htons(port);
  std::vector<io::SocketAddress> result = addresses;
  for (io::SocketAddress& address : result) {
    std::memcpy(reinterpret_cast<char*>(&address.storage) + offsetof(sockaddr_in, sin_port),
                &in_network_order, sizeof in_network_order);
  }
  return result;
}

Result<std::unique_ptr<tls::Context>, UsageError> tls_context(const EndpointOptions& endpoint) {
  auto context = tls::Context::create(engine::tls_options(endpoint));
  if (!context) {
    return Failure(UsageError{context.error().message()});
  }
  return std::move(*context);
}

int poll_timeout_ms(Instant deadline, Instant now) {
  if (deadline <= now) {
    return 0;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<int>(std::min<std::int64_t>(left, 60'000));
}

void run_ports(std::vector<std::unique_ptr<PortProbe>>& probes, Duration timeout) {
  const Instant give_up_at = clock_now() + timeout * port_timeouts_max;
  for (const auto& probe : probes) {
    probe->start(clock_now());
  }
  for (;;) {
    std::vector<PortProbe*> open;
    std::vector<pollfd> polled;
    Instant next = give_up_at;
    for (const auto& probe : probes) {
      if (!probe->done()) {
        open.push_back(probe.get());
        polled.push_back({probe->fd(), probe->events(), 0});
        next = std::min(next, probe->deadline());
      }
    }
    if (open.empty()) {
      return;
    }
    ::poll(polled.data(), polled.size(), poll_timeout_ms(next, clock_now()));
    for (std::size_t index = 0; index < open.size(); ++index) {
      const Instant now = clock_now();
      if (polled[index].revents != 0) {
        open[index]->act(polled[index].revents, now);
      }
      if (!open[index]->done() && open[index]->deadline() <= now) {
        open[index]->expire(now);
      }
      if (!open[index]->done() && now >= give_up_at) {
        open[index]->give_up(now);
      }
    }
  }
}

}  // namespace

std::vector<PortPlan> plan_ports(const ProbeRequest& request) {
  std::vector<std::uint16_t> ports = request.ports;
  if (ports.empty()) {
    for (const PortOption& own : ports_of(request.endpoint.draft.options)) {
      ports.push_back(own.port);
    }
  }
  std::vector<PortPlan> plans;
  for (const std::uint16_t port : ports) {
    const bool known = std::any_of(plans.begin(), plans.end(),
                                   [port](const PortPlan& plan) { return plan.port == port; });
    if (!known) {
      plans.push_back(plan_port(port, request));
    }
  }
  return plans;
}

Result<ProbeFinding, UsageError> run_probe(const ProbeRequest& request) {
  const EndpointOptions& endpoint = request.endpoint.draft.options;
  ProbeFinding finding;
  finding.name = endpoint.name;
  finding.is_configured = request.is_configured;
  finding.endpoint = endpoint;
  finding.username_is_password =
      !endpoint.password.empty() && endpoint.username == endpoint.password;
  if (finding.username_is_password) {
    finding.endpoint.username.clear();
  }
  finding.endpoint.password.clear();
  if (const auto& preset = request.endpoint.preset) {
    finding.login_hint = login_hint(*preset, finding.endpoint.username);
  }
  finding.password_known = has_password(endpoint);
  finding.timeout = request.timeout;
  finding.unix_seconds = std::chrono::duration_cast<std::chrono::seconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
  const std::vector<PortPlan> plans = plan_ports(request);
  std::unique_ptr<tls::Context> context;
  const bool needs_tls = std::any_of(plans.begin(), plans.end(), [](const PortPlan& plan) {
    return plan.security != TransportSecurity::none;
  });
  if (needs_tls) {
    auto created = tls_context(endpoint);
    if (!created) {
      return Failure(std::move(created.error()));
    }
    context = std::move(*created);
  }
  const auto addresses = resolve(written_host(endpoint), request.timeout, finding.dns);
  if (addresses.empty()) {
    return finding;
  }
  const ProbeEnvironment environment{&endpoint, context.get(), request.timeout};
  std::vector<std::unique_ptr<PortProbe>> probes;
  for (const PortPlan& plan : plans) {
    probes.push_back(
        std::make_unique<PortProbe>(environment, plan, with_port(addresses, plan.port)));
  }
  run_ports(probes, request.timeout);
  for (const auto& probe : probes) {
    finding.ports.push_back(probe->finding());
  }
  return finding;
}

}  // namespace ringpost::cli
