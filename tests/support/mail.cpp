#include "tests/support/mail.h"

namespace ringpost::test {

namespace {

// Where pieces end: as even as line ends allow.
std::vector<Bytes> split(Bytes text, std::size_t pieces) {
  std::vector<Bytes> parts;
  for (std::size_t left = pieces; left > 1 && text.size() > 1; --left) {
    std::size_t size = (text.size() + left - 1) / left;
    size += size < text.size() && text[size - 1] == '\r' && text[size] == '\n' ? 1u : 0u;
    parts.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  if (!text.empty()) {
    parts.push_back(text);
  }
  return parts;
}

}  // namespace

void set_content(Content& content, Bytes text, std::size_t pieces) {
  ContentMaker maker(NewlinePolicy::strict);
  if (pieces == 1 && maker.assign(content, text)) {
    return;
  }
  const std::vector<Bytes> parts = split(text, pieces);
  auto shared = maker.share(parts);
  RP_ASSERT(shared);
  maker.begin(content, *shared);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i % 2 == 0) {
      maker.add_segment(content, i);
    } else {
      maker.add_value(content, parts[i]);
    }
  }
  const auto finished = maker.finish(content);
  RP_ASSERT(finished || finished.error().kind == ContentErrorKind::line_too_long);
  RP_ASSERT(content.bytes() == text.size());
}

ContentTraits traits_of(Bytes text) {
  Content content;
  set_content(content, text);
  return content.traits();
}

void fill(Consignment& consignment, const MailText& text) {
  Message& message = consignment.message;
  message.id = text.id;
  message.sender = text.sender;
  for (const std::string& address : text.recipients) {
    message.recipients.add(address);
  }
  message.dsn = text.dsn;
  message.needs_smtputf8 = text.needs_smtputf8;
  set_content(message.content, text.content, text.pieces);
  Delivery& delivery = consignment.first;
  delivery.end = static_cast<std::uint32_t>(message.recipients.size());
  delivery.outcomes_left = delivery.size();
  delivery.open();
}

Mail make_mail(const MailText& text) {
  Mail mail;
  fill(*mail.consignment, text);
  return mail;
}

std::string Mail::address(const Recipient& recipient) const {
  return std::string(
      delivery.address(static_cast<std::size_t>(&recipient - delivery.recipients.data())));
}

}  // namespace ringpost::test
