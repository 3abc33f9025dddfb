// The problem: where an invariant is broken, nothing that is in memory can be trusted any more. The
// idea: one line says where, and the process ends there and then. No destructor runs and nothing
// else is written, which a journal survives as it survives SIGKILL. It is the only place outside of
// tools that prints.
#include <cstdio>
#include <cstdlib>

#include <ringpost/base.h>

namespace ringpost {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "ringpost: broken invariant at %s:%d: %s\n", file, line, expression);
  std::abort();
}

}  // namespace ringpost
