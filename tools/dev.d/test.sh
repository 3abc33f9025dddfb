#!/usr/bin/env bash
# Builds and tests the presets of continuous integration, and ends with the line "N passed, N
# failed".
#
#   test.sh [PRESET...]      release, dev, tsan and fuzz when none is named
#
# "fuzz" runs each fuzz target for up to a minute; a target counts as one test.
#
# Two lanes, because most tests wait and all builds compute: one builds the presets one after the
# other and runs the fuzz targets when it comes to them, behind the tests in the queue for the
# cores; the other one tests each preset when it is built. What a lane says stands in build/ci, and
# is shown when a preset cannot be built.
#
# With "release" among several presets, the codec benchmarks are compared with those of the parent
# commit where the codec is another, for people to read: what a machine that others use can time is
# no test. They come last, when nothing else runs.
#
# A few tests that failed beside others run once more, alone, and the end of the run names them:
# see run_again.py.
#
# What failed tests said at last is told once more at the end: their own place is thousands of lines
# above it.
#
# A preset that cannot be built, and one in which no test ran, count as one failure each, so that
# nothing can be green by not happening.
set -euo pipefail
parts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$parts/common.sh"
cd "$ringpost_root"

logs=$ringpost_root/build/ci
passed=0
failed=0
lane=''

