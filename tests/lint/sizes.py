#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Budgets: lines of a file and of a function. The first number warns, the second fails."""
import re

import source

FUNCTION = (40, 80)
HEADER = (200, 300)
SOURCE = (350, 600)
TEST = (400, 700)
START = re.compile(r"^( {0,4})(?!if|for|while|switch|namespace|class|struct|union|enum|else|do|try|return|catch|#)\S.*\{$")
# Tables and test suites are data in the shape of a function.
TABLE = re.compile(r"\bk[A-Z]\w*(\[\])?\s*[={]|^\s*TEST|INSTANTIATE_TEST|extern \"C\"|= \{$|\w\{$")


def functions(lines):
    for number, line in enumerate(lines):
        match = START.match(line)
        if not match or TABLE.search(line) or "(" not in "".join(lines[max(0, number - 6):number + 1]):
            continue
        close = match.group(1) + "}"
        for end in range(number + 1, len(lines)):
            if lines[end].startswith(close) and not lines[end].startswith(close + " "):
                yield number + 1, end - number + 1
                break


def main():
    faults, warnings = [], []

    def judge(where, size, budget, what):
        if size > budget[1]:
            faults.append(f"{where}: {what} of {size} lines, at most {budget[1]}")
        elif size > budget[0]:
            warnings.append(f"{where}: {what} of {size} lines, better {budget[0]}")

    for path, name in source.files(("core", "plugins", "sdk", "tests")):
        lines = path.read_text(encoding="utf-8").splitlines()
        is_test = name.startswith("tests/")
        budget = TEST if is_test else HEADER if path.suffix in (".hpp", ".h") else SOURCE
        judge(name, len(lines), budget, "a file")
        if is_test or path.suffix == ".h":
            continue
        for line, size in functions(lines):
            judge(f"{name}:{line}", size, FUNCTION, "a function")
    source.finish("sizes", faults, warnings)


main()
