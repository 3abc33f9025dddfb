// Which Io a machine gives: the one place that makes them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/io/io.h"
#include <ringpost/io_choice.h>

namespace ringpost::io {

// What a run will use, found out once and for all of its threads.
struct FoundIo {
  IoChoice kind = IoChoice::ring;  // never automatic
  std::string why_no_ring;         // of epoll that was not asked for, and what to do about it

  // One sentence for whoever runs it; empty where there is nothing to say.
  [[nodiscard]] std::string notice() const;
};

// The ring where one can be had, which is tried. The error is that of a ring that was asked for.
[[nodiscard]] Result<FoundIo, IoError> find_io(IoChoice choice);

// Precondition: the kind is not automatic. Thread: the one that will drive it.
[[nodiscard]] Result<std::unique_ptr<Io>, IoError> make_io(IoChoice kind, const IoOptions& options);

// "auto", "ring" or "epoll", and back.
[[nodiscard]] std::string_view name_of(IoChoice choice);
[[nodiscard]] std::optional<IoChoice> io_choice_of(std::string_view name);

}  // namespace ringpost::io
