#include "tests/fuzz/client_stream.h"

#include <charconv>

namespace ringpost::fuzz {

namespace {

bool take_prefix(Bytes& text, Bytes prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

std::size_t take_number(Bytes& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  RP_ASSERT(error == std::errc());
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// RFC 5321 4.5.2.
std::string without_doubled_dots(Bytes wire) {
  std::string content;
  for (std::size_t i = 0; i < wire.size(); ++i) {
    const bool line_begins = i == 0 || wire[i - 1] == '\n';
    i += line_begins && wire[i] == '.' ? 1u : 0u;
    RP_ASSERT(i < wire.size());
    content += wire[i];
  }
  return content;
}

class Reader {
 public:
  explicit Reader(Bytes stream) : stream_(stream) {}

  std::vector<ClientCommand> read() {
    while (take_line()) {
    }
    return std::move(commands_);
  }

 private:
  // False when the stream ends within what was begun.
  bool take_line() {
    const std::size_t line_end = stream_.find("\r\n", offset_);
    if (line_end == Bytes::npos) {
      return false;
    }
    Bytes line = stream_.substr(offset_, line_end - offset_);
    RP_ASSERT(line.find_first_of("\r\n") == Bytes::npos && line.find('\0') == Bytes::npos);
    offset_ = line_end + 2;
    if (take_prefix(line, "MAIL FROM:<s")) {
      submission_ = take_number(line);
      RP_ASSERT(line.starts_with("@a.example>"));
      add(ClientCommandKind::mail);
    } else if (take_prefix(line, "RCPT TO:<")) {
      const std::size_t bracket = line.find('>');
      RP_ASSERT(bracket != Bytes::npos);
      add(ClientCommandKind::rcpt).address = line.substr(0, bracket);
    } else if (line == "DATA") {
      add(ClientCommandKind::data);
      return take_data();
    } else if (take_prefix(line, "BDAT ")) {
      const std::size_t size = take_number(line);
      RP_ASSERT(line == " LAST");
      return take_chunk(size);
    } else {
      RP_ASSERT(line.size() <= 12'288 && !line.empty());
      add(ClientCommandKind::other);
    }
    return true;
  }

  // Content follows DATA, unless DATA was refused and another command does.
  bool take_data() {
    const char next = offset_ < stream_.size() ? stream_[offset_] : '\0';
    if (next != 'X' && next != '.') {
      return next != '\0';
    }
    // The CRLF of the line before belongs to the end of data (RFC 5321 4.1.1.4).
    const std::size_t end = stream_.find("\r\n.\r\n", offset_ - 2);
    const std::size_t begin = offset_;
    ClientCommand& command = add(ClientCommandKind::end_of_data);
    command.complete = end != Bytes::npos;
    if (!command.complete) {
      return false;
    }
    offset_ = end + 5;
    command.end = offset_;
    command.content = without_doubled_dots(stream_.substr(begin, end + 2 - begin));
    return true;
  }

  bool take_chunk(std::size_t size) {
    ClientCommand& command = add(ClientCommandKind::end_of_data);
    command.chunked = true;
    command.complete = stream_.size() - offset_ >= size;
    if (!command.complete) {
      return false;
    }
    command.content = stream_.substr(offset_, size);
    offset_ += size;
    command.end = offset_;
    return true;
  }

  ClientCommand& add(ClientCommandKind kind) {
    ClientCommand& command = commands_.emplace_back();
    command.kind = kind;
    command.submission = submission_;
    command.end = offset_;
    return command;
  }

  Bytes stream_;
  std::size_t offset_ = 0;
  std::size_t submission_ = 0;
  std::vector<ClientCommand> commands_;
};

}  // namespace

std::vector<ClientCommand> read_client_stream(Bytes stream) { return Reader(stream).read(); }

}  // namespace ringpost::fuzz
