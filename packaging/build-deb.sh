#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds one .deb of daemon, command line, plugins, SDK, samples, documentation, systemd unit and configuration, and one
# of the plugin that asks Karmada's estimators, which brings gRPC along.
#   packaging/build-deb.sh [OUTPUT_DIRECTORY]      (build/packages when not given)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-$root/build/packages}"
out=$(cd "${1:-$root/build/packages}" && pwd)
cd "$root"
packaging/install-deps.sh build package
# The prefix decides where /etc is.
cmake --preset release -DCMAKE_INSTALL_PREFIX=/usr >/dev/null
cmake --build --preset release --target flotilla_product -j"${FLOTILLA_JOBS:-2}"

version=$(sed -n 's/^project(flotilla VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
arch=$(dpkg --print-architecture)
package=$out/flotilla_${version}_$arch.deb
# Equal sources give an equal package.
if changed=$(git log -1 --format=%ct 2>/dev/null); then export SOURCE_DATE_EPOCH=$changed; fi
umask 022
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 0755 "$stage"
DESTDIR=$stage cmake --install build/release --strip >/dev/null
doc=$stage/usr/share/doc/flotilla
mv "$doc/LICENSE" "$doc/copyright"
if grep -rlF "$root/" "$stage" >&2; then
  echo "error: these files name the folder they were built in" >&2
  exit 1
fi

# The shared libraries that binaries were linked with, as package dependencies.
depends_of() {
  mkdir "$stage/debian" && : >"$stage/debian/control"
  (cd "$stage" && dpkg-shlibdeps -O "$@" | sed -n 's/^shlibs:Depends=//p')
  rm -rf "$stage/debian"
}

estimators=$stage/usr/lib/flotilla/plugins/1/estimators
extra=$(mktemp -d)
trap 'rm -rf "$stage" "$extra"' EXIT
chmod 0755 "$extra"
needs=$(depends_of "$estimators"/*.so)
mkdir -p "$extra/DEBIAN" "$extra/usr/lib/flotilla/plugins/1" "$extra/usr/share/doc/flotilla-estimator-karmada"
mv "$estimators" "$extra/usr/lib/flotilla/plugins/1/"
cp "$doc/copyright" "$extra/usr/share/doc/flotilla-estimator-karmada/"
cat >"$extra/DEBIAN/control" <<CONTROL
Package: flotilla-estimator-karmada
Version: $version
Architecture: $arch
Maintainer: The Flotilla authors <maintainers@flotilla.io>
Installed-Size: $(du -sk --apparent-size --exclude DEBIAN "$extra" | cut -f1)
Depends: flotilla-plugin-abi-1, $needs
Section: admin
Priority: optional
Homepage: https://flotilla.io
Description: Karmada's accurate estimators for Flotilla
 A plugin that asks the karmada-scheduler-estimator beside each member
 cluster, over gRPC, how much room there is.
CONTROL
(cd "$extra" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$extra/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$extra" "$out/flotilla-estimator-karmada_${version}_$arch.deb" >/dev/null

mkdir "$stage/DEBIAN"
install -m 0755 packaging/deb/postinst packaging/deb/prerm packaging/deb/postrm "$stage/DEBIAN/"
echo /etc/flotilla/flotilla.yaml >"$stage/DEBIAN/conffiles"
depends=$(depends_of "$stage"/usr/bin/* "$stage"/usr/lib/flotilla/plugins/1/*.so)
[[ -n $depends ]] || { echo "error: dpkg-shlibdeps found no dependencies" >&2; exit 1; }
cat >"$stage/DEBIAN/control" <<CONTROL
Package: flotilla
Version: $version
Architecture: $arch
Maintainer: The Flotilla authors <maintainers@flotilla.io>
Installed-Size: $(du -sk --apparent-size --exclude DEBIAN "$stage" | cut -f1)
Depends: $depends
Recommends: libgrpc29
Suggests: kubernetes-client, flotilla-estimator-karmada
Provides: flotilla-plugin-abi-1 (= 1.0)
Section: admin
Priority: optional
Homepage: https://flotilla.io
Description: multi-cluster Kubernetes control plane
 One daemon that places unmodified Kubernetes manifests on many clusters,
 adapts them for each, keeps them there and reports their combined status.
 It speaks Karmada's API. Storage, scheduling, overrides and cluster drivers
 are plugins.
CONTROL
(cd "$stage" && find etc usr -type f ! -path etc/flotilla/flotilla.yaml -print0 | LC_ALL=C sort -z | xargs -0 md5sum) \
  >"$stage/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$stage" "$package" >/dev/null
echo "$package"
