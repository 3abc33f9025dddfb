// wolfSSL as a library of this process. Internal to tls/.
#pragma once

namespace ringpost::tls {

// Makes wolfSSL ready, with its memory from record_memory; once, however often it is called. Any
// thread. Whatever uses wolfSSL calls it first.
void initialise_library();

}  // namespace ringpost::tls
