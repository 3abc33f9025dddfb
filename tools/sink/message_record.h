// What one session's accepted messages were, as JSON lines and, if wanted, as files.
//
//   {"session":1,"message":2,"queue_id":"1-2","from":"a@b","to":["c@d"],"bytes":2048,"sha256":"..",
//    "x_id":null,"auth":"ringpost","tls":"TLSv1.3","via":"BDAT","violations":{},"ts":"..."}
//
// A line is written if and only if the message's 250 was put into the reply queue. `bytes` and
// `sha256` are of the content without dot-stuffing: behind DATA with the CRLF in front of the lone
// dot, behind BDAT exactly the octets of the chunks; `sha256` is null in a record without digests.
// `violations` are the session's so far.
#pragma once

#include <string>

#include "tls/sha256.h"
#include "tools/sink/message_observer.h"
#include "tools/sink/record.h"
#include <ringpost/base.h>

namespace ringpost::sink {

// The value of the first X-Id field of a header section, from any split of its octets. Bounded: a
// value is cut behind 256 octets, and nothing behind the empty line is looked at.
class XIdCapture {
 public:
  void begin();
  void feed(Bytes octets);
  [[nodiscard]] bool found() const { return found_; }
  // Without white space at its ends; a folded line's continuation is not in it.
  [[nodiscard]] Bytes value() const;

 private:
  enum class At : std::uint8_t { name, value, rest_of_line, done };

  void take_name(char octet);

  At at_ = At::name;
  std::size_t name_matched_ = 0;  // octets of "x-id:" at the start of this line
  bool line_empty_ = true;
  bool found_ = false;
  std::string value_;
};

// Thread: its session's. `buffer` outlives it.
class MessageRecorder final : public MessageObserver {
 public:
  explicit MessageRecorder(RecordBuffer& buffer);
  ~MessageRecorder() override;

  void content(Bytes octets) override;
  void accepted(const AcceptedMessage& message) override;
  void discarded() override;

 private:
  void begin();
  void write_content(Bytes octets);
  void keep_content(const AcceptedMessage& message);
  void append_line(const AcceptedMessage& message);

  RecordBuffer& buffer_;
  tls::Sha256 hash_;
  XIdCapture x_id_;
  bool under_way_ = false;
  int content_descriptor_ = -1;
  std::string content_path_;  // while it is not known whether the message will be accepted
};

}  // namespace ringpost::sink
