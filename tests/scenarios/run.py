#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plays scenarios: run.py PROGRAMS FILE|DIRECTORY... [--only TEXT] [--keep]

PROGRAMS is the folder of flotillad and flotillactl. Each scenario gets a control plane and members of its own.
"""
import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback

import yaml

import patterns
import steps
from fleet import Fleet

KNOWN = {"scenario", "spec", "members", "settings", "estimators", "steps", "why"}


def read(path):
    with open(path, encoding="utf-8") as file:
        scenarios = [one for one in yaml.load_all(file, patterns.Loader) if one]
    for scenario in scenarios:
        unknown = set(scenario) - KNOWN
        if unknown or "scenario" not in scenario or not scenario.get("steps"):
            raise SystemExit(f"{path}: {scenario.get('scenario')}: needs scenario and steps, knows {sorted(KNOWN)}, "
                             f"not {sorted(unknown)}")
    return scenarios


SLOW = 3  # seconds of a step; longer ones are named


def members_of(scenario):
    given = scenario.get("members", ["member1", "member2"])
    return {name: {} for name in given} if isinstance(given, list) else {k: v or {} for k, v in given.items()}


def play(scenario, programs, keep):
    folder = tempfile.mkdtemp(prefix="flotilla-scenario-")
    fleet = Fleet(os.path.abspath(programs), folder, members_of(scenario), dict(scenario.get("settings", {})),
                  scenario.get("estimators"))
    what = "start"
    failed = None
    try:
        began = time.monotonic()
        fleet.start()
        if time.monotonic() - began > SLOW:
            print(f"   the start took {time.monotonic() - began:.1f} s", flush=True)
        player = steps.Steps(fleet, folder)
        for number, step in enumerate(scenario["steps"], 1):
            what = f"step {number} ({', '.join(step)})"
            began = time.monotonic()
            steps.play(player, step)
            if time.monotonic() - began > SLOW:
                print(f"   {what} took {time.monotonic() - began:.1f} s", flush=True)
    except Exception as error:  # noqa: whatever it is, it is this scenario's failure
        failed = f"{what}: {error}"
        if not isinstance(error, AssertionError):
            failed += "\n" + traceback.format_exc()
        failed += "\n" + "\n".join(f"--- {server.name}\n{server.said()}" for server in fleet.everybody()
                                   if os.path.exists(f"{folder}/{server.name}.log"))
    try:
        fleet.stop()
    except AssertionError as error:
        failed = f"{failed or ''}\n{error}"
    if keep and failed:
        print(f"kept {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--only", default="", help="scenarios whose name contains this text")
    parser.add_argument("--keep", action="store_true", help="leave the folders of failed scenarios")
    asked = parser.parse_args()
    files = []
    for path in asked.paths:
        files += sorted(os.path.join(path, one) for one in os.listdir(path) if one.endswith(".yaml")) \
            if os.path.isdir(path) else [path]
    passed, failed = 0, []
    for path in files:
        for scenario in read(path):
            if asked.only not in scenario["scenario"]:
                continue
            name = f"{os.path.basename(path)[:-5]}: {scenario['scenario']}"
            began = time.monotonic()
            fault = play(scenario, asked.programs, asked.keep)
            print(f"{'FAILED' if fault else 'ok'} {name} ({time.monotonic() - began:.1f} s)", flush=True)
            if fault:
                failed.append(name)
                print(fault, flush=True)
            passed += not fault
    print(f"{passed} passed, {len(failed)} failed")
    for name in failed:
        print(f"  {name}")
    if passed + len(failed) == 0:
        print("no scenario has this name", file=sys.stderr)
        return 64
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
