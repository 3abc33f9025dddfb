#include "tests/support/transcript.h"

#include <array>
#include <charconv>
#include <optional>

#include "tests/support/mail.h"

namespace ringpost::test {

namespace {

// Leaves the parser; caught in parse_transcripts().
struct ParseError {
  std::size_t line;
  std::string what;
};

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return word;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

template <typename Value>
using WordChoice = std::pair<std::string_view, Value>;

constexpr std::array<WordChoice<protocol::Pipelining>, protocol::pipelining_count>
    pipelining_words = {{{"off", protocol::Pipelining::off},
                         {"within", protocol::Pipelining::within},
                         {"across", protocol::Pipelining::across},
                         {"flights", protocol::Pipelining::flights}}};

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  std::vector<Transcript> parse() {
    while (!rest_.empty()) {
      const std::size_t end = rest_.find('\n');
      const std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      ++line_number_;
      if (!line.empty() && line.front() != '#') {
        take_line(line);
      }
    }
    if (transcripts_.empty()) {
      fail("no session; each begins with `== TITLE`");
    }
    return std::move(transcripts_);
  }

 private:
  [[noreturn]] void fail(std::string what) const { throw ParseError{line_number_, what}; }

  void take_line(std::string_view line) {
    if (take_prefix(line, "== ")) {
      transcripts_.emplace_back();
      transcripts_.back().title = line;
      Transcript& begun = transcripts_.back();
      begun.options.client_name = "client.example";
      begun.options.sasl = {begun.crypto.get(), begun.scram_cache.get()};
      transcripts_.back().options.tls_mode = protocol::TlsMode::none;
    } else if (transcripts_.empty()) {
      fail("a session begins with `== TITLE`");
    } else if (line == "C...") {
      add(TranscriptStepKind::client, true).more = true;
    } else if (line.size() >= 2 && (line[0] == 'S' || line[0] == 'C') &&
               std::string_view(":>*").find(line[1]) != std::string_view::npos) {
      take_octets(line);
    } else if (take_prefix(line, "= ")) {
      ExpectedFate fate;
      fate.job = take_word(line);
      fate.recipient = take_word(line);
      take_fate(line, std::move(fate), TranscriptStepKind::verdict);
    } else if (take_prefix(line, "! closed ")) {
      ExpectedFate fate;
      fate.permanent = take_prefix(line, "for good ");
      if (take_prefix(line, "falls to ")) {
        fate.falls_to = word_of(choose(take_word(line), pipelining_words));
      }
      if (take_prefix(line, "doubts ")) {
        fate.doubts = word_of(choose(take_word(line), pipelining_words));
      }
      fate.other_mechanism = take_prefix(line, "for another mechanism ");
      take_fate(line, std::move(fate), TranscriptStepKind::closed);
    } else if (take_prefix(line, "~ ")) {
      auto& steps = transcripts_.back().steps;
      if (steps.empty() || (steps.back().kind != TranscriptStepKind::closed &&
                            steps.back().kind != TranscriptStepKind::verdict)) {
        fail("`~` stands behind `=` or `!`");
      }
      steps.back().fate.reason = unescaped(line);
    } else if (take_prefix(line, "@ ")) {
      take_action(line);
    } else {
      take_option(line);
    }
  }

  TranscriptStep& add(TranscriptStepKind kind, bool merge = false) {
    auto& steps = transcripts_.back().steps;
    // Lines of one side that follow each other are one delivery.
    if (!merge || steps.empty() || steps.back().kind != kind || steps.back().more) {
      steps.emplace_back();
      steps.back().kind = kind;
      steps.back().line = line_number_;
    }
    return steps.back();
  }

  void take_octets(std::string_view line) {
    const auto kind = line[0] == 'S' ? TranscriptStepKind::server : TranscriptStepKind::client;
    const char mark = line[1];
    line.remove_prefix(2);
    std::size_t count = 1;
    if (mark == '*') {
      const std::size_t colon = std::min(line.find(':'), line.size());
      const auto number = number_of<std::size_t>(line.substr(0, colon));
      if (!number || colon == line.size()) {
        fail("a repeated line looks like `S*300: text`");
      }
      count = *number;
      line.remove_prefix(colon + 1);
    }
    take_prefix(line, " ");
    const std::string octets = unescaped(line) + (mark == '>' ? "" : "\r\n");
    std::string& block = add(kind, true).octets;
    for (std::size_t i = 0; i < count; ++i) {
      block += octets;
    }
  }

