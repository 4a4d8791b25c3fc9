#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the JavaScript client's tests: node_test.py API_HARNESS BUILD_FOLDER. Its packages are installed into the build
folder, by their recorded hashes. Exits with 77 where there is no node or no package registry."""
import os
import pathlib
import shutil
import subprocess
import sys

from harness import Harness

HERE = pathlib.Path(__file__).resolve().parent / "node"


def install(folder):
    lock = (HERE / "package-lock.json").read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "installed"
    if done.exists() and done.read_bytes() == lock:
        return True
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder / name)
    command = ["npm", "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"]
    for _ in range(2):
        if subprocess.run(command, cwd=folder, timeout=240, check=False).returncode == 0:
            done.write_bytes(lock)
            return True
    return False


def main():
    program, build = sys.argv[1:]
    if not shutil.which("node") or not shutil.which("npm"):
        print("there is no node or npm here")
        return 77
    folder = pathlib.Path(build) / "node-client"
    if not install(folder):
        print("the packages cannot be installed here")
        return 77
    shutil.copy(HERE / "client_test.mjs", folder / "client_test.mjs")
    with Harness(program, "--controllers") as server:
        environment = {**os.environ, "KUBECONFIG": server.kubeconfig, "NODE_NO_WARNINGS": "1"}
        return subprocess.run(["node", "--test", "client_test.mjs"], cwd=folder, env=environment, timeout=200, check=False).returncode


sys.exit(main())
