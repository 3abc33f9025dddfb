// The problem: a dialogue comes in pieces, a password passes in it in several forms, and a server
// may talk without end. The idea: our lines are whole, and of those of AUTH all but the mechanism
// is left out; the server's are put together first, then searched for the secret, then cut. A
// parser of its own makes replies of the same octets. Limits: 400 lines of 512 octets; what the
// search for secrets does not find (codec/smtp/sasl.h) stays.
#include "tools/probe/dialogue_recorder.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <ringpost/limits.h>

namespace ringpost::cli {

namespace {

// An EHLO reply has some ten lines, and there are two of them. The rest is for servers that talk
// without end.
constexpr std::size_t lines_max = 400;
constexpr std::size_t line_bytes_max = 512;

// "AUTH PLAIN AG1haWxlcgA..." without what is behind the mechanism; an answer to a challenge
// without anything.
std::string without_secret(Bytes line) {
  constexpr Bytes verb = "AUTH ";
  if (!line.starts_with(verb)) {
    return "[redacted]";
  }
  const std::size_t end = line.find(' ', verb.size());
  std::string text(line.substr(0, end));
  return end == Bytes::npos ? text : text + " [redacted]";
}

}  // namespace

DialogueRecorder::DialogueRecorder(PortFinding& finding, const codec::Credentials& credentials)
    : finding_(finding),
      redactor_(credentials),
      has_secret_(!credentials.password.empty() || !credentials.token.empty()) {}

void DialogueRecorder::client(Bytes lines, bool is_auth, double at_ms) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find("\r\n"), lines.size());
    const Bytes line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 2, lines.size()));
    add(TranscriptLine::Side::client, is_auth ? without_secret(line) : std::string(line), at_ms);
  }
}

std::vector<SmtpAnswer> DialogueRecorder::server(Bytes octets, double at_ms) {
  for (Bytes rest = octets; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const Bytes piece = rest.substr(0, end);
    rest.remove_prefix(end == Bytes::npos ? rest.size() : end + 1);
    // The session gives up at this length; there is no need to keep more.
    line_ += piece.substr(
        0, limits::reply_line_bytes_max - std::min(line_.size(), limits::reply_line_bytes_max));
    if (end != Bytes::npos) {
      finish(at_ms);
    }
  }
  std::vector<SmtpAnswer> answers;
  codec::Reply reply;
  while (!parser_failed_ && !octets.empty()) {
    const auto complete = parser_.parse(octets, reply);
    parser_failed_ = !complete;
    if (complete && *complete) {
      SmtpAnswer& answer = answers.emplace_back(answer_of(reply.code, reply.enhanced, reply.text));
      if (has_secret_) {
        redactor_.redact(answer.text);
      }
    }
  }
  return answers;
}

void DialogueRecorder::note(std::string text, double at_ms) {
  add(TranscriptLine::Side::note, std::move(text), at_ms);
}

void DialogueRecorder::finish(double at_ms) {
  if (line_.ends_with('\r')) {
    line_.pop_back();
  }
  if (!line_.empty()) {
    add(TranscriptLine::Side::server, std::exchange(line_, {}), at_ms);
  }
}

void DialogueRecorder::add(TranscriptLine::Side side, std::string text, double at_ms) {
  if (finding_.transcript.size() >= lines_max) {
    finding_.transcript_cut = true;
    return;
  }
  if (has_secret_) {
    redactor_.redact(text);  // before it is cut, or half of a secret would not be known for one
  }
  if (text.size() > line_bytes_max) {
    text.resize(line_bytes_max);
    finding_.transcript_cut = true;
  }
  finding_.transcript.push_back({side, under_tls_, at_ms, std::move(text)});
}

}  // namespace ringpost::cli
