#include "tests/sim/network.h"

#include <algorithm>
#include <cerrno>

namespace ringpost::sim {

Network::Network(const NetworkOptions& options, Random& random)
    : options_(options), random_(random) {
  if (options_.restart_after > Duration{0}) {
    events_.push({begin_ + options_.restart_after, order_++, EventKind::restart, 0});
  }
}

void Network::schedule(EventKind kind, std::size_t connection, Duration pause) {
  const Instant at = now_ + pause + random_.duration_up_to(options_.latency_max);
  events_.push({at, order_++, kind, connection});
}

void Network::advance_to(Instant instant) {
  while (!events_.empty() && events_.top().at <= instant) {
    const Event event = events_.top();
    events_.pop();
    now_ = std::max(now_, event.at);
    happen(event);
  }
  now_ = std::max(now_, instant);
}

void Network::happen(const Event& event) {
  switch (event.kind) {
    case EventKind::answer:
      return answer(event.connection);
    case EventKind::refusal:
      return refuse(event.connection);
    case EventKind::server_reads:
      return server_reads(event.connection);
    case EventKind::client_reads:
      return client_reads(event.connection);
    case EventKind::send_done:
      return send_done(event.connection);
    case EventKind::server_idles:
      return server_idles(event.connection);
    case EventKind::restart:
      return restart();
  }
}

// ---- The client's kernel ------------------------------------------------------------------------

std::size_t Network::connect(ConnectionEnd& client, const io::SocketAddress& address) {
  const std::string text = address.text();
  const auto is_at = [&](const std::vector<std::string>& hosts) {
    return std::any_of(hosts.begin(), hosts.end(),
                       [&](const std::string& host) { return text.starts_with(host + ":"); });
  };
  connections_.emplace_back();
  connections_.back().client = &client;
  const std::size_t index = connections_.size() - 1;
  if (is_at(options_.refusing)) {
    schedule(EventKind::refusal, index);
  } else if (!is_at(options_.silent) && !random_.sometimes(options_.black_hole_one_in)) {
    schedule(EventKind::answer, index);
  }
  return index;
}

void Network::answer(std::size_t index) {
  Connection& connection = connections_[index];
  if (connection.client == nullptr) {
    return;
  }
  if (away() || random_.sometimes(options_.refused_one_in)) {
    refuse(index);
    return;
  }
  const bool odd = random_.sometimes(options_.odd_one_in);
  test::ModelServerOptions server = odd ? options_.odd_server : options_.server;
  server.account = &account_;
  connection.server = std::make_unique<test::ModelServer>(server, random_.next());
  if (options_.idle_max > Duration{0}) {
    connection.heard_at = now_;
    schedule(EventKind::server_idles, index, options_.idle_max);
  }
  connection.client->connected(index, 0);
  wake_both(index);
}

bool Network::away() const {
  const Duration age = now_ - begin_;
  const bool restarts =
      age >= options_.restart_after && age < options_.restart_after + options_.restart_for;
  return age < options_.away_for || restarts;
}

// Every connection is gone, and what servers had said and nobody had read may be gone, too.
void Network::restart() {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = connections_[i];
    if (connection.server == nullptr || connection.reset) {
      continue;
    }
    if (random_.one_in(2)) {
      break_off(i);
    } else {
      connection.server->end_for_idleness(random_.one_in(2));
    }
    wake_both(i);
  }
}

void Network::refuse(std::size_t index) {
  if (connections_[index].client != nullptr) {
    connections_[index].client->connected(index, -ECONNREFUSED);
  }
}

void Network::receive(std::size_t index) {
  connections_[index].receiving = true;
  wake_both(index);
}

void Network::send(std::size_t index, Bytes octets) {
  Connection& connection = connections_[index];
  RP_ASSERT(!connection.send_under_way && connection.server != nullptr);
  connection.send_under_way = true;
  connection.send_bytes = octets.size();
  connection.sending = octets;
  take(connection, options_.whole_reads ? octets.size() : random_.piece_of(octets.size()));
  schedule(EventKind::send_done, index);
  wake_both(index);
}

// The kernel takes octets of the send under way.
void Network::take(Connection& connection, std::size_t count) {
  if (!connection.reset) {
    connection.in_transit.append(connection.sending.substr(0, count));
  }
  connection.sending.remove_prefix(count);
}

void Network::send_done(std::size_t index) {
  Connection& connection = connections_[index];
  if (connection.client == nullptr || !connection.send_under_way) {
    return;
  }
  int result = static_cast<int>(connection.send_bytes);
  if (connection.reset) {
    result = random_.one_in(2) ? -ECONNRESET : -EPIPE;
  } else if (random_.sometimes(options_.send_failure_one_in)) {
    take(connection, random_.piece_of(connection.sending.size()));
    const std::size_t taken = connection.send_bytes - connection.sending.size();
    result =
        taken < connection.send_bytes && random_.one_in(2) ? static_cast<int>(taken) : -ECONNRESET;
  } else {
    take(connection, connection.sending.size());
  }
  connection.send_under_way = false;
  connection.client->sent(index, result);
  if (result != static_cast<int>(connection.send_bytes)) {
    break_off(index);
  }
  wake_both(index);
}

