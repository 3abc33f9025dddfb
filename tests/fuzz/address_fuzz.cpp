// codec/mail/address: an address that is taken is one line of a command, and stays the same address
// when it is read again.
//
// Input: the text of an address, as people write it.
#include <string>

#include "codec/mail/address.h"
#include "codec/smtp/smtp_command.h"
#include "codec/text/code_point.h"
#include "codec/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"
#include <ringpost/limits.h>

using namespace ringpost;
using codec::Mailbox;

namespace {

bool has_control(Bytes text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return true;
    }
  }
  return false;
}

// One line, and the address is what stands between the brackets.
void check_command(Bytes command, Bytes front, Bytes address) {
  RP_ASSERT(command.find('\r') == command.size() - 2 && command.find('\n') == command.size() - 1);
  RP_ASSERT(command.find('\0') == Bytes::npos);
  RP_ASSERT(command.starts_with(front));
  RP_ASSERT(command.substr(front.size(), address.size()) == address);
  RP_ASSERT(command.substr(front.size() + address.size(), 1) == ">");
}

void check_commands(const Mailbox& mailbox) {
  std::string command;
  codec::append_rcpt(command, mailbox.address, {});
  check_command(command, "RCPT TO:<", mailbox.address);
  command.clear();
  codec::append_rcpt(command, mailbox.address, "SUCCESS,FAILURE");
  check_command(command, "RCPT TO:<", mailbox.address);
  // RFC 6533: an original recipient is ASCII, whatever the address is, which may hold such words.
  RP_ASSERT(codec::is_ascii(Bytes(command).substr(command.rfind(" ORCPT="))));
  command.clear();
  codec::append_mail(command, mailbox.address, {}, {});
  check_command(command, "MAIL FROM:<", mailbox.address);
}

bool has_hidden(Bytes text) {
  while (!text.empty()) {
    const codec::Utf8Character character = codec::first_utf8_character(text);
    if (codec::is_hidden(character.code_point)) {
      return true;
    }
    text.remove_prefix(character.bytes);
  }
  return false;
}

// With a local part of any length a mailbox is a sender; with a shorter one, it is any mailbox.
void check_reverse_path(Bytes text, const Result<Mailbox, codec::AddressError>& any) {
  const auto sender = codec::parse_mailbox(text, codec::MailboxUse::reverse_path);
  RP_ASSERT(sender || !any);
  if (sender) {
    const std::size_t local_bytes =
        sender->address.size() - codec::domain_of(sender->address).size() - 1;
    RP_ASSERT(sender->address.size() <= limits::mailbox_bytes_max);
    RP_ASSERT(any.has_value() == (local_bytes <= limits::local_part_bytes_max));
    RP_ASSERT(!any || any->address == sender->address);
  }
}

void check_taken(const Mailbox& mailbox) {
  const Bytes address = mailbox.address;
  RP_ASSERT(!address.empty() && address.size() <= limits::mailbox_bytes_max);
  RP_ASSERT(!has_control(address) && !has_control(mailbox.name));
  RP_ASSERT(codec::is_utf8(address) && codec::is_utf8(mailbox.name));
  const Bytes domain = codec::domain_of(address);
  RP_ASSERT(!domain.empty() && domain.size() <= limits::domain_bytes_max);
  RP_ASSERT(codec::is_ascii(domain));
  RP_ASSERT(domain.find_first_of("<>@ ,;\"") == Bytes::npos);
  const Bytes local = address.substr(0, address.size() - domain.size() - 1);
  RP_ASSERT(!local.empty() && local.size() <= limits::local_part_bytes_max);
  RP_ASSERT(!has_hidden(local));
  RP_ASSERT(mailbox.needs_smtputf8 == !codec::is_ascii(local));
  // Within quotation marks only, so that nobody takes the end of the path for another one.
  RP_ASSERT(local.front() == '"' || local.find_first_of("<>@ ,;:\"\\()[]") == Bytes::npos);
  check_commands(mailbox);

  const auto again = codec::validate_address(address);
  RP_ASSERT(again.has_value());
  RP_ASSERT(again->address == address && again->needs_smtputf8 == mailbox.needs_smtputf8);
  const auto bracketed = codec::parse_mailbox("<" + mailbox.address + ">");
  RP_ASSERT(bracketed.has_value() && bracketed->address == address && bracketed->name.empty());
  RP_ASSERT(mailbox.name.empty() || codec::validate_display_name(mailbox.name));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::own_copy(fuzz::FuzzInput(data, size).rest());
  // Reused, as the reader does: nothing of the one before may stay.
  Mailbox reused;
  reused.name = "somebody";
  reused.address = "some@body.example";
  reused.needs_smtputf8 = true;
  const auto parsed = codec::parse_mailbox(text, reused);
  const auto fresh = codec::parse_mailbox(text);
  RP_ASSERT(parsed.has_value() == fresh.has_value());
  if (fresh) {
    RP_ASSERT(reused.address == fresh->address && reused.name == fresh->name);
    RP_ASSERT(reused.needs_smtputf8 == fresh->needs_smtputf8);
    check_taken(*fresh);
  } else {
    RP_ASSERT(fresh.error() == parsed.error() && !codec::text_of(fresh.error()).empty());
    RP_ASSERT(codec::is_utf8(codec::describe(fresh.error(), text)));
  }
  check_reverse_path(text, fresh);
  const auto bare = codec::validate_address(text);
  if (bare) {
    check_taken(*bare);
    RP_ASSERT(bare->name.empty());
    // A bare address is a mailbox, too, and the same one.
    RP_ASSERT(fresh && fresh->address == bare->address && fresh->name.empty());
  }
  return 0;
}
