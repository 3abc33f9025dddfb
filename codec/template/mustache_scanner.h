// A mustache template as texts and tags.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

struct MustacheTag {
  enum class Kind : std::uint8_t {
    value,
    raw_value,
    section,
    inverted,
    section_end,
    partial,
    comment,
    delimiters
  };
  Kind kind = Kind::value;
  Bytes content = {};       // without sigil, and without blanks around
  std::size_t offset = 0;   // of its first octet
  bool standalone = false;  // alone on its lines: they are taken with it
  Bytes indentation = {};   // what stood in front of it on its line, of one that stands alone
};

// What is wrong with a source, and where.
struct MustacheFlaw {
  std::size_t offset = 0;
  std::string reason;
};

// Takes a source apart from front to end; views point into it.
class MustacheScanner {
 public:
  explicit MustacheScanner(Bytes source) : source_(source) {}

  // The text in front of the next tag, and that tag; none at the end. Changes of delimiters are
  // made already.
  [[nodiscard]] Result<void, MustacheFlaw> take(Bytes& text, std::optional<MustacheTag>& tag);

 private:
  Result<MustacheTag, MustacheFlaw> take_tag(std::size_t offset);
  Result<MustacheTag, MustacheFlaw> tag_of(char sigil, Bytes content, std::size_t offset);
  Result<void, MustacheFlaw> set_delimiters(Bytes words, std::size_t offset);
  void find_line_of(MustacheTag& tag);

  Bytes source_;
  std::size_t position_ = 0;  // behind what is taken
  std::string open_ = "{{";
  std::string close_ = "}}";
};

}  // namespace ringpost::codec
