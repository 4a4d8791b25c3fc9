# SPDX-License-Identifier: Apache-2.0
"""Walks the tree for the lints: files by suffix, text without comments and literals, one way to report."""
import re
import sys
from pathlib import Path

TREES = ("core", "plugins", "sdk", "tests")


def root():
    return Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])


def files(trees=TREES, suffixes=(".hpp", ".cpp", ".h", ".c")):
    base = root()
    for tree in trees:
        for path in sorted((base / tree).rglob("*")):
            if path.suffix in suffixes and path.is_file() and "build" not in path.relative_to(base).parts:
                yield path, str(path.relative_to(base))


TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)


def bare(text):
    """The code alone: comments and literals become blanks, lines stay where they are."""
    return TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def finish(name, faults, warnings=()):
    for warning in warnings:
        print(f"warning: {warning}")
    for fault in faults:
        print(f"error: {fault}")
    print(f"{name}: {len(faults)} errors, {len(warnings)} warnings")
    sys.exit(1 if faults else 0)
