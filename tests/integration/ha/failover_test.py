# SPDX-License-Identifier: Apache-2.0
"""Three daemons on one etcd, a writer that never pauses and watches that move from daemon to daemon, while the
holder of the Lease is killed, stopped in order, paused and woken. In the end every answered write is there once, each
watch has told everything once and in order, and the fleet is where its policy says."""
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAMS = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "build/dev/bin"
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "scenarios")]
from etcd import Etcd  # noqa: E402
from fleet import Refused, Server  # noqa: E402

PATIENCE = 90
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/flotilla"
MAPS = "/api/v1/namespaces/default/configmaps"
POLICIES = "/apis/policy.karmada.io/v1alpha1/namespaces/default/propagationpolicies"


def config_map(name, labels=None):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels or {}}, "data": {"k": "v"}}


def connect(server, timeout=10):
    return http.client.HTTPSConnection(server.host, server.port, context=server.tls, timeout=timeout)


class Writer(threading.Thread):
    """Creates objects with names of its own, one after the other; the next daemon is asked when one fails."""

    def __init__(self, servers, stopped):
        super().__init__()
        self.servers, self.stopped = servers, stopped
        self.answered, self.unclear, self.failures = [], set(), 0
        self.longest = 0.0
        self.trouble = None

    def run(self):
        try:
            at, connection = 0, None
            for number in range(1 << 30):
                if self.stopped.is_set():
                    return
                name, began = f"w{number}", time.monotonic()
                while True:
                    try:
                        connection = connection or connect(self.servers[at], 5)
                        connection.request("POST", MAPS, json.dumps(config_map(name, {"by": "writer"})),
                                           {"Content-Type": "application/json"})
                        answer = connection.getresponse()
                        text = answer.read()
                        if answer.status == 201 or (answer.status == 409 and name in self.unclear):
                            break
                        if answer.status < 500 and answer.status != 429:
                            raise AssertionError(f"{name}: {answer.status} {text}")
                    except (OSError, http.client.HTTPException, ssl.SSLError):
                        pass
                    # Nobody said whether it is there.
                    self.unclear.add(name)
                    self.failures += 1
                    if connection is not None:
                        connection.close()
                    connection, at = None, (at + 1) % len(self.servers)
                    if time.monotonic() - began > PATIENCE:
                        raise AssertionError(f"{name} could not be written in {PATIENCE} s")
                    time.sleep(0.01)
                self.answered.append(name)
                self.longest = max(self.longest, time.monotonic() - began)
                self.stopped.wait(0.002)
        except Exception as error:  # noqa: told by the test
            self.trouble = error


class Watcher(threading.Thread):
    """Follows the writer's objects from one revision on; goes on at another daemon where it was cut off."""

    def __init__(self, servers, first, revision, stopped):
        super().__init__()
        self.servers, self.at, self.revision, self.stopped = servers, first, revision, stopped
        self.told, self.moves = [], 0
        self.trouble = None

    def run(self):
        while not self.stopped.is_set() and self.trouble is None:
            try:
                self.follow()
            except (OSError, http.client.HTTPException, ssl.SSLError):
                pass
            except Exception as error:  # noqa: told by the test
                self.trouble = error
            self.moves += 1
            self.at = (self.at + 1) % len(self.servers)
            self.stopped.wait(0.02)

    def follow(self):
        connection = connect(self.servers[self.at], 1)
        try:
            self.listen(connection)
        finally:
            connection.close()

    def listen(self, connection):
        connection.request("GET", f"{MAPS}?watch=1&labelSelector=by%3Dwriter&resourceVersion={self.revision}")
        answer = connection.getresponse()
        if answer.status >= 500:
            return
        if answer.status != 200:
            raise AssertionError(f"watch from {self.revision}: {answer.status} {answer.read()}")
        while not self.stopped.is_set():
            try:
                line = answer.readline()
            except TimeoutError:
                return
            if not line:
                return
            event = json.loads(line)
            if event["type"] != "ADDED":
                raise AssertionError(f"from {self.revision}: {event}")
            self.revision = int(event["object"]["metadata"]["resourceVersion"])
            self.told.append((self.revision, event["object"]["metadata"]["name"]))


