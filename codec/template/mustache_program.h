// What a template is once it is parsed. The private half of mustache.h, between mustache_parser.cpp
// and mustache_walk.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/template/mustache.h"
#include "codec/template/value_filter.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Steps from the first to `stop`; a section is left out by going on behind its end.
struct MustacheStep {
  enum class Kind : std::uint8_t {
    literal,       // index: of the literal
    value,         // index: of the name
    section,       // index: of the name; target: its section_end
    section_end,   // target: its section
    inverted,      // like section
    inverted_end,  // nothing is done
    call,          // of a partial within itself; index: of its name, target: its first step
    too_deep,      // a partial within itself that is not written out any more; index: of its name
    back,          // the end of a partial that is called
    stop
  };
  Kind kind = Kind::stop;
  bool escaped = true;            // of a value
  std::uint8_t filter_count = 0;  // of a value
  std::uint32_t index = 0;
  std::uint32_t target = 0;
  std::uint32_t first_filter = 0;
};

// Octets of Program::text.
struct MustachePart {
  std::size_t offset = 0;
  std::size_t bytes = 0;
};

// `customer.city`: as written, and the range of its parts. `.` has no parts: it is the value of the
// section around.
struct MustacheName {
  MustachePart text;
  std::size_t first_part = 0;
  std::size_t part_count = 0;
};

struct Mustache::Program {
  std::vector<MustacheStep> steps;
  std::string literal_text;
  std::vector<MustachePart> literals;  // of literal_text
  std::string name_text;
  std::vector<MustacheName> names;
  std::vector<MustachePart> name_parts;  // of name_text, and so is a name's text
  std::vector<ValueFilter> filters;
  std::vector<std::string> value_names;  // see Mustache::names()
  std::vector<std::string> required_names;

  [[nodiscard]] Bytes literal(std::size_t index) const {
    return Bytes(literal_text).substr(literals[index].offset, literals[index].bytes);
  }
  [[nodiscard]] Bytes name(std::size_t index) const { return named(names[index].text); }
  [[nodiscard]] Bytes named(const MustachePart& part) const {
    return Bytes(name_text).substr(part.offset, part.bytes);
  }
};

}  // namespace ringpost::codec
