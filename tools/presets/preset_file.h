// One file of tools/presets: what is known of a provider. SCHEMA.md says what may stand in it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/protocol/reply_rules.h"
#include "tools/process/usage_error.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// A value of [endpoint] or of a plan, as it was written.
struct PresetSetting {
  std::vector<std::string> texts;  // one, unless it was written as a list; never none
  std::string origin;              // "preset ses, line 24"

  bool operator==(const PresetSetting&) const = default;
};
using PresetSettings = std::map<std::string, PresetSetting, std::less<>>;

// In which words the sink refuses for a limit, where the rules for replies do not say it.
struct PresetRefusal {
  std::string limit;  // "rate", "connections"
  std::string stage;  // of rules: "mail", "eod"; empty: the usual one
  std::string reply;  // "421 4.7.0 Too many connections"
};

// The provider's part in the sink.
struct PresetServer {
  std::vector<std::string> ehlo;           // inside TLS, or always
  std::vector<std::string> ehlo_in_clear;  // before STARTTLS, where that differs
  std::string accepted;                    // the 2xx to a message
  bool takes_any_username = false;
  std::vector<PresetRefusal> refusals;
};

// What a sender's domain needs.
struct PresetDns {
  std::string spf;                // a mechanism: "include:amazonses.com"
  std::vector<std::string> dkim;  // selectors that all accounts have
  std::string dkim_record;        // the form of a key's record, {selector} and {domain} in it
  std::string envelope;           // "send.{domain}", or the provider's own domain
};

struct Preset {
  std::string id;    // what users call it: "ses"
  std::string name;  // "Amazon SES"
  std::vector<std::string> picked_by;
  std::string same_as;  // the preset that all but name, notes and warning come from
  std::vector<std::string> headers;
  std::vector<std::string> notes;
  std::string warning;

  PresetSettings endpoint;
  std::map<std::string, std::string, std::less<>> regions;             // name to host
  std::map<std::string, PresetSettings, std::less<>> plans;            // laid over `endpoint`
  std::map<std::string, std::vector<std::string>, std::less<>> forms;  // patterns, by key
  std::map<std::string, std::string, std::less<>> hints;               // words for people, by key
  PresetServer server;
  PresetDns dns;
  std::vector<protocol::ReplyRule> replies;
};

// `id`: the file's name without its suffix. Each key must be known and each value one that the key
// takes; the error has a line for each offence, ID.toml:LINE:COLUMN: what is wrong. `same_as` is
// only noted: preset_list.h follows it.
[[nodiscard]] Result<Preset, UsageError> parse_preset(std::string_view id, Bytes text);

}  // namespace ringpost::cli
