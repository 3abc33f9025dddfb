// One TLS connection without a socket: ciphertext in and out are the caller's octets.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/text/byte_buffer.h"
#include "tls/context.h"
#include "tls/tls_error.h"
#include <ringpost/base.h>

namespace ringpost::tls {

class TicketCache;

// Whether a stream that begins with these octets, of which two are enough, may be one of records
// (RFC 8446 5.1). What begins with anything else is no TLS.
[[nodiscard]] bool may_be_record(Bytes first_octets);

// What read() came to.
enum class ReadState : std::uint8_t {
  plaintext,  // octets were decrypted; call again
  need_more,  // all ciphertext is consumed; feed more
  closed,     // the peer said close_notify: the stream ended where the peer meant it to
};

struct ReadResult {
  ReadState state = ReadState::need_more;
  // Stands in memory that the context lends: valid until the next read() on any channel of the same
  // context. Empty unless state is plaintext.
  Bytes plaintext;
};

// A channel is driven like this: feed() ciphertext as it comes, then handshake() until it says
// true, then read() until it says need_more. After each of these calls, and after seal(),
// take_output() must be sent, also when the call failed (it may hold an alert). Once a call has
// failed, every further one fails with the same error. Thread: one worker's.
//
// What TLS says of its own accord (handshake flights, alerts, KeyUpdate) waits in a small buffer
// inside; seal() writes straight into the caller's.
class Channel {
 public:
  // Client: `host` is the configured name or IP literal; it is sent as SNI (names only) and must
  // match the certificate when the context verifies; a trailing dot is dropped. Server: `host` is
  // ignored. With `tickets` a client resumes an earlier session of the same host where it can, and
  // leaves a newer one there. Context and tickets must outlive the channel.
  [[nodiscard]] static Result<std::unique_ptr<Channel>, TlsError> create(
      Context&, std::string_view host, TicketCache* tickets = nullptr);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Lends ciphertext to the channel: it must stay valid until read() or handshake() said need_more
  // / false, which mean that every octet was consumed; only then may more be fed. What is fed
  // behind an error or the peer's close_notify is ignored.
  void feed(Bytes ciphertext);
  // The transport ended. read() and handshake() then report closed, truncated or an error.
  void feed_end();

  // Goes on with the handshake: true when it is complete, false when more ciphertext is needed. A
  // client calls it once before anything is fed, to make the ClientHello. What was fed may reach
  // beyond the handshake: read() after true, before feeding more.
  [[nodiscard]] Result<bool, TlsError> handshake();
  [[nodiscard]] bool handshake_done() const;

  // Decrypts the next octets, at most one record. An error means the connection is dead.
  // Precondition: handshake_done().
  [[nodiscard]] Result<ReadResult, TlsError> read();

  // Octets of `output` that sealing `plaintext_bytes` may take at most, with pending output.
  [[nodiscard]] std::size_t sealed_bytes_max(std::size_t plaintext_bytes) const;
  // Whether seal() encrypts where the plaintext stands: a client's TLS 1.3 with AES-GCM does.
  [[nodiscard]] bool seals_in_place() const;
  // Room in `output` for `bytes` of plaintext, at most a record's, behind pending output. What is
  // written at its beginning and given to seal() next, before any other call, is encrypted there
  // without a copy. Preconditions: seals_in_place(), those of seal(), and
  // output.room() >= sealed_bytes_max(bytes).
  [[nodiscard]] std::span<char> plaintext_room(ByteBuffer& output, std::size_t bytes);
  // Encrypts all of `plaintext` into records of up to 16 KB at the end of `output`, behind any
  // pending output of the channel's own. Sealing nothing makes no record. Precondition:
  // handshake_done(), no close_notify() before, output.room() >= sealed_bytes_max(size).
  [[nodiscard]] Result<void, TlsError> seal(Bytes plaintext, ByteBuffer& output);

  // Queues a change of the sending key and asks the peer for one of its own. seal() does so by
  // itself before a key has sealed too much. With TLS 1.2, which cannot, it does nothing.
  void update_keys();

  // Moves pending ciphertext of the channel's own (handshake, alerts) to the end of `output`, as
  // much as fits. Returns whether anything is left.
  bool take_output(ByteBuffer& output);
  [[nodiscard]] bool has_output() const;

  // Queues close_notify; take_output() yields it. Nothing may be sealed afterwards; reading goes
  // on. Does nothing on a channel that is dead or whose handshake is not done.
  void close_notify();

  // For people and for statistics; empty before the handshake is done.
  [[nodiscard]] std::string version() const;  // "TLSv1.3"
  [[nodiscard]] std::string cipher() const;   // "TLS13-AES128-GCM-SHA256"
  [[nodiscard]] bool resumed() const;
  // Keeps the certificates of a full handshake, which otherwise cost no memory. To be called on a
  // client before handshake().
  void keep_certificates();
  // Those that the server showed, its own first, each in DER; also when they were refused. Empty
  // when none were kept or came. Read them with read_certificate().
  [[nodiscard]] const std::vector<std::string>& peer_certificates() const;

 private:
  struct State;
  explicit Channel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ringpost::tls
