// Why a journal could not be written, read or resumed.
#pragma once

#include <cerrno>
#include <string>

namespace ringpost::queue {

struct JournalError {
  std::string message;              // names the file, and what to do about it where that is known
  bool may_be_tried_again = false;  // there was no room; the journal is as it was before
  int error_number = 0;             // of the system call that failed; 0: it was none
};

// Whether a write failed for a reason that may go away by itself.
[[nodiscard]] inline bool is_lack_of_room(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

}  // namespace ringpost::queue
