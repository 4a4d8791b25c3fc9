#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages of the named groups (build, test, package, or kubectl alone) that are still missing.
#   packaging/install-deps.sh build test
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
groups=" ${*:-build} "
missing=()
while read -r package group; do
  case $package in ''|'#'*) continue ;; esac
  [[ $groups == *" $group "* || ($groups == *" kubectl "* && $package == kubernetes-client) ]] || continue
  # A kubectl that is already there is as good as Debian's.
  if [[ $package == kubernetes-client ]] && command -v kubectl >/dev/null; then continue; fi
  # So are another Node.js and its npm, which Debian's would conflict with.
  if [[ $package == nodejs || $package == npm ]] && command -v npm >/dev/null; then continue; fi
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done <"$here/apt-packages.txt"
if ((${#missing[@]} == 0)); then exit 0; fi
run=()
if [[ $(id -u) != 0 ]]; then
  command -v sudo >/dev/null || {
    echo "error: missing packages: ${missing[*]}; run as root: apt-get install -y ${missing[*]}" >&2
    exit 1
  }
  run=(sudo)
fi
echo "installing ${#missing[@]} packages with apt: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get update -q >/dev/null
"${run[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
