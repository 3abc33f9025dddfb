# Every third-party library as one imported target. Each of them has one owner, who links it
# PRIVATE: simdjson::simdjson and ringpost::xxhash codec, ringpost::wolfssl and ringpost::ipsec_mb
# tls, ringpost::liburing engine/io, ringpost::concurrentqueue queue, ringpost::cares tools/domain,
# ringpost::hdr_histogram tools/bench, ringpost::prometheus tools/serve/figures, ringpost::beast
# tools/serve/http, ringpost::curl tools/serve/webhook, ringpost::libnats tools/nats.

if(NOT EXISTS "${RINGPOST_DEPS}/lib/libwolfssl.a")
  message(FATAL_ERROR
    "No wolfSSL in ${RINGPOST_DEPS}. Run tools/dev setup, which builds wolfSSL, liburing and "
    "simdjson there, or name the folder that has them with -DRINGPOST_DEPS=DIRECTORY.")
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
# Without a version: simdjson's package refuses every minor release but the one asked for.
find_package(simdjson REQUIRED CONFIG PATHS "${RINGPOST_DEPS}" NO_DEFAULT_PATH)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET GLOBAL tomlplusplus)
pkg_check_modules(idn2 REQUIRED IMPORTED_TARGET GLOBAL libidn2)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET GLOBAL libzstd)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET GLOBAL libcares)
# What releases of distributions differ in is compiled in where the result goes to other machines:
# the packages of Debian 12 and 13 have other names and numbers for fmt, toml++ and c-ares.
if(RINGPOST_LIBRARY)
  add_library(ringpost::fmt ALIAS fmt::fmt-header-only)
  add_library(ringpost::tomlplusplus INTERFACE IMPORTED GLOBAL)
  set_property(TARGET ringpost::tomlplusplus PROPERTY
               INTERFACE_INCLUDE_DIRECTORIES "${tomlplusplus_INCLUDE_DIRS}")
  target_compile_definitions(ringpost::tomlplusplus INTERFACE TOML_HEADER_ONLY=1)
  find_library(RINGPOST_CARES libcares.a REQUIRED)
  mark_as_advanced(RINGPOST_CARES)
  add_library(ringpost::cares STATIC IMPORTED GLOBAL)
  set_target_properties(ringpost::cares PROPERTIES IMPORTED_LOCATION "${RINGPOST_CARES}"
    INTERFACE_INCLUDE_DIRECTORIES "${cares_INCLUDE_DIRS}" INTERFACE_LINK_LIBRARIES Threads::Threads)
else()
  add_library(ringpost::cares ALIAS PkgConfig::cares)
  add_library(ringpost::fmt ALIAS fmt::fmt)
  add_library(ringpost::tomlplusplus ALIAS PkgConfig::tomlplusplus)
endif()
add_library(ringpost::idn2 ALIAS PkgConfig::idn2)
add_library(ringpost::zstd ALIAS PkgConfig::zstd)

# The static libraries of tools/dev setup, never the distribution's own.
function(ringpost_import_static name)
  add_library(ringpost::${name} STATIC IMPORTED GLOBAL)
  set_target_properties(ringpost::${name} PROPERTIES
    IMPORTED_LOCATION "${RINGPOST_DEPS}/lib/lib${name}.a"
    INTERFACE_INCLUDE_DIRECTORIES "${RINGPOST_DEPS}/include")
endfunction()
ringpost_import_static(wolfssl)
set_property(TARGET ringpost::wolfssl PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads m)
# Its headers would define short names like Sha256 as macros, and take them from everybody.
set_property(TARGET ringpost::wolfssl PROPERTY
             INTERFACE_COMPILE_DEFINITIONS NO_OLD_WC_NAMES NO_OLD_SSL_NAMES)
ringpost_import_static(uring)
add_library(ringpost::liburing ALIAS ringpost::uring)
if(NOT EXISTS "${RINGPOST_DEPS}/lib/libhdr_histogram_static.a")
  message(FATAL_ERROR "No HdrHistogram in ${RINGPOST_DEPS}. Run tools/dev setup, which builds it.")
endif()
ringpost_import_static(hdr_histogram_static)
add_library(ringpost::hdr_histogram ALIAS ringpost::hdr_histogram_static)
set_property(TARGET ringpost::hdr_histogram_static PROPERTY
             INTERFACE_LINK_LIBRARIES ZLIB::ZLIB m)

