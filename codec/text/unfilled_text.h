// A string made longer without its new octets being set first.
#pragma once

#include <cstddef>
#include <string>

namespace ringpost::codec {

// Like text.resize(bytes), but what is new has no value yet: whoever calls writes it before anybody
// reads it. Setting a long text to zero costs as much as unescaping it.
void resize_unfilled(std::string& text, std::size_t bytes);

}  // namespace ringpost::codec