void Network::close(std::size_t index) {
  Connection& connection = connections_[index];
  RP_ASSERT(connection.client != nullptr);
  if (connection.send_under_way && !connection.reset) {
    take(connection, random_.piece_of(connection.sending.size()));
  }
  connection.send_under_way = false;
  connection.sending = {};
  connection.receiving = false;
  connection.client = nullptr;
  // What the kernel has goes on its way, unless it answers unread octets with a reset.
  if (random_.one_in(4)) {
    connection.in_transit.resize(random_.piece_of(connection.in_transit.size()));
  }
  wake_both(index);
}

// ---- Octets on their way ------------------------------------------------------------------------

void Network::wake_both(std::size_t index) {
  Connection& connection = connections_[index];
  if (!connection.in_transit.empty() && !connection.server_reads_soon) {
    connection.server_reads_soon = true;
    schedule(EventKind::server_reads, index);
  }
  const bool said = connection.server != nullptr &&
                    (!connection.server->output().empty() || connection.server->ended());
  const bool hears = connection.receiving && !connection.end_told;
  if (hears && (said || connection.reset) && !connection.client_reads_soon) {
    connection.client_reads_soon = true;
    const Duration pause =
        connection.server == nullptr ? Duration{} : Duration(connection.server->take_pause());
    schedule(EventKind::client_reads, index, pause);
  }
}

// A reset: octets on their way to the server may arrive or not; those to the client are lost.
void Network::break_off(std::size_t index) {
  Connection& connection = connections_[index];
  connection.reset = true;
  const std::size_t arriving = random_.piece_of(connection.in_transit.size());
  connection.server->receive(Bytes(connection.in_transit).substr(0, arriving));
  connection.in_transit.clear();
}

void Network::server_reads(std::size_t index) {
  Connection& connection = connections_[index];
  connection.server_reads_soon = false;
  if (connection.reset) {
    return;
  }
  if (random_.sometimes(options_.reset_one_in)) {
    break_off(index);
  } else {
    const std::size_t available = connection.in_transit.size();
    const std::size_t count = options_.whole_reads ? available : random_.piece_of(available);
    connection.heard_at = now_;
    connection.server->receive(Bytes(connection.in_transit).substr(0, count));
    connection.in_transit.erase(0, count);
  }
  wake_both(index);
}

void Network::server_idles(std::size_t index) {
  Connection& connection = connections_[index];
  if (connection.client == nullptr || connection.reset || connection.server->ended()) {
    return;
  }
  const Instant over_at = connection.heard_at + options_.idle_max;
  if (now_ < over_at) {
    schedule(EventKind::server_idles, index, over_at - now_);
    return;
  }
  connection.server->end_for_idleness(options_.idle_says_so);
  wake_both(index);
}

void Network::client_reads(std::size_t index) {
  Connection& connection = connections_[index];
  connection.client_reads_soon = false;
  if (connection.client == nullptr || !connection.receiving) {
    return;
  }
  std::string& said = connection.server->output();
  const bool overtaken = connection.server->ended() && random_.sometimes(options_.overtaken_one_in);
  if (connection.reset || overtaken) {
    connection.reset = true;
    connection.end_told = true;
    connection.client->stream_ended(index, -ECONNRESET);
    return;
  }
  const std::size_t count = random_.piece_of(said.size());
  if (count > 0) {
    std::string octets = said.substr(0, count);
    said.erase(0, count);
    connection.client->arrived(index, std::move(octets));
  } else if (said.empty() && connection.server->ended()) {
    connection.end_told = true;
    connection.client->stream_ended(index, 0);
    return;
  }
  wake_both(index);
}

// ---- The truth ----------------------------------------------------------------------------------

std::vector<const test::TakenMessage*> Network::taken() const {
  std::vector<const test::TakenMessage*> messages;
  for (const Connection& connection : connections_) {
    if (connection.server != nullptr) {
      for (const test::TakenMessage& message : connection.server->taken()) {
        messages.push_back(&message);
      }
    }
  }
  return messages;
}

std::vector<test::Refusal> Network::refusals() const {
  std::vector<test::Refusal> all;
  for (const Connection& connection : connections_) {
    if (connection.server != nullptr) {
      const auto& refused = connection.server->refusals();
      all.insert(all.end(), refused.begin(), refused.end());
    }
  }
  return all;
}

std::string Network::complaint() const {
  for (const Connection& connection : connections_) {
    if (connection.server != nullptr && !connection.server->complaint().empty()) {
      return connection.server->complaint();
    }
  }
  return {};
}

}  // namespace ringpost::sim
