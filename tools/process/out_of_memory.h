// What the program does when the machine gives it no more memory.
#pragma once

namespace ringpost::cli {

// From now on an allocation that fails ends the program at once: a line on stderr, and the exit
// code that was set last. It is an end as by SIGKILL, which a journal survives: no destructor runs,
// nothing is written that was not, and no core is left, which would hold secrets. Going on would
// take memory at every step of what is to be told to whom. Memory of C libraries is not meant: they
// report its lack as an error, and so do TLS, names and the ring.
void end_when_out_of_memory(int exit_code);

}  // namespace ringpost::cli
