// Writes down what client and server say to each other, without secrets and within bounds.
#pragma once

#include <string>
#include <vector>

#include "codec/smtp/sasl.h"
#include "codec/smtp/smtp_reply.h"
#include "tools/probe/probe_finding.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// Takes the octets of both sides as they pass, split anywhere. Lifetime: `finding` outlives it.
class DialogueRecorder {
 public:
  // `credentials` are what must not be seen, wherever it stands.
  DialogueRecorder(PortFinding& finding, const codec::Credentials& credentials);

  // What the session says, whole lines. `is_auth`: they belong to AUTH, so that everything behind
  // its mechanism is secret.
  void client(Bytes lines, bool is_auth, double at_ms);
  // What the server says. Returns the replies that are complete now, in their order; nothing any
  // more once an octet was no reply.
  std::vector<SmtpAnswer> server(Bytes octets, double at_ms);
  // Something else that happened, in our words.
  void note(std::string text, double at_ms);
  // From here on lines are under TLS.
  void begin_tls() { under_tls_ = true; }
  // Keeps a line whose end never came.
  void finish(double at_ms);

 private:
  void add(TranscriptLine::Side side, std::string text, double at_ms);

  PortFinding& finding_;
  codec::Redactor redactor_;
  bool has_secret_;
  codec::ReplyParser parser_;
  bool parser_failed_ = false;
  bool under_tls_ = false;
  std::string line_;  // of the server's, not yet ended
};

}  // namespace ringpost::cli