if(NOT EXISTS "${RINGPOST_DEPS}/lib/libprometheus-cpp-core.a")
  message(FATAL_ERROR
    "No prometheus-cpp in ${RINGPOST_DEPS}. Run tools/dev setup, which builds it.")
endif()
ringpost_import_static(prometheus-cpp-core)
add_library(ringpost::prometheus ALIAS ringpost::prometheus-cpp-core)

# Of x86, and where it is not there wolfSSL does what it does: see tls/ipsec_mb_cipher.cpp.
find_library(RINGPOST_IPSEC_MB libIPSec_MB.a)
find_path(RINGPOST_IPSEC_MB_INCLUDE intel-ipsec-mb.h)
mark_as_advanced(RINGPOST_IPSEC_MB RINGPOST_IPSEC_MB_INCLUDE)
add_library(ringpost::ipsec_mb INTERFACE IMPORTED GLOBAL)
if(RINGPOST_IPSEC_MB AND RINGPOST_IPSEC_MB_INCLUDE)
  set_target_properties(ringpost::ipsec_mb PROPERTIES
    INTERFACE_COMPILE_DEFINITIONS RINGPOST_IPSEC_MB
    INTERFACE_INCLUDE_DIRECTORIES "${RINGPOST_IPSEC_MB_INCLUDE}"
    INTERFACE_LINK_LIBRARIES "${RINGPOST_IPSEC_MB}")
endif()

# Header only; distributions disagree on the folder, so it is included as <concurrentqueue.h>.
find_path(RINGPOST_CONCURRENTQUEUE concurrentqueue.h REQUIRED
          PATH_SUFFIXES concurrentqueue/moodycamel concurrentqueue moodycamel)
mark_as_advanced(RINGPOST_CONCURRENTQUEUE)
add_library(ringpost::concurrentqueue INTERFACE IMPORTED GLOBAL)
set_property(TARGET ringpost::concurrentqueue PROPERTY
             INTERFACE_INCLUDE_DIRECTORIES "${RINGPOST_CONCURRENTQUEUE}")

# Its header alone: all of it is compiled into the one file that includes it.
find_path(RINGPOST_XXHASH xxhash.h REQUIRED)
mark_as_advanced(RINGPOST_XXHASH)
add_library(ringpost::xxhash INTERFACE IMPORTED GLOBAL)
set_property(TARGET ringpost::xxhash PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${RINGPOST_XXHASH}")

# Headers alone. Without find_package(Boost), which looks for all that is compiled of it.
find_path(RINGPOST_BOOST boost/beast/http/parser.hpp REQUIRED)
mark_as_advanced(RINGPOST_BOOST)
add_library(ringpost::beast INTERFACE IMPORTED GLOBAL)
set_property(TARGET ringpost::beast PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${RINGPOST_BOOST}")

# Headers alone: serve loads the library by its name, when a webhook is configured.
find_path(RINGPOST_CURL curl/curl.h REQUIRED)
mark_as_advanced(RINGPOST_CURL)
add_library(ringpost::curl INTERFACE IMPORTED GLOBAL)
set_property(TARGET ringpost::curl PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${RINGPOST_CURL}")
# Where it is not there, ringpost is built without NATS, and [nats] is an error that says so. Not in
# what goes to other machines: releases of Debian have it under other names.
pkg_check_modules(libnats IMPORTED_TARGET GLOBAL libnats>=3.4)
set(RINGPOST_HAS_NATS OFF)
if(libnats_FOUND AND NOT RINGPOST_LIBRARY)
  set(RINGPOST_HAS_NATS ON)
  add_library(ringpost::libnats ALIAS PkgConfig::libnats)
endif()

if(RINGPOST_DEVELOPER)
  find_package(Catch2 3 CONFIG PATHS "${RINGPOST_DEPS}" NO_DEFAULT_PATH)
  find_package(benchmark)
  # The system's own Python, because that is the one that sees the packages of the tests.
  find_program(Python3_EXECUTABLE python3 PATHS /usr/bin NO_DEFAULT_PATH)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  if(NOT Catch2_FOUND OR NOT benchmark_FOUND)
    message(FATAL_ERROR
      "Tests and benchmarks need Catch2 and Google Benchmark. Run tools/dev test, which installs "
      "them, or configure with -DRINGPOST_DEVELOPER=OFF.")
  endif()
endif()
