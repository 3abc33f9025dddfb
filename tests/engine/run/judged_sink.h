// A sink that knows whether it is asked for something when the run is over.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>

#include "engine/run/file_sink.h"
#include "engine/run/run.h"

namespace ringpost::run::test {

// When all messages are back it belongs to whoever ends the run: nobody else may call it.
class JudgedSink : public FileSink {
 public:
  using FileSink::FileSink;
  void take(std::span<const OutcomeView> decided, std::size_t group) override {
    judge();
    FileSink::take(decided, group);
  }
  Result<void, RunTrouble> write(bool everything, std::size_t group) override {
    judge();
    return FileSink::write(everything, group);
  }

  const Run* run = nullptr;  // before the first job is read
  std::atomic<int> calls_behind_the_end{0};

 private:
  void judge() { calls_behind_the_end += run->is_over() ? 1 : 0; }
};

}  // namespace ringpost::run::test