  void take_fate(std::string_view line, ExpectedFate fate, TranscriptStepKind kind) {
    fate.kind = take_word(line);
    fate.stage = take_word(line);
    if (!line.empty()) {
      const auto code = number_of<std::uint16_t>(take_word(line));
      if (!code) {
        fail("the stage is followed by a reply code");
      }
      fate.code = *code;
    }
    if (!line.empty()) {
      std::string_view enhanced = take_word(line);
      if (enhanced != "-") {
        fate.enhanced = codec::take_enhanced_status(enhanced);
        if (!fate.enhanced.present()) {
          fail("the code is followed by an enhanced status or a hyphen");
        }
      }
    }
    fate.text = unescaped(line);
    add(kind).fate = std::move(fate);
  }

  void take_action(std::string_view line) {
    const std::string_view verb = take_word(line);
    if (verb == "greeted") {
      take_greeted(line);
    } else if (verb == "submit") {
      take_submit(line);
    } else if (verb == "resubmit") {
      const std::size_t job = job_index(line);
      add(TranscriptStepKind::resubmit).job = job;
    } else if (verb == "wait") {
      add(TranscriptStepKind::wait).duration = duration_of(line);
    } else if (verb == "timeout") {
      add(TranscriptStepKind::timeout).duration = duration_of(line);
    } else {
      constexpr std::array<std::pair<std::string_view, TranscriptStepKind>, 5> plain = {{
          {"tls", TranscriptStepKind::tls},
          {"close", TranscriptStepKind::close},
          {"reset", TranscriptStepKind::reset},
          {"abort", TranscriptStepKind::abort},
          {"quit", TranscriptStepKind::quit},
      }};
      for (const auto& [name, kind] : plain) {
        if (verb == name) {
          add(kind);
          return;
        }
      }
      fail("unknown action `" + std::string(verb) + "`");
    }
  }

  // The exchange up to the end of EHLO in one line, since most sessions begin with it.
  void take_greeted(std::string_view keywords) {
    add(TranscriptStepKind::server, true).octets += "220 mx.example ESMTP\r\n";
    add(TranscriptStepKind::client, true).octets += "EHLO client.example\r\n";
    std::vector<std::string_view> lines = {"mx.example"};
    while (!keywords.empty()) {
      const std::size_t comma = std::min(keywords.find(", "), keywords.size());
      lines.push_back(keywords.substr(0, comma));
      keywords.remove_prefix(std::min(comma + 2, keywords.size()));
    }
    std::string& reply = add(TranscriptStepKind::server, true).octets;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      reply += i + 1 == lines.size() ? "250 " : "250-";
      reply += std::string(lines[i]) + "\r\n";
    }
    if (transcripts_.back().knowledge.words.server != 0) {
      return;
    }
    // Its habits are those of the transcript.
    const codec::Reply greeting = {220, {}, "mx.example ESMTP", 1};
    std::string hello(lines.front());
    for (std::size_t i = 1; i < lines.size(); ++i) {
      hello.append("\n").append(lines[i]);
    }
    transcripts_.back().knowledge.words.server =
        protocol::hash_with_announced(protocol::hash_of_greeting(greeting), {250, {}, hello, 1});
  }

  void take_submit(std::string_view line) {
    Transcript& transcript = transcripts_.back();
    MailText job;
    job.id = take_word(line);
    while (!line.empty()) {
      const std::size_t equals = std::min(line.find_first_of("= "), line.size());
      const std::string_view name = line.substr(0, equals);
      line.remove_prefix(equals);
      std::string value;
      if (take_prefix(line, "=\"")) {
        value = take_quoted(line);
      } else if (take_prefix(line, "=")) {
        value = take_word(line);
      }
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      take_job_field(job, name, std::move(value));
    }
    if (job.recipients.empty()) {
      fail("a job has recipients: to=a@example,b@example");
    }
    transcript.jobs.push_back(job);
    add(TranscriptStepKind::submit).job = transcript.jobs.size() - 1;
  }

