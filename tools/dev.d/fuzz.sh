#!/usr/bin/env bash
# Builds the fuzz targets of tests/fuzz and runs them side by side, as many at once as there are
# cores. Ends with the line "N passed, N failed": a target that could not be built, that found
# something or that did not run counts as a failure.
#
#   fuzz.sh [--seconds N] [--built] [TARGET...]      60 seconds each, all targets
#   fuzz.sh --build [TARGET...]                      only build them, for --built
#
# What is found stands in build/fuzz/found/, inputs that reach new code in build/fuzz/corpus/: later
# runs begin with them. A run of one input: build/fuzz/tests/fuzz/TARGET FILE.
set -euo pipefail
parts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$parts/common.sh"
cd "$ringpost_root"

folder=build/fuzz
seconds=60

known_targets() {
  local file
  for file in tests/fuzz/*_fuzz.cpp; do basename "$file" .cpp; done
}

# run_target TARGET: until its time is up or something is found. Its output goes to a log.
run_target() {
  local name=$1 log=$folder/$1.log corpora=("$folder/corpus/$1" "tests/fuzz/corpus/$1") options
  mkdir -p "$folder/corpus/$name" "$folder/found"
  # Seeds that were made by the build.
  if [[ -d $folder/tests/fuzz/corpus/$name ]]; then
    corpora+=("$folder/tests/fuzz/corpus/$name")
  fi
  options=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1
    -artifact_prefix="$folder/found/$name-")
  if [[ -e tests/fuzz/$name.dict ]]; then options+=(-dict="tests/fuzz/$name.dict"); fi
  # libFuzzer looks at its clock between two inputs only. It stays in this script's process group,
  # by which both can be ended.
  timeout --foreground $((seconds + 120)) "$folder/tests/fuzz/$name" "${options[@]}" \
    "${corpora[@]}" >"$log" 2>&1
}

# Prints what became of a target.
report_target() {
  local name=$1 status=$2 log=$folder/$1.log executions coverage
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(sed -n 's/.*DONE *cov: \([0-9]*\).*/\1/p' "$log")
  if ((status == 0)) && ((${executions:-0} > 0)); then
    say "$name: $executions executions, $coverage edges covered"
    return 0
  fi
  tail -n 40 "$log" >&2
  warn "$name: failed; the whole log: $log, inputs: $folder/found/$name-*"
  return 1
}

# What can be built is run all the same, and nothing that an earlier tree has left.
build_targets() {
  "$parts/packages.sh" build test fuzz
  "$parts/dependencies.sh" build test
  say "fuzz: building"
  cmake --preset fuzz --log-level=WARNING >&2 || true
  rm -f "${@/#/$folder/tests/fuzz/}"
  cmake --build --preset fuzz --parallel "$(nproc)" --target fuzz_targets -- -k 0 >&2 || true
}

main() {
  local targets=() build=true run=true name passed=0 failed=0 running=0 statuses
  while (($# > 0)); do
    case $1 in
      --seconds)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "--seconds takes a number of seconds"
        seconds=$2
        shift 2
        ;;
      --build)
        run=false
        shift
        ;;
      --built)
        build=false
        shift
        ;;
      *)
        [[ -e tests/fuzz/$1.cpp && $1 == *_fuzz ]] ||
          fail "no fuzz target '$1'" "known are: $(known_targets | paste -sd' ')"
        targets+=("$1")
        shift
        ;;
    esac
  done
  if ((${#targets[@]} == 0)); then mapfile -t targets < <(known_targets); fi
  if $build; then build_targets "${targets[@]}"; fi
  if ! $run; then return; fi

  say "fuzz: ${#targets[@]} targets, $seconds seconds each"
  statuses=$(mktemp -d)
  # shellcheck disable=SC2064 # now: the variable is local
  trap "rm -rf '$statuses'" EXIT
  for name in "${targets[@]}"; do
    if ((running == $(nproc))); then
      wait -n || true
      running=$((running - 1))
    fi
    { run_target "$name" && echo 0 || echo 1; } >"$statuses/$name" &
    running=$((running + 1))
  done
  wait
  for name in "${targets[@]}"; do
    if report_target "$name" "$(cat "$statuses/$name")"; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
    fi
  done
  printf '%d passed, %d failed\n' "$passed" "$failed"
  ((failed == 0))
}

main "$@"
