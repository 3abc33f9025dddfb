// What a client has said, read as a server reads it: the oracle of session_fuzz.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::fuzz {

enum class ClientCommandKind : std::uint8_t {
  other,  // EHLO, STARTTLS, AUTH and its answers, RSET, QUIT
  mail,
  rcpt,
  data,
  end_of_data,  // what follows a 354, or BDAT with what it counts
};

// Each is answered by one reply.
struct ClientCommand {
  ClientCommandKind kind = ClientCommandKind::other;
  std::size_t submission = 0;  // number of the sender, as in s12@a.example; not of `other`
  std::string address;         // rcpt
  std::string content;         // end_of_data, complete: without the dots that were doubled
  bool chunked = false;        // end_of_data: BDAT
  bool complete = true;        // end_of_data: all of it was said
  std::size_t end = 0;         // offset behind it, when it is complete
};

// Ends with the last command whose line is complete. Asserts that all of it is SMTP.
[[nodiscard]] std::vector<ClientCommand> read_client_stream(Bytes stream);

}  // namespace ringpost::fuzz
