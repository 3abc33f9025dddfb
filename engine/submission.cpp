#include "engine/submission.h"

#include <algorithm>
#include <array>

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
// each job comes here.
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

// What nearly all jobs are, at a look.
bool is_plain(const Job& job) {
  const bool asks_nothing =
      job.dsn.notify.empty() && job.dsn.return_kind.empty() && job.dsn.envelope_id.empty();
  const bool counted = job.recipient_count > 0 && job.recipient_count <= limits::job_recipients_max;
  if (job.id.empty() || !counted || !asks_nothing) {
    return false;
  }
  const auto recipients = job.active_recipients();
  return (job.sender.empty() || is_plain_address(job.sender)) &&
         std::all_of(recipients.begin(), recipients.end(), [](const Recipient& recipient) {
           return recipient.decided || is_plain_address(recipient.address);
         });
}

}  // namespace

std::string submission_offence(Job& job) {
  if (is_plain(job)) {
    return {};
  }
  if (job.id.empty()) {
    return "the job has no id";
  }
  if (job.recipient_count == 0) {
    return "the job has no recipients";
  }
  if (job.recipient_count > limits::job_recipients_max) {
    return fmt::format("the job has more than {} recipients", limits::job_recipients_max);
  }
  std::string offence;
  const auto check = [&](Bytes what, Bytes address) {
    if (!is_plain_address(address)) {
      offence = address_offence(what, address);
      job.needs_smtputf8 = job.needs_smtputf8 || !codec::is_ascii(address);
    }
    return offence.empty();
  };
  if (!job.sender.empty() && !check("sender", job.sender)) {
    return offence;
  }
  for (const Recipient& recipient : job.active_recipients()) {
    if (!recipient.decided && !check("recipient", recipient.address)) {
      return offence;
    }
  }
  return dsn_offence(job.dsn);
}

bool begin_submission(Job& job) {
  const auto recipients = job.active_recipients();
  job.outcomes_left = static_cast<std::size_t>(
      std::count_if(recipients.begin(), recipients.end(),
                    [](const Recipient& recipient) { return !recipient.reported; }));
  RP_ASSERT(job.outcomes_left > 0);
  return !std::all_of(recipients.begin(), recipients.end(),
                      [](const Recipient& recipient) { return recipient.decided; });
}

void refuse_submission(Job& job, std::string_view reason, std::int64_t now_us) {
  if (job.recipient_count == 0) {
    job.add_recipient();
  }
  job.outcomes_left = job.recipient_count;
  const protocol::Verdict verdict = protocol::verdict_of_local_refusal(reason);
  for (Recipient& recipient : job.active_recipients()) {
    if (recipient.reported) {
      --job.outcomes_left;
      continue;
    }
    // Whom an earlier run left in doubt may have it: that stands, whatever the job is now.
    if (recipient.outcome.status != Status::unknown) {
      record_local(recipient.outcome, verdict, now_us);
    }
    recipient.decided = true;
  }
}

std::vector<queue::DecidedRecipient> report_submission(Job& job) {
  std::vector<queue::DecidedRecipient> decided;
  for (std::uint32_t i = 0; i < job.recipient_count; ++i) {
    if (!job.recipients[i].reported) {
      job.recipients[i].reported = true;
      decided.push_back({&job, i});
    }
  }
  return decided;
}

}  // namespace ringpost::engine
