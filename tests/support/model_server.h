// An SMTP server that knows what it did: the other side of the promise.
//
// It is honest, in that it says 2xx to an end of data only for what it keeps; it need not be
// friendly. From its seed it refuses, overflows, hangs, breaks off and babbles; its oddities
// (model_oddities.h) are those of real servers. Octets in, octets out; no socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/model_oddities.h"

namespace ringpost::test {

// A message that the server took, for the recipients that it took.
struct TakenMessage {
  std::string sender;
  std::vector<std::string> recipients;
  std::string content;  // as it came, without the dots' doubling and without the end of data
};

// Whom a server does not want, by its own judgement of the sender, the recipient or the message. A
// reply to a way of speaking, to the session or about the account is none.
struct Refusal {
  std::string sender;
  std::string recipient;  // empty: all of the sender's
  bool permanent = false;
};

// What all sessions of an account have done.
struct ModelAccount {
  std::uint64_t messages = 0;
  std::uint64_t logins = 0;
};

// Chances are in percent.
struct ModelServerOptions {
  bool starttls = false;
  bool auth_login_only = false;
  bool pipelining = true;
  bool chunking = false;
  bool chunking_known = true;  // else BDAT gets a 500, and so does each line of its content
  std::uint64_t messages_max = ~std::uint64_t{0};  // then it ends the session, with 421 or without
  bool says_goodbye = true;
  bool enhanced = true;
  bool ehlo_refused = false;
  bool steady = false;  // the form of a reply is the same each time
  std::uint32_t recipients_max = 100;
  // What DATA gets when no recipient was taken: 354, 503 or 554. The transaction stays open, as
  // Exim has it.
  int data_without_recipients = 503;
  std::uint32_t refusal_chance = 0;
  std::uint32_t shutdown_chance = 0;  // 421 to a command or an end of data
  std::uint32_t babble_chance = 0;    // no reply at all, but something that looks like none
  std::uint32_t silence_chance = 0;   // hangs, at a command or an end of data, which it has obeyed
  std::uint32_t interruption_chance = 0;  // 4xx or 5xx in the middle of a content, then the end
  std::uint64_t dies_after_input = ~std::uint64_t{0};  // octets
  std::uint64_t dies_after_output = ~std::uint64_t{0};
  ModelOddities odd;
  ModelAccount* account = nullptr;  // outlives the server; null: one of its own
};

class ModelServer {
 public:
  ModelServer(const ModelServerOptions& options, std::uint64_t seed);

  // What comes in one read of the server's.
  void receive(std::string_view octets);
  // What it has to say; the caller takes from the front.
  [[nodiscard]] std::string& output() { return output_; }
  // It has ended the connection. What it said before can still be read.
  [[nodiscard]] bool ended() const { return ended_; }
  // STARTTLS had its 220, and the next octets are TLS.
  [[nodiscard]] bool wants_handshake() const { return wants_handshake_; }
  void handshake_done();
  // It takes its time for what it has said since this was called last.
  [[nodiscard]] std::chrono::seconds take_pause() { return std::exchange(pause_, {}); }
  // Nothing has come for long. One that hangs says nothing more.
  void end_for_idleness(bool says_so);

  [[nodiscard]] const std::vector<TakenMessage>& taken() const { return taken_; }
  [[nodiscard]] const std::vector<Refusal>& refusals() const { return refusals_; }
  [[nodiscard]] std::uint64_t resets() const { return resets_; }
  // RSET though no transaction was open, and MAIL though one was.
  [[nodiscard]] std::uint64_t needless_resets() const { return needless_resets_; }
  [[nodiscard]] std::uint64_t nested_mails() const { return nested_mails_; }
  [[nodiscard]] std::uint64_t lone_dots() const { return lone_dots_; }
  // The first command that no client of ours may send; empty when there was none.
  [[nodiscard]] const std::string& complaint() const { return complaint_; }

 private:
  void take_line(std::string_view line);
  [[nodiscard]] bool takes_packet();
  void take_behind_dot();
  [[nodiscard]] bool more_lines() const { return read_.find('\n') != std::string_view::npos; }
  void drop_lines();
  void take_command(std::string_view line);
  void obey(std::string_view line);
  void take_hello(bool extended);
  void take_auth(std::string_view line);
  void ask(std::string_view challenge);
  void take_rset();
  void take_mail(std::string_view line);
  void take_mail_over_limit();
  void take_rcpt(std::string_view line);
  void take_data();
  void take_bdat(std::string_view line);
  void take_chunk();
  void refuse_chunk();
  [[nodiscard]] bool over_limit();
  [[nodiscard]] bool over_quota(Answer stage);
  void take_content_line(std::string_view line);
  void take_end_of_data();
  void accept(Answer answer, std::string_view enhanced, std::string_view text);
  void reply(int code, std::string_view enhanced, std::string_view text);
  void reply_in_words(int code, std::string_view enhanced, std::string_view text);
  void say_reply(int code, std::string_view enhanced, std::string_view text);
  [[nodiscard]] bool too_many_errors(int code);
  void refuse_message(bool permanent);
  void say(std::string_view octets);
  void end() { ended_ = true; }
  [[nodiscard]] bool chance(std::uint32_t percent) { return random_() % 100 < percent; }
  // Each by chance, instead of the reply.
  [[nodiscard]] bool shuts_down();
  [[nodiscard]] bool falls_silent();
  enum class Refused : std::uint8_t { not_at_all, for_now, for_good };
  [[nodiscard]] Refused refuses(std::string_view permanent, std::string_view transient);

  ModelServerOptions options_;
  std::mt19937_64 random_;
  ModelAccount own_account_;
  std::string input_;
  std::string_view read_;     // what came in this read behind the octet at hand
  bool stray_lines_ = false;  // of contents may be taken for commands
  std::string output_;
  std::uint64_t input_bytes_ = 0;
  std::uint64_t output_bytes_ = 0;
  bool ended_ = false;
  bool silent_ = false;
  bool wants_handshake_ = false;
  bool secure_ = false;
  int login_answers_left_ = 0;
  bool transaction_open_ = false;
  bool in_content_ = false;
  std::uint64_t chunk_bytes_left_ = 0;
  bool chunk_refused_ = false;  // its octets are read and dropped
  bool chunk_is_last_ = false;
  bool in_chunks_ = false;  // of a message whose last has not come
  bool understands_nothing_ = false;
  std::uint64_t mails_ = 0;
  bool interrupts_ = false;
  TakenMessage current_;
  std::vector<TakenMessage> taken_;
  std::vector<Refusal> refusals_;
  std::chrono::seconds pause_{0};
  std::uint32_t errors_ = 0;
  std::uint32_t idle_resets_ = 0;
  std::uint64_t resets_ = 0;
  std::uint64_t needless_resets_ = 0;
  std::uint64_t nested_mails_ = 0;
  std::uint64_t lone_dots_ = 0;
  std::string complaint_;
};

}  // namespace ringpost::test
