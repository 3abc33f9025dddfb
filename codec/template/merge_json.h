// A JSON object into values for a template.
#pragma once

#include <string>

#include "codec/template/merge_data.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Reads objects, one after the other; its memory is kept. Thread: one.
class MergeJson {
 public:
  // Replaces what `data` has. `object` is the whole text of a JSON object. Numbers keep their
  // digits. On error the reason for people, with the member that it is about, and `data` is
  // unspecified: what is no JSON or no UTF-8, a duplicate member, NUL in a text, a tree deeper than
  // limits::merge_depth_max or larger than merge_values_max and merge_members_max allow.
  [[nodiscard]] Result<void, std::string> read(Bytes object, MergeData& data);
  // The same for any JSON value: what a list or a text is becomes the root.
  [[nodiscard]] Result<void, std::string> read_value(Bytes json, MergeData& data);

 private:
  std::string key_;
  std::string text_;
};

}  // namespace ringpost::codec
