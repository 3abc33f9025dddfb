#!/usr/bin/env bash
# Builds the libraries that the distribution ships too old or too slow, from source, once.
#
#   dependencies.sh build         wolfSSL, liburing, simdjson, HdrHistogram, prometheus-cpp; uPlot
#                                 where npm is
#   dependencies.sh build test    and Catch2
#
# They are installed below ${RINGPOST_CACHE:-~/.cache/ringpost}/deps/<key>, shared by every
# checkout and preset; build/deps of this checkout becomes a link to it. The key covers this
# recipe, the compiler and the folders named by the user, so a change of any of them builds anew
# and breaks nothing that is in use. A library counts as there when its mark is there, and the
# mark is written last.
#
# RINGPOST_WOLFSSL_SOURCE, RINGPOST_LIBURING_SOURCE, RINGPOST_SIMDJSON_SOURCE,
# RINGPOST_HDR_HISTOGRAM_SOURCE, RINGPOST_PROMETHEUS_CPP_SOURCE, RINGPOST_CATCH2_SOURCE name source
# trees to use instead of fetching; they are copied, never built in place.
#
# The libraries are never instrumented by a sanitizer: one copy serves every preset, and what is
# wanted from the sanitizers is their word on ringpost's own code.
set -euo pipefail
parts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$parts/common.sh"

# Position independent, so that they fit any executable or shared library; frame pointers for perf.
compile_flags='-O3 -g1 -fPIC -fno-omit-frame-pointer'

wolfssl_flags=(
  --enable-static --disable-shared --disable-dependency-tracking
  --disable-examples --disable-crypttests --disable-benchmark
  --enable-sp --enable-sp-asm --enable-harden
  --enable-tls13 --disable-oldtls --enable-session-ticket --enable-sni
  --enable-ip-alt-name --enable-curve25519 --enable-ed25519
  --enable-pkcallbacks --enable-atomicuser # tls/record_sealer makes records of its own
  --enable-ticket-nonce-malloc   # rustls servers send ticket nonces of 32 octets
  --enable-certgen --enable-certext --enable-keygen # the sink makes its own certificate
  --enable-pwdbased                                 # PBKDF2, for SCRAM
)
wolfssl_defines=(
  -DWOLFSSL_ALWAYS_VERIFY_CB # tls/peer_check decides, also where wolfSSL has nothing to say
  -DMAX_CHAIN_DEPTH=32       # certificates that a server may send: some send a whole bundle
  -DWOLFSSL_ALT_NAMES        # subjectAltName in the sink's certificate
  -DWOLFSSL_MAX_ALT_NAMES=1024 # hosting providers put more than 128 names into one certificate
  -DWOLFSSL_PYTHON           # lifts one check: systems ship CAs with the serial number 0
)
case $(uname -m) in
  x86_64) wolfssl_flags+=(--enable-intelasm) ;;
  aarch64) wolfssl_flags+=(--enable-armasm) ;;
esac

# Puts the source of a library into $work/source: the user's folder, or what the distribution has.
take_source() {
  local name=$1 folder_variable=RINGPOST_${1^^}_SOURCE
  local folder=${!folder_variable:-}
  if [[ -n $folder ]]; then
    mkdir -p "$work/source"
    cp -a "$folder/." "$work/source/"
    # With a repository around it wolfSSL's configure turns warnings into errors.
    rm -rf "$work/source/.git"
    version="from the folder $folder"
    return
  fi
  if [[ $name == hdr_histogram ]]; then
    # Debian has it since its release 14 (forky), and changes nothing in it but how it is built.
    "$parts/sources.sh" libhdr-histogram "$work/source" newest upstream ||
      "$parts/sources.sh" libhdr-histogram "$work/source" forky upstream ||
      fail "no source for $name" \
        "give an unpacked source tree with $folder_variable=DIRECTORY and run this again"
    version=$(sed -n 's/^#define HDR_HISTOGRAM_VERSION "\(.*\)"$/\1/p' \
      "$work/source/include/hdr/hdr_histogram_version.h")
    return
  fi
  "$parts/sources.sh" "${name//_/-}" "$work/source" || take_older_source ||
    fail "no source for $name" \
      "give an unpacked source tree with $folder_variable=DIRECTORY and run this again"
  version=$(cd "$work/source" && dpkg-parsechangelog --show-field Version)
}