class Failover(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flotilla-ha-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.etcd = Etcd(self.folder)
        self.addCleanup(self.etcd.stop)
        self.etcd.start()
        settings = os.path.join(self.folder, "flotilla.yaml")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(f"storage:\n  name: etcd\n  config:\n    endpoints: [\"{self.etcd.endpoint}\"]\n"
                       "controllers:\n  cluster_status_update_frequency: 200ms\n  cluster_success_threshold: 1ms\n")
        self.servers = [Server(PROGRAMS, self.folder, name, ["--config", settings]) for name in ("a", "b", "c")]
        for server in self.servers:
            self.addCleanup(server.end)
            server.start()
        for server in self.servers:
            server.ready()
        self.member = Server(PROGRAMS, self.folder, "member1", ["--profile", "member"])
        self.addCleanup(self.member.end)
        self.member.start().ready()
        joined = subprocess.run(
            [f"{PROGRAMS}/flotillactl", "--kubeconfig", self.servers[1].kubeconfig, "join", "member1",
             "--cluster-kubeconfig", self.member.kubeconfig], capture_output=True, text=True, timeout=60)
        self.assertEqual(joined.returncode, 0, joined.stdout + joined.stderr)

    def ask(self, what, patience=PATIENCE):
        """The first answer that is true, of any daemon."""
        until = time.monotonic() + patience
        trouble = None
        while time.monotonic() < until:
            for server in self.servers:
                if server.process is None or server in self.paused:
                    continue
                try:
                    answer = what(server)
                    if answer:
                        return answer
                except (OSError, http.client.HTTPException, Refused) as error:
                    trouble = error
            time.sleep(0.02)
        raise AssertionError(f"not within {patience} s: {trouble}; " + "".join(one.said()[-600:] for one in self.servers))

    def holder(self):
        """The daemon that leads now: the only one whose metrics say so."""
        def look(server):
            text = server.request("GET", "/metrics", accept="text/plain")
            leads = 'leader_election_master_status{name="karmada-scheduler"} 1' in text
            return server if leads else None
        return self.ask(look)

    def lease(self):
        return self.ask(lambda server: server.request("GET", LEASE))["spec"]

    def propagate(self, name):
        """A template comes to its member: somebody controls."""
        self.ask(lambda server: server.apply(config_map(name, {"fleet": "yes"})))
        began = time.monotonic()
        path = f"{MAPS}/{name}"
        until = began + PATIENCE
        while time.monotonic() < until:
            try:
                self.member.request("GET", path)
                return time.monotonic() - began
            except Refused:
                time.sleep(0.01)
        raise AssertionError(f"{name} is not in its member: " + "".join(one.said()[-600:] for one in self.servers))

    paused = ()

    def restart(self, server):
        server.start().ready()

    def test_one_holder_after_the_other_ends_and_nothing_is_lost_or_told_twice(self):
        policy = {"apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy",
                  "metadata": {"name": "fleet", "namespace": "default"},
                  "spec": {"resourceSelectors": [{"apiVersion": "v1", "kind": "ConfigMap",
                                                  "labelSelector": {"matchLabels": {"fleet": "yes"}}}],
                           "placement": {"clusterAffinity": {"clusterNames": ["member1"]}}}}
        self.servers[2].request("POST", POLICIES, policy)
        self.propagate("first")
        stopped = threading.Event()
        revision = self.servers[0].request("GET", MAPS)["metadata"]["resourceVersion"]
        writer = Writer(self.servers, stopped)
        watchers = [Watcher(self.servers, at, revision, stopped) for at in range(3)]
        self.addCleanup(stopped.set)
        for thread in [writer, *watchers]:
            thread.start()

        killed = self.holder()
        killed.end(signal.SIGKILL)
        began = time.monotonic()
        second = self.holder()
        took = time.monotonic() - began
        print(f"after kill -9 of the holder another one leads in {took:.1f} s", flush=True)
        self.assertLessEqual(took, 15)
        self.propagate("after-the-kill")
        self.restart(killed)

        began = time.monotonic()
        second.process.send_signal(signal.SIGTERM)
        self.paused = (second,)
        third = self.holder()
        took = time.monotonic() - began
        print(f"after it is stopped in order another one leads in {took:.1f} s", flush=True)
        self.assertLessEqual(took, 2)
        second.end()
        self.paused = ()
        self.propagate("after-the-stop")
        self.restart(second)

        third.process.send_signal(signal.SIGSTOP)
        self.paused = (third,)
        fourth = self.holder()
        self.assertIsNot(fourth, third)
        self.propagate("while-it-is-paused")
        holder = self.lease()["holderIdentity"]
        # What it wakes with is old: it would put back what the new holder has taken away since.
        self.ask(lambda server: server.request("DELETE", f"{MAPS}/first"))
        third.process.send_signal(signal.SIGCONT)
        third.hang_up()
        line = third.process.stdout.readline()
        self.assertTrue(line.startswith(b"ready "), line)  # it has started anew
        self.paused = ()
        self.assertEqual(self.lease()["holderIdentity"], holder)
        self.propagate("after-it-woke")
        with self.assertRaises(Refused) as gone:
            self.member.request("GET", f"{MAPS}/first")
        self.assertEqual(gone.exception.status, 404)

        stopped_at = time.monotonic()
        last = len(writer.answered) + 20
        while len(writer.answered) < last and writer.trouble is None and time.monotonic() < stopped_at + PATIENCE:
            time.sleep(0.01)
        stopped_writing = writer.answered[last - 1] if len(writer.answered) >= last else None
        self.assertIsNone(writer.trouble)
        self.assertIsNotNone(stopped_writing)
        listed = self.servers[0].request("GET", MAPS + "?labelSelector=by%3Dwriter")
        until = time.monotonic() + PATIENCE
        while any(int(watcher.revision) < int(listed["metadata"]["resourceVersion"]) and watcher.trouble is None and
                  (not watcher.told or watcher.told[-1][1] != listed["items"][-1]["metadata"]["name"]) and
                  len(watcher.told) < len(listed["items"])
                  for watcher in watchers) and time.monotonic() < until:
            time.sleep(0.02)
        stopped.set()
        for thread in [writer, *watchers]:
            thread.join(30)
        self.assertIsNone(writer.trouble)

        final = {one["metadata"]["name"]: int(one["metadata"]["resourceVersion"])
                 for one in self.servers[1].request("GET", MAPS + "?labelSelector=by%3Dwriter")["items"]}
        lost = [name for name in writer.answered if name not in final]
        self.assertEqual(lost, [])
        history = sorted((revision, name) for name, revision in final.items())
        for watcher in watchers:
            self.assertIsNone(watcher.trouble)
            self.assertEqual(watcher.told, history[:len(watcher.told)])
            self.assertGreaterEqual(len(watcher.told), len(listed["items"]))
        print(f"{len(writer.answered)} writes, {writer.failures} tried again, the longest {writer.longest:.1f} s; watches "
              f"moved {sum(watcher.moves for watcher in watchers)} times", flush=True)

    def test_etcd_that_is_away_is_said_and_waited_for(self):
        self.ask(lambda server: server.apply(config_map("before")))
        leader = self.holder()
        self.etcd.process.send_signal(signal.SIGSTOP)
        for server in self.servers:
            kept = server.request("GET", MAPS + "?resourceVersion=0")["items"]
            self.assertIn("before", [one["metadata"]["name"] for one in kept])
        began = time.monotonic()
        with self.assertRaises(Refused) as refused:
            self.servers[0].request("POST", MAPS, config_map("while-away"))
        self.assertIn(refused.exception.status, (503, 504), refused.exception)
        self.assertLess(time.monotonic() - began, 15)
        print(f"a write while etcd is away: {refused.exception}", flush=True)
        until = time.monotonic() + PATIENCE
        while "the Lease is lost" not in leader.said():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        self.etcd.process.send_signal(signal.SIGCONT)
        self.assertTrue(leader.process.stdout.readline().startswith(b"ready "))
        for server in self.servers:
            server.hang_up()
        self.holder()
        self.etcd.stop()  # kill -9
        self.etcd.start()
        for server in self.servers:
            until = time.monotonic() + PATIENCE
            while True:
                try:
                    self.assertEqual(server.request("GET", "/readyz", accept="text/plain"), "ok")
                    server.apply(config_map(f"after-{server.name}"))
                    break
                except Refused:
                    self.assertLess(time.monotonic(), until, server.said())
                    time.sleep(0.05)
        names = {one["metadata"]["name"] for one in self.servers[1].request("GET", MAPS)["items"]}
        self.assertLessEqual({"before", "after-a", "after-b", "after-c"}, names)

    def test_what_asks_members_is_answered_by_every_daemon(self):
        self.ask(lambda server: "True" in str(server.request(
            "GET", "/apis/cluster.karmada.io/v1alpha1/clusters/member1").get("status", {}).get("conditions")))
        for server in self.servers:
            until = time.monotonic() + PATIENCE
            while not (nodes := server.request("GET", "/apis/metrics.k8s.io/v1beta1/nodes")["items"]):
                self.assertLess(time.monotonic(), until, server.said())
                time.sleep(0.05)
            self.assertEqual(nodes[0]["metadata"]["annotations"]["resource.karmada.io/query-from-cluster"], "member1")
            planned = subprocess.run([f"{PROGRAMS}/flotillactl", "--kubeconfig", server.kubeconfig, "plan", "-f", "-"],
                                     input=json.dumps(config_map("planned")), capture_output=True, text=True, timeout=60)
            self.assertEqual(planned.returncode, 0, planned.stdout + planned.stderr)

    def test_every_daemon_sees_at_once_what_another_answered(self):
        kubectl = shutil.which("kubectl")
        self.assertTrue(kubectl, "kubectl is not installed")
        for number in range(20):
            writes, reads = self.servers[number % 3], self.servers[(number + 1) % 3]
            made = subprocess.run([kubectl, "--kubeconfig", writes.kubeconfig, "create", "configmap", f"m{number}"],
                                  capture_output=True, text=True, timeout=30)
            self.assertEqual(made.returncode, 0, made.stderr)
            seen = reads.request("GET", f"{MAPS}/m{number}")
            self.assertEqual(seen["metadata"]["name"], f"m{number}")
        # One kubeconfig is good for all of them: they have one authority.
        for server in self.servers:
            got = subprocess.run([kubectl, "--kubeconfig", self.servers[0].kubeconfig, "--server",
                                  f"https://127.0.0.1:{server.port}", "get", "configmap", "m7", "-o", "name"],
                                 capture_output=True, text=True, timeout=30)
            self.assertEqual(got.stdout.strip(), "configmap/m7", got.stderr)
        # Permissions and tokens that one daemon has made a moment ago.
        self.servers[0].request("POST", "/api/v1/namespaces/default/serviceaccounts",
                                {"metadata": {"name": "robot"}})
        token = self.servers[1].request("POST", "/api/v1/namespaces/default/serviceaccounts/robot/token",
                                        {"spec": {}})["status"]["token"]
        self.servers[1].request("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
                                {"metadata": {"name": "robot"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io",
                                                                            "kind": "ClusterRole", "name": "view"},
                                 "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": "default"}]})
        connection = connect(self.servers[2])
        self.addCleanup(connection.close)
        connection.request("GET", MAPS, headers={"Authorization": "Bearer " + token})
        self.assertEqual(connection.getresponse().status, 200)


if __name__ == "__main__":
    unittest.main()
