# SPDX-License-Identifier: Apache-2.0
"""Backups of a running control plane, and what a control plane does that was restored from one: nothing to its members,
until somebody has seen what it would do."""
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
import urllib.error
import urllib.request

from programs import BIN, run

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scenarios"))
from fleet import Fleet, Refused, Server  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "ha"))
from etcd import Etcd  # noqa: E402

ENCRYPTION = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration",
              "resources": [{"resources": ["secrets"], "providers": [
                  {"aesgcm": {"keys": [{"name": "k1", "secret": "AAECAwQFBgcICQoLDA0ODw=="}]}}]}]}


def config_map(name, value, ns="default"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": ns, "labels": {"app": "web"}},
            "data": {"value": value}}


POLICY = {"apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy",
          "metadata": {"name": "web", "namespace": "default"},
          "spec": {"resourceSelectors": [{"apiVersion": "v1", "kind": "ConfigMap",
                                          "labelSelector": {"matchLabels": {"app": "web"}}}],
                   "placement": {"clusterAffinity": {"clusterNames": ["member1", "member2"]}}}}


class BackupTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flotilla-backup-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.servers = []
        self.addCleanup(lambda: [server.end(signal.SIGKILL) for server in self.servers])

    def server(self, name, *flags):
        server = Server(BIN, self.folder, name, ["--storage", "sqlite", *flags])
        self.servers.append(server)
        return server.start().ready()

    def fleet(self, **settings):
        fleet = Fleet(BIN, self.folder, {"member1": {}, "member2": {}}, {"storage.name": "sqlite", **settings})
        self.servers += fleet.servers.values()
        fleet.start()
        return fleet

    def ctl(self, server, *arguments, check=True):
        return run("flotillactl", "--kubeconfig", server.kubeconfig, *arguments, check=check)

    def until(self, holds, what, patience=60):
        end = time.monotonic() + patience
        while True:
            try:
                if holds():
                    return
            except (Refused, OSError):
                pass
            if time.monotonic() > end:
                self.fail(f"not in time: {what}")
            time.sleep(0.05)

    @staticmethod
    def value(server, name, ns="default"):
        try:
            return server.request("GET", f"/api/v1/namespaces/{ns}/configmaps/{name}")["data"]["value"]
        except Refused as refused:
            if refused.status != 404:
                raise
            return None

    def test_a_restored_control_plane_observes_until_it_is_accepted(self):
        fleet = self.fleet()
        plane, members = fleet.plane, [fleet["member1"], fleet["member2"]]
        plane.apply(POLICY)
        for name in ("same", "changed", "gone"):
            plane.apply(config_map(name, "before"))
        self.until(lambda: all(self.value(m, n) == "before" for m in members for n in ("same", "changed", "gone")),
                   "three objects in both members")
        backup = f"{self.folder}/fleet.backup"
        self.ctl(plane, "backup", backup)
        self.assertEqual(os.stat(backup).st_mode & 0o777, 0o600)
        self.assertFalse(os.path.exists(backup + ".part"))

        plane.apply(config_map("changed", "after"))
        plane.apply(config_map("later", "after"))
        plane.request("DELETE", plane.path_of(config_map("gone", "")))
        self.until(lambda: all(self.value(m, "changed") == "after" and self.value(m, "later") == "after" and
                               self.value(m, "gone") is None for m in members), "what happened after the backup")
        plane.end(signal.SIGKILL)

        refused = run("flotillactl", "restore", backup, "--data-dir", plane.folder + "/" + plane.name, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("only an empty database takes a backup", refused.stderr)
        run("flotillactl", "restore", backup, "--data-dir", f"{self.folder}/restored")
        restored = Server(BIN, self.folder, "restored", plane.flags)
        self.servers.append(restored)
        for start in range(2):  # what it is does not end with the process
            restored.start().ready()
            self.until(lambda: self.plan(restored)["observing"], "observing")
            self.until(lambda: self.settled(restored), "all works examined: " + json.dumps(self.plan(restored)))
            plan = self.plan(restored)
            changes = {(one["cluster"], one["change"], one["name"]) for one in plan["changes"]}
            self.assertEqual(changes, {(m, c, n) for m in ("member1", "member2")
                                       for c, n in (("create", "gone"), ("update", "changed"))}, json.dumps(plan))
            fields = [one["fields"] for one in plan["changes"] if one["name"] == "changed"]
            self.assertTrue(any(f["path"] == "data.value" and f["before"] == "after" and f["after"] == "before"
                                for f in fields[0]), fields)
            unknown = {(one["cluster"], one["resource"], one["name"]) for one in plan["unknown"]}
            self.assertEqual(unknown, {("member1", "configmaps", "later"), ("member2", "configmaps", "later")})
            for member in members:
                self.assertEqual(self.value(member, "changed"), "after")
                self.assertIsNone(self.value(member, "gone"))
            if start == 0:
                restored.end()
        shown = self.ctl(restored, "restore", "plan").stdout
        self.assertIn("member1 create configmaps/gone -n default", shown)
        self.assertIn("member2 keep configmaps/later -n default   (the backup does not know it)", shown)
        # Decisions are made meanwhile; what they would remove is shown, too.
        restored.request("DELETE", restored.path_of(config_map("same", "")))
        self.until(lambda: ("member1", "delete", "same") in {(c["cluster"], c["change"], c["name"])
                                                              for c in self.plan(restored)["changes"]}, "a removal in the plan")
        for member in members:
            self.assertEqual(self.value(member, "same"), "before")

        said = self.ctl(restored, "restore", "accept").stdout
        self.assertIn("restored and accepted", said)
        self.until(lambda: all(self.value(m, "changed") == "before" and self.value(m, "gone") == "before" and
                               self.value(m, "same") is None for m in members), "the members as the backup has them")
        for member in members:
            self.assertEqual(self.value(member, "later"), "after")
        restored.end()
        restored.start().ready()
        self.assertFalse(self.plan(restored)["observing"])

    def plan(self, server):
        return json.loads(self.ctl(server, "restore", "plan", "-o", "json").stdout)

    def settled(self, server):
        plan = self.plan(server)
        return plan["works"] > 0 and plan["examined"] >= plan["works"] and not plan["unread"] and \
            all(one["state"] == "Reached" for one in plan["clusters"])

    def test_a_backup_is_one_moment_of_a_control_plane_that_is_written_to(self):
        plane = self.server("plane")
        for i in range(400):
            plane.request("POST", "/api/v1/namespaces/default/configmaps", config_map(f"filler-{i}", "x" * 20_000))
        stopped = threading.Event()
        own = Server(BIN, self.folder, "plane", [])
        own.host, own.port, own.tls = plane.host, plane.port, plane.tls

        def write():  # first is never behind last
            number = 0
            while not stopped.is_set():
                for name in ("a-first", "z-last"):
                    own.apply(config_map(name, str(number)))
                number += 1
            own.hang_up()

        writer = threading.Thread(target=write)
        writer.start()
        self.addCleanup(stopped.set)
        self.until(lambda: self.value(plane, "z-last"), "the writer")
        backups = []
        for round_number in range(3):
            backups.append(f"{self.folder}/{round_number}.backup")
            self.ctl(plane, "backup", backups[-1])
        stopped.set()
        writer.join()
        seen = []
        for number, backup in enumerate(backups):
            run("flotillactl", "restore", backup, "--data-dir", f"{self.folder}/copy{number}")
            copy = self.server(f"copy{number}", "--set", "controllers.enabled=false")
            first, last = int(self.value(copy, "a-first")), int(self.value(copy, "z-last"))
            self.assertIn(first - last, (0, 1))
            items = copy.request("GET", "/api/v1/namespaces/default/configmaps")["items"]
            self.assertEqual(sum(one["metadata"]["name"].startswith("filler-") for one in items), 400)
            seen.append(first)
            copy.end()
        self.assertLess(seen[0], seen[-1])

    def test_there_is_never_half_a_backup(self):
        plane = self.server("plane", "--set", "controllers.enabled=false")
        for i in range(600):
            plane.request("POST", "/api/v1/namespaces/default/configmaps", config_map(f"filler-{i}", "x" * 100_000))
        target = f"{self.folder}/half.backup"
        client = subprocess.Popen([f"{BIN}/flotillactl", "--kubeconfig", plane.kubeconfig, "backup", target],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + 20
        while not os.path.exists(target + ".part") and client.poll() is None and time.monotonic() < end:
            time.sleep(0.001)
        plane.end(signal.SIGKILL)
        _, said = client.communicate(timeout=60)
        if client.returncode == 0:  # it was faster
            run("flotillactl", "restore", "--check", target)
        else:
            self.assertFalse(os.path.exists(target), said)
        # A file that somebody else cut or changed.
        plane.start().ready()
        whole = f"{self.folder}/whole.backup"
        self.ctl(plane, "backup", whole)
        plane.end()
        run("flotillactl", "restore", "--check", whole)
        with open(whole, "rb") as file:
            content = bytearray(file.read())
        for name, bad in (("cut", content[:-100]), ("flipped", content[:5000] + b"?" + content[5001:])):
            with open(f"{self.folder}/{name}", "wb") as file:
                file.write(bad)
            refused = run("flotillactl", "restore", f"{self.folder}/{name}", "--data-dir", f"{self.folder}/{name}.dir",
                          check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("damaged", refused.stderr)
            self.assertFalse(os.path.exists(f"{self.folder}/{name}.dir/flotilla.db"), "nothing was begun")

    def test_secrets_stay_encrypted_in_a_backup(self):
        with open(f"{self.folder}/encryption.json", "w", encoding="utf-8") as file:
            json.dump(ENCRYPTION, file)
        hidden = ["--set", f"security.encryption_config={self.folder}/encryption.json"]
        plane = self.server("plane", *hidden)
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"},
                  "data": {"password": "dmVyeS1zZWNyZXQ="}}
        plane.request("POST", "/api/v1/namespaces/default/secrets", secret)
        backup = f"{self.folder}/hidden.backup"
        self.ctl(plane, "backup", backup)
        plane.end()
        with open(backup, "rb") as file:
            self.assertNotIn(b"dmVyeS1zZWNyZXQ=", file.read())
        run("flotillactl", "restore", backup, "--data-dir", f"{self.folder}/copy")
        copy = self.server("copy", *hidden)
        self.assertEqual(copy.request("GET", "/api/v1/namespaces/default/secrets/s")["data"], secret["data"])

    def test_who_may_not_is_refused(self):
        with open(f"{self.folder}/tokens", "w", encoding="utf-8") as file:
            file.write("secret,reader,1\n")
        plane = self.server("plane", "--set", f"security.token_file={self.folder}/tokens")
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        for method, path in (("GET", "backup"), ("GET", "storage"), ("POST", "storage?do=check"), ("GET", "restore"),
                             ("POST", "restore")):
            request = urllib.request.Request(f"https://{plane.host}:{plane.port}/flotilla/v1/{path}", method=method,
                                             headers={"Authorization": "Bearer secret"})
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, context=trust, timeout=20)
            self.assertEqual(refused.exception.code, 403, path)
            refused.exception.close()

    def test_storage_is_checked_compacted_and_moved(self):
        plane = self.server("plane")
        for i in range(300):
            plane.request("POST", "/api/v1/namespaces/default/configmaps", config_map(f"c{i}", "x" * 20_000))
        for i in range(290):
            plane.request("DELETE", f"/api/v1/namespaces/default/configmaps/c{i}")
        self.assertIn("keys with", self.ctl(plane, "storage", "check").stdout)
        self.assertIn("bytes", self.ctl(plane, "storage", "compact").stdout)
        figures = json.loads(self.ctl(plane, "storage", "stats", "-o", "json").stdout)
        names = {one["name"]: one["value"] for one in figures["figures"]}
        self.assertGreater(names["keys"], 10)
        self.assertEqual(names["read_only"], 0)
        metrics = plane.request("GET", "/metrics", accept="text/plain")
        self.assertIn("flotilla_storage_database_bytes ", metrics)
        busy = run("flotillactl", "storage", "check", "--data-dir", f"{self.folder}/plane", check=False)
        self.assertEqual(busy.returncode, 1)
        self.assertIn("is in use by process", busy.stderr)
        plane.end()
        data = f"{self.folder}/plane"
        self.assertIn("keys with", run("flotillactl", "storage", "check", "--data-dir", data).stdout)
        run("flotillactl", "storage", "compact", "--at", f"sqlite:{data}/flotilla.db")
        self.assertIn("database_bytes", run("flotillactl", "storage", "stats", "--data-dir", data).stdout)
        os.makedirs(f"{self.folder}/moved")
        moved = run("flotillactl", "storage", "migrate", "--from", f"sqlite:{data}/flotilla.db",
                    "--to", f"sqlite:{self.folder}/moved/flotilla.db")
        self.assertIn("sha256", moved.stdout + moved.stderr)
        copy = self.server("moved")
        items = copy.request("GET", "/api/v1/namespaces/default/configmaps")["items"]
        self.assertEqual({one["metadata"]["name"] for one in items}, {f"c{i}" for i in range(290, 300)})
        with self.assertRaises(Refused) as not_restored:
            copy.request("POST", "/flotilla/v1/restore", {"accept": True})
        self.assertEqual(not_restored.exception.status, 409)

    def etcd(self):
        etcd = Etcd(self.folder)
        self.addCleanup(etcd.stop)
        return etcd.start()

    def test_storage_moves_to_etcd_and_back(self):
        plane = self.server("plane", "--set", "controllers.enabled=false")
        for i in range(1300):  # more than a page, and than a commit takes
            plane.request("POST", "/api/v1/namespaces/default/configmaps", config_map(f"c{i}", str(i)))
        backup = f"{self.folder}/sqlite.backup"
        self.ctl(plane, "backup", backup)
        plane.end()
        etcd = self.etcd()
        there = f"etcd:http://{etcd.endpoint}/moved"
        moved = run("flotillactl", "storage", "migrate", "--from", f"sqlite:{self.folder}/plane/flotilla.db", "--to", there)
        again = run("flotillactl", "storage", "migrate", "--from", f"sqlite:{self.folder}/plane/flotilla.db", "--to", there,
                    check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("is not empty", again.stderr)
        os.makedirs(f"{self.folder}/back")
        back = run("flotillactl", "storage", "migrate", "--from", there, "--to", f"sqlite:{self.folder}/back/flotilla.db")
        sums = [word for done in (moved, back) for word in (done.stdout + done.stderr).split() if len(word) == 64]
        self.assertEqual(len(sums), 2)
        self.assertEqual(sums[0], sums[1])
        copy = self.server("back", "--set", "controllers.enabled=false")
        self.assertEqual(self.value(copy, "c1299"), "1299")
        copy.end()
        # A backup of sqlite, restored into etcd, observed by a daemon over it, backed up from there.
        restored = f"etcd:http://{etcd.endpoint}/restored"
        run("flotillactl", "restore", backup, "--to", restored)
        config = json.dumps({"endpoints": [f"http://{etcd.endpoint}"], "prefix": "/restored/"})
        over = Server(BIN, self.folder, "over", ["--storage", "etcd", "--set", f"storage.config={config}"])
        self.servers.append(over)
        over.start().ready()
        self.assertTrue(self.plan(over)["observing"])
        self.assertEqual(self.value(over, "c1299"), "1299")
        self.ctl(over, "restore", "accept")
        self.assertFalse(self.plan(over)["observing"])
        self.ctl(over, "backup", f"{self.folder}/etcd.backup")
        run("flotillactl", "restore", "--check", f"{self.folder}/etcd.backup")


if __name__ == "__main__":
    unittest.main(verbosity=2)
