# SPDX-License-Identifier: Apache-2.0
"""A fleet under work while members are killed, hang, crawl, the control plane's disk is full and the control plane is
killed. In the end every template is where its policy says, as it was last written, with its status aggregated, and the
control plane deleted nothing in a member that nobody gave it a reason to. FLOTILLA_SEED repeats a run, FLOTILLA_ROUNDS
prolongs it."""
import http.client
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
import unittest

PROGRAMS = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "build/dev/bin"
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "scenarios"))
from fleet import Fleet, Refused, Server  # noqa: E402

SEED = int(os.environ.get("FLOTILLA_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = int(os.environ.get("FLOTILLA_ROUNDS", "12"))
MEMBERS = ["member1", "member2", "member3"]
GROUPS = ["red", "green", "blue"]
IN_GROUP = 12
PATIENCE = 180

AUDIT = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy",
         "rules": [{"level": "Metadata", "verbs": ["delete", "deletecollection"],
                    "omitStages": ["RequestReceived"]}, {"level": "None"}]}


def config_map(name, group, value):
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": {"value": str(value)},
            "metadata": {"name": name, "namespace": "default", "labels": {"group": group}}}


def deployment(name, group, replicas):
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": "default", "labels": {"group": group}},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}}


def policy(group, clusters):
    selectors = [{"apiVersion": version, "kind": kind, "labelSelector": {"matchLabels": {"group": group}}}
                 for version, kind in (("v1", "ConfigMap"), ("apps/v1", "Deployment"))]
    return {"apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy",
            "metadata": {"name": group, "namespace": "default"},
            "spec": {"resourceSelectors": selectors, "placement": {"clusterAffinity": {"clusterNames": clusters}}}}


class Desired:
    """What was asked for, and what may have been deleted on the way."""

    def __init__(self):
        self.lock = threading.Lock()
        self.objects = {}     # name -> the object
        self.clusters = {}    # group -> members
        self.reasons = set()  # (member, name) that somebody gave a reason to delete

    def allow(self, members, names):
        with self.lock:
            self.reasons |= {(member, name) for member in members for name in names}


class Client:
    """A connection of its own to a server that comes and goes; insists until it is answered."""

    def __init__(self, server, stopped):
        self.known, self.stopped = server, stopped
        self.failures = {}  # text -> how often
        self.abandoned = False
        self.server = Server(server.programs, server.folder, server.name, server.flags)

    def insist(self, what):
        until = time.monotonic() + PATIENCE
        while True:
            for key in ("host", "port", "tls"):
                setattr(self.server, key, getattr(self.known, key))
            try:
                return what(self.server)
            except (OSError, http.client.HTTPException, Refused) as error:
                hopeless = isinstance(error, Refused) and error.status < 500 and error.status != 429
                if hopeless or self.abandoned or time.monotonic() > until:
                    raise
                text = str(error)[:120]
                self.failures[text] = self.failures.get(text, 0) + 1
            time.sleep(0.02)

    def close(self):
        self.abandoned = True
        if self.server.connection is not None:
            self.server.connection.close()


class User(threading.Thread):
    """Writes templates all the time."""

    def __init__(self, client, desired, dice):
        super().__init__()
        self.client, self.desired, self.dice = client, desired, dice
        self.writes = 0
        self.trouble = None

    def run(self):
        try:
            while not self.client.stopped.is_set():
                self.one_write()
                self.writes += 1
                self.client.stopped.wait(0.01)
        except Exception as error:  # noqa: told by the test
            self.trouble = error

    def one_write(self):
        name = self.dice.choice(sorted(self.desired.objects))
        old = self.desired.objects[name]
        if self.dice.random() < 0.1:
            self.desired.allow(MEMBERS, [name])
            self.client.insist(lambda server: self.gone(server, old))
        if old["kind"] == "ConfigMap":
            new = config_map(name, old["metadata"]["labels"]["group"], self.dice.randrange(10**9))
        else:
            new = deployment(name, old["metadata"]["labels"]["group"], self.dice.randrange(1, 4))
        self.client.insist(lambda server: server.apply(new))
        self.desired.objects[name] = new

    @staticmethod
    def gone(server, obj):
        try:
            server.request("DELETE", server.path_of(obj))
        except Refused as refused:
            if refused.status != 404:
                raise


