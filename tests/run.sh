#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what building and testing need, builds, runs every test; the last lines are ctest's own summary.
#   tests/run.sh                 everything
#   tests/run.sh -L fast         what follows goes to ctest
#   tests/run.sh --soak MINUTES  the fault tests, with ever new seeds, for so long; the first failure ends it
# FLOTILLA_JOBS: parallel compilers, 2 when unset.
set -euo pipefail
cd "$(dirname "$0")/.."
soak=0
if [[ ${1:-} == --soak ]]; then
  soak=${2:-}
  if ! [[ $soak =~ ^[1-9][0-9]*$ ]]; then
    echo "error: --soak wants minutes" >&2
    exit 64
  fi
fi
jobs=${FLOTILLA_JOBS:-2}
packaging/install-deps.sh build test
cmake --preset release >build-configure.log 2>&1 || { cat build-configure.log >&2; exit 1; }
rm -f build-configure.log
cmake --build --preset release -j"$jobs"
if ((soak == 0)); then exec ctest --preset release -j"$jobs" "$@"; fi

# Each test prints its seed; FAULT_SEED, or FLOTILLA_SEED for the Python ones, repeats it.
bin=$PWD/build/release/bin
tests=$PWD/build/release/tests
end=$((SECONDS + soak * 60))
rounds=0
try() {
  local log name=$1
  shift
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    echo "$(date +%T) ok: $name $(grep -ohE '(FAULT|FLOTILLA)_SEED=[0-9]+|seed [0-9]+' "$log" | head -1)"
    rm -f "$log"
  else
    cat "$log"
    echo "FAILED in round $rounds: $name" >&2
    exit 1
  fi
}
while ((SECONDS < end)); do
  rounds=$((rounds + 1))
  try storage env FAULT_ROUNDS=30 "$tests/faults_storage"
  try crash env FLOTILLA_CRASHES=20 python3 tests/faults/crash_test.py "$bin"
  try disk env FLOTILLA_ROUNDS=20 python3 tests/faults/disk_test.py "$bin" "$tests/libfault_disk.so"
  try chaos env FLOTILLA_ROUNDS=24 python3 tests/faults/chaos_test.py "$bin"
done
echo "$rounds rounds in $soak minutes, no failure"
