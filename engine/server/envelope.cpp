// The problem: thousands of idle sessions each hold an envelope, and few recipients ask for reports
// on delivery. The idea: what NOTIFY and ORCPT say is kept only up to the last recipient who said
// it, memory stays for the next message up to a bound, and a sender that the observer has no use
// for is not copied.
#include "engine/server/envelope.h"

namespace ringpost::server {

namespace {

// A server has thousands of sessions that say nothing.
constexpr std::size_t recipients_bytes_kept_max = 16u << 10;

}  // namespace

void Envelope::begin(const MailArguments& mail, bool with_text) {
  size = mail.size;
  eight_bit_mime = mail.eight_bit_mime;
  smtputf8 = mail.smtputf8;
  if (with_text) {
    sender.assign(mail.sender);
    if (!mail.return_kind.empty() || !mail.envelope_id.empty()) {
      return_kind.assign(mail.return_kind);
      envelope_id.assign(mail.envelope_id);
    }
  }
}

void Envelope::add(const RcptArguments& rcpt) {
  recipients.add(rcpt.recipient);
  if (!rcpt.notify.empty() || !rcpt.original_recipient.empty()) {
    recipient_dsn.resize(recipients.size());
    recipient_dsn.back() = {std::string(rcpt.notify), std::string(rcpt.original_recipient)};
  }
}

void Envelope::clear() {
  sender.clear();
  size.reset();
  eight_bit_mime = smtputf8 = false;
  return_kind.clear();
  envelope_id.clear();
  if (recipients.bytes() > recipients_bytes_kept_max) {
    recipients = {};
  } else if (!recipients.empty()) {
    recipients.clear();
  }
  if (!recipient_dsn.empty()) {
    recipient_dsn = {};
  }
}

}  // namespace ringpost::server
