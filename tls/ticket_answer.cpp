// The problem: with a ticket for TLS 1.2 wolfSSL 5.7 sends an empty session id and takes every
// ServerHello for consent to resume. A server that refused goes on with its certificate, and
// wolfSSL ends that with "out of order" instead of a full handshake. Servers refuse whenever they
// have restarted or changed their ticket keys, so that would lose connections every day.
//
// The idea: what follows the ServerHello tells (RFC 5077 3.4): a Certificate means a full
// handshake, a NewSessionTicket or a ChangeCipherSpec means a short one, and all of it comes in
// clear. So the channel holds the flight back until that octet is there, and has wolfSSL forget the
// ticket before it sees a ServerHello that refused.
//
// Limits: it looks only as far as the type of the second message, and judges nothing else: what is
// malformed is wolfSSL's to refuse.
#include "tls/ticket_answer.h"

namespace ringpost::tls {

namespace {

constexpr std::uint8_t record_change_cipher_spec = 20;
constexpr std::uint8_t record_handshake = 22;
constexpr std::uint8_t message_server_hello = 2;
constexpr std::uint8_t message_new_session_ticket = 4;
constexpr std::uint8_t message_certificate = 11;

constexpr std::size_t header_of_record_bytes = 5;
constexpr std::size_t message_header_bytes = 4;
// A ServerHello has some hundred octets; more than this is not waited for.
constexpr std::size_t flight_bytes_max = 16u << 10;

std::size_t octet_at(Bytes bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

TicketVerdict verdict_of_messages(Bytes messages) {
  if (messages.empty()) {
    return TicketVerdict::unknown;
  }
  if (octet_at(messages, 0) != message_server_hello) {
    return TicketVerdict::other;
  }
  if (messages.size() < message_header_bytes) {
    return TicketVerdict::unknown;
  }
  const std::size_t second =
      message_header_bytes +
      (octet_at(messages, 1) << 16 | octet_at(messages, 2) << 8 | octet_at(messages, 3));
  if (messages.size() <= second) {
    return TicketVerdict::unknown;
  }
  switch (octet_at(messages, second)) {
    case message_certificate:
      return TicketVerdict::refused;
    case message_new_session_ticket:
      return TicketVerdict::taken;
    default:
      return TicketVerdict::other;
  }
}

}  // namespace

TicketVerdict ticket_verdict(Bytes flight) {
  const bool too_long = flight.size() > flight_bytes_max;
  std::string messages;
  while (!flight.empty()) {
    const std::size_t type = octet_at(flight, 0);
    if (type != record_handshake) {
      return type == record_change_cipher_spec && !messages.empty() ? TicketVerdict::taken
                                                                    : TicketVerdict::other;
    }
    if (flight.size() < header_of_record_bytes) {
      break;
    }
    const std::size_t length = octet_at(flight, 3) << 8 | octet_at(flight, 4);
    flight.remove_prefix(header_of_record_bytes);
    const Bytes content = flight.substr(0, length);
    flight.remove_prefix(content.size());
    messages += content;
    const TicketVerdict verdict = verdict_of_messages(messages);
    if (verdict != TicketVerdict::unknown) {
      return verdict;
    }
  }
  return too_long ? TicketVerdict::other : TicketVerdict::unknown;
}

}  // namespace ringpost::tls
