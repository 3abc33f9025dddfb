#include "tests/engine/run/compressed.h"

#include <zlib.h>
#include <zstd.h>

namespace ringpost::run::test {

std::string gzip(Bytes octets) {
  z_stream stream{};
  constexpr int gzip_window_bits = 15 + 16;
  RP_ASSERT(::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window_bits, 8,
                           Z_DEFAULT_STRATEGY) == Z_OK);
  std::string compressed(::deflateBound(&stream, octets.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
  stream.avail_in = static_cast<uInt>(octets.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  RP_ASSERT(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  compressed.resize(compressed.size() - stream.avail_out);
  ::deflateEnd(&stream);
  return compressed;
}

std::string zstd(Bytes octets) {
  ZSTD_CCtx* const context = ::ZSTD_createCCtx();
  ::ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string compressed(::ZSTD_compressBound(octets.size()), '\0');
  const std::size_t size =
      ::ZSTD_compress2(context, compressed.data(), compressed.size(), octets.data(), octets.size());
  RP_ASSERT(::ZSTD_isError(size) == 0);
  compressed.resize(size);
  ::ZSTD_freeCCtx(context);
  return compressed;
}

}  // namespace ringpost::run::test
