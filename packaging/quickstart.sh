#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 machine to a fleet: installs what is missing with apt, builds, starts a control plane and three
# simulated member clusters, applies config/samples/quickstart, waits until every replica is ready and shows where it
# landed. Run it again as often as you like. Touches nothing outside this checkout but the apt packages (and a ccache that
# is already in use).
#   packaging/quickstart.sh [LAB_DIRECTORY]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
lab=$(realpath -m "${1:-$root/lab}")
bin=$root/build/release/bin
replicas=12
members=(member1 member2 member3)

say() { printf '\n== %s\n' "$*" >&2; }
fail() {
  printf 'error: %s\n  try: %s\n' "$1" "$2" >&2
  exit 1
}

say "packages"
"$root/packaging/install-deps.sh" build
# Only kubectl of the test packages is of use here; one that is installed already will do.
if ! command -v kubectl >/dev/null; then "$root/packaging/install-deps.sh" kubectl; fi
echo "  all installed" >&2

say "build (the first time takes some minutes)"
cd "$root"
log=$root/build/quickstart.log
mkdir -p "$root/build"
if [[ -z ${CCACHE_DIR:-} && ! -d ${XDG_CACHE_HOME:-$HOME/.cache}/ccache && ! -d $HOME/.ccache ]]; then
  export CCACHE_DIR=$root/build/ccache
fi
build() {
  cmake --preset release && cmake --build --preset release --target flotilla_product -j"${FLOTILLA_JOBS:-2}"
}
# From ninja's lines "[12/345] …": a counter on a terminal, a line for every tenth elsewhere.
progress() {
  local line tenth shown=0
  while IFS= read -r line; do
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    if [[ -t 2 ]]; then
      printf '\r  %d of %d steps' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >&2
    else
      tenth=$((10 * BASH_REMATCH[1] / BASH_REMATCH[2]))
      if ((tenth > shown)); then printf '  %d of %d steps\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >&2; fi
      shown=$tenth
    fi
  done
  if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
}
if ! build 2>&1 | tee "$log" | progress; then
  tail -n 20 "$log" >&2
  fail "the build failed" "less $log"
fi
echo "  $bin/flotillad and flotillactl are built" >&2

say "a control plane and ${#members[@]} member clusters"
"$bin/flotillactl" lab up --members "${#members[@]}" --dir "$lab" 2>&1 >/dev/null | sed '/^Next:/d; /^    /d; s/^/ /' >&2
export KUBECONFIG=$lab/kubeconfig
kubectl() { command kubectl --cache-dir "$lab/kubectl-cache" "$@"; }

say "the sample: $replicas replicas by weight over three clusters, another registry for one of them"
"$bin/flotillactl" --context flotilla apply -f "$root/config/samples/quickstart"

# Ready replicas of the sample in one member.
ready_in() {
  kubectl --context "$1" get deployment web -o jsonpath='{.status.readyReplicas}' 2>/dev/null || true
}
say "waiting until every replica is ready"
for ((second = 0; ; second++)); do
  total=0
  line=
  for member in "${members[@]}"; do
    count=$(ready_in "$member")
    total=$((total + ${count:-0}))
    line+=" $member ${count:-0}"
  done
  if [[ -t 2 ]]; then printf '\r  %d/%d ready:%s ' "$total" "$replicas" "$line" >&2; fi
  ((total == replicas)) && break
  ((second < 120)) || fail "$total replicas are ready, not $replicas" "kubectl --kubeconfig $KUBECONFIG describe resourcebinding web-deployment"
  sleep 1
done
if [[ -t 2 ]]; then echo >&2; else echo "  $total/$replicas ready:$line" >&2; fi

say "where everything landed"
for member in "${members[@]}"; do
  image=$(kubectl --context "$member" get deployment web -o jsonpath='{.spec.template.spec.containers[0].image}')
  printf '%s: deployment/web %s replicas, image %s; ' "$member" "$(ready_in "$member")" "$image"
  kubectl --context "$member" get service/web configmap/web -o name | paste -sd' '
done
echo
kubectl --context flotilla get clusters
echo
kubectl --context flotilla get resourcebindings

cat >&2 <<EOF

Next:
    export KUBECONFIG=$lab/kubeconfig
    kubectl scale deployment/web --replicas 30         and see it spread again
    kubectl get works -A
    kubectl --context member2 get pods
    kubectl label cluster member3 tier=edge
    $bin/flotillactl lab status --dir $lab
    $bin/flotillactl lab down --dir $lab       remove it all
EOF
