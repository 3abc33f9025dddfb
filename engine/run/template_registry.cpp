// The problem: several readers have blocks of lines in hand, and a job that names a template may be
// read before the line that defines it, if each reads his own. The idea: a definition is seen by
// whoever cuts the lines, under the lock that all of them take for a block, and made there; so what
// stands above a line is known before anybody has that line. What stands below it is known by then,
// too, and is not used: the place decides. Limits: the others wait while a template is compiled.
#include "engine/run/template_registry.h"

#include <functional>
#include <vector>

#include <fmt/format.h>

#include "codec/text/shown_text.h"
#include "codec/text/spelling.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

using codec::JobError;
using codec::JobErrorKind;

std::string shown_place(const DefinitionLine& line) {
  return fmt::format("{}:{}", line.file == "-" ? Bytes("stdin") : line.file, line.number);
}

}  // namespace

TemplateRegistry::TemplateRegistry(const TemplateRegistryOptions& options)
    : options_(options), reader_(options.reader) {}

void TemplateRegistry::define(const DefinitionLine& line) {
  codec::DefinitionNote note;
  // Outside of the lock: whoever looks for another template goes on.
  auto made = reader_.read_definition(
      line.text, {line.file, line.number, options_.date_us, line.source}, note);
  const std::lock_guard lock(mutex_);
  const Place place{line.source, line.number};
  std::optional<JobError> error = refusal(note);
  if (error) {
    errors_.emplace(place, std::move(*error));
    return;
  }
  Definition definition{place, shown_place(line), nullptr, {}};
  if (made) {
    definition.source = std::move(*made);
    bytes_ += note.bytes;
  } else {
    definition.why = made.error().message();
    errors_.emplace(place, std::move(made.error()));
  }
  if (!note.name.empty()) {
    definitions_.emplace(std::move(note.name), std::move(definition));
  }
}

// Whatever the line says, it cannot be kept.
std::optional<JobError> TemplateRegistry::refusal(const codec::DefinitionNote& note) const {
  if (const auto found = definitions_.find(note.name); found != definitions_.end()) {
    return JobError{JobErrorKind::conflicting_fields, "define",
                    fmt::format("{} is defined already ({})", codec::in_quotes(note.name),
                                found->second.shown_place)};
  }
  if (definitions_.size() == limits::templates_max) {
    return JobError{
        JobErrorKind::invalid_value, "define",
        fmt::format("is one too many: a run has {} templates at most", limits::templates_max)};
  }
  if (bytes_ + note.bytes > limits::templates_bytes_max) {
    return JobError{JobErrorKind::invalid_value, "define",
                    fmt::format("is too much: all templates of a run have {} octets at most",
                                limits::templates_bytes_max)};
  }
  return std::nullopt;
}

std::optional<JobError> TemplateRegistry::take_error(std::uint32_t source, std::uint64_t line) {
  const std::lock_guard lock(mutex_);
  auto taken = errors_.extract(Place{source, line});
  return taken.empty() ? std::nullopt : std::optional(std::move(taken.mapped()));
}

Result<codec::MessageTemplatePtr, JobError> TemplateRegistry::find(Bytes name,
                                                                   const codec::Source& where) {
  const auto refuse = [](std::string reason) {
    return Failure(JobError{JobErrorKind::invalid_value, "template", std::move(reason)});
  };
  if (name.empty()) {
    if (options_.default_template != nullptr) {
      return options_.default_template;
    }
    return Failure(JobError{JobErrorKind::missing_field, "template",
                            "is missing: the line has no subject, text or html of its own, and "
                            "there is no --template"});
  }
  const std::lock_guard lock(mutex_);
  const auto found = definitions_.find(name);
  if (found == definitions_.end()) {
    return refuse(unknown(name));
  }
  const Definition& definition = found->second;
  if (definition.place > Place{where.file_number, where.line}) {
    return refuse(
        fmt::format("{} is defined below ({}): templates stand above the jobs that "
                    "use them",
                    codec::in_quotes(name), definition.shown_place));
  }
  if (definition.source == nullptr) {
    return refuse(fmt::format("{} ({}) cannot be used: {}", codec::in_quotes(name),
                              definition.shown_place, definition.why));
  }
  return definition.source;
}

std::string TemplateRegistry::unknown(Bytes name) const {
  std::vector<std::string_view> known;
  for (const auto& [other, definition] : definitions_) {
    known.push_back(other);
  }
  const std::string_view nearest = codec::nearest_word(name, known);
  std::string words = fmt::format("no line above defines {}", codec::in_quotes(name));
  return nearest.empty() ? words
                         : words + fmt::format("; did you mean {}?", codec::in_quotes(nearest));
}

}  // namespace ringpost::run
