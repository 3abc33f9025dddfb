// The problem: a stream that is there holds somebody's jobs, and a setting that is changed in
// passing may drop them. The idea: each thing is asked for; what is not there is created, what is
// there is compared setting by setting, and a difference is told with its reason and the command
// that changes it. Limits: between the question and the creation somebody else may create it; the
// server refuses then, and another run compares.
#include "tools/nats/broker_set_up.h"

#include <fmt/format.h>

namespace ringpost::nats {

namespace {

using std::chrono::seconds;

constexpr auto patience = seconds(10);
constexpr std::uint64_t stream_not_found = 10059;
constexpr std::uint64_t consumer_not_found = 10014;

constexpr std::string_view power_words =
    R"(
What a power cut takes is decided by the servers' own configuration: a server writes what it has
acknowledged to its disk every two minutes. nats-server 2.10 and newer can be told to do so before
it acknowledges, in nats-server.conf; older ones refuse the key:

  jetstream {{ store_dir: "/var/lib/nats", sync_interval: "always" }}

With {0} replica{1}, and without that, {2}
)";

std::string power_paragraph(std::uint64_t replicas) {
  return fmt::format(power_words, replicas, replicas == 1 ? "" : "s",
                     replicas == 1 ? "a power cut takes two minutes of jobs and outcomes, and a\n"
                                     "disk that is lost all of them."
                                   : "only a power cut that meets most of the servers within two\n"
                                     "minutes takes anything: have them on supplies of their own.");
}

std::string unanswered(const WantedThing& thing) {
  return fmt::format(
      "{} {}: no answer within {} s: JetStream is not enabled at the servers (jetstream {{}} in "
      "nats-server.conf), has no leader yet, or this user may not publish to $JS.API.>",
      thing.kind, thing.name, patience.count());
}

void add_settings(const WantedThing& thing, std::string& text) {
  for (const WantedSetting& setting : thing.settings) {
    text += fmt::format("  {} = {}\n      {}\n", setting.key,
                        shown_value(setting.key, setting.value), setting.why);
  }
}

std::string edit_command(const WantedThing& thing) {
  if (thing.kind == "consumer") {
    return fmt::format("nats consumer edit {} {}", thing.stream, thing.name);
  }
  return fmt::format("nats stream edit {}{}", thing.kind == "bucket" ? "KV_" : "", thing.name);
}

void add_differences(const WantedThing& thing, const std::vector<Difference>& found,
                     SetupReport& report) {
  report.text += fmt::format("{} {}: is there, and {}\n", thing.kind, thing.name,
                             found.empty() ? "as it should be" : "differs:");
  for (const Difference& one : found) {
    report.is_as_wanted = false;
    report.text += fmt::format("  {} is {} and not {}\n      {}\n", one.setting->key,
                               shown_value(one.setting->key, one.is),
                               shown_value(one.setting->key, one.setting->value), one.setting->why);
  }
  if (!found.empty()) {
    report.text +=
        fmt::format("  nothing was changed; where you want it: {}\n", edit_command(thing));
  }
}

Result<void, std::string> create(Client& client, const WantedThing& thing, SetupReport& report) {
  const auto created = client.ask({thing.create_subject, thing.creation()}, patience);
  if (!created) {
    return Failure(fmt::format("{} {}: the servers did not say within {} s whether it was created",
                               thing.kind, thing.name, patience.count()));
  }
  if (const auto error = JsonAnswer(*created).error()) {
    return Failure(fmt::format("{} {}: it cannot be created: {}", thing.kind, thing.name, *error));
  }
  report.text += fmt::format("{} {}: created\n", thing.kind, thing.name);
  add_settings(thing, report.text);
  return {};
}

Result<void, std::string> set_up(Client& client, const WantedThing& thing, SetupReport& report) {
  const auto told = client.ask({thing.info_subject}, patience);
  if (!told) {
    return Failure(unanswered(thing));
  }
  const JsonAnswer info(*told);
  const auto error = info.error();
  if (!error) {
    add_differences(thing, differences(thing, info), report);
    return {};
  }
  const std::uint64_t code = info.error_code();
  if (code == stream_not_found || code == consumer_not_found) {
    return create(client, thing, report);
  }
  return Failure(fmt::format("{} {}: {}", thing.kind, thing.name, *error));
}

}  // namespace

Result<SetupReport, std::string> set_up_broker(Client& client, const SetupOptions& options) {
  SetupReport report;
  for (const WantedThing& thing : wanted_things(options)) {
    if (auto done = set_up(client, thing, report); !done) {
      return Failure(std::move(done.error()));
    }
  }
  report.text += power_paragraph(options.replicas);
  return report;
}

}  // namespace ringpost::nats
