// Whoever writes outcomes down before they are told to anybody else. A seam: the spool behind it.
#pragma once

#include <cstdint>

#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::serve {

// Thread: that which tells outcomes.
class OutcomeKeeper {
 public:
  enum class Wish : std::uint8_t {
    none,       // it is nothing to it
    line,       // add() with its outcome line
    pass_over,  // nobody is told: the message will be sent another time
  };

  virtual ~OutcomeKeeper() = default;

  [[nodiscard]] virtual Wish wish(const OutcomeView& decided) = 0;
  // Kept until write().
  virtual void add(const OutcomeView& decided, Bytes line) = 0;
  // Everything added is safe when it returns. Waits while there is no room, which holds up all
  // outcomes.
  virtual void write() = 0;
};

}  // namespace ringpost::serve
