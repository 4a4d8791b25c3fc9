#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every source file names its licence in its first line (second after #!)."""
import source

SUFFIXES = (".hpp", ".cpp", ".h", ".c", ".py", ".sh", ".cmake", ".yaml", ".txt")
NO_COMMENTS = ("config/schema/",)


def main():
    faults = []
    trees = ("core", "plugins", "sdk", "tests", "packaging", "config")
    for path, name in source.files(trees, SUFFIXES):
        if path.suffix == ".txt" and path.name != "CMakeLists.txt" or name.startswith(NO_COMMENTS):
            continue
        head = path.read_text(encoding="utf-8").splitlines()[:2]
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in head):
            faults.append(f"{name}: no SPDX line")
    source.finish("spdx", faults)


main()
