# SPDX-License-Identifier: Apache-2.0
"""Every C and C++ file is as clang-format writes it. Usage: format.py ROOT"""
import os
import subprocess
import sys

ROOMS = ("core", "plugins", "sdk", "tests")
ENDINGS = (".h", ".hpp", ".c", ".cpp")


def main(root):
    files = sorted(os.path.join(folder, name) for room in ROOMS for folder, _, names in os.walk(os.path.join(root, room))
                   for name in names if name.endswith(ENDINGS))
    result = subprocess.run(["clang-format-16", "--dry-run", "--Werror", *files], capture_output=True, text=True)
    wrong = sorted({line.split(":")[0] for line in result.stderr.splitlines() if "clang-format-violations" in line})
    for name in wrong:
        print(f"{os.path.relpath(name, root)}: not formatted; run clang-format-16 -i {os.path.relpath(name, root)}")
    print(f"{len(files)} files, {len(wrong)} not formatted")
    return 1 if wrong or result.returncode else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
