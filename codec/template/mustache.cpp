// What there is to ask of a template that is parsed, and what its errors say: the work is done in
// mustache_parser.cpp and mustache_walk.cpp.
#include "codec/template/mustache.h"

#include <fmt/format.h>

#include "codec/template/mustache_parser.h"
#include "codec/template/mustache_program.h"
#include "codec/text/shown_text.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

std::string TemplateError::message() const {
  const std::string source = partial.empty() ? "" : " of partial " + in_quotes(partial);
  return fmt::format("line {}, column {}{}: {}", line, column, source, reason);
}

Result<Mustache, TemplateError> Mustache::parse(Bytes source, std::span<const Partial> partials) {
  auto program = parse_mustache(source, partials);
  if (!program) {
    return Failure(std::move(program.error()));
  }
  return Mustache(*std::move(program));
}

bool Mustache::is_fixed() const {
  return program_->steps.size() == program_->literals.size() + 1;  // the stop
}

std::size_t Mustache::literal_count() const { return program_->literals.size(); }

Bytes Mustache::literal(std::size_t index) const { return program_->literal(index); }

const std::vector<std::string>& Mustache::required_names() const {
  return program_->required_names;
}

const std::vector<std::string>& Mustache::names() const { return program_->value_names; }

std::string RenderError::message() const {
  switch (kind) {
    case Kind::missing:
      return fmt::format(
          "{} has no value, and the template no default for it, as in "
          "{{{{{}|default:\"...\"}}}}",
          in_quotes(name), printable(name));
    case Kind::no_text:
      return fmt::format(
          "{} is a list or an object, where a text should be: it wants a section "
          "around, or a name within it",
          in_quotes(name));
    case Kind::too_deep:
      return fmt::format(
          "the partial {} is within itself more than {} times: where no value ends "
          "it, an empty list has to",
          in_quotes(name), limits::template_depth_max);
    case Kind::too_large:
      return "the message becomes larger than it may be";
    case Kind::too_long:
      return "sections within each other go through their lists for too long";
  }
  return {};
}

}  // namespace ringpost::codec
