// The problem: partials that use others twice make a program of any size out of a few lines. The
// idea: all that is made comes by here and is counted. Limits: a name is kept once, with the places
// of its parts, so that a walk takes no name apart.
#include "codec/template/program_writer.h"

#include <algorithm>

#include <ringpost/limits.h>

namespace ringpost::codec {

void ProgramWriter::add_literal(Bytes text) {
  Mustache::Program& program = *program_;
  if (text.empty() || is_too_large_) {
    return;
  }
  if (text.size() > limits::template_bytes_max - program.literal_text.size()) {
    is_too_large_ = true;
    return;
  }
  const bool goes_on =
      !program.steps.empty() && program.steps.back().kind == MustacheStep::Kind::literal;
  if (!goes_on) {
    const auto literal = static_cast<std::uint32_t>(program.literals.size());
    program.literals.push_back({program.literal_text.size(), 0});
    add({.kind = MustacheStep::Kind::literal, .index = literal});
  }
  program.literals.back().bytes += text.size();
  program.literal_text += text;
}

std::uint32_t ProgramWriter::add(const MustacheStep& step) {
  const std::uint32_t number = step_count();
  is_too_large_ = is_too_large_ || number >= limits::template_steps_max;
  program_->steps.push_back(step);
  return number;
}

std::uint32_t ProgramWriter::intern(Bytes name) {
  Mustache::Program& program = *program_;
  const auto number = static_cast<std::uint32_t>(program.names.size());
  const auto [found, is_new] = numbers_.try_emplace(std::string(name), number);
  if (!is_new) {
    return found->second;
  }
  const std::size_t offset = program.name_text.size();
  MustacheName kept{.text = {offset, name.size()}, .first_part = program.name_parts.size()};
  program.name_text += name;
  for (std::size_t begin = 0; name != "." && begin <= name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    program.name_parts.push_back({offset + begin, end - begin});
    begin = end + 1;
  }
  kept.part_count = program.name_parts.size() - kept.first_part;
  program.names.push_back(kept);
  return number;
}

}  // namespace ringpost::codec
