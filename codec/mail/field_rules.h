// What may be said of header fields by their names alone: header_field.cpp refuses by these lists,
// and the schema of a job (tools/send/job_schema.cpp) is printed from them.
#pragma once

#include <array>

#include <ringpost/base.h>

namespace ringpost::codec {

// Fields that compose() writes and nobody else; Bcc lives in the envelope.
inline constexpr std::array<Bytes, 5> owned_fields = {"Content-Type", "Content-Transfer-Encoding",
                                                      "MIME-Version", "Bcc", "Resent-Bcc"};
// RFC 5322 3.6: fields that may stand once.
inline constexpr std::array<Bytes, 10> single_fields = {
    "Date", "From",       "Sender",      "Reply-To",   "To",
    "Cc",   "Message-ID", "In-Reply-To", "References", "Subject"};
// Fields that people read, blank by blank (RFC 5322 3.6.5).
inline constexpr std::array<Bytes, 2> text_fields = {"Subject", "Comments"};
// Fields with a structure that encoded words would break.
inline constexpr std::array<Bytes, 17> ascii_fields = {"Date",
                                                       "From",
                                                       "Sender",
                                                       "Reply-To",
                                                       "To",
                                                       "Cc",
                                                       "Message-ID",
                                                       "In-Reply-To",
                                                       "References",
                                                       "List-Archive",
                                                       "List-Help",
                                                       "List-Owner",
                                                       "List-Post",
                                                       "List-Subscribe",
                                                       "List-Unsubscribe",
                                                       "List-Unsubscribe-Post",
                                                       "DKIM-Signature"};

}  // namespace ringpost::codec
