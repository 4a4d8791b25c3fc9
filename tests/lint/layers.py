#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom, and which folder owns which heavy library."""
import re

import source

PURE = {"base", "api"}
RING = {"interpreter", "scheduler", "overrides"}
MAY = {
    "base": set(),
    "api": {"base"},
    "interpreter": PURE,
    "scheduler": PURE,
    "overrides": PURE,
    "cel": PURE,
    "async": {"base"},
    "store": PURE | {"async"},
    "informer": PURE | {"async", "store"},
    "backup": PURE | {"async", "store"},
    "http": {"base", "async"},
    "cluster": PURE | {"async", "store", "informer"},
    "search": PURE | {"async", "store", "informer", "cluster", "http"},
    "reconcile": PURE | {"async", "store", "informer"},
    "controllers": PURE | RING | {"async", "store", "informer", "cluster", "reconcile"},
    "agent": PURE | {"async", "store", "http"},
    "apiserver": PURE | {"cel", "async", "store", "informer", "http", "search/fleet_cache.hpp"},
    "planning": PURE | RING | {"async", "store", "informer", "cluster", "reconcile", "controllers",
                               "apiserver/extension.hpp"},
    "simulation": PURE | {"async", "store", "informer", "reconcile"},
    "config": PURE | {"simulation/settings.hpp", "controllers/options.hpp", "search/options.hpp"},
    "plugin": PURE | {"async", "store", "cluster", "scheduler", "overrides", "http"},
    "ctl": PURE | {"interpreter", "async", "http", "config", "store", "plugin", "backup"},
    "daemon": None,  # the composition root
}
# Heavy headers and where they may be included within core.
OWNERS = {
    "nlohmann/": ("core/api/",),
    "spdlog/": ("core/base/log.cpp",),
    "boost/beast": ("core/http/",),
    "boost/dll": ("core/plugin/library.cpp",),
    "yaml-cpp/": ("core/config/yaml.cpp",),
    "sqlite3.h": (),
    "CLI/": ("core/ctl/", "core/daemon/"),
    "lua.h": ("core/interpreter/",),
    "date/": ("core/base/time_zone.cpp",),
    "re2/": ("core/cel/regex.cpp", "core/api/validation/patterns.cpp"),
}
NOT_IN_RING = ("boost/asio", "thread", "future")
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]', re.M)


def check_core(name, target, faults):
    room = name.split("/")[1]
    if room not in MAY:
        faults.append(f"{name}: core/{room} is not in the list of rooms")
        return
    if target.startswith("core/"):
        other = target.split("/")[1]
        allowed = MAY[room]
        if other == "daemon" and room != "daemon":
            faults.append(f"{name}: nobody includes core/daemon ({target})")
        elif other != room and allowed is not None and other not in allowed and target[5:] not in allowed:
            faults.append(f"{name}: core/{room} may not include {target}")
        if room == "controllers" and other == room and target.count("/") > 2:
            if name.count("/") > 2 and name.split("/")[2] != target.split("/")[2]:
                faults.append(f"{name}: controllers do not include each other ({target})")
    if target.startswith("plugins/") or (target.startswith("tests/")):
        faults.append(f"{name}: core may not include {target}")
    if room in RING | {"api", "cel"} and target.startswith(NOT_IN_RING[0]) or room in RING and target in NOT_IN_RING[1:]:
        faults.append(f"{name}: the pure ring has no {target}")
    for heavy, owners in OWNERS.items():
        if target.startswith(heavy) and not name.startswith(owners or ("-",)):
            faults.append(f"{name}: {target} belongs to {' or '.join(owners) or 'plugins'}")


def main():
    faults = []
    for path, name in source.files(("core", "plugins", "sdk")):
        for target in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if name.startswith("core/"):
                check_core(name, target, faults)
            elif target.startswith(("core/", "tests/")):
                faults.append(f"{name}: {name.split('/')[0]} may include nothing of core ({target})")
            if name.startswith("sdk/include/") and "/abi/" in name:
                if target not in ("stdint.h", "stddef.h") and not target.endswith(".h"):
                    faults.append(f"{name}: the C ABI includes C headers alone ({target})")
    source.finish("layers", faults)


main()
