// Messages for tests, without JSON and without a pool.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "queue/consignment.h"

namespace ringpost::test {

struct MailText {
  std::string id = "one";
  std::string sender = "sender@a.example";
  std::vector<std::string> recipients = {};
  std::string content = {};
  std::size_t pieces = 1;  // of the content, if it has as many seams
  bool needs_smtputf8 = false;
  DsnRequest dsn = {};
};

// A message, and its only delivery, which is open.
struct Mail {
  std::unique_ptr<Consignment> consignment = std::make_unique<Consignment>();
  Delivery& delivery = consignment->first;
  Message& message = consignment->message;

  [[nodiscard]] std::string address(const Recipient& recipient) const;
};
[[nodiscard]] Mail make_mail(const MailText& text);

// Fills the message of a consignment, and opens one delivery to all of its recipients.
void fill(Consignment& consignment, const MailText& text);

// The content is fit to be sent but for the length of its lines. It goes into so many pieces, some
// shared and some its own, that have no seam within a line end.
void set_content(Content& content, Bytes text, std::size_t pieces = 1);

// What a content of this text would be like.
[[nodiscard]] ContentTraits traits_of(Bytes content);

}  // namespace ringpost::test
