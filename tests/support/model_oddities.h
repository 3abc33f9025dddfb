// Ways of servers that are odd: sound ones with words and limits of their own, and ones that
// announce what they do not do. Each is a choice, and every combination is possible.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace ringpost::test {

// The commands whose 2xx may have a status and words of its own.
enum class Answer : std::uint8_t { mail, rcpt, rset, end_of_data };
inline constexpr std::size_t answer_count = 4;

enum class Statuses : std::uint8_t {
  usual,     // those of RFC 3463
  drawn,     // one for each command: see ModelOddities::statuses
  changing,  // another one each time, as chasquid has words
};

enum class Words : std::uint8_t {
  usual,
  one,    // the same for all commands
  jokes,  // any of a few each time (chasquid)
};

// What becomes of several commands that came in one read.
enum class Packets : std::uint8_t {
  obeyed,
  last_only,   // the others get no reply (MailKit#587)
  first_only,  // the same (Indy#239)
  refused,     // one 554 for all of them, as Exim has it in clear
  ends,        // 500 5.5.1 and the end (OpenSMTPD)
  closes,      // the end, without a word (msmtpd)
};

// What becomes of that which came in the same read as the final dot.
enum class BehindDot : std::uint8_t {
  obeyed,
  refused,  // 503 to each command (Haraka 3.3.4)
  dropped,  // never answered (Courier)
  ends,     // 500 5.5.1 in the place of the reply to the content, and the end (OpenSMTPD)
};

enum class Bdat : std::uint8_t {
  obeyed,
  unknown,       // 500, and one for each line of content (sendmail, Haraka)
  hangs,         // at the command (MailKit#921)
  hangs_behind,  // behind its content
  closes,
};

// What the first MAIL gets that is one too many for the session.
enum class MessageLimit : std::uint8_t {
  goodbye,  // 421, and the end
  closes,   // the end, without a word
  open,     // 421, and it stays open (Exim)
  refused,  // 452 4.5.3 for ever (OpenSMTPD)
  later,    // 451 for ever
};

enum class Overflow : std::uint8_t { said_452, said_552, said_431, at_the_end };

struct ModelOddities {
  Statuses status = Statuses::usual;
  std::array<std::string_view, answer_count> statuses{};  // empty: none
  Words words = Words::usual;
  Packets packets = Packets::obeyed;
  BehindDot behind_dot = BehindDot::obeyed;
  Bdat bdat = Bdat::obeyed;
  bool keeps_refused_chunk = false;      // its lines are taken for commands (go-smtp#315)
  bool refused_chunk_resets = false;     // Postfix; at Exim the transaction stays open
  bool refuses_chunk_at_length = false;  // in three lines (Exim)
  MessageLimit message_limit = MessageLimit::goodbye;
  Overflow overflow = Overflow::said_452;
  bool announces_limits = false;      // LIMITS of RFC 9422
  std::uint32_t errors_max = 0;       // more end the session with 421; 0: any number
  std::uint32_t errors_soft = 0;      // behind so many each reply comes a second late; 0: never
  std::uint32_t idle_resets_max = 0;  // RSETs since the last message; more: 554 and the end; 0: any
  int greeting = 220;                 // 421 and 554: and the end
  // The account, over all sessions: 530 at MAIL, a quota, one login that fails.
  bool wants_login = false;
  std::uint64_t quota = ~std::uint64_t{0};  // messages
  Answer quota_said_at = Answer::mail;
  std::uint64_t login_refused = 0;  // the how many-th gets 535; 0: none
  bool login_in_many_words = true;  // what asks for user name and password may have several lines

  bool operator==(const ModelOddities&) const = default;
};

// Everything by chance; the same seed gives the same.
[[nodiscard]] ModelOddities random_oddities(std::uint64_t seed);
// For people; empty where nothing is odd.
[[nodiscard]] std::string describe(const ModelOddities& oddities);

}  // namespace ringpost::test
