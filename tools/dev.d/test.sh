#!/usr/bin/env bash
# Builds and tests the presets of continuous integration, and ends with the line "N passed, N
# failed".
#
#   test.sh [PRESET...]      release, dev, tsan and fuzz when none is named
#
# "fuzz" runs each fuzz target for up to a minute; a target counts as one test.
#
# With "release" among several presets, the codec benchmarks are compared with those of the parent
# commit where the codec is another, for people to read: what a machine that others use can time is
# no test.
#
# A preset that cannot be built, and one in which no test ran, count as one failure each, so that
# nothing can be green by not happening.
set -euo pipefail
parts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$parts/common.sh"
cd "$ringpost_root"

passed=0
failed=0

# The last line, whatever happens before it.
report() {
  local status=$?
  if ((status != 0 && failed == 0)) || ((passed == 0 && failed == 0)); then failed=1; fi
  printf '%d passed, %d failed\n' "$passed" "$failed"
  trap - EXIT
  exit $((failed > 0))
}
trap report EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ThreadSanitizer of older compilers cannot live with much address space randomisation. Where a
# container forbids to switch it off, try without.
without_randomisation() {
  if setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}

test_preset() {
  local preset=$1 results=$ringpost_root/build/$1/results.xml launcher=()
  local preset_passed=0 preset_failed=0 preset_skipped=0
  say "$preset: building"
  if ! cmake --preset "$preset" --log-level=WARNING -DRINGPOST_DEVELOPER=ON ||
    ! cmake --build --preset "$preset"; then
    warn "$preset: could not be built, which counts as one failure"
    failed=$((failed + 1))
    return
  fi

  say "$preset: testing"
  rm -rf "$results" "build/$preset/cases"
  if [[ $preset == tsan ]]; then launcher=(without_randomisation); fi
  # More at a time than there are cores, because the long tests spend most of their time waiting;
  # those that compute say so by PROCESSORS 2.
  "${launcher[@]}" ctest --preset "$preset" --parallel $((4 * $(nproc))) \
    --output-junit "$results" || true
  if [[ -e $results ]]; then
    read -r preset_passed preset_failed preset_skipped \
      < <("$parts/count_results.py" "$results" "build/$preset/cases")
  fi
  if ((preset_passed + preset_failed == 0)); then
    warn "$preset: no test ran, which counts as one failure"
    preset_failed=1
  fi
  say "$preset: $preset_passed passed, $preset_failed failed, $preset_skipped skipped"
  passed=$((passed + preset_passed))
  failed=$((failed + preset_failed))
}

# The targets share the cores, and all of them together may take two minutes.
test_fuzz() {
  local targets=(tests/fuzz/*_fuzz.cpp) last seconds
  seconds=$((120 * $(nproc) / ${#targets[@]}))
  if ((seconds > 60)); then seconds=60; fi
  last=$("$parts/fuzz.sh" --seconds "$seconds" | tail -n 1) || true
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    say "fuzz: $last"
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
  else
    warn "fuzz: did not run, which counts as one failure"
    failed=$((failed + 1))
  fi
}

compare_with_parent() {
  if git diff --quiet HEAD^ -- codec bench/micro CMakeLists.txt tools/cmake; then
    say "codec benchmarks: nothing that they measure has changed since the parent commit"
    return
  fi
  say "codec benchmarks: the parent commit, this tree, and their ratio"
  "$parts/bench_compare.py" --short HEAD^ || warn "the benchmarks could not be compared"
}

main() {
  local presets=("$@") preset
  if ((${#presets[@]} == 0)); then presets=(release dev tsan fuzz); fi
  for preset in "${presets[@]}"; do
    [[ $preset =~ ^(release|dev|tsan|fuzz)$ ]] ||
      fail "no tests for preset '$preset'" "known are: release dev tsan fuzz"
  done
  "$parts/packages.sh" build test
  "$parts/dependencies.sh" build test
  "$parts/peers.sh"
  "$parts/peers.sh" readers
  "$parts/roots.sh" here opensmtpd chasquid courier # of tests/interop/CMakeLists.txt
  for preset in "${presets[@]}"; do
    if [[ $preset == fuzz ]]; then test_fuzz; else test_preset "$preset"; fi
    if [[ $preset == release ]] && ((${#presets[@]} > 1)); then compare_with_parent; fi
  done
}

main "$@"
