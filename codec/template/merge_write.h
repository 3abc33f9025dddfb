// Values of a tree into another tree, or as JSON.
#pragma once

#include <string>
#include <vector>

#include "codec/template/merge_data.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Its memory is kept. Thread: one.
class MergeWrite {
 public:
  // The value at `from`, and all within it, behind the others of `parent`.
  void copy(const MergeData& data, MergeData::Node from, MergeData& to, MergeData::Node parent,
            Bytes key);
  // The value as JSON without white space; numbers keep their digits.
  void append_json(const MergeData& data, MergeData::Node node, std::string& out);

 private:
  struct Step {
    MergeData::Node child = MergeData::none;  // the next one to be written
    MergeData::Node parent = MergeData::none;
  };
  std::vector<Step> steps_;
};

}  // namespace ringpost::codec
