#include <cstdio>
#include <cstdlib>

#include <ringpost/base.h>

namespace ringpost {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "ringpost: broken invariant at %s:%d: %s\n", file, line, expression);
  std::abort();
}

}  // namespace ringpost
