// The parts of a JSON list or object that was checked before: where each of them stands.
#pragma once

#include <cstddef>

#include <ringpost/base.h>

namespace ringpost::codec {

// Walks from one to the next without a copy and without memory, so that a list of a million can be
// gone through one by one. Precondition: `json` is one list or object that check_json() has passed.
// A view: the octets outlive it.
class JsonParts {
 public:
  JsonParts() = default;
  explicit JsonParts(Bytes json) : json_(json) { rewind(); }

  void rewind() { at_ = 1; }
  // The next value; false behind the last one.
  [[nodiscard]] bool next(Bytes& value);
  // The same of an object, with the name as it stands there, in its quotes.
  [[nodiscard]] bool next(Bytes& name, Bytes& value);
  // From the first part on.
  [[nodiscard]] static std::size_t count(Bytes json);

 private:
  [[nodiscard]] bool skip_to_part();
  [[nodiscard]] Bytes take_value();

  Bytes json_ = "[]";
  std::size_t at_ = 1;
};

}  // namespace ringpost::codec
