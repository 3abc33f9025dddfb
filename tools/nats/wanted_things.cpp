// The problem: a broker has dozens of settings, and a handful decide whether a message is lost,
// doubled or held for ever. The idea: those are rows of key, value and reason, from which the body
// that creates a thing is made, and by which one that is there is judged, so what is explained is
// what is done. Limits: settings without a row keep the server's defaults and are not looked at.
#include "tools/nats/wanted_things.h"

#include <charconv>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/process/numbers.h"

namespace ringpost::nats {

namespace {

std::string as_string(std::string_view text) {
  std::string json;
  codec::append_json_string(json, text);
  return json;
}

std::string as_list(std::string_view text) { return "[" + as_string(text) + "]"; }

std::string as_time(Duration duration) {
  return fmt::format("{}", std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
}

bool is_time(std::string_view key) {
  return key == "ack_wait" || key == "duplicate_window" || key == "max_age";
}

WantedThing stream_named(std::string kind, const std::string& name) {
  return {std::move(kind),
          name,
          "$JS.API.STREAM.INFO." + name,
          "$JS.API.STREAM.CREATE." + name,
          {},
          {}};
}

WantedThing jobs_stream(const SetupOptions& options) {
  WantedThing thing = stream_named("stream", options.names.jobs_stream);
  thing.settings = {
      {"subjects", as_list(options.names.jobs_subject), "where jobs are published, one a message"},
      {"retention", as_string("workqueue"),
       "a job stays until it is acknowledged, and is handed to one node at a time"},
      {"storage", as_string("file"), "jobs outlive a restart of the servers"},
      {"num_replicas", fmt::format("{}", options.replicas),
       "with 3, any one server may be lost; with 1, none"},
      {"discard", as_string("new"),
       "a full stream refuses new jobs, where \"old\" would drop waiting ones without a word"},
      {"duplicate_window", as_time(options.duplicate_window),
       "a publisher that sends a job again with the same Nats-Msg-Id within it adds none"},
      {"max_age", "0", "no job is dropped for having waited"}};
  return thing;
}

WantedThing outcomes_stream(const SetupOptions& options) {
  WantedThing thing = stream_named("stream", options.names.outcomes_stream);
  thing.settings = {
      {"subjects", as_list(options.names.outcomes_subject), "where outcome lines are published"},
      {"retention", as_string("limits"),
       "outcomes stay for whoever reads them, several if need be"},
      {"storage", as_string("file"), "outcomes outlive a restart of the servers"},
      {"num_replicas", fmt::format("{}", options.replicas), "as for jobs"},
      {"max_age", as_time(options.outcomes_kept), "read them before; then they are dropped"},
      {"duplicate_window", as_time(options.duplicate_window),
       "an outcome that is published twice within it is kept once; longer than ack_wait and a "
       "restart, and each second of it takes memory at the servers"}};
  return thing;
}

WantedThing bucket(const SetupOptions& options) {
  const std::string& name = options.names.bucket;
  WantedThing thing = stream_named("bucket", name);
  thing.info_subject = "$JS.API.STREAM.INFO.KV_" + name;
  thing.create_subject = "$JS.API.STREAM.CREATE.KV_" + name;
  thing.settings = {
      {"subjects", as_list("$KV." + name + ".>"), "as all key-value buckets have it"},
      {"storage", as_string("file"), "what nodes have in hand is known behind a restart"},
      {"num_replicas", fmt::format("{}", options.replicas), "as for jobs"},
      {"max_msgs_per_subject", "1", "of each node the last word counts"},
      {"max_age", "0", "a node that died is known until its jobs are settled"},
      {"allow_rollup_hdrs", "true", "as all key-value buckets have it"},
      {"allow_direct", "false",
       "reads come from the leader, so that a node sees what another has written before"}};
  return thing;
}

WantedThing consumer(const SetupOptions& options) {
  const std::string& stream = options.names.jobs_stream;
  const std::string& name = options.names.consumer;
  WantedThing thing{"consumer",
                    name,
                    fmt::format("$JS.API.CONSUMER.INFO.{}.{}", stream, name),
                    fmt::format("$JS.API.CONSUMER.DURABLE.CREATE.{}.{}", stream, name),
                    stream,
                    {}};
  thing.settings = {
      {"durable_name", as_string(name), "all nodes pull from this one"},
      {"ack_policy", as_string("explicit"),
       "a job is done when it is acknowledged, each by itself"},
      {"ack_wait", as_time(options.ack_wait),
       "a job whose node is silent for so long goes to another; nodes say at a third of it that "
       "they are at work"},
      {"max_deliver", "-1",
       "no bound here: behind one a job lies in the stream and nobody gets it or is told; "
       "`rounds` of [nats] ends it with an outcome"},
      {"max_ack_pending", fmt::format("{}", options.ack_pending_max),
       "jobs in the hands of all nodes together: at least jobs_in_flight of each, and those that "
       "wait for another round count as well"}};
  return thing;
}

std::string value_of(const WantedSetting& setting, const JsonAnswer& info) {
  const JsonAnswer::Node node = info.find({"config", setting.key});
  std::string is;
  if (node != codec::JsonTree::none) {
    info.tree().append_json(is, node);
  } else if (setting.value == "true" || setting.value == "false") {
    is = "false";  // what is not so, servers leave out
  } else {
    is = "0";
  }
  return is;
}

}  // namespace

std::string WantedThing::creation() const {
  std::string members = stream.empty()
                            ? "\"name\":" + as_string(kind == "bucket" ? "KV_" + name : name)
                            : std::string();
  for (const WantedSetting& setting : settings) {
    members +=
        fmt::format("{}{}:{}", members.empty() ? "" : ",", as_string(setting.key), setting.value);
  }
  return stream.empty()
             ? "{" + members + "}"
             : fmt::format(R"({{"stream_name":{},"config":{{{}}}}})", as_string(stream), members);
}

std::vector<WantedThing> wanted_things(const SetupOptions& options) {
  return {jobs_stream(options), outcomes_stream(options), bucket(options), consumer(options)};
}

std::vector<Difference> differences(const WantedThing& wanted, const JsonAnswer& info) {
  std::vector<Difference> found;
  for (const WantedSetting& setting : wanted.settings) {
    std::string is = value_of(setting, info);
    if (is != setting.value) {
      found.push_back({&setting, std::move(is)});
    }
  }
  return found;
}

std::string shown_value(std::string_view key, const std::string& value) {
  std::int64_t nanoseconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), nanoseconds);
  if (!is_time(key) || error != std::errc() || end != value.data() + value.size()) {
    return value;
  }
  return nanoseconds <= 0 ? "none"
                          : cli::duration_text(std::chrono::duration_cast<Duration>(
                                std::chrono::nanoseconds(nanoseconds)));
}

}  // namespace ringpost::nats
