// SHA-256, a piece at a time.
#pragma once

#include <array>
#include <memory>

#include <ringpost/base.h>

namespace ringpost::tls {

// Thread: one at a time. After finish_hex() it begins anew.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(Bytes octets);
  // The digest of everything since the start or the last finish_hex() or reset(), in lower case.
  [[nodiscard]] std::array<char, 64> finish_hex();
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringpost::tls
