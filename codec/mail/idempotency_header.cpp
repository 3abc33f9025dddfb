// The problem: a job may leave in several transactions, and a provider that knows its key takes the
// second for a repetition. The idea: the value names the key and, by a hash, those who have the
// message already or may have it, so that it changes when they do. Limits: the hash is not made
// against somebody who looks for collisions; fields within the parts of a message are not looked
// at.
#include "codec/mail/idempotency_header.h"

#include <algorithm>

#include "codec/journal/legacy_line_hash.h"
#include "codec/mail/composition.h"

namespace ringpost::codec {

namespace {

bool is_visible(Bytes text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// Whether a line of the header begins with the name and a colon.
bool has_field(Bytes content, Bytes name) {
  while (!content.empty() && !content.starts_with("\r\n")) {
    const Bytes line = content.substr(0, content.find("\r\n"));
    const Bytes field = line.substr(0, line.find(':'));
    const Bytes trimmed = field.substr(0, field.find_last_not_of(" \t") + 1);
    if (field.size() < line.size() && equal_field_names(trimmed, name)) {
      return true;
    }
    content.remove_prefix(std::min(line.size() + 2, content.size()));
  }
  return false;
}

// The recipients outside of the transaction who have the message, or may have it by the time when
// this goes out.
std::string others_with_it(const Delivery& delivery) {
  std::string others(delivery.message->recipients.in_front_of(delivery.begin));
  for (std::size_t i = 0; i < delivery.size(); ++i) {
    const Recipient& recipient = delivery.recipients[i];
    const Status status = recipient.outcome.status;
    if (recipient.decided && (status == Status::accepted || status == Status::unknown)) {
      others += delivery.address(i);
      others += '\n';
    }
  }
  return others;
}

// The front of a content in several pieces, up to the empty line behind its header.
std::string header_of(const Content& content) {
  std::string header;
  for (std::size_t i = 0; i < content.piece_count(); ++i) {
    const std::size_t seam = header.size() < 3 ? 0 : header.size() - 3;
    header += content.piece(i);
    if (header.find("\r\n\r\n", seam) != std::string::npos) {
      break;
    }
  }
  return header;
}

}  // namespace

std::string idempotency_header(const Delivery& delivery, Bytes name) {
  const Message& message = *delivery.message;
  if (name.empty() || message.idempotency_key.empty()) {
    return {};
  }
  const bool is_one = message.content.piece_count() == 1;
  const std::string several = is_one ? std::string() : header_of(message.content);
  const Bytes content = is_one ? message.content.piece(0) : Bytes(several);
  // A line that begins with a blank would go on with ours.
  const bool continues = content.starts_with(' ') || content.starts_with('\t');
  if (content.empty() || continues || has_field(content, name)) {
    return {};
  }
  std::string suffix;
  if (const std::string others = others_with_it(delivery); !others.empty()) {
    suffix = "/";
    append_hex(suffix, legacy_line_hash(others).high);
  }
  std::string header(name);
  header += ": ";
  if (is_visible(message.idempotency_key) &&
      message.idempotency_key.size() + suffix.size() <= idempotency_value_bytes_max) {
    header += message.idempotency_key;
  } else {
    append_hex(header, legacy_line_hash(message.idempotency_key));
  }
  return header + suffix + "\r\n";
}

}  // namespace ringpost::codec
