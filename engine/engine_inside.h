// What engine/run has of an Engine besides its public side: it tells outcomes by itself, and feeds
// jobs to the core.
#pragma once

#include <functional>
#include <memory>

#include "engine/engine_core.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::engine {

struct EngineInside {
  // On the outcome thread of a group, whenever something of it was decided: takes all there is, and
  // gives back what was told of.
  using Deliver = std::function<void(EngineCore&, std::size_t group)>;

  // As Engine::start().
  [[nodiscard]] static Result<std::unique_ptr<Engine>, EngineError> start(EngineOptions options,
                                                                          Deliver deliver);
  [[nodiscard]] static EngineCore& core(Engine& engine);
  // Workers that sleep, for jobs that have left a feeder.
  static void wake_parked(Engine& engine);
};

}  // namespace ringpost::engine
