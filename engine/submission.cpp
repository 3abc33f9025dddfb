// The problem: programs submit whatever they like, each address becomes a part of a command, and
// the check is paid for every message. The idea: one pass over a table of octets knows nearly all
// addresses; only the others are parsed. A message of which nothing is sent has three outcomes,
// however many recipients there are, and one for each that is left out: whom an earlier run has
// left in doubt stays in doubt, whatever is wrong now. Limits: the content is not looked at here,
// nor is who is not sent to.
#include "engine/submission.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "codec/mail/address.h"
#include "codec/text/utf8.h"
#include "engine/outcome_record.h"
#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

// What an octet is in an address. What has others than nearly all addresses have is looked at more
// closely.
constexpr std::uint8_t other_octet = 1;
constexpr std::uint8_t at_sign = 2;
constexpr auto octet_kinds = [] {
  std::array<std::uint8_t, 256> kinds{};
  kinds.fill(other_octet);
  for (const char c : Bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                            "!#$%&'*+-./=?^_`{|}~")) {
    kinds[static_cast<unsigned char>(c)] = 0;
  }
  kinds['@'] = at_sign;
  return kinds;
}();

constexpr std::size_t dsn_word_bytes_max = 21;      // SUCCESS,FAILURE,DELAY
constexpr std::size_t envelope_id_bytes_max = 100;  // RFC 3461 4.4

std::uint8_t kind_of(char c) { return octet_kinds[static_cast<unsigned char>(c)]; }

// With an octet in front of an at sign and one behind the last. One pass, since each address of
// each message comes here.
bool is_plain_address(Bytes address) {
  if (address.size() < 3 || address.size() > limits::mailbox_bytes_max) {
    return false;
  }
  std::uint8_t inside = 0;
  for (const char c : address.substr(1, address.size() - 2)) {
    const std::uint8_t kind = kind_of(c);
    if (kind == other_octet) {
      return false;
    }
    inside |= kind;
  }
  return inside == at_sign && kind_of(address.front()) != other_octet &&
         kind_of(address.back()) == 0;
}

std::string address_offence(Bytes what, Bytes address) {
  if (address.size() > limits::mailbox_bytes_max) {
    return fmt::format("{}: it is longer than {} octets", what, limits::mailbox_bytes_max);
  }
  codec::Mailbox mailbox;
  const auto valid = codec::validate_address(address, mailbox);
  if (!valid) {
    return fmt::format("{}: {}", what, codec::text_of(valid.error()));
  }
  const bool is_same = mailbox.address == address;
  return is_same ? std::string() : fmt::format("{}: it is not as a command has it", what);
}

// As the reader makes them: capitals and commas (RFC 3461 4.1, 4.3).
std::string dsn_offence(const DsnRequest& dsn) {
  const auto is_word = [](Bytes text) {
    return text.size() <= dsn_word_bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
             return (c >= 'A' && c <= 'Z') || c == ',';
           });
  };
  const bool is_fine = is_word(dsn.notify) && is_word(dsn.return_kind) &&
                       dsn.envelope_id.size() <= envelope_id_bytes_max &&
                       codec::is_ascii(dsn.envelope_id);
  return is_fine ? std::string() : std::string("dsn: no server would understand it");
}

bool is_sent_to(PriorFate fate) {
  return fate == PriorFate::none || fate == PriorFate::resend_apart;
}

// What nearly all messages are, at a look.
bool is_plain(const Consignment& consignment) {
  const Message& message = consignment.message;
  const bool asks_nothing = message.dsn.notify.empty() && message.dsn.return_kind.empty() &&
                            message.dsn.envelope_id.empty();
  const std::size_t count = message.recipients.size();
  const bool counted = count > 0 && count <= limits::job_recipients_max;
  if (message.id.empty() || !counted || !asks_nothing ||
      !(message.sender.empty() || is_plain_address(message.sender))) {
    return false;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (is_sent_to(consignment.fate(i)) && !is_plain_address(message.recipients[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string submission_offence(Consignment& consignment) {
  if (is_plain(consignment)) {
    return {};
  }
  Message& message = consignment.message;
  if (message.id.empty()) {
    return "the job has no id";
  }
  if (message.recipients.empty()) {
    return "the job has no recipients";
  }
  if (message.recipients.size() > limits::job_recipients_max) {
    return fmt::format("the job has more than {} recipients", limits::job_recipients_max);
  }
  std::string offence;
  const auto check = [&](Bytes what, Bytes address) {
    if (!is_plain_address(address)) {
      offence = address_offence(what, address);
      message.needs_smtputf8 = message.needs_smtputf8 || !codec::is_ascii(address);
    }
    return offence.empty();
  };
  if (!message.sender.empty() && !check("sender", message.sender)) {
    return offence;
  }
  for (std::size_t i = 0; i < message.recipients.size(); ++i) {
    if (is_sent_to(consignment.fate(i)) && !check("recipient", message.recipients[i])) {
      return offence;
    }
  }
  return dsn_offence(message.dsn);
}

bool sends_to_any(const Consignment& consignment, std::size_t begin, std::size_t end) {
  const auto fates = std::span(consignment.fates);
  return fates.empty() || std::any_of(fates.begin() + static_cast<std::ptrdiff_t>(begin),
                                      fates.begin() + static_cast<std::ptrdiff_t>(end), is_sent_to);
}

void decide_submission(Consignment& consignment, const protocol::Verdict& verdict,
                       std::int64_t now_us) {
  RecipientList& recipients = consignment.message.recipients;
  if (recipients.empty()) {
    recipients.add({});
  }
  const auto fates = std::span(consignment.fates);
  const auto told = std::count_if(fates.begin(), fates.end(), is_told);
  Delivery& all = consignment.first;
  all.begin = 0;
  all.end = static_cast<std::uint32_t>(recipients.size());
  all.outcomes_left = all.size() - static_cast<std::size_t>(told);
  all.shares_outcome = true;
  all.recipients.resize(
      std::max(all.recipients.size(), shared_outcome_count + consignment.left_out.size()));
  const auto share = [&](SharedOutcome which, const protocol::Verdict& shared) {
    record_local(all.recipients[static_cast<std::size_t>(which)].outcome, shared, now_us);
  };
  share(SharedOutcome::decided, verdict);
  // Whom an earlier run left in doubt may have it: that stands, whatever the message is now.
  share(SharedOutcome::in_doubt, protocol::verdict_of_killed_run());
  share(SharedOutcome::earlier_doubt, protocol::verdict_of_earlier_doubt());
  for (std::size_t i = 0; i < consignment.left_out.size(); ++i) {
    record_local(all.recipients[shared_outcome_count + i].outcome,
                 protocol::verdict_of_left_out(consignment.left_out[i].reason), now_us);
  }
}

std::vector<queue::DecidedRecipients> report_submission(Delivery& delivery) {
  std::vector<queue::DecidedRecipients> decided;
  const Consignment& consignment = *delivery.consignment;
  const auto count = static_cast<std::uint32_t>(delivery.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    if (is_told(consignment.fate(delivery.begin + i))) {
      continue;
    }
    if (!delivery.shares_outcome) {
      delivery.recipients[i].reported = true;
    }
    if (!decided.empty() && decided.back().end == i) {
      ++decided.back().end;
    } else {
      decided.push_back({&delivery, i, i + 1});
    }
  }
  return decided;
}

}  // namespace ringpost::engine