# Charts of ringpost report: two files of a package of npm, which nothing else here depends on.
uplot=1.6.32
uplot_sha256=4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d
provide_uplot() {
  local work=$ringpost_cache/work/$key/uplot target=$prefix/share/uplot
  if [[ -e $target/uplot_licence.txt ]] || ! command -v npm >/dev/null; then return; fi
  rm -rf "$work"
  mkdir -p "$work" "$target"
  if (cd "$work" && npm pack --silent "uplot@$uplot" &&
    sha256sum --check --quiet <<<"$uplot_sha256  uplot-$uplot.tgz" &&
    tar xzf "uplot-$uplot.tgz" --strip-components=1) >"$prefix/log/uplot.log" 2>&1; then
    install -m 644 "$work/dist/uPlot.iife.min.js" "$target/uplot.js"
    install -m 644 "$work/dist/uPlot.min.css" "$target/uplot_style.css"
    install -m 644 "$work/LICENSE" "$target/uplot_licence.txt" # last: it is the mark
  else
    warn "uPlot cannot be had, so pages of ringpost report will have no charts;" \
      "the whole log: $prefix/log/uplot.log"
  fi
  rm -rf "$work"
}

# simdjson 3.0 has all that job_reader needs, and prometheus-cpp 1.0 all that metrics_text needs, so
# the machine's own release will do when the newer suite cannot be had. The other libraries are
# built here because the machine's own release will not do.
take_older_source() {
  [[ $name == simdjson || $name == prometheus_cpp ]] || return 1
  warn "trying the older $name of this machine's own release"
  "$parts/sources.sh" "${name//_/-}" "$work/source" own
}

build_wolfssl() {
  [[ -x configure ]] || run_logged "$log" ./autogen.sh
  run_logged "$log" ./configure --prefix="$prefix" --libdir="$prefix/lib" "${wolfssl_flags[@]}" \
    CFLAGS="$compile_flags" CPPFLAGS="-DNDEBUG ${wolfssl_defines[*]}"
  run_logged "$log" make -j "$jobs"
  run_logged "$log" make install
  check_hardware_aes
}

# Portable AES is thirty times slower, and nothing else would ever tell: the library works all the
# same.
check_hardware_aes() {
  local symbols
  case $(uname -m) in
    x86_64) symbols='AES_GCM_encrypt_(aesni|avx1|avx2)$' ;;
    aarch64) symbols='AES.*(AARCH64|CRYPTO)' ;;
    *)
      warn "no hardware AES is known for $(uname -m); TLS will be slow"
      return
      ;;
  esac
  # Not grep -q: it would leave nm with a broken pipe, which pipefail counts as a failure.
  nm --defined-only "$prefix/lib/libwolfssl.a" 2>/dev/null | grep -E "$symbols" >/dev/null ||
    fail "this build of wolfSSL has no hardware AES, and TLS would be many times too slow" \
      "is the assembler of this compiler able to assemble AES-NI? the whole log: $log"
}

build_liburing() {
  run_logged "$log" ./configure --prefix="$prefix" --libdir="$prefix/lib" --libdevdir="$prefix/lib"
  run_logged "$log" make -C src -j "$jobs" ENABLE_SHARED=0 CFLAGS="$compile_flags -DNDEBUG"
  run_logged "$log" make -C src install ENABLE_SHARED=0
}

build_with_cmake() {
  run_logged "$log" cmake -S . -B build-ringpost -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF \
    -DCMAKE_CXX_FLAGS="$compile_flags" -DCMAKE_CXX_STANDARD=20 "$@"
  run_logged "$log" cmake --build build-ringpost -j "$jobs"
  run_logged "$log" cmake --install build-ringpost
}

build_simdjson() {
  build_with_cmake -DSIMDJSON_DEVELOPER_MODE=OFF -DSIMDJSON_ENABLE_THREADS=OFF
}

