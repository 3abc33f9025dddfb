// The problem: resize() sets to zero what is written over at once. The idea:
// resize_and_overwrite(), for which this is the one file in C++23. Limits: where the library has no
// such thing, zeros are written after all.
#include "codec/text/unfilled_text.h"

namespace ringpost::codec {

void resize_unfilled(std::string& text, std::size_t bytes) {
#ifdef __cpp_lib_string_resize_and_overwrite
  text.resize_and_overwrite(bytes, [](char*, std::size_t room) { return room; });
#else
  text.resize(bytes);
#endif
}

}  // namespace ringpost::codec
