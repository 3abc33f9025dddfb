// Addresses of a job line, one or many. A part of job_reader.cpp, which alone includes it.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "codec/job/job_draft.h"
#include "codec/job/job_reader_walk.h"
#include "codec/mail/address.h"
#include "codec/text/reusable_list.h"
#include "codec/text/utf8.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Nobody is lost: who is one too many, or has an address that is none, is named all the same, so
// that he is told of.
class JobReaderMailboxes : protected JobReaderWalk {
 protected:
  explicit JobReaderMailboxes(std::size_t recipients_max) : recipients_max_(recipients_max) {}

  void refuse_address(const JobPlace& place, AddressError error, Bytes given, Mailbox& mailbox) {
    refuse(JobErrorKind::invalid_address, place, describe(error, given));
    mailbox.clear();
    mailbox.address.assign(utf8_prefix(given, refused_address_bytes_max));
  }

  // One mailbox in any of its forms. False when there was nothing that could be named.
  bool read_mailbox(ondemand::value& value, const JobPlace& place, Mailbox& mailbox,
                    MailboxUse use = MailboxUse::any) {
    const char first = first_of(value);
    if (first == '{') {
      return read_mailbox_object(value, place, mailbox, use);
    }
    if (first != '"') {
      refuse_type(place, words_of(JobValue::author), first);
      return false;
    }
    std::string_view text;
    if (!read_text(value, place, text)) {
      return false;
    }
    if (const auto parsed = parse_mailbox(text, mailbox, use); !parsed) {
      refuse_address(place, parsed.error(), text, mailbox);
    }
    return true;
  }

  bool read_mailbox_object(ondemand::value& value, const JobPlace& place, Mailbox& mailbox,
                           MailboxUse use) {
    std::string_view email;
    std::string_view name;
    bool has_email = false;
    read_members(value, place, mailbox_members, [&](std::size_t index, ondemand::value& member) {
      const JobPlace here = place.member(mailbox_members[index]);
      if (static_cast<MailboxMember>(index) == MailboxMember::email) {
        has_email = read_text(member, here, email);
      } else if (read_text(member, here, name)) {
        if (const auto valid = validate_display_name(name); !valid) {
          refuse(JobErrorKind::invalid_address, here, describe(valid.error(), name));
        }
      }
    });
    if (!has_email) {
      refuse(JobErrorKind::missing_field, place.member("email"), "is missing");
      return false;
    }
    if (const auto valid = validate_address(email, mailbox, use); !valid) {
      refuse_address(place.member("email"), valid.error(), email, mailbox);
    } else {
      mailbox.name.assign(name);
    }
    return true;
  }

  // Calls `add(value, place)` for one mailbox or for each of a list, until it says false.
  template <typename Add>
  void read_one_or_several(ondemand::value& value, const JobPlace& place, Add add) {
    if (const char first = first_of(value); first != '[') {
      if (first == '"' || first == '{') {
        add(value, place);
      } else {
        refuse_type(place, words_of(JobValue::mailboxes), first);
      }
      return;
    }
    read_list(value, [&](std::size_t index, ondemand::value& element) {
      return add(element, place.element(index));
    });
  }

  void refuse_too_many(const JobPlace& place) {
    refuse(JobErrorKind::too_many_recipients, place,
           fmt::format("has more than {} addresses", recipients_max_));
  }

  void read_authors(ondemand::value& value, const JobPlace& place, ReusableList<Mailbox>& list) {
    read_one_or_several(value, place, [&](ondemand::value& one, const JobPlace& here) {
      if (!read_mailbox(one, here, list.add())) {
        list.remove_last();
      }
      if (list.size() > recipients_max_) {
        refuse_too_many(place);
        return false;
      }
      return true;
    });
  }

  // Those whom a header names, too. Beyond what a job may have, nothing but the address matters.
  void read_named_recipients(ondemand::value& value, const JobPlace& place,
                             ReusableList<Mailbox>& list) {
    read_one_or_several(value, place, [&](ondemand::value& one, const JobPlace& here) {
      const bool is_surplus = list.size() >= recipients_max_;
      Mailbox& mailbox = is_surplus ? recipient_ : list.add();
      mailbox.clear();
      if (!read_mailbox(one, here, mailbox)) {
        is_surplus ? void() : list.remove_last();
      } else if (is_surplus) {
        draft_.surplus.add(mailbox);
        refuse_too_many(place);
      }
      return true;
    });
  }

  void read_recipients(ondemand::value& value, const JobPlace& place, RecipientDraft& recipients) {
    read_one_or_several(value, place, [&](ondemand::value& one, const JobPlace& here) {
      recipient_.clear();
      if (read_mailbox(one, here, recipient_)) {
        recipients.add(recipient_);
      }
      if (recipients.addresses.size() > recipients_max_) {
        refuse_too_many(place);
      }
      return true;
    });
  }

 private:
  // An address that was refused is named in the outcome up to here.
  static constexpr std::size_t refused_address_bytes_max = 320;

  std::size_t recipients_max_;
  Mailbox recipient_;  // scratch
};

}  // namespace ringpost::codec