build_hdr_histogram() {
  build_with_cmake -DHDR_LOG_REQUIRED=ON -DHDR_HISTOGRAM_BUILD_PROGRAMS=OFF \
    -DHDR_HISTOGRAM_BUILD_SHARED=OFF -DHDR_HISTOGRAM_INSTALL_SHARED=OFF \
    -DCMAKE_C_FLAGS="$compile_flags"
}

# Its core alone: no server of its own, no libcurl. The distribution's is a shared library with
# another name in each release.
build_prometheus_cpp() {
  build_with_cmake -DENABLE_PULL=OFF -DENABLE_PUSH=OFF -DENABLE_TESTING=OFF \
    -DENABLE_COMPRESSION=OFF -DGENERATE_PKGCONFIG=OFF
}

# In a few heaps and without much optimisation, because file by file it takes longer than all other
# libraries together.
build_catch2() {
  build_with_cmake -DBUILD_TESTING=OFF -DCATCH_INSTALL_DOCS=OFF -DCATCH_INSTALL_EXTRAS=ON \
    -DCMAKE_CXX_FLAGS_RELEASE=-O1 -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=25
}

# Builds one library unless its mark says that it is there.
provide() {
  local name=$1 mark=$prefix/built/$1 version=''
  if [[ -e $mark ]]; then return; fi
  local work=$ringpost_cache/work/$key/$name log=$prefix/log/$name.log
  rm -rf "$work"
  mkdir -p "$work" "$prefix/log" "$prefix/built"
  : >"$log"
  say "building $name (once; kept in $prefix)"
  take_source "$name"
  (cd "$work/source" && "build_$name")
  rm -rf "$work"
  printf '%s\n' "$version" >"$mark"
  say "built $name $version"
}

# Before anything is built, because that takes minutes.
check_named_folders() {
  local variable
  local libraries=(WOLFSSL LIBURING SIMDJSON HDR_HISTOGRAM PROMETHEUS_CPP CATCH2)
  for variable in "${libraries[@]/%/_SOURCE}"; do
    variable=RINGPOST_$variable
    if [[ -n ${!variable:-} && ! -d ${!variable} ]]; then
      fail "$variable=${!variable} is not a folder"
    fi
  done
}

# One line for everything that makes a built library differ.
fingerprint() {
  local name folder_variable
  declare -f build_wolfssl build_liburing build_with_cmake build_simdjson build_catch2
  printf '%s\n' "$compile_flags" "${wolfssl_flags[@]}" "${wolfssl_defines[@]}"
  uname -m
  "${CC:-cc}" --version | head -n 1
  "${CXX:-c++}" --version | head -n 1
  printf '%s\n' "${RINGPOST_SOURCE_SUITE:-}"
  # Some where a folder is named: nobody builds the others anew for them.
  for name in wolfssl liburing simdjson hdr_histogram prometheus_cpp catch2; do
    folder_variable=RINGPOST_${name^^}_SOURCE
    if [[ -n ${!folder_variable:-} ]]; then
      printf '%s\n' "$name"
      find "${!folder_variable}" -type f -not -path '*/.git/*' -printf '%P %s %T@\n' | sort
    fi
  done
}

main() {
  local names=() group name key prefix jobs
  for group in "$@"; do
    case $group in
      build) names+=(wolfssl liburing simdjson hdr_histogram prometheus_cpp) ;;
      test) names+=(catch2) ;;
      *) fail "dependencies.sh: unknown group '$group'" "known are: build test" ;;
    esac
  done
  check_named_folders
  jobs=$(nproc)
  key=$(fingerprint | sha256sum | cut -c1-16)
  prefix=$ringpost_cache/deps/$key
  mkdir -p "$prefix" "$ringpost_root/build"
  # Two builds at once would write the same files; the second waits and then finds the marks.
  exec 9>"$prefix.lock"
  flock 9
  for name in "${names[@]}"; do provide "$name"; done
  provide_uplot
  ln -sfn "$prefix" "$ringpost_root/build/deps"
}

main "$@"