  std::string take_quoted(std::string_view& line) const {
    std::size_t end = 0;
    while (end < line.size() && line[end] != '"') {
      end += line[end] == '\\' ? 2u : 1u;
    }
    if (end >= line.size()) {
      fail("a quotation mark is missing");
    }
    const std::string value = unescaped(line.substr(0, end));
    line.remove_prefix(end + 1);
    return value;
  }

  void take_job_field(MailText& job, std::string_view name, std::string value) const {
    if (name == "from") {
      job.sender = std::move(value);
    } else if (name == "to") {
      job.recipients.clear();
      for (std::string_view rest = value; !rest.empty();) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        job.recipients.emplace_back(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
      }
    } else if (name == "content") {
      job.content = std::move(value);
    } else if (name == "smtputf8") {
      job.needs_smtputf8 = true;
    } else if (name == "notify") {
      job.dsn.notify = std::move(value);
    } else if (name == "ret") {
      job.dsn.return_kind = std::move(value);
    } else if (name == "envid") {
      job.dsn.envelope_id = std::move(value);
    } else {
      fail("unknown field `" + std::string(name) + "` of a job");
    }
  }

  // A step that failed once, and that this session is the one to try again.
  void take_doubted(std::string_view line) {
    protocol::StepDoubts& doubts = transcripts_.back().knowledge.doubts;
    const protocol::StepSet step = protocol::bit_of(choose(take_word(line), pipelining_words));
    doubts.steps |= step;
    doubts.next |= step;
    doubts.silent |= line == "silent" ? step : protocol::StepSet{0};
  }

  // `rset`, `mail`, `rcpt` or `eod`, and a reply.
  void take_habit(std::string_view line) {
    using protocol::Saying;
    constexpr std::array<WordChoice<Saying>, protocol::saying_count> words = {
        {{"rset", Saying::rset},
         {"mail", Saying::mail},
         {"rcpt", Saying::rcpt},
         {"eod", Saying::end_of_data}}};
    std::string_view word = take_word(line);
    const Saying saying = choose(word, words);
    const std::string octets = std::string(line) + "\r\n";
    Bytes rest = octets;
    codec::ReplyParser parser;
    codec::Reply reply;
    const auto whole = parser.parse(rest, reply);
    if (!whole || !*whole) {
      fail("no reply");
    }
    protocol::ServerWords& known = transcripts_.back().knowledge.words;
    protocol::Words& habit = known.by_saying[static_cast<std::size_t>(saying)];
    habit.varies = habit.varies || (known.server == 0 && habit.hash > protocol::saying_count);
    habit.hash = protocol::hash_of_words(reply);
    known.server = 0;  // of the make that greets here
  }

  void take_option(std::string_view line) {
    protocol::SessionOptions& options = transcripts_.back().options;
    if (!transcripts_.back().steps.empty()) {
      fail("neither a step nor an option; options stand above the first step");
    }
    const std::string_view name = take_word(line);
    if (name == "tls") {
      using protocol::TlsMode;
      constexpr std::array<WordChoice<TlsMode>, 3> words = {{{"none", TlsMode::none},
                                                             {"starttls", TlsMode::starttls},
                                                             {"implicit", TlsMode::implicit}}};
      options.tls_mode = choose(line, words);
    } else if (name == "pipelining") {
      options.pipelining = choose(line, pipelining_words);
    } else if (name == "proven") {
      transcripts_.back().knowledge = shown(choose(line, pipelining_words));
    } else if (name == "doubted") {
      take_doubted(line);
    } else if (name == "unheard") {
      transcripts_.back().knowledge.words = {};
    } else if (name == "habit") {
      take_habit(line);
    } else if (name == "in-flight-max") {
      options.messages_in_flight_max = number_of<std::uint32_t>(line).value_or(0);
    } else if (name == "messages-max") {
      options.messages_max = number_of<std::uint64_t>(line).value_or(0);
    } else if (name == "ended-behind") {
      transcripts_.back().knowledge.session_messages = number_of<std::uint64_t>(line).value_or(0);
    } else if (name == "flight-bytes-max") {
      options.flight_bytes_max = number_of<std::size_t>(line).value_or(0);
    } else if (name == "credentials") {
      options.authenticate = true;
      options.credentials.username = take_word(line);
      options.credentials.password = line;
    } else if (name == "token") {
      options.authenticate = true;
      options.credentials.username = take_word(line);
      options.credentials.token = line;
      options.credentials.host = "mx.example";
      options.credentials.port = 587;
    } else if (name == "auth") {
      options.mechanism = codec::find_mechanism(line);
      if (!options.mechanism) {
        fail("no mechanism");
      }
    } else if (name == "failed" || name == "worked") {
      protocol::PipeliningKnowledge& knowledge = transcripts_.back().knowledge;
      const auto mechanism = codec::find_mechanism(line);
      if (!mechanism) {
        fail("no mechanism");
      }
      (name == "failed" ? knowledge.mechanisms_failed : knowledge.mechanisms_proven) |=
          codec::bit_of(*mechanism);
    } else if (name == "unverified") {
      options.peer_verified = false;
    } else if (name == "plaintext-auth") {
      options.allow_plaintext_auth = true;
    } else if (name == "recipients-max") {
      options.recipients_max = number_of<std::uint32_t>(line).value_or(0);
    } else {
      fail("unknown line `" + std::string(name) + "`");
    }
  }

