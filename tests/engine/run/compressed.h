// Compressed octets for tests.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::run::test {

// One gzip member.
[[nodiscard]] std::string gzip(Bytes octets);
// One zstd frame, with a checksum.
[[nodiscard]] std::string zstd(Bytes octets);

}  // namespace ringpost::run::test
