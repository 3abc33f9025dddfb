// The problem: wolfSSL wants to be initialised once in a process, before its first use, and nobody
// can say which part of ringpost that will be.
//
// The idea: everything here that needs it initialised asks for that first, and one call does it.
// Hashes need nothing (sha256.cpp).
//
// Limits: its opposite, wolfSSL_Cleanup, is never called: sessions may still be freed by
// destructors while the program ends.
#include "tls/library.h"

#include <mutex>
#include <string>

// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
// clang-format on
#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "tls/context.h"
#include "tls/record_cipher.h"
#include "tls/record_memory.h"
#include <ringpost/base.h>

namespace ringpost::tls {

void initialise_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    install_record_memory();
    RP_ASSERT(wolfSSL_Init() == WOLFSSL_SUCCESS);
  });
}

std::string library_version() { return wolfSSL_lib_version(); }

std::string record_library() { return std::string(make_record_cipher()->name()); }

bool aes_in_hardware() {
#if defined(WOLFSSL_AESNI) && defined(__x86_64__)
  return __builtin_cpu_supports("aes") != 0 && __builtin_cpu_supports("pclmul") != 0;
#elif defined(WOLFSSL_ARMASM) && defined(__aarch64__)
  return (getauxval(AT_HWCAP) & HWCAP_AES) != 0 && (getauxval(AT_HWCAP) & HWCAP_PMULL) != 0;
#else
  return false;
#endif
}

}  // namespace ringpost::tls
