#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Only core/base/clock.cpp asks the machine for the time; everybody else takes a Clock or a time."""
import re

import source

ASKS = re.compile(r"_clock::now\s*\(|\bgettimeofday\s*\(|\bclock_gettime\s*\(|\bstd::time\s*\(|(?<![\w:.>])time\s*\(\s*(nullptr|NULL|0)\s*\)")


def main():
    faults = []
    for path, name in source.files(("core", "plugins", "sdk")):
        # The conformance host is a host without core: it has a clock of its own.
        if name in ("core/base/clock.cpp", "sdk/conformance/test_host.cpp"):
            continue
        code = source.bare(path.read_text(encoding="utf-8"))
        for match in ASKS.finditer(code):
            faults.append(f"{name}:{source.line_of(code, match.start())}: takes the time from the machine")
    source.finish("clock", faults)


main()
