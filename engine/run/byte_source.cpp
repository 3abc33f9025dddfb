// Problem: job files come compressed or not, under any name, and through pipes whose writer takes
// his time, while whoever stops a run does not want to wait.
//
// Idea: the first four octets tell the format. Where a read may wait, the wait is for the stop,
// too. The end of the file is the end of the jobs only where the compressed octets may end.
//
// Limits: gzip and zstd. A regular file is read without an eye on the stop, however slow its disk
// is.
#include "engine/run/byte_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <zlib.h>
#include <zstd.h>

namespace ringpost::run {

namespace {

constexpr std::size_t compressed_bytes = 256u << 10;

ByteSource::Read take_from(std::string& octets, std::span<char> room) {
  const std::size_t count = std::min(room.size(), octets.size());
  std::memcpy(room.data(), octets.data(), count);
  octets.erase(0, count);
  return {count, false};
}

}  // namespace

// A stream of compressed octets. take() consumes from the front of `input` and writes to `room`.
class ByteSource::Decompressor {
 public:
  virtual ~Decompressor() = default;
  [[nodiscard]] virtual Result<std::size_t, std::string> take(Bytes& input,
                                                              std::span<char> room) = 0;
  // Whether the stream may end here.
  [[nodiscard]] virtual bool complete() const = 0;

  // Compressed octets that were read and not used yet.
  std::vector<char> buffer = std::vector<char>(compressed_bytes);
  Bytes input;
  bool input_ended = false;
};

namespace {

class Gzip final : public ByteSource::Decompressor {
 public:
  Gzip() {
    constexpr int gzip_window_bits = 15 + 16;
    RP_ASSERT(::inflateInit2(&stream_, gzip_window_bits) == Z_OK);
  }
  ~Gzip() override { ::inflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  Result<std::size_t, std::string> take(Bytes& compressed, std::span<char> room) override {
    if (complete_ && !compressed.empty()) {
      // Members may be concatenated (RFC 1952 2.2).
      ::inflateReset(&stream_);
      complete_ = false;
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
    stream_.avail_in = static_cast<uInt>(compressed.size());
    stream_.next_out = reinterpret_cast<Bytef*>(room.data());
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(room.size(), 1u << 30));
    const uInt room_bytes = stream_.avail_out;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    compressed.remove_prefix(compressed.size() - stream_.avail_in);
    if (result == Z_STREAM_END) {
      complete_ = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return Failure(std::string("damaged gzip data"));
    }
    return room_bytes - stream_.avail_out;
  }
  bool complete() const override { return complete_; }

 private:
  z_stream stream_{};
  bool complete_ = false;
};

class Zstd final : public ByteSource::Decompressor {
 public:
  Zstd() : stream_(::ZSTD_createDStream()) { RP_ASSERT(stream_ != nullptr); }
  ~Zstd() override { ::ZSTD_freeDStream(stream_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;

  Result<std::size_t, std::string> take(Bytes& compressed, std::span<char> room) override {
    if (complete_ && compressed.empty()) {
      return 0;  // zstd would take it for the beginning of another frame
    }
    ZSTD_inBuffer in{compressed.data(), compressed.size(), 0};
    ZSTD_outBuffer out{room.data(), room.size(), 0};
    const std::size_t result = ::ZSTD_decompressStream(stream_, &out, &in);
    if (::ZSTD_isError(result) != 0) {
      return Failure("damaged zstd data: " + std::string(::ZSTD_getErrorName(result)));
    }
    complete_ = result == 0;
    compressed.remove_prefix(in.pos);
    return out.pos;
  }
  bool complete() const override { return complete_; }

 private:
  ZSTD_DStream* stream_;
  bool complete_ = true;
};

}  // namespace

ByteSource::ByteSource(int descriptor, std::string name, int stop_descriptor)
    : descriptor_(descriptor), name_(std::move(name)), stop_descriptor_(stop_descriptor) {
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)) {
    is_file_ = true;
    size_bytes_ = static_cast<std::uint64_t>(status.st_size);
    ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
}

ByteSource::~ByteSource() {
  if (descriptor_ > STDERR_FILENO) {
    ::close(descriptor_);
  }
}

Result<ByteSource::Read, std::string> ByteSource::read_raw(std::span<char> room) {
  if (!head_.empty()) {
    return take_from(head_, room);
  }
  if (ended_) {
    return Read{0, true};
  }
  for (;;) {
    if (may_wait()) {
      std::array<pollfd, 2> wanted{{{descriptor_, POLLIN, 0}, {stop_descriptor_, POLLIN, 0}}};
      if (::poll(wanted.data(), stop_descriptor_ >= 0 ? 2 : 1, -1) < 0) {
        continue;  // a signal: ask again, because read() would wait without an eye on the other one
      }
      if (wanted[1].revents != 0) {
        return Read{0, false, true};
      }
    }
    const ssize_t count = ::read(descriptor_, room.data(), room.size());
    if (count >= 0) {
      taken_bytes_ += static_cast<std::uint64_t>(count);
      ended_ = count == 0;
      return Read{static_cast<std::size_t>(count), ended_};
    }
    if (errno != EINTR && errno != EAGAIN) {
      return Failure(std::string(std::strerror(errno)));
    }
  }
}

// Looks at the first four octets: a job line begins with a brace, so nothing is mistaken.
Result<ByteSource::Read, std::string> ByteSource::detect() {
  detected_ = true;
  std::string head;
  while (head.size() < 4) {
    std::array<char, 4> octets;
    auto got = read_raw({octets.data(), 4 - head.size()});
    if (!got) {
      return Failure(got.error());
    }
    if (got->stopped) {
      return Read{0, false, true};
    }
    if (got->end) {
      break;
    }
    head.append(octets.data(), got->bytes);
  }
  head_ = head;
  constexpr Bytes gzip_magic("\x1f\x8b", 2);
  constexpr Bytes zstd_magic("\x28\xb5\x2f\xfd", 4);
  if (Bytes(head).starts_with(gzip_magic)) {
    decompressor_ = std::make_unique<Gzip>();
  } else if (Bytes(head).starts_with(zstd_magic)) {
    decompressor_ = std::make_unique<Zstd>();
  }
  return Read{};
}

Result<ByteSource::Read, std::string> ByteSource::read(std::span<char> room) {
  if (!detected_) {
    if (auto looked = detect(); !looked || looked->stopped) {
      return looked;
    }
  }
  if (!put_back_.empty()) {
    return take_from(put_back_, room);
  }
  if (!decompressor_) {
    return read_raw(room);
  }
  Decompressor& decompressor = *decompressor_;
  for (;;) {
    auto count = decompressor.take(decompressor.input, room);
    if (!count) {
      return Failure(count.error());
    }
    if (*count > 0) {
      return Read{*count, false};
    }
    if (decompressor.input_ended) {
      if (!decompressor.complete()) {
        return Failure(std::string("the compressed data is cut off"));
      }
      return Read{0, true};
    }
    if (decompressor.input.empty()) {
      auto got = read_raw(decompressor.buffer);
      if (!got || got->stopped) {
        return got;
      }
      decompressor.input_ended = got->end;
      decompressor.input = {decompressor.buffer.data(), got->bytes};
    }
  }
}

}  // namespace ringpost::run