class Chaos(unittest.TestCase):
    def setUp(self):
        print(f"FLOTILLA_SEED={SEED}", flush=True)
        self.dice = random.Random(SEED)
        self.folder = tempfile.mkdtemp(prefix="flotilla-chaos-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        with open(f"{self.folder}/audit.yaml", "w", encoding="utf-8") as file:
            json.dump(AUDIT, file)
        settings = {"storage.name": "sqlite", "audit.policy_file": f"{self.folder}/audit.yaml"}
        self.fleet = Fleet(PROGRAMS, self.folder, {name: {"settings": settings} for name in MEMBERS},
                           {"storage.name": "sqlite", "controllers.cluster_failure_threshold": "300ms"})
        self.addCleanup(self.end)
        self.fleet.start()
        self.desired = Desired()

    def end(self):
        for server in self.fleet.servers.values():
            server.end(signal.SIGKILL)

    # Faults. Each is over when it returns.

    def kill_member(self):
        member = self.fleet[self.dice.choice(MEMBERS)]
        member.end(signal.SIGKILL)
        time.sleep(self.dice.uniform(0, 1))
        member.start().ready()

    def hang_member(self):
        member = self.fleet[self.dice.choice(MEMBERS)]
        member.process.send_signal(signal.SIGSTOP)
        time.sleep(self.dice.uniform(0.1, 2))
        member.process.send_signal(signal.SIGCONT)

    def slow_member(self):
        member = self.fleet[self.dice.choice(MEMBERS)]
        for _ in range(self.dice.randrange(5, 15)):
            member.process.send_signal(signal.SIGSTOP)
            time.sleep(0.08)
            member.process.send_signal(signal.SIGCONT)
            time.sleep(0.02)

    def kill_plane(self):
        self.fleet.plane.end(signal.SIGKILL)
        time.sleep(self.dice.uniform(0, 0.5))
        self.fleet.plane.start().ready()

    def fill_disk(self):
        pid = self.fleet.plane.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
        time.sleep(self.dice.uniform(0.2, 1))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

    def move_group(self):
        group = self.dice.choice(GROUPS)
        clusters = self.dice.sample(MEMBERS, self.dice.randrange(1, 3))
        left = set(self.desired.clusters[group]) - set(clusters)
        self.desired.allow(left, [name for name in self.desired.objects if name.startswith(group)])
        self.operator.insist(lambda server: server.apply(policy(group, clusters)))
        self.desired.clusters[group] = clusters

    def meddle_in_member(self):
        """By hand: an object deleted, another changed."""
        member = self.fleet[self.dice.choice(MEMBERS)]
        for number in range(6):
            path = f"/api/v1/namespaces/default/configmaps/{self.dice.choice(GROUPS)}-{self.dice.randrange(IN_GROUP)}"
            try:
                if number % 2:
                    member.request("DELETE", path)
                else:
                    member.request("PATCH", path, {"data": {"value": "meddled"}}, "application/merge-patch+json")
            except Refused as refused:
                self.assertIn(refused.status, (404, 409))

    def test_every_template_converges_and_nothing_is_removed_without_cause(self):
        plane = self.fleet.plane
        for group in GROUPS:
            self.desired.clusters[group] = ["member1", "member2"]
            plane.apply(policy(group, self.desired.clusters[group]))
            for i in range(IN_GROUP):
                obj = config_map(f"{group}-{i}", group, i) if i % 4 else deployment(f"{group}-{i}", group, 1)
                self.desired.objects[obj["metadata"]["name"]] = obj
                plane.apply(obj)
        stopped = threading.Event()
        self.addCleanup(stopped.set)
        self.operator = Client(plane, stopped)
        self.addCleanup(self.operator.close)
        self.user = User(Client(plane, stopped), self.desired, random.Random(SEED + 1))
        self.addCleanup(self.user.client.close)
        self.user.start()
        faults = [self.kill_member, self.hang_member, self.slow_member, self.kill_plane, self.fill_disk, self.move_group,
                  self.meddle_in_member]
        order = faults + [self.dice.choice(faults) for _ in range(max(0, ROUNDS - len(faults)))]
        self.dice.shuffle(order)
        for fault in order:
            print(f"{fault.__name__} after {self.user.writes} writes", flush=True)
            fault()
            self.wait_for_writes(self.dice.randrange(10, 40))
        stopped.set()
        self.user.join(PATIENCE)
        if self.user.trouble:
            raise self.user.trouble
        self.eventually_converged()
        self.nothing_without_cause()
        print(f"{self.user.writes} writes, {len(order)} faults; failures: {self.user.client.failures}", flush=True)

    def wait_for_writes(self, count):
        """Life goes on between faults."""
        wanted, until = self.user.writes + count, time.monotonic() + PATIENCE
        while self.user.writes < wanted and self.user.is_alive():
            self.assertLess(time.monotonic(), until, f"no more writes: {self.user.client.failures}")
            time.sleep(0.01)
        self.assertIsNone(self.fleet.plane.process.poll(), "the control plane ended by itself")

    def eventually_converged(self):
        until = time.monotonic() + PATIENCE
        while faults := self.unconverged():
            if time.monotonic() > until:
                self.fail("\n".join(faults[:20]) + "\n" + self.fleet.plane.said())
            time.sleep(0.1)

    def unconverged(self):
        try:
            plane = {kind: self.by_name(self.fleet.plane, kind) for kind in ("configmaps", "deployments.apps", "rb")}
            members = {name: {kind: self.by_name(self.fleet[name], kind) for kind in ("configmaps", "deployments.apps")}
                       for name in MEMBERS}
        except (OSError, Refused) as error:
            return [str(error)]
        faults = []
        for name, wanted in self.desired.objects.items():
            kind = "configmaps" if wanted["kind"] == "ConfigMap" else "deployments.apps"
            clusters = self.desired.clusters[wanted["metadata"]["labels"]["group"]]
            field = "data" if kind == "configmaps" else "spec"
            for member in MEMBERS:
                there = members[member][kind].get(name)
                if member not in clusters:
                    faults += [f"{name} is still in {member}"] if there else []
                elif there is None:
                    faults.append(f"{name} is not in {member}")
                elif any(there[field].get(key) != value for key, value in wanted[field].items() if key in ("value", "replicas")):
                    faults.append(f"{name} in {member} is {there[field]}")
            binding = plane["rb"].get(f"{name}-{wanted['kind'].lower()}")
            reported = {one["clusterName"]: one for one in (binding or {}).get("status", {}).get("aggregatedStatus", [])}
            if set(reported) != set(clusters) or not all(
                    one.get("applied") and one.get("health") == "Healthy" for one in reported.values()):
                faults.append(f"the binding of {name} says {reported}, wanted {clusters}")
            if kind == "deployments.apps":
                ready = plane[kind][name].get("status", {}).get("readyReplicas")
                if ready != wanted["spec"]["replicas"] * len(clusters):
                    faults.append(f"{name} has {ready} ready replicas")
        return faults

    @staticmethod
    def by_name(server, kind):
        return {one["metadata"]["name"]: one for one in server.request("GET", server.path(kind, "default"))["items"]}

    def nothing_without_cause(self):
        removed = 0
        for member in MEMBERS:
            with open(f"{self.folder}/{member}/audit.log", encoding="utf-8") as file:
                for line in file:
                    entry = json.loads(line)
                    what = entry.get("objectRef", {})
                    if not entry["user"]["username"].startswith("system:serviceaccount:karmada-cluster:"):
                        continue
                    if what.get("resource") not in ("configmaps", "deployments") or what.get("namespace") != "default":
                        continue
                    removed += 1
                    self.assertIn((member, what.get("name")), self.desired.reasons,
                                  f"{what.get('name')} was deleted in {member} for no reason: {line}")
        print(f"{removed} objects were deleted in members, each with a cause", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
