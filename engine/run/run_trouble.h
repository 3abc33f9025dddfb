// What went wrong with something that a run reads or writes.
#pragma once

#include <string>

namespace ringpost::run {

struct RunTrouble {
  std::string message;              // names the file, or whatever it is
  bool usage = false;               // a mistake of whoever runs it, not of the machine
  bool may_be_tried_again = false;  // there was no room, or nobody who reads a pipe
};

}  // namespace ringpost::run