# The last line, whatever happens before it.
report() {
  local status=$?
  trap - EXIT
  # What the lane has started is in its process group.
  if [[ -n $lane ]]; then kill -- "-$lane" 2>/dev/null || true; fi
  if ((status != 0 && failed == 0)) || ((passed == 0 && failed == 0)); then failed=1; fi
  cat "$logs/failures" >&2 2>/dev/null || true
  printf '%d passed, %d failed\n' "$passed" "$failed"
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

# The peers of the tests, which nobody needs before the first tests run.
fetch_peers() {
  "$parts/peers.sh"
  "$parts/peers.sh" readers
  "$parts/peers.sh" specification
  "$parts/peers.sh" operations
  "$parts/roots.sh" here opensmtpd chasquid courier # of tests/interop/CMakeLists.txt
}

build_preset() {
  local preset=$1
  if [[ $preset == fuzz ]]; then
    "$parts/fuzz.sh" --build
  else
    cmake --preset "$preset" --log-level=WARNING -DRINGPOST_DEVELOPER=ON &&
      cmake --build --preset "$preset" --parallel "$(nproc)"
  fi
}

# The targets share the cores, and all of them together may take two minutes.
run_fuzz() {
  local targets=(tests/fuzz/*_fuzz.cpp) seconds
  seconds=$((120 * $(nproc) / ${#targets[@]}))
  if ((seconds > 60)); then seconds=60; fi
  "$parts/fuzz.sh" --built --seconds "$seconds"
}

# build_lane PRESET...: prints "PRESET STATUS SECONDS" for each when it is built, and "fuzz-run ..."
# behind that of fuzz.
build_lane() {
  local preset status began
  # The tests go first wherever both want a core: those whose middle lasts seconds stay true.
  renice -n 19 -p "$BASHPID" >/dev/null
  for preset in "$@"; do
    began=$SECONDS status=0
    build_preset "$preset" >"$logs/$preset.log" 2>&1 </dev/null || status=$?
    echo "$preset $status $((SECONDS - began))"
    if [[ $preset == fuzz ]] && ((status == 0)); then
      began=$SECONDS
      run_fuzz >"$logs/fuzz-run.log" 2>&1 </dev/null || true
      echo "fuzz-run 0 $((SECONDS - began))"
    fi
  done
}

# wait_for PRESET: until the lane says so. False when it could not be built, which is shown.
wait_for() {
  local wanted=$1 name='' status=1 seconds=0
  say "$wanted: building"
  if ! read -r name status seconds <&"$lane_says" || [[ $name != "$wanted" ]]; then
    warn "$wanted: the lane that builds has ended"
    status=1
  fi
  if ((status == 0)); then
    say "$wanted: built in $seconds s"
    return
  fi
  tail -n 200 "$logs/$wanted.log" >&2 || true
  warn "$wanted: could not be built, which counts as one failure; the whole log: $logs/$wanted.log"
  failed=$((failed + 1))
  return 1
}

# run_again PRESET RESULTS LAUNCHER...: a few tests that failed beside others once more, alone.
run_again() {
  local preset=$1 results=$2 again=$2.again name
  local launcher=("${@:3}")
  "$parts/run_again.py" wanted "$results" || return 0
  say "$preset: what failed beside others once more, alone"
  rm -f "$again"
  "${launcher[@]}" ctest --preset "$preset" --rerun-failed --output-junit "$again" || true
  [[ -e $again ]] || return 0
  while read -r name; do
    echo "-- $preset: $name failed beside others and passed alone" >>"$logs/failures"
  done < <("$parts/run_again.py" merge "$results" "$again")
}

test_preset() {
  local preset=$1 folder=$ringpost_root/build/$1 launcher=() began=$SECONDS
  local results=$folder/results.xml preset_passed=0 preset_failed=0 preset_skipped=0
  say "$preset: testing"
  rm -rf "$results" "$folder/cases"
  if [[ $preset == tsan ]]; then launcher=(without_randomisation); fi
  # More at a time than there are cores, because the long tests spend most of their time waiting;
  # those that compute say so by PROCESSORS 2.
  "${launcher[@]}" ctest --preset "$preset" --parallel $((4 * $(nproc))) \
    --output-junit "$results" || true
  if [[ -e $results ]]; then
    run_again "$preset" "$results" "${launcher[@]}"
    read -r preset_passed preset_failed preset_skipped \
      < <("$parts/count_results.py" "$results" "$folder/cases")
    "$parts/failures.py" "$preset" "$results" >>"$logs/failures" || true
  fi
  if ((preset_passed + preset_failed == 0)); then
    warn "$preset: no test ran, which counts as one failure"
    preset_failed=1
  fi
  say "$preset: $preset_passed passed, $preset_failed failed, $preset_skipped skipped" \
    "in $((SECONDS - began)) s"
  passed=$((passed + preset_passed))
  failed=$((failed + preset_failed))
}

# What the lane has run meanwhile.
count_fuzz() {
  local name status seconds last
  read -r name status seconds <&"$lane_says" || true
  cat "$logs/fuzz-run.log" >&2 || true
  last=$(tail -n 1 "$logs/fuzz-run.log") || true
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    say "fuzz: $last in $seconds s"
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
  local presets=("$@") preset groups=(build test) peers
  if ((${#presets[@]} == 0)); then presets=(release dev tsan fuzz); fi
  for preset in "${presets[@]}"; do
    [[ $preset =~ ^(release|dev|tsan|fuzz)$ ]] ||
      fail "no tests for preset '$preset'" "known are: release dev tsan fuzz"
  done
  mkdir -p "$logs"
  rm -f "$logs/failures"
  if [[ " ${presets[*]} " == *" fuzz "* ]]; then groups+=(fuzz); fi
  "$parts/packages.sh" "${groups[@]}"
  fetch_peers &
  peers=$!
  "$parts/dependencies.sh" build test
  say "set up after $SECONDS s"

  rm -f "$logs/lane"
  mkfifo "$logs/lane"
  # Job control gives the lane a process group.
  set -m
  build_lane "${presets[@]}" >"$logs/lane" &
  lane=$!
  set +m
  exec {lane_says}<"$logs/lane"
  for preset in "${presets[@]}"; do
    wait_for "$preset" || continue
    if [[ -n $peers ]]; then
      wait "$peers"
      peers=''
    fi
    if [[ $preset == fuzz ]]; then count_fuzz; else test_preset "$preset"; fi
  done
  lane=''
  if [[ " ${presets[*]} " == *" release "* ]] && ((${#presets[@]} > 1)); then
    compare_with_parent
  fi
  say "all of it took $SECONDS s"
}

main "$@"
