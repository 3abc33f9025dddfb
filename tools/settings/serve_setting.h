// The sections of ringpost.toml that `ringpost serve` goes by: what their keys are called, take,
// mean by default and do. The reader of files, `config schema` and the manual go by these tables,
// so a new key is a row of serve_setting.cpp and a member here, and a new section a table more.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/settings/nats_setting.h"
#include "tools/settings/setting_value.h"
#include "tools/settings/watch_setting.h"
#include "tools/settings/webhook_setting.h"
#include <ringpost/base.h>
#include <ringpost/io_choice.h>

namespace ringpost::cli {

// [serve]
struct ServeOptions {
  std::string outcomes_path;  // appended to; empty: no outcome lines are written
  // Between a client's message and its outcomes, by all ways in together. A message for which
  // there is no room waits, and its client with it. Thousands wait while a provider lets
  // fourteen a second through, and have room in the memory of a small machine.
  std::size_t messages_max = 10'000;
  std::uint64_t bytes_max = 256'000'000;
  // Where mail is stored that is answered before a provider has it; empty: nowhere.
  std::string spool_folder;
  // Of stored jobs; journals come on top, and are smaller by far. Two million newsletters of 2 KB.
  std::uint64_t spool_bytes_max = 4'000'000'000;
  // RFC 5321 4.5.4.1: four or five days at least.
  Duration spool_keep = std::chrono::hours(96);
};

enum class ListenSecurity : std::uint8_t { off, starttls, implicit };

// When the end of a message's data is answered.
enum class ReplyWhen : std::uint8_t { end_to_end, stored };

// [[listen.smtp]]
struct SmtpListenOptions {
  std::string address = "127.0.0.1:2525";
  ReplyWhen reply = ReplyWhen::end_to_end;
  ListenSecurity tls = ListenSecurity::off;
  std::string certificate_file;
  std::string key_file;
  std::string users_file;  // empty: nobody has to log in
  std::string host_name;   // in the greeting and in Received; empty: the machine's
  // Platforms have ten connections, or one for each of their workers; each idle one takes a few
  // kilobytes. More are told 421.
  std::size_t clients_max = 1000;
  IoChoice io = IoChoice::automatic;  // that of the whole process
  // A connection that never ends is never spread anew over servers. RFC 5321 has no number.
  std::uint64_t messages_per_connection = 10'000;
  std::size_t recipients_per_message = 1000;     // RFC 5321 4.5.3.1.8 asks for 100
  std::uint64_t bytes_per_message = 50'000'000;  // most providers take less
  // Of all messages that are on their way in, so that nobody fills the memory with beginnings.
  std::uint64_t incoming_bytes = 256'000'000;
  // Refused commands in a row without a message: who makes so many is no platform.
  std::uint64_t errors_max = 100;
  Duration idle_timeout = std::chrono::minutes(5);  // RFC 5321 4.5.3.2.7
  // PHPMailer waits for five minutes, RFC 5321 4.5.3.2.6 has ten. Behind it a client that has gone
  // would send the message again, while it may yet go out.
  Duration answer_within = std::chrono::minutes(4);

  bool operator==(const SmtpListenOptions&) const = default;
};

// [[listen.http]]
struct HttpListenOptions {
  std::string address = "127.0.0.1:8025";  // or "unix:PATH"
  std::string token_file;                  // empty: nobody is asked for one
  std::size_t clients_max = 1024;          // see http_limits.h: connections_max
  // Of a request that is one job. A list of a hundred thousand recipients takes hours, so there is
  // none unless it is said; zero: as long as it takes.
  Duration answer_within{};

  bool operator==(const HttpListenOptions&) const = default;
};

// [[serve.route]]: messages of this user, from this domain, go by this endpoint. What is empty fits
// everybody.
struct RouteOptions {
  std::string user;
  std::string sender_domain;
  std::string endpoint;
};

// Of one section of each kind, those that it says nothing of included.
struct ServeDraft {
  ServeOptions serve;
  SmtpListenOptions smtp;
  HttpListenOptions http;
  NatsOptions nats;
  RouteOptions route;
  WebhookOptions webhook;
  WatchOptions watch;
};

struct SectionKey {
  std::string_view name;
  std::string_view type;  // as in the help; empty: true or false
  std::string_view help;  // one line
  SettingKind kind;
  bool is_path;  // relative to the folder of the file it stands in
  Result<void, std::string> (*apply)(const SettingValue& value, ServeDraft& draft);
  // Of a draft that nobody has written to it is the default; empty: nothing that has words.
  std::string (*show)(const ServeDraft& draft);
};

struct Section {
  std::string_view name;  // "serve", "listen.http"
  bool is_list;           // [[listen.smtp]], as often as there are such
  std::span<const SectionKey> keys;

  [[nodiscard]] const SectionKey* find(Bytes key) const;
  // "[serve]", "[[listen.smtp]]"
  [[nodiscard]] std::string heading() const;
};

// Of [[webhook]]: webhook_setting.cpp.
extern const SectionKey webhook_keys[webhook_key_count];

[[nodiscard]] std::span<const Section> serve_sections();
// Those of [nats] have a file of their own.
[[nodiscard]] std::span<const SectionKey> nats_keys();
// Nullptr: there is none of that name.
[[nodiscard]] const Section* find_section(Bytes name);

// What files say of each section, by its name; of one that is no list there is one map at most.
using SectionMaps = std::map<std::string, std::vector<SettingMap>, std::less<>>;

// Applies all of them on top of `draft`. Precondition: each key is one of the section's, with a
// value that it takes.
void apply_section(const Section& section, const SettingMap& settings, ServeDraft& draft);

}  // namespace ringpost::cli
