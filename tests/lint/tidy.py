#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over our sources, with the checks of .clang-tidy.

    tidy.py --all                 everything the build folder compiles
    tidy.py --changed [REF]       what differs from REF (HEAD when not given), untracked files included
    tidy.py core/store sdk a.cpp  folders and files; a header is looked at through a source that includes it

--quick leaves the static analyzer out, which is more than half of the time. --build FOLDER names the build folder whose compile_commands.json to use; without it the first of build/dev and
build/release that has one. FLOTILLA_JOBS is how many run at once, 2 when unset. A source that had no finding is not
looked at again until it, a header of ours that it includes, its command, .clang-tidy or the tool changes: FOLDER/tidy
remembers.
"""
import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = "clang-tidy-16"
ROOMS = ("core", "plugins", "sdk", "tests")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.M)
FINDING = re.compile(r"^(/[^:\n]+):(\d+):(\d+): (?:error|warning): .*\]$")
# A warning of the compiler is the build's to make; a compiler other than the tool's has options it does not know.
EXTRA = ("--quiet", "--extra-arg=-Wno-error", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-unused-command-line-argument")


# Of g++, which compiles as well: clang stops at what it does not know.
UNKNOWN = re.compile(r" -fno-gnu-unique(?= |$)")


class Sources:
    """What is compiled, and which headers of ours each source takes in."""

    def __init__(self, build):
        self.folder = build / "tidy"
        self.folder.mkdir(exist_ok=True)
        self.commands = {}
        text = UNKNOWN.sub("", (build / "compile_commands.json").read_text(encoding="utf-8"))
        (self.folder / "compile_commands.json").write_text(text, encoding="utf-8")
        for entry in json.loads(text):
            path = Path(entry["directory"], entry["file"]).resolve()
            if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ROOMS and path.exists():
                self.commands.setdefault(path, entry.get("command") or shlex.join(entry["arguments"]))
        self.direct = {}

    def includes(self, path):
        """The headers of ours that a file names itself."""
        if path not in self.direct:
            found = []
            for name in INCLUDE.findall(path.read_text(encoding="utf-8", errors="replace")):
                for folder in (path.parent, ROOT, ROOT / "sdk/include"):
                    if (folder / name).is_file():
                        found.append((folder / name).resolve())
                        break
            self.direct[path] = found
        return self.direct[path]

    def closure(self, path):
        """The file and every header of ours below it."""
        seen, todo = {path}, [path]
        while todo:
            for header in self.includes(todo.pop()):
                if header not in seen:
                    seen.add(header)
                    todo.append(header)
        return seen

    def covering(self, wanted):
        """Sources that together take in every wanted file: the wanted sources, then the cheapest for each header left."""
        chosen = {path for path in wanted if path in self.commands}
        seen = set().union(*(self.closure(path) for path in chosen))
        for header in sorted(set(wanted) - seen):
            having = [path for path in self.commands if header in self.closure(path)]
            if header not in seen and having:
                best = min(having, key=lambda path: (path.with_suffix(".hpp") != header, len(self.closure(path)), path))
                chosen.add(best)
                seen |= self.closure(best)
        return sorted(chosen)


class Memory:
    """Which sources were clean, under the hash of all that could have made them otherwise."""

    def __init__(self, sources, command):
        self.sources = sources
        self.folder = sources.folder
        version = subprocess.run([TOOL, "--version"], capture_output=True, text=True, check=True).stdout
        self.common = version + (ROOT / ".clang-tidy").read_text(encoding="utf-8") + shlex.join(command)
        self.digests = {}

    def digest(self, path):
        if path not in self.digests:
            self.digests[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self.digests[path]

    def mark(self, source):
        state = hashlib.sha256((self.common + self.sources.commands[source]).encode())
        for path in sorted(self.sources.closure(source)):
            state.update(f"{path.relative_to(ROOT)} {self.digest(path)}\n".encode())
        return self.folder / state.hexdigest()

    def clean(self, source):
        mark = self.mark(source)
        if mark.exists():
            os.utime(mark)
            return True
        return False

    def remember(self, source):
        self.mark(source).touch()

    def forget_old(self):
        for mark in self.folder.iterdir():
            if mark.stat().st_mtime < time.time() - 30 * 86400:
                mark.unlink()


def give_up(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def find_build(asked):
    for build in [asked] if asked else [ROOT / "build/dev", ROOT / "build/release"]:
        if (Path(build) / "compile_commands.json").is_file():
            return Path(build).resolve()
    give_up(f"no compile_commands.json in {asked or 'build/dev or build/release'}: run cmake --preset dev first")


def git(*arguments):
    result = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        give_up(f"git {arguments[0]}: {result.stderr.strip()}")
    return [ROOT / name for name in result.stdout.splitlines()]


def wanted_files(options, sources):
    if options.all:
        return list(sources.commands)
    if options.changed is not None:
        paths = git("diff", "--name-only", "--diff-filter=d", options.changed) + git("ls-files", "--others", "--exclude-standard")
    else:
        paths = [Path(name).resolve() for name in options.paths]
    wanted = []
    for path in paths:
        if not path.exists():
            give_up(f"{path} does not exist")
        below = path.rglob("*") if path.is_dir() else [path]
        wanted += [one for one in below if one.suffix in (".cpp", ".hpp", ".c", ".h") and one.is_relative_to(ROOT)]
    return wanted


def look_at(source, command):
    """The findings in one source as {place: text}; a tool that failed without any is a finding itself."""
    result = subprocess.run([*command, source], capture_output=True, text=True, check=False)
    findings, lines, seen = {}, [], 0
    for line in result.stdout.splitlines():
        if found := FINDING.match(line):
            seen += 1
            lines = findings.setdefault(line, []) if Path(found[1]).is_relative_to(ROOT) else []  # not in a library's header
        lines.append(line.replace(f"{ROOT}/", ""))
    if result.returncode and not seen:
        findings[str(source)] = [f"{source.relative_to(ROOT)}: {TOOL} failed", *(result.stdout + result.stderr).splitlines()[:10]]
    return {place: "\n".join(text) for place, text in findings.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--changed", nargs="?", const="HEAD", metavar="REF")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--build", metavar="FOLDER")
    parser.add_argument("paths", nargs="*")
    options = parser.parse_args()
    if not (options.all or options.changed is not None or options.paths):
        parser.error("name files, or ask for --all or --changed")
    if not shutil.which(TOOL):
        give_up(f"{TOOL} is not installed: packaging/install-deps.sh test")
    sources = Sources(find_build(options.build))
    command = [TOOL, "-p", str(sources.folder), *EXTRA, *(["--checks=-clang-analyzer-*"] if options.quick else [])]
    memory = Memory(sources, command)
    memory.forget_old()
    chosen = sources.covering(wanted_files(options, sources))
    todo = [source for source in chosen if not memory.clean(source)]
    findings = {}

    def look(source):
        found = look_at(source, command)
        for place in sorted(set(found) - set(findings)):
            print(found[place], flush=True)
        findings.update(found)
        if not found:
            memory.remember(source)

    with ThreadPoolExecutor(int(os.environ.get("FLOTILLA_JOBS") or 2)) as pool:
        list(pool.map(look, todo))
    print(f"tidy: {len(chosen)} sources, {len(chosen) - len(todo)} known to be clean, {len(findings)} findings")
    sys.exit(1 if findings else 0)


main()
