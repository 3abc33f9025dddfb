// The words that belong to no provider: those of RFC 5321 and of servers that anybody runs.
#include "tools/sink/provider_profile.h"

#include <algorithm>

namespace ringpost::sink {

namespace {

using server::Stage;

struct UsualReply {
  std::string_view name;
  Stage stage;
  std::uint16_t code;
  std::string_view text;
};

// In the order of ProviderLimit.
constexpr std::array<UsualReply, provider_limit_count> usual_replies = {{
    {"rate", Stage::end, 451, "4.7.1 Sending rate exceeded, slow down"},
    {"quota", Stage::end, 451, "4.7.1 Sending quota exceeded"},
    {"connections", Stage::greeting, 421, "4.7.0 Too many concurrent connections"},
    {"messages", Stage::mail, 421, "4.7.0 Too many messages in this connection"},
    {"recipients", Stage::rcpt, 452, "4.5.3 Too many recipients"},
    {"bytes", Stage::end, 552, "5.3.4 Message is too big"},
    {"idle", Stage::mail, 421, "4.4.2 Nothing came for too long"},
    {"age", Stage::mail, 421, "4.3.2 This connection is too old"},
    {"login", Stage::auth, 535, "5.7.8 User or password is wrong"},
    {"outage", Stage::end, 454, "4.3.0 Temporary failure, try again later"},
}};

}  // namespace

std::string_view name_of(ProviderLimit limit) {
  return usual_replies[static_cast<std::size_t>(limit)].name;
}

std::optional<ProviderLimit> provider_limit_named(Bytes name) {
  for (std::size_t i = 0; i < provider_limit_count; ++i) {
    if (usual_replies[i].name == name) {
      return static_cast<ProviderLimit>(i);
    }
  }
  return std::nullopt;
}

ProviderReply usual_reply(ProviderLimit limit) {
  const UsualReply& usual = usual_replies[static_cast<std::size_t>(limit)];
  return {.stage = usual.stage, .code = usual.code, .text = std::string(usual.text)};
}

ProviderProfile::ProviderProfile() {
  for (std::size_t i = 0; i < provider_limit_count; ++i) {
    replies[i] = usual_reply(static_cast<ProviderLimit>(i));
  }
}

void lay(const CapSetting& setting, ProviderCaps& caps) {
  switch (setting.limit) {
    case ProviderLimit::rate:
    case ProviderLimit::quota:
      std::erase_if(caps.rates, [&](const QuotaLimit& rate) {
        return !setting.rate ||
               (rate.unit == setting.rate->unit && rate.period == setting.rate->period);
      });
      if (setting.rate) {
        caps.rates.push_back(*setting.rate);
      }
      return;
    case ProviderLimit::connections:
      caps.connections = setting.number;
      return;
    case ProviderLimit::messages:
      caps.messages = setting.number;
      return;
    case ProviderLimit::recipients:
      caps.recipients = setting.number;
      return;
    case ProviderLimit::bytes:
      caps.bytes = setting.number;
      return;
    case ProviderLimit::idle:
      caps.idle = setting.duration;
      return;
    case ProviderLimit::age:
      caps.age = setting.duration;
      return;
    case ProviderLimit::login:
    case ProviderLimit::outage:
      break;
  }
  RP_ASSERT(false);
}

}  // namespace ringpost::sink
