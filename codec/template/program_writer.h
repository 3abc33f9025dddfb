// Puts a program together, step by step. The private half of mustache_parser.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "codec/template/mustache_program.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Numbers literals and names, and sees to the bounds of limits.h: is_too_large() says so, and what
// was given too much is not all there.
class ProgramWriter {
 public:
  ProgramWriter() : program_(std::make_shared<Mustache::Program>()) {}

  // Goes on with the literal in front, if there is one.
  void add_literal(Bytes text);
  // Says which step it is.
  std::uint32_t add(const MustacheStep& step);
  // The number of a name, which is new or was there.
  std::uint32_t intern(Bytes name);

  [[nodiscard]] bool is_too_large() const { return is_too_large_; }
  [[nodiscard]] std::uint32_t step_count() const {
    return static_cast<std::uint32_t>(program_->steps.size());
  }
  [[nodiscard]] Mustache::Program& program() { return *program_; }
  [[nodiscard]] std::shared_ptr<const Mustache::Program> finished() { return program_; }

 private:
  std::shared_ptr<Mustache::Program> program_;
  std::unordered_map<std::string, std::uint32_t> numbers_;  // of names
  bool is_too_large_ = false;
};

}  // namespace ringpost::codec
