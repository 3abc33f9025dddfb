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
  reply(220, "", "model.example ESMTP");
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

void ModelServer::reply(int code, std::string_view enhanced, std::string_view text) {
  const std::string number = std::to_string(code);
  const std::string status =
      options_.enhanced && !enhanced.empty() ? std::string(enhanced) + " " : "";
  std::string octets;
  if (chance(10)) {
    octets += number + "-" + status + "well\r\n";
  }
  octets += chance(3) ? number : number + " " + status + std::string(text);
  octets += chance(5) ? "\n" : "\r\n";
  say(octets);
}

void ModelServer::receive(std::string_view octets) {
  // Octet by octet, so that it can die behind any of them.
  for (const char octet : octets) {
    if (ended_ || silent_) {
      return;
    }
    if (input_bytes_++ == options_.dies_after_input) {
      end();
      return;
    }
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
}

void ModelServer::handshake_done() {
  wants_handshake_ = false;
  secure_ = true;
}

void ModelServer::take_line(std::string_view line) {
  if (!line.ends_with("\r\n") || wants_handshake_) {
    complaint_ = complaint_.empty() ? "a line that is none: " + std::string(line) : complaint_;
    return;
  }
  if (in_content_) {
    take_content_line(line);
  } else if (understands_nothing_) {
    reply(500, "5.5.2", "what?");
  } else {
    take_command(line.substr(0, line.size() - 2));
  }
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

bool ModelServer::refuses(std::string_view permanent, std::string_view transient) {
  if (!chance(options_.refusal_chance)) {
    return false;
  }
  if (chance(50)) {
    reply(550, permanent, "no");
  } else {
    reply(451, transient, "later");
  }
  return true;
}

void ModelServer::take_command(std::string_view line) {
  if (login_answers_left_ > 0) {
    --login_answers_left_;
    login_answers_left_ > 0 ? reply(334, "", "UGFzc3dvcmQ6") : reply(235, "2.7.0", "welcome");
    return;
  }
  if (shuts_down() || falls_silent()) {
    return;
  }
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
    if (over_limit()) {
      return;
    }
    ++resets_;
    needless_resets_ += transaction_open_ || options_.chunking ? 0 : 1;
    transaction_open_ = false;
    reply(250, "2.0.0", "reset");
  } else if (line == "QUIT") {
    reply(221, "2.0.0", "bye");
    end();
  } else {
    complaint_ = "an unknown command: " + std::string(line);
  }
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
  if (extended && options_.starttls && !secure_) {
    lines += "250-STARTTLS\r\n";
  }
  if (extended) {
    lines += options_.auth_login_only ? "250-AUTH LOGIN\r\n" : "250-AUTH LOGIN PLAIN\r\n";
  }
  say(lines + "250 SIZE 100000\r\n");
}

void ModelServer::take_auth(std::string_view line) {
  if (refuses("5.7.8", "4.7.0")) {
    return;
  }
  if (line == "AUTH LOGIN") {
    login_answers_left_ = 2;
    reply(334, "", "VXNlcm5hbWU6");
  } else {
    reply(235, "2.7.0", "welcome");
  }
}

// Ends the session instead of the next message.
bool ModelServer::over_limit() {
  if (mails_ < options_.messages_max) {
    return false;
  }
  if (options_.says_goodbye) {
    reply(421, "4.7.0", "too many messages");
  }
  end();
  return true;
}

void ModelServer::take_mail(std::string_view line) {
  if (over_limit()) {
    return;
  }
  ++mails_;
  if (transaction_open_) {
    ++nested_mails_;
    reply(503, "5.5.1", "sender already given");
    return;
  }
  if (!refuses("5.7.1", "4.7.1")) {
    transaction_open_ = true;
    current_ = TakenMessage{path_of(line), {}, {}};
    reply(250, "2.1.0", "ok");
  }
}

void ModelServer::take_rcpt(std::string_view line) {
  if (!transaction_open_) {
    reply(503, "5.5.1", "MAIL first");
  } else if (current_.recipients.size() >= options_.recipients_max) {
    chance(50) ? reply(452, "4.5.3", "too many") : reply(552, "5.5.3", "too many");
  } else if (!refuses("5.1.1", "4.2.1")) {
    current_.recipients.push_back(path_of(line));
    reply(250, "2.1.5", "ok");
  }
}

void ModelServer::take_data() {
  if (!transaction_open_) {
    reply(503, "5.5.1", "MAIL first");
    return;
  }
  const bool pointless = current_.recipients.empty();
  if (pointless && options_.data_without_recipients != 354) {
    reply(options_.data_without_recipients, "5.5.1", "no recipients");
    return;
  }
  if (!refuses("5.7.1", "4.3.1")) {
    reply(354, "", "go");
    in_content_ = true;
    interrupts_ = chance(options_.interruption_chance);
  }
}

void ModelServer::take_bdat(std::string_view line) {
  if (!options_.chunking_known) {
    understands_nothing_ = true;
    reply(500, "5.5.2", "what?");
    return;
  }
  if (!line.ends_with(" LAST")) {
    complaint_ = "a BDAT that is not the last: " + std::string(line);
    return;
  }
  chunk_bytes_left_ = std::stoull(std::string(line.substr(5)));
  chunk_refused_ = !transaction_open_ || current_.recipients.empty();
  // Some refuse at once, some when they have read it all.
  if (chunk_refused_ && chance(50) && chunk_bytes_left_ > 0) {
    reply(503, "5.5.1", "no recipients");
    current_.content = "refused";
  } else {
    current_.content.clear();
  }
  if (chunk_bytes_left_ == 0) {
    take_chunk();
  }
}

// Its transaction stays open where it was refused, as Exim has it.
void ModelServer::take_chunk() {
  if (chunk_refused_) {
    if (current_.content.empty()) {
      reply(503, "5.5.1", "no recipients");
    }
    return;
  }
  current_.content = std::move(input_);
  take_end_of_data();
}

void ModelServer::take_content_line(std::string_view line) {
  if (line == ".\r\n") {
    take_end_of_data();
    return;
  }
  if (interrupts_) {
    chance(50) ? reply(552, "5.3.4", "too much") : reply(451, "4.3.0", "disk full");
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
  if (refuses("5.7.1", "4.3.0") || shuts_down()) {
    return;
  }
  // It is kept, whether or not the client hears so.
  taken_.push_back(std::move(current_));
  current_ = {};
  if (!falls_silent()) {
    reply(250, "2.0.0", "Ok: queued as " + std::to_string(random_()));
  }
}

}  // namespace ringpost::test
