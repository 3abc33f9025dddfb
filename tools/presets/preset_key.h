// The keys that a preset may say of an endpoint.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::cli {

// What a key takes in the file.
enum class PresetKind : std::uint8_t {
  text,
  number,
  boolean,
  texts,  // one text, or a list of them
};

struct PresetKey {
  std::string_view name;
  PresetKind kind;
  // Whether the key takes this text, one of its list; a clause when it does not.
  Result<void, std::string> (*check)(Bytes text);
};

[[nodiscard]] std::span<const PresetKey> preset_keys();
[[nodiscard]] const PresetKey* find_preset_key(Bytes name);

}  // namespace ringpost::cli