  template <typename Value, std::size_t count>
  Value choose(std::string_view word, const std::array<WordChoice<Value>, count>& choices) const {
    for (const auto& [name, value] : choices) {
      if (word == name) {
        return value;
      }
    }
    fail("unknown choice `" + std::string(word) + "`");
  }

  std::size_t job_index(std::string_view id) const {
    const auto& jobs = transcripts_.back().jobs;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (jobs[i].id == id) {
        return i;
      }
    }
    fail("no job `" + std::string(id) + "` was submitted");
  }

  Duration duration_of(std::string_view text) const {
    const auto seconds = number_of<std::int64_t>(text.substr(0, text.size() - 1));
    if (!seconds || text.back() != 's') {
      fail("a duration is a number of seconds: 300s");
    }
    return std::chrono::seconds(*seconds);
  }

  // \r \n \t \0 \\ \" \xHH, and \(text*count) for `text` that often.
  std::string unescaped(std::string_view text) const {
    std::string result;
    while (!text.empty()) {
      const char c = text.front();
      text.remove_prefix(1);
      if (c != '\\') {
        result.push_back(c);
      } else if (take_prefix(text, "(")) {
        result += take_repetition(text);
      } else {
        result.push_back(take_escape(text));
      }
    }
    return result;
  }

  std::string take_repetition(std::string_view& text) const {
    const std::size_t star = text.find('*');
    const std::size_t end = text.find(')', std::min(star, text.size()));
    if (end == std::string_view::npos) {
      fail("a repetition looks like \\(text*100)");
    }
    const std::string unit = unescaped(text.substr(0, star));
    const auto count = number_of<std::size_t>(text.substr(star + 1, end - star - 1));
    if (!count) {
      fail("a repetition ends with a number: \\(text*100)");
    }
    text.remove_prefix(end + 1);
    std::string result;
    for (std::size_t i = 0; i < *count; ++i) {
      result += unit;
    }
    return result;
  }

  char take_escape(std::string_view& text) const {
    constexpr std::string_view names = "rnt0\\\"";
    constexpr std::string_view values("\r\n\t\0\\\"", 6);
    if (text.empty()) {
      fail("a backslash at the end of the line");
    }
    const char name = text.front();
    text.remove_prefix(1);
    if (name == 'x' && text.size() >= 2) {
      unsigned value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + 2, value, 16);
      if (error == std::errc() && end == text.data() + 2) {
        text.remove_prefix(2);
        return static_cast<char>(value);
      }
    }
    const std::size_t at = names.find(name);
    if (at == std::string_view::npos) {
      fail("unknown escape");
    }
    return values[at];
  }

  std::string_view rest_;
  std::size_t line_number_ = 0;
  std::vector<Transcript> transcripts_;
};

}  // namespace

std::string_view word_of(protocol::Pipelining pipelining) {
  return pipelining_words[static_cast<std::size_t>(pipelining)].first;
}

std::size_t Transcript::server_bytes() const {
  std::size_t bytes = 0;
  for (const TranscriptStep& step : steps) {
    bytes += step.kind == TranscriptStepKind::server ? step.octets.size() : 0;
  }
  return bytes;
}

Result<std::vector<Transcript>, std::string> parse_transcripts(std::string_view text) {
  try {
    return Parser(text).parse();
  } catch (const ParseError& error) {
    return Failure(std::to_string(error.line) + ": " + error.what);
  }
}

}  // namespace ringpost::test
