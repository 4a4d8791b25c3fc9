#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds one .deb of daemon, command line, plugins, SDK headers, systemd unit and configuration.
#   packaging/build-deb.sh [OUTPUT_DIRECTORY]      (build/packages when not given)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/build/packages}
cd "$root"
packaging/install-deps.sh build package
# The prefix decides where /etc is.
cmake --preset release -DCMAKE_INSTALL_PREFIX=/usr >/dev/null
cmake --build --preset release --target flotilla_product -j"${FLOTILLA_JOBS:-2}"

version=$(sed -n 's/^project(flotilla VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
arch=$(dpkg --print-architecture)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
DESTDIR=$stage cmake --install build/release --prefix /usr --strip >/dev/null
find "$stage" -type d -exec chmod 0755 {} +

mkdir -p "$stage/DEBIAN"
install -m 0755 packaging/deb/postinst packaging/deb/prerm packaging/deb/postrm "$stage/DEBIAN/"
echo /etc/flotilla/flotilla.yaml >"$stage/DEBIAN/conffiles"
# The shared libraries that the binaries were linked with, as package dependencies.
mkdir -p "$stage/debian" && : >"$stage/debian/control"
depends=$(cd "$stage" && dpkg-shlibdeps -O --ignore-missing-info usr/bin/* usr/lib/flotilla/plugins/1/*.so 2>/dev/null |
  sed -n 's/^shlibs:Depends=//p')
rm -rf "$stage/debian"
cat >"$stage/DEBIAN/control" <<EOF
Package: flotilla
Version: $version
Architecture: $arch
Maintainer: The Flotilla authors <maintainers@flotilla.io>
Installed-Size: $(du -sk "$stage" | cut -f1)
Depends: $depends
Suggests: kubernetes-client
Provides: flotilla-plugin-abi-1 (= 1.0)
Section: admin
Priority: optional
Homepage: https://flotilla.io
Description: multi-cluster Kubernetes control plane
 One daemon that places unmodified Kubernetes manifests on many clusters,
 adapts them for each, keeps them there and reports their combined status.
 It speaks Karmada's API. Storage, scheduling, overrides and cluster drivers
 are plugins.
EOF
mkdir -p "$out"
dpkg-deb --root-owner-group --build "$stage" "$out/flotilla_${version}_${arch}.deb"
