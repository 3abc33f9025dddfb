// The problem: getaddrinfo knows addresses alone, and the resolver of the C library neither says
// which answer is cut nor stops in time. The idea: c-ares carries questions to the servers of
// resolv.conf, repeats them and takes TCP where an answer did not fit; what came is read by
// dns_message, and the time is kept here, because its own bounds double with every repetition.
// Limits: no DNSSEC, no cache; a name is asked for as it stands, without search domains.
#include "tools/domain/dns_client.h"

#include <algorithm>
#include <ares.h>
#include <charconv>
#include <sys/select.h>
#include <sys/time.h>
#include <utility>

#include <fmt/format.h>

#include "tools/domain/dns_message.h"
#include "tools/process/numbers.h"

namespace ringpost::cli {

namespace {

constexpr int class_internet = 1;
constexpr int tries = 3;
constexpr auto try_timeout_max = std::chrono::milliseconds(2000);

// c-ares wants to be told once a process that it is used.
Result<void, std::string> start_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status == ARES_SUCCESS ? Result<void, std::string>()
                                : Failure(std::string(ares_strerror(status)));
}

struct Pending {
  const DnsQuestion* question = nullptr;
  DnsAnswer* answer = nullptr;
  bool is_done = false;
};

void on_answer(void* argument, int status, int /*timeouts*/, unsigned char* message, int bytes) {
  Pending& pending = *static_cast<Pending*>(argument);
  pending.is_done = true;
  if (message != nullptr && bytes > 0) {
    *pending.answer = read_dns_message(
        Bytes(reinterpret_cast<const char*>(message), static_cast<std::size_t>(bytes)),
        *pending.question);
    return;
  }
  pending.answer->result = DnsResult::failed;
  pending.answer->error = status == ARES_ECANCELLED || status == ARES_EDESTRUCTION
                              ? std::string()  // the time was up: `ask` has the words
                          : status == ARES_ETIMEOUT ? std::string("no answer")
                                                    : std::string(ares_strerror(status));
}

class AresClient final : public DnsClient {
 public:
  AresClient(ares_channel channel, DnsClientOptions options)
      : channel_(channel),
        options_(std::move(options)),
        give_up_at_(std::chrono::steady_clock::now() + options_.all_within) {}
  ~AresClient() override { ares_destroy(channel_); }

  std::vector<DnsAnswer> ask(const std::vector<DnsQuestion>& questions) override {
    std::vector<DnsAnswer> answers(questions.size());
    std::vector<Pending> pending(questions.size());
    const Instant until =
        std::min(give_up_at_, std::chrono::steady_clock::now() + options_.timeout);
    for (std::size_t index = 0; index < questions.size(); ++index) {
      pending[index] = {&questions[index], &answers[index], false};
      ares_query(channel_, questions[index].name.c_str(), class_internet,
                 static_cast<int>(questions[index].type), on_answer, &pending[index]);
    }
    wait(pending, until);
    ares_cancel(channel_);
    for (DnsAnswer& answer : answers) {
      if (answer.result == DnsResult::failed && answer.error.empty()) {
        answer.error = fmt::format("no answer within {}",
                                   duration_text(std::min(options_.timeout, options_.all_within)));
      }
    }
    return answers;
  }

 private:
  void wait(const std::vector<Pending>& pending, Instant until) {
    const auto is_done = [](const Pending& one) { return one.is_done; };
    while (!std::all_of(pending.begin(), pending.end(), is_done)) {
      const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
          until - std::chrono::steady_clock::now());
      if (left.count() <= 0) {
        return;
      }
      fd_set readable;
      fd_set writable;
      FD_ZERO(&readable);
      FD_ZERO(&writable);
      const int count = ares_fds(channel_, &readable, &writable);
      if (count == 0) {
        return;
      }
      timeval most{static_cast<time_t>(left.count() / 1'000'000),
                   static_cast<suseconds_t>(left.count() % 1'000'000)};
      timeval storage{};
      ::select(count, &readable, &writable, nullptr, ares_timeout(channel_, &most, &storage));
      ares_process(channel_, &readable, &writable);
    }
  }

  ares_channel channel_;
  DnsClientOptions options_;
  Instant give_up_at_;
};

Result<ares_channel, std::string> open_channel(const DnsClientOptions& options, int flags) {
  ares_options how{};
  how.flags = flags;
  const auto each = std::min<Duration>(options.timeout / tries, try_timeout_max);
  how.timeout = static_cast<int>(std::max<std::int64_t>(
      1, std::chrono::duration_cast<std::chrono::milliseconds>(each).count()));
  how.tries = tries;
  ares_channel channel = nullptr;
  const int status =
      ares_init_options(&channel, &how, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  if (status != ARES_SUCCESS) {
    return Failure(std::string(ares_strerror(status)));
  }
  if (!options.resolver.empty() &&
      ares_set_servers_ports_csv(channel, options.resolver.c_str()) != ARES_SUCCESS) {
    ares_destroy(channel);
    return Failure(fmt::format("{} is no ADDRESS:PORT", options.resolver));
  }
  return channel;
}

std::size_t servers_of(ares_channel channel) {
  ares_addr_port_node* servers = nullptr;
  std::size_t count = 0;
  if (ares_get_servers_ports(channel, &servers) == ARES_SUCCESS) {
    for (const ares_addr_port_node* one = servers; one != nullptr; one = one->next) {
      ++count;
    }
    ares_free_data(servers);
  }
  return count;
}

}  // namespace

Result<std::unique_ptr<DnsClient>, std::string> DnsClient::create(DnsClientOptions options) {
  if (auto started = start_library(); !started) {
    return Failure(std::move(started.error()));
  }
  auto channel = open_channel(options, ARES_FLAG_EDNS);
  if (!channel) {
    return Failure(std::move(channel.error()));
  }
  if (servers_of(*channel) < 2) {
    // With another server SERVFAIL and REFUSED are a reason to ask that one. Without, they are the
    // answer, which c-ares would tell as no answer at all.
    ares_destroy(*channel);
    channel = open_channel(options, ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP);
    if (!channel) {
      return Failure(std::move(channel.error()));
    }
  }
  return std::unique_ptr<DnsClient>(std::make_unique<AresClient>(*channel, std::move(options)));
}

}  // namespace ringpost::cli
