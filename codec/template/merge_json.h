// A JSON object into values for a template.
#pragma once

#include <memory>
#include <string>

#include "codec/template/merge_data.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Reads objects, one after the other; the parser's memory is kept. Thread: one.
class MergeJson {
 public:
  MergeJson();
  ~MergeJson();
  MergeJson(MergeJson&&) noexcept;
  MergeJson& operator=(MergeJson&&) noexcept;

  // Replaces what `data` has. `object` is the whole text of a JSON object (UTF-8); it is copied
  // where it needs room behind it. Numbers keep their digits. On error the reason for people, with
  // the member that it is about, and `data` is unspecified: what is no JSON, a duplicate member, a
  // tree deeper than limits::merge_depth_max, NUL in a text.
  [[nodiscard]] Result<void, std::string> read(Bytes object, MergeData& data);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace ringpost::codec
