#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what building and testing need, builds, runs every test; the last lines are ctest's own summary.
#   tests/run.sh                 everything
#   tests/run.sh -L fast         what follows goes to ctest
#   tests/run.sh --soak MINUTES  reserved for the long fault tests
# FLOTILLA_JOBS: parallel compilers, 2 when unset.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ${1:-} == --soak ]]; then
  echo "error: there are no soak tests yet; run tests/run.sh" >&2
  exit 64
fi
jobs=${FLOTILLA_JOBS:-2}
packaging/install-deps.sh build test
cmake --preset release >build-configure.log 2>&1 || { cat build-configure.log >&2; exit 1; }
rm -f build-configure.log
cmake --build --preset release -j"$jobs"
exec ctest --preset release -j"$jobs" "$@"
