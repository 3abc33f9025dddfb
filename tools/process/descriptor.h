// A file descriptor that is closed with its owner.
#pragma once

#include "engine/run/descriptor.h"

namespace ringpost::cli {

using run::Descriptor;

}  // namespace ringpost::cli
