#include "tests/support/model_server.h"

#include <algorithm>

namespace ringpost::test {

namespace {

// The text between the angle brackets of a path.
std::string path_of(std::string_view line) {
  const std::size_t begin = line.find('<') + 1;
  return std::string(line.substr(begin, line.find('>') - begin));
}

}  // namespace

ModelServer::ModelServer(const ModelServerOptions& options, std::uint64_t seed)
    : options_(options), random_(seed) {
  if (options_.account == nullptr) {
    options_.account = &own_account_;
  }
  if (options_.odd.greeting == 220) {
    reply(220, "", "model.example ESMTP");
  } else {
    reply(options_.odd.greeting, "", "not here, not now");
    end();
  }
}

void ModelServer::say(std::string_view octets) {
  const std::uint64_t left = options_.dies_after_output - output_bytes_;
  const std::string_view said = octets.substr(0, std::min<std::uint64_t>(left, octets.size()));
  output_ += said;
  output_bytes_ += said.size();
  if (said.size() < octets.size()) {
    end();
  }
}

// A 2xx to a command that may have words of its own.
void ModelServer::accept(Answer answer, std::string_view enhanced, std::string_view text) {
  constexpr std::string_view changing[] = {"2.1.0", "2.1.5", "2.0.0", "2.6.0",
                                           "2.2.0", "2.3.0", "2.5.0", "2.7.0"};
  // With fewer, three in a row are the same so often that they pass for a habit.
  constexpr std::string_view jokes[] = {
      "go on", "nice to meet you", "don't panic",   "as you like", "say no more", "well well",
      "hm",    "why not",          "with pleasure", "and then?",   "of course",   "oh no"};
  const ModelOddities& odd = options_.odd;
  if (odd.status == Statuses::drawn) {
    enhanced = odd.statuses[static_cast<std::size_t>(answer)];
  } else if (odd.status == Statuses::changing) {
    enhanced = changing[random_() % std::size(changing)];
  }
  if (odd.words != Words::usual) {
    text = odd.words == Words::one ? "ok" : jokes[random_() % std::size(jokes)];
  }
  say_reply(250, enhanced, text);
}

void ModelServer::reply(int code, std::string_view enhanced, std::string_view text) {
  if (!too_many_errors(code)) {
    say_reply(code, enhanced, text);
  }
}

// For codes that mean many things: without its words nobody could know which.
void ModelServer::reply_in_words(int code, std::string_view enhanced, std::string_view text) {
  if (!too_many_errors(code)) {
    const std::string status =
        options_.enhanced && !enhanced.empty() ? std::string(enhanced) + " " : "";
    say(std::to_string(code) + " " + status + std::string(text) + "\r\n");
  }
}

// Counts, and ends the session instead of the error that is one too many.
bool ModelServer::too_many_errors(int code) {
  const ModelOddities& odd = options_.odd;
  if (code < 400 || code == 421) {
    return false;
  }
  ++errors_;
  pause_ += std::chrono::seconds(odd.errors_soft > 0 && errors_ > odd.errors_soft ? 1 : 0);
  if (odd.errors_max == 0 || errors_ <= odd.errors_max) {
    return false;
  }
  say_reply(421, "4.7.0", "too many errors");
  end();
  return true;
}

void ModelServer::say_reply(int code, std::string_view enhanced, std::string_view text) {
  const std::string number = std::to_string(code);
  const std::string status =
      options_.enhanced && !enhanced.empty() ? std::string(enhanced) + " " : "";
  std::string octets;
  // By its first letter: an id stands further behind.
  const int form = code + (text.empty() ? 0 : text.front());
  const bool in_two_lines = chance(10);
  const bool bare = chance(3);
  if (options_.steady ? form % 10 == 0 : in_two_lines) {
    octets += number + "-" + status + "well\r\n";
  }
  octets += (options_.steady ? form % 33 == 0 : bare) ? number
                                                      : number + " " + status + std::string(text);
  octets += chance(5) ? "\n" : "\r\n";
  say(octets);
}

void ModelServer::receive(std::string_view octets) {
  // Octet by octet, so that it can die behind any of them.
  for (read_ = octets; !read_.empty();) {
    if (ended_ || silent_) {
      break;
    }
    if (input_bytes_++ == options_.dies_after_input) {
      end();
      break;
    }
    const char octet = read_.front();
    read_.remove_prefix(1);
    input_.push_back(octet);
    if (chunk_bytes_left_ > 0) {
      if (--chunk_bytes_left_ == 0) {
        take_chunk();
        input_.clear();
      }
    } else if (octet == '\n') {
      const std::string line = std::move(input_);
      input_.clear();
      take_line(line);
    }
  }
  read_ = {};
}

void ModelServer::end_for_idleness(bool says_so) {
  if (!ended_ && !silent_ && says_so) {
    say_reply(421, "4.4.2", "idle for too long");
  }
  end();
}

void ModelServer::handshake_done() {
  wants_handshake_ = false;
  secure_ = true;
}

void ModelServer::take_line(std::string_view line) {
  if (!line.ends_with("\r\n") || wants_handshake_) {
    complaint_ = complaint_.empty() && !stray_lines_ ? "a line that is none: " + std::string(line)
                                                     : complaint_;
    return;
  }
  if (in_content_) {
    take_content_line(line);
  } else if (understands_nothing_) {
    reply(500, "5.5.2", "what?");
  } else if (takes_packet()) {
    take_command(line.substr(0, line.size() - 2));
  }
}

// Whether it looks at this line, which may have come together with others.
bool ModelServer::takes_packet() {
  if (options_.odd.packets == Packets::obeyed || !more_lines()) {
    return true;
  }
  // A chunk may be what it does not look at.
  stray_lines_ = true;
  switch (options_.odd.packets) {
    case Packets::obeyed:
      return true;
    case Packets::last_only:
      return false;
    case Packets::first_only:
      drop_lines();
      return true;
    case Packets::refused:
      drop_lines();
      reply(554, "5.5.0", "synchronization error");
      return false;
    case Packets::ends:
      reply(500, "5.5.1", "pipelining not supported");
      end();
      return false;
    case Packets::closes:
      end();
      return false;
  }
  return true;
}

// What stands behind the final dot, when the message has its answer.
void ModelServer::take_behind_dot() {
  if (options_.odd.behind_dot == BehindDot::refused) {
    for (const char octet : read_) {
      if (octet == '\n' && !ended_) {
        reply(503, "5.5.1", "pipelined after end of DATA");
      }
    }
  }
  if (options_.odd.behind_dot != BehindDot::obeyed) {
    drop_lines();
  }
}

// Whole ones: of one whose end has not come the rest would be no command.
void ModelServer::drop_lines() {
  const std::size_t end = read_.rfind('\n');
  read_.remove_prefix(end == std::string_view::npos ? 0 : end + 1);
}

bool ModelServer::shuts_down() {
  if (!chance(options_.shutdown_chance)) {
    return false;
  }
  reply(421, "4.3.2", "shutting down");
  end();
  return true;
}

bool ModelServer::falls_silent() {
  if (chance(options_.babble_chance)) {
    constexpr std::string_view babble[] = {
        "850 what\r\n",        "25\r\n", "OK\r\n", "\r\n", "250x\r\n", "250-a\r\n550 b\r\n",
        "354 go\r\n334 go\r\n"};
    say(babble[random_() % std::size(babble)]);
    silent_ = true;
  } else if (chance(options_.silence_chance)) {
    silent_ = true;
  }
  return silent_;
}

ModelServer::Refused ModelServer::refuses(std::string_view permanent, std::string_view transient) {
  if (!chance(options_.refusal_chance)) {
    return Refused::not_at_all;
  }
  const bool for_good = chance(50);
  for_good ? reply(550, permanent, "no") : reply(451, transient, "later");
  if (ended_) {
    return Refused::not_at_all;  // that was one error too many, and 421 says nothing of anybody
  }
  return for_good ? Refused::for_good : Refused::for_now;
}

void ModelServer::take_command(std::string_view line) {
  if (login_answers_left_ > 0) {
    --login_answers_left_;
    login_answers_left_ > 0 ? ask("UGFzc3dvcmQ6") : reply(235, "2.7.0", "welcome");
    return;
  }
  if (!shuts_down() && !falls_silent()) {
    obey(line);
  }
}

void ModelServer::obey(std::string_view line) {
  if (line.starts_with("EHLO ") || line.starts_with("HELO ")) {
    take_hello(line.front() == 'E');
  } else if (line == "STARTTLS") {
    reply(220, "2.0.0", "go");
    wants_handshake_ = true;
  } else if (line.starts_with("AUTH ")) {
    take_auth(line);
  } else if (line.starts_with("MAIL FROM:<")) {
    take_mail(line);
  } else if (line.starts_with("RCPT TO:<")) {
    take_rcpt(line);
  } else if (line == "DATA") {
    take_data();
  } else if (line.starts_with("BDAT ")) {
    take_bdat(line);
  } else if (line == "RSET") {
    take_rset();
  } else if (line == "NOOP") {
    reply(250, "2.0.0", "yes?");
  } else if (line == "QUIT") {
    reply(221, "2.0.0", "bye");
    end();
  } else if (stray_lines_) {
    reply(500, "5.5.2", "what?");
  } else {
    complaint_ = "an unknown command: " + std::string(line);
  }
}

void ModelServer::take_rset() {
  const bool ends = options_.odd.message_limit == MessageLimit::goodbye ||
                    options_.odd.message_limit == MessageLimit::closes;
  if (ends && over_limit()) {
    return;
  }
  ++resets_;
  needless_resets_ += transaction_open_ || options_.chunking ? 0 : 1;
  transaction_open_ = false;
  in_chunks_ = false;
  if (options_.odd.idle_resets_max > 0 && ++idle_resets_ > options_.odd.idle_resets_max) {
    reply(554, "", "Too many nonmail commands");
    end();
    return;
  }
  accept(Answer::rset, "2.0.0", "reset");
}

void ModelServer::take_hello(bool extended) {
  transaction_open_ = false;
  if (extended && options_.ehlo_refused) {
    reply(502, "", "what?");
    return;
  }
  std::string lines = "250-model.example\r\n";
  if (extended && options_.pipelining) {
    lines += "250-PIPELINING\r\n";
  }
  if (extended && options_.chunking) {
    lines += "250-CHUNKING\r\n";
  }
  if (extended && options_.odd.announces_limits && options_.messages_max < 1'000'000) {
    lines += "250-LIMITS MAILMAX=" + std::to_string(options_.messages_max) +
             " RCPTMAX=" + std::to_string(options_.recipients_max) + "\r\n";
  }
  if (extended && options_.starttls && !secure_) {
    lines += "250-STARTTLS\r\n";
  }
  if (extended) {
    lines += options_.auth_login_only ? "250-AUTH LOGIN\r\n" : "250-AUTH LOGIN PLAIN\r\n";
  }
  say(lines + "250 SIZE 100000\r\n");
}

void ModelServer::ask(std::string_view challenge) {
  if (options_.odd.login_in_many_words) {
    reply(334, "", challenge);
  } else {
    say("334 " + std::string(challenge) + "\r\n");
  }
}

void ModelServer::take_auth(std::string_view line) {
  if (++options_.account->logins == options_.odd.login_refused) {
    reply(535, "5.7.8", "wrong, for once");
    return;
  }
  if (refuses("5.7.8", "4.7.0") != Refused::not_at_all || ended_) {
    return;
  }
  if (line == "AUTH LOGIN") {
    login_answers_left_ = 2;
    ask("VXNlcm5hbWU6");
  } else {
    reply(235, "2.7.0", "welcome");
  }
}

// Ends the session instead of the next message.
bool ModelServer::over_limit() {
  if (mails_ < options_.messages_max) {
    return false;
  }
  if (options_.says_goodbye && options_.odd.message_limit == MessageLimit::goodbye) {
    reply(421, "4.7.0", "too many messages");
  }
  end();
  return true;
}

bool ModelServer::over_quota(Answer stage) {
  if (stage != options_.odd.quota_said_at || options_.account->messages < options_.odd.quota) {
    return false;
  }
  reply_in_words(550, "5.4.5", "Daily user sending limit exceeded");
  return true;
}

void ModelServer::take_mail_over_limit() {
  switch (options_.odd.message_limit) {
    case MessageLimit::goodbye:
    case MessageLimit::closes:
      break;
    case MessageLimit::open:
      return reply(421, "", "too many messages in this connection");
    case MessageLimit::refused:
      return reply(452, "4.5.3", "Too many recipients: Too many messages sent");
    case MessageLimit::later:
      return reply(451, "4.7.1", "too many messages in this session");
  }
  static_cast<void>(over_limit());
}

void ModelServer::take_mail(std::string_view line) {
  if (mails_ >= options_.messages_max) {
    take_mail_over_limit();
    return;
  }
  if (options_.odd.wants_login) {
    reply(530, "5.7.0", "Authentication required");
    return;
  }
  ++mails_;
  if (transaction_open_) {
    ++nested_mails_;
    reply(503, "5.5.1", "sender already given");
    return;
  }
  if (over_quota(Answer::mail)) {
    return;
  }
  const Refused refused = refuses("5.7.1", "4.7.1");
  if (refused != Refused::not_at_all) {
    refusals_.push_back({path_of(line), {}, refused == Refused::for_good});
  } else if (!ended_) {
    transaction_open_ = true;
    in_chunks_ = false;
    current_ = TakenMessage{path_of(line), {}, {}};
    accept(Answer::mail, "2.1.0", "ok");
  }
}

void ModelServer::take_rcpt(std::string_view line) {
  if (!transaction_open_) {
    reply(503, "5.5.1", "MAIL first");
    return;
  }
  if (current_.recipients.size() >= options_.recipients_max) {
    switch (options_.odd.overflow) {
      case Overflow::said_452:
        return chance(50) ? reply(452, "4.5.3", "too many") : reply(552, "5.5.3", "too many");
      case Overflow::said_552:
        return reply(552, "", "too many recipients");
      case Overflow::said_431:
        return reply_in_words(431, "", "Too many recipients.");
      case Overflow::at_the_end:
        break;
    }
  }
  if (over_quota(Answer::rcpt)) {
    return;
  }
  const Refused refused = refuses("5.1.1", "4.2.1");
  if (refused != Refused::not_at_all) {
    refusals_.push_back({current_.sender, path_of(line), refused == Refused::for_good});
  } else if (!ended_) {
    current_.recipients.push_back(path_of(line));
    accept(Answer::rcpt, "2.1.5", "ok");
  }
}

// The whole message, by its recipients that were taken.
void ModelServer::refuse_message(bool permanent) {
  for (const std::string& recipient : current_.recipients) {
    refusals_.push_back({current_.sender, recipient, permanent});
  }
}

void ModelServer::take_data() {
  if (!transaction_open_) {
    reply(503, "5.5.1", "MAIL first");
    return;
  }
  if (in_chunks_) {
    reply(503, "5.5.1", "DATA within a message in chunks");  // RFC 3030 2
    return;
  }
  const bool pointless = current_.recipients.empty();
  if (pointless && options_.data_without_recipients != 354) {
    reply(options_.data_without_recipients, "5.5.1", "no recipients");
    return;
  }
  const Refused refused = refuses("5.7.1", "4.3.1");
  if (refused != Refused::not_at_all) {
    refuse_message(refused == Refused::for_good);
  } else if (!ended_) {
    reply(354, "", "go");
    in_content_ = true;
    current_.content.clear();
    interrupts_ = chance(options_.interruption_chance);
  }
}

void ModelServer::take_bdat(std::string_view line) {
  if (!options_.chunking_known) {
    understands_nothing_ = true;
    reply(500, "5.5.2", "what?");
    return;
  }
  switch (options_.odd.bdat) {
    case Bdat::obeyed:
      break;
    case Bdat::unknown:
      stray_lines_ = true;
      return reply(500, "5.5.1", "Command unrecognized");
    case Bdat::hangs:
      silent_ = true;
      return;
    case Bdat::hangs_behind:
      break;
    case Bdat::closes:
      return end();
  }
  chunk_is_last_ = line.ends_with(" LAST");
  chunk_bytes_left_ = std::stoull(std::string(line.substr(5)));
  chunk_refused_ = !transaction_open_ || current_.recipients.empty();
  if (chunk_refused_ && options_.odd.keeps_refused_chunk) {
    stray_lines_ = true;
    chunk_bytes_left_ = 0;
    refuse_chunk();
    return;
  }
  // Some refuse at once, some when they have read it all.
  if (chunk_refused_ && chance(50) && chunk_bytes_left_ > 0) {
    refuse_chunk();
    current_.content = "refused";
  } else if (!in_chunks_) {
    current_.content.clear();
  }
  if (chunk_bytes_left_ == 0) {
    take_chunk();
  }
}

// Its transaction stays open where it was refused, as Exim has it, or not, as Postfix has it.
void ModelServer::refuse_chunk() {
  const bool last_error = options_.odd.errors_max > 0 && errors_ >= options_.odd.errors_max;
  if (options_.odd.refuses_chunk_at_length && !last_error) {
    say("503-All RCPT commands were rejected with this error:\r\n503-5.1.1 no\r\n");
  }
  options_.odd.refused_chunk_resets && !options_.odd.refuses_chunk_at_length
      ? reply(554, "5.5.1", "no valid recipients")
      : reply(503, "5.5.1", "no recipients");
  if (options_.odd.refused_chunk_resets) {
    transaction_open_ = false;
  }
}

void ModelServer::take_chunk() {
  if (options_.odd.bdat == Bdat::hangs_behind) {
    silent_ = true;
    return;
  }
  if (chunk_refused_) {
    if (current_.content.empty()) {
      refuse_chunk();
    }
    return;
  }
  current_.content += input_;
  in_chunks_ = !chunk_is_last_;
  if (chunk_is_last_) {
    take_end_of_data();
  } else {
    reply(250, "2.0.0", "chunk taken");
  }
}

void ModelServer::take_content_line(std::string_view line) {
  if (line == ".\r\n") {
    if (options_.odd.behind_dot == BehindDot::ends && more_lines()) {
      reply(500, "5.5.1", "pipelining not supported");
      end();
      return;
    }
    take_end_of_data();
    if (more_lines() && !silent_) {
      take_behind_dot();
    }
    return;
  }
  if (interrupts_) {
    const bool permanent = chance(50);
    permanent ? reply(552, "5.3.4", "too much") : reply(451, "4.3.0", "disk full");
    refuse_message(permanent);
    end();
    return;
  }
  current_.content += line.starts_with('.') ? line.substr(1) : line;
}

void ModelServer::take_end_of_data() {
  in_content_ = false;
  transaction_open_ = false;
  if (current_.recipients.empty()) {
    ++lone_dots_;
    chance(50) ? reply(554, "5.5.1", "no recipients") : reply(250, "2.0.0", "well");
    return;
  }
  if (current_.recipients.size() > options_.recipients_max) {
    reply_in_words(
        554, "",
        "Transaction failed: Recipient count exceeds " + std::to_string(options_.recipients_max));
    return;
  }
  if (over_quota(Answer::end_of_data)) {
    return;
  }
  const Refused refused = refuses("5.7.1", "4.3.0");
  if (refused != Refused::not_at_all) {
    refuse_message(refused == Refused::for_good);
    return;
  }
  if (ended_ || shuts_down()) {
    return;
  }
  // It is kept, whether or not the client hears so.
  taken_.push_back(std::move(current_));
  current_ = {};
  idle_resets_ = 0;
  ++options_.account->messages;
  if (!falls_silent()) {
    accept(Answer::end_of_data, "2.0.0", "Ok: queued as " + std::to_string(random_()));
  }
}

}  // namespace ringpost::test
