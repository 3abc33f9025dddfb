// The one file in C++23, for std::string::resize_and_overwrite().
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
