// Mustache templates (the published specification, version 1.4.2: comments, delimiters,
// interpolation, inverted sections, partials, sections), parsed once and walked for each recipient.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/template/merge_data.h"
#include <ringpost/base.h>

namespace ringpost::codec {

struct TemplateError {
  std::size_t line = 0;    // from 1, in the source that it is about
  std::size_t column = 0;  // of an octet, from 1
  std::string partial;     // which source: empty is the template itself
  std::string reason;      // for people

  // "line 3, column 8 of partial "footer": ..."
  [[nodiscard]] std::string message() const;
};

// A template that others put into themselves by `{{>name}}`.
struct Partial {
  std::string name;
  std::string source;
};

// What is between the values are literals, with a number each: partials are in their places, and
// two literals never stand side by side. Immutable; any thread may render it.
//
// Beside the specification a value's tag may have filters, which are taken from left to right:
// `{{name|url}}` percent-encodes all but unreserved characters (RFC 3986 2.3);
// `{{name|default:"friend"}}`, with quotes of either kind, stands in for a value that is missing,
// null or empty; `{{name|html}}` escapes for html where the text around is none, and counts as
// escaped where it is; `{{name|upper}}`, `{{name|lower}}`. A tag ends at the first `}}`, in quotes,
// too. Lambdas are none: JSON has no functions. Inheritance and dynamic names, modules that the
// specification calls optional, are errors.
class Mustache {
 public:
  struct Program;

  // Of partials those that are used are parsed; one that is not there is empty, as the
  // specification has it. A partial that puts itself into itself within a section is walked as deep
  // as the values are. An error names the first offence: a section that is not closed or is closed
  // by another name, a tag that does not end, an unknown filter, NUL, a partial that is within
  // itself without a section between, bounds of limits.h.
  [[nodiscard]] static Result<Mustache, TemplateError> parse(Bytes source,
                                                             std::span<const Partial> partials);

  // Without values: the literal that it has, if any, is all of it.
  [[nodiscard]] bool is_fixed() const;
  [[nodiscard]] std::size_t literal_count() const;
  [[nodiscard]] Bytes literal(std::size_t index) const;
  // Of values that no section guards and no default stands in for, each once, dotted as written: a
  // recipient without one of them gets no message.
  [[nodiscard]] const std::vector<std::string>& required_names() const;
  // All names, those of sections and of guarded values among them, each once.
  [[nodiscard]] const std::vector<std::string>& names() const;

 private:
  friend class MustacheWalk;
  explicit Mustache(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

  std::shared_ptr<const Program> program_;
};

// Takes what a walk comes by, in its order. No value is empty.
class MustacheOutput {
 public:
  virtual ~MustacheOutput() = default;
  virtual void add_literal(std::size_t literal, Bytes text) = 0;
  // `escaped`: of `{{name}}`, as opposed to `{{{name}}}` and `{{&name}}`. Filters were applied.
  virtual void add_value(Bytes value, bool escaped) = 0;
};

enum class MissingPolicy : std::uint8_t {
  invalid,  // a value that is missing or null, and has no default, is an error; so is a list or an
            // object where a text should be
  empty,    // all of these are empty, as the specification has it
};

struct RenderError {
  enum class Kind : std::uint8_t { missing, no_text, too_deep, too_large, too_long };
  Kind kind = Kind::missing;
  std::string name;  // of the value or partial, where it is about one

  // A clause for people: what, and what to do.
  [[nodiscard]] std::string message() const;
};

// Renders templates, one after the other; its memory is kept, so that none is allocated in the
// steady state. Thread: one.
class MustacheWalk {
 public:
  // A section is left out where its value is missing, null, false, "", the number 0 or an empty
  // list. A name is looked for in the sections around, from the innermost, and then in the layers
  // in their order; where its first part is found the search ends, null or not. What comes out,
  // before `output` escapes it, has no more octets than `bytes_max`. After an error, output has had
  // what stands in front.
  [[nodiscard]] Result<void, RenderError> render(const Mustache& source, MergeLayers layers,
                                                 MissingPolicy missing, std::size_t bytes_max,
                                                 MustacheOutput& output);

 private:
  class Run;

  // A section that is walked.
  struct Context {
    const MergeData* data = nullptr;
    MergeData::Node node = MergeData::none;
    bool is_element = false;  // of a list that is gone through
  };
  std::vector<Context> contexts_;
  std::vector<std::uint32_t> calls_;  // of partials within themselves: the steps to return to
  std::array<std::string, 2> filtered_;
};

// `& < > " '` as references: what a value needs within html and in attributes in quotes.
void append_html_escaped(std::string& out, Bytes text);
// `%XX` but for the unreserved characters of RFC 3986 2.3.
void append_url_escaped(std::string& out, Bytes text);

}  // namespace ringpost::codec
