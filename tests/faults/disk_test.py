# SPDX-License-Identifier: Apache-2.0
"""A real flotillad on a disk and a clock that fail: power cuts that lose and tear what was not synced, writes and syncs
that are refused, a full disk, a clock that jumps. No answered write is lost, no watch has a gap, reads go on, writes come
back by themselves. FLOTILLA_SEED repeats a run, FLOTILLA_ROUNDS prolongs it."""
import ctypes
import errno
import http.client
import json
import mmap
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAMS = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "build/dev/bin"
DISK = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "build/dev/tests/libfault_disk.so"
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "scenarios"))
from fleet import Fleet, Refused, Server  # noqa: E402

SEED = int(os.environ.get("FLOTILLA_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = int(os.environ.get("FLOTILLA_ROUNDS", "5"))
PATH = "/api/v1/namespaces/default/configmaps"
BROKEN = (OSError, http.client.HTTPException, ValueError)
CONTROL = struct.Struct("<qiii")  # clock offset, errno of writes, errno of syncs, cut


class FaultyServer(Server):
    """A flotillad over the disk of fault_disk.cpp; `cut`: the operation at which the power fails."""

    def start(self, cut=0, seed=0):
        control = f"{self.folder}/control"
        if not os.path.exists(control):
            with open(control, "wb") as file:
                file.write(b"\0" * 4096)
        with open(control, "r+b") as file:
            self.control = mmap.mmap(file.fileno(), 4096)
        self.set()
        ours = {"LD_PRELOAD": DISK, "FAULT_DISK_FILES": f"{self.name}/flotilla.db", "FAULT_DISK_CONTROL": control,
                "FAULT_DISK_CUT": str(cut), "FAULT_DISK_SEED": str(seed), "ASAN_OPTIONS": "verify_asan_link_order=0"}
        os.environ.update(ours)
        try:
            return super().start()
        finally:
            for key in ours:
                del os.environ[key]

    def set(self, clock_seconds=0, write=0, sync=0, cut=0):
        self.control[:CONTROL.size] = CONTROL.pack(int(clock_seconds * 1e9), write, sync, cut)


def connection_to(server):
    """Another one to the same, for another thread."""
    own = Server(server.programs, server.folder, server.name, [])
    own.host, own.port, own.tls = server.host, server.port, server.tls
    return own


class Writer(threading.Thread):
    """Counts up in objects of its own; remembers what was answered and what was not."""

    def __init__(self, server, name, insist=False):
        super().__init__()
        self.server, self.name_of, self.insist = connection_to(server), name, insist
        self.answered, self.begun, self.refusals = 0, 0, []
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set():
            self.begun = self.answered + 1
            try:
                self.server.apply({"apiVersion": "v1", "kind": "ConfigMap", "data": {"value": str(self.begun)},
                                   "metadata": {"name": self.name_of, "namespace": "default"}})
                self.answered = self.begun
            except Refused as refused:
                self.refusals.append(str(refused))
                if not self.insist:
                    return
                time.sleep(0.01)
            except BROKEN:
                if not self.insist:
                    return
                time.sleep(0.01)


class Watcher(threading.Thread):
    """What a watch from one revision on shows of each object, in order."""

    def __init__(self, server, revision):
        super().__init__(daemon=True)
        self.server, self.revision, self.seen, self.ended = server, revision, {}, None

    def run(self):
        connection = http.client.HTTPSConnection(self.server.host, self.server.port, context=self.server.tls, timeout=60)
        try:
            connection.request("GET", f"{PATH}?watch=true&resourceVersion={self.revision}")
            answer = connection.getresponse()
            for line in iter(answer.readline, b""):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    self.ended = event["object"]
                    return
                meta = event["object"]["metadata"]
                self.revision = int(meta["resourceVersion"])
                if "data" in event["object"] and meta["name"].startswith("w"):
                    values, value = self.seen.setdefault(meta["name"], []), int(event["object"]["data"]["value"])
                    if values[-1:] != [value]:  # controllers put marks on it
                        values.append(value)
        except BROKEN:
            pass
        finally:
            connection.close()


class DiskTest(unittest.TestCase):
    def setUp(self):
        print(f"FLOTILLA_SEED={SEED}", file=sys.stderr)
        self.dice = random.Random(SEED)
        self.folder = tempfile.mkdtemp(prefix="flotilla-disk-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.servers = []
        self.addCleanup(lambda: [server.end(signal.SIGKILL) for server in self.servers])

    def server(self, **settings):
        flags = ["--storage", "sqlite"]
        for key, value in {"controllers.enabled": "false", **settings}.items():
            flags += ["--set", f"{key}={value}"]
        self.servers.append(FaultyServer(PROGRAMS, self.folder, "plane", flags))
        return self.servers[-1]

    def values(self, server):
        answer = server.request("GET", PATH)
        return {one["metadata"]["name"]: int(one["data"]["value"]) for one in answer["items"]
                if one["metadata"]["name"].startswith("w")}, int(answer["metadata"]["resourceVersion"])

    def check(self, server, known):
        """What is there is what was answered last, or the one write that was on its way."""
        found, revision = self.values(server)
        for name, (answered, begun) in known.items():
            self.assertIn(found.get(name, 0), (answered, begun) if begun > answered else (answered,), name)
            known[name] = (found.get(name, 0), found.get(name, 0))
        return revision

    def gapless(self, watcher, before, writers):
        for writer in writers:
            seen = watcher.seen.get(writer.name_of, [])
            first = before.get(writer.name_of, (0, 0))[0] + 1
            self.assertEqual(seen, list(range(first, first + len(seen))), f"a gap in the watch of {writer.name_of}")
            # Shown is safe: the write that was shown last was begun, and is checked against what is there.
            if seen:
                self.assertLessEqual(seen[-1], writer.begun)

    def round(self, server, known, end):
        revision = self.check(server, known)
        watcher = Watcher(server, revision)
        watcher.start()
        writers = [Writer(server, f"w{n}") for n in range(4)]
        for writer in writers:
            writer.answered = known.get(writer.name_of, (0, 0))[0]
            writer.start()
        end()
        for writer in writers:
            writer.join(40)
            self.assertFalse(writer.is_alive())
            self.assertEqual(writer.refusals, [])
        server.process.wait(20)
        watcher.join(20)
        self.gapless(watcher, known, writers)
        total = 0
        for writer in writers:
            total += writer.answered - known.get(writer.name_of, (0, 0))[0]
            shown = watcher.seen.get(writer.name_of, [0])[-1]
            # What a watch has shown is safe, too, answered or not.
            known[writer.name_of] = (max(writer.answered, shown), writer.begun)
        server.end(signal.SIGKILL)
        return total

    def test_power_cuts_lose_nothing_that_was_answered_or_shown(self):
        server, known, total = self.server(), {}, 0
        server.start().ready()
        server.end()
        for _ in range(ROUNDS):
            cut = self.dice.randrange(40, 3000)
            server.start(cut, self.dice.randrange(1 << 30))
            try:
                server.ready()
            except (AssertionError, *BROKEN):  # in the middle of the start
                server.end(signal.SIGKILL)
                continue
            total += self.round(server, known, lambda: None)
        server.start().ready()
        self.check(server, known)
        print(f"{total} writes answered over {ROUNDS} power cuts, all there", file=sys.stderr)

    def test_kills_lose_nothing_and_leave_no_gap(self):
        server, known, total = self.server(), {}, 0
        for _ in range(ROUNDS):
            server.start().ready()

            def kill():
                time.sleep(self.dice.uniform(0.05, 0.8))  # the point of the kill
                server.process.kill()

            total += self.round(server, known, kill)
        server.start().ready()
        self.check(server, known)
        print(f"{total} writes answered over {ROUNDS} kills, all there", file=sys.stderr)

    def test_a_disk_that_refuses_makes_the_daemon_read_only_for_a_while(self):
        server = self.server().start().ready()
        writers = [Writer(server, f"w{n}", insist=True) for n in range(3)]
        for writer in writers:
            writer.start()
            self.addCleanup(writer.stopped.set)
        faults = [{"write": errno.ENOSPC}, {"write": errno.EROFS}, {"write": errno.EIO}, {"sync": errno.EIO},
                  {"sync": errno.ENOSPC}]
        self.dice.shuffle(faults)
        for fault in faults:
            refused = [len(writer.refusals) for writer in writers]
            server.set(**fault)
            self.until(lambda: all(len(w.refusals) > n for w, n in zip(writers, refused)), f"refusals with {fault}")
            self.assertIn("storage is read-only: ", writers[0].refusals[-1])
            self.assertIn("503", writers[0].refusals[-1])
            self.values(server)  # reads go on
            self.assertEqual(self.figure(server, "read_only"), 1)
            server.set()
            before = [writer.answered for writer in writers]
            self.until(lambda: all(w.answered > n for w, n in zip(writers, before)), f"writes after {fault}")
        for writer in writers:
            writer.stopped.set()
            writer.join(20)
        server.end(signal.SIGKILL)
        server.start().ready()
        self.check(server, {writer.name_of: (writer.answered, writer.begun) for writer in writers})

    def test_a_small_disk_that_is_full(self):
        mounted = f"{self.folder}/small"
        os.makedirs(mounted)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"tmpfs", mounted.encode(), b"tmpfs", 0, b"size=12m") != 0:
            self.skipTest("may not mount; the refusing disk is the same test")  # ENOSPC, above and in storage_disk_test
        self.addCleanup(lambda: libc.umount2(mounted.encode(), 2))
        server = Server(PROGRAMS, mounted, "plane", ["--storage", "sqlite", "--set", "controllers.enabled=false"])
        self.servers.append(server)
        self.addCleanup(server.end, signal.SIGKILL)
        server.start().ready()
        answered = []
        with self.assertRaises(Refused) as full:
            for i in range(2000):
                server.request("POST", PATH, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"w{i}"},
                                              "data": {"value": "7", "filler": "x" * 20_000}})
                answered.append(f"w{i}")
        self.assertEqual(full.exception.status, 503)
        self.assertIn("storage is read-only: ", str(full.exception))
        self.assertEqual(set(self.values(server)[0]), set(answered))
        libc.mount(b"tmpfs", mounted.encode(), b"tmpfs", 32, b"size=64m")  # MS_REMOUNT: room
        writer = Writer(server, "w-after", insist=True)
        writer.start()
        self.until(lambda: writer.answered > 0, "writes once there is room")
        writer.stopped.set()
        writer.join(20)
        server.end(signal.SIGKILL)
        server.start().ready()
        self.assertEqual(set(self.values(server)[0]), {*answered, "w-after"})
        server.end()

    def test_a_clock_that_jumps_breaks_nothing(self):
        fleet = Fleet(PROGRAMS, self.folder, {"member1": {}}, {"storage.name": "sqlite"})
        plane = FaultyServer(PROGRAMS, self.folder, "control-plane", fleet.plane.flags)
        fleet.servers["control-plane"] = plane
        self.servers += fleet.servers.values()
        fleet.start()
        plane.apply({"apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy",
                     "metadata": {"name": "all", "namespace": "default"},
                     "spec": {"resourceSelectors": [{"apiVersion": "v1", "kind": "ConfigMap"}],
                              "placement": {"clusterAffinity": {"clusterNames": ["member1"]}}}})
        member, path = fleet["member1"], PATH + "/w0"
        watcher = Watcher(plane, self.values(plane)[1])
        watcher.start()
        writer = Writer(plane, "w0")
        writer.start()
        self.addCleanup(writer.stopped.set)
        uid = None
        # Certificates of this fleet are valid from its start, for a year.
        for jump in (3600, 20 * 86400, 60, 3 * 86400, 0):
            plane.set(clock_seconds=jump)
            before = writer.answered
            self.until(lambda: writer.answered > before + 20, f"writes after a jump to {jump}")
            self.until(lambda: fleet.is_ready("member1"), "a member that is ready")
            self.until(lambda: int(member.request("GET", path)["data"]["value"]) > before, "what was written, in the member")
            there = member.request("GET", path)["metadata"]["uid"]
            uid = uid or there
            self.assertEqual(there, uid, "it was removed and made again")
        writer.stopped.set()
        writer.join(20)
        self.assertEqual(writer.refusals, [])
        self.until(lambda: watcher.seen["w0"][-1] == writer.answered, "the watch")
        self.gapless(watcher, {}, [writer])
        plane.end(signal.SIGKILL)
        plane.start().ready()
        self.check(plane, {"w0": (writer.answered, writer.begun)})

    def figure(self, server, name):
        return next(one["value"] for one in server.request("GET", "/flotilla/v1/storage")["figures"] if one["name"] == name)

    def until(self, holds, what, patience=60):
        end = time.monotonic() + patience
        while True:
            try:
                if holds():
                    return
            except (Refused, KeyError, *BROKEN):
                pass
            if time.monotonic() > end:
                self.fail(f"not in time: {what}")
            time.sleep(0.02)


if __name__ == "__main__":
    unittest.main(verbosity=2)
