#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The life of a cluster in pull mode with the programs that a person types: token, register, work, kill, unregister."""
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from programs import BIN, Flotillad, run

MANY = int(os.environ.get("PULL_TEMPLATES", "1000"))
HANDS = 8  # that create them at the same time
NAME = "far"
AUDIT = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, users: ["system:karmada:agent:far"]}
- {level: None}
"""


class Pull(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flotilla-pull-")
        policy = os.path.join(self.folder, "audit.yaml")
        with open(policy, "w", encoding="utf-8") as file:
            file.write(AUDIT)
        self.audit = os.path.join(self.folder, "audit.log")
        self.agent_dir = os.path.join(self.folder, "agent")
        self.plane = Flotillad(
            os.path.join(self.folder, "plane"), "--storage", "memory", "--set", f"audit.policy_file={policy}", "--set", f"audit.log_path={self.audit}",
            "--set", "controllers.cluster_monitor_period=200ms", "--set", "controllers.cluster_monitor_grace_period=3s",
            "--set", "controllers.removal_budget=0")
        self.member = Flotillad(os.path.join(self.folder, "member"), "--profile", "member")
        self.assertTrue(self.plane.ready() and self.member.ready())
        self.agent = None

    def tearDown(self):
        self.kill_agent()
        for server in (self.plane, self.member):
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pid(self):
        try:
            with open(os.path.join(self.agent_dir, "agent.pid"), encoding="utf-8") as file:
                return int(file.read())
        except FileNotFoundError:
            return None

    def kill_agent(self):
        if self.agent is not None:
            self.agent.kill()
            self.agent.wait(10)
            self.agent.stdout.close()
            self.agent = None
        elif self.pid() is not None:
            try:
                os.kill(self.pid(), signal.SIGKILL)
            except ProcessLookupError:
                pass

    def kubectl(self, *words, member=False, stdin=None):
        config = (self.member if member else self.plane).kubeconfig
        done = subprocess.run(["kubectl", "--kubeconfig", config, *words], capture_output=True, text=True, timeout=280,
                              input=stdin, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def create(self, objects):
        self.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def json(self, *words, member=False):
        return json.loads(self.kubectl("get", *words, "-o", "json", member=member))

    def eventually(self, condition, within=60):
        until = time.monotonic() + within
        while True:
            try:
                value = condition()
            except AssertionError:
                value = None
            if value:
                return value
            if time.monotonic() > until:
                log = os.path.join(self.agent_dir, "agent.log")
                said = open(log, encoding="utf-8").read()[-3000:] if os.path.exists(log) else ""
                raise AssertionError(f"not within {within} s\n{said}")
            time.sleep(0.1)

    def ready(self):
        conditions = self.json("cluster", NAME).get("status", {}).get("conditions", [])
        return next((one["status"] for one in conditions if one["type"] == "Ready"), None)

    def register(self):
        made = run("flotillactl", "--kubeconfig", self.plane.kubeconfig, "token", "create", "--print-register-command")
        words = made.stdout.split()
        self.assertEqual(words[:2], ["flotillactl", "register"])
        run("flotillactl", *words[1:], "--cluster-name", NAME, "--kubeconfig", self.member.kubeconfig,
            "--agent-dir", self.agent_dir, "--start")

    def start_again(self):
        """As the settings that registering wrote say it."""
        self.agent = subprocess.Popen([f"{BIN}/flotillad", "--config", f"{self.agent_dir}/flotilla.yaml"],
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.assertTrue(select.select([self.agent.stdout], [], [], 30)[0])
        self.assertRegex(self.agent.stdout.readline().decode(), "^ready agent of far control-plane=https://")

    def test_a_life(self):
        self.register()
        self.eventually(lambda: self.ready() == "True")
        policy = {"apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy",
                  "metadata": {"name": "maps", "namespace": "default"},
                  "spec": {"resourceSelectors": [{"apiVersion": "v1", "kind": "ConfigMap",
                                          "labelSelector": {"matchLabels": {"many": "yes"}}}],
                           "placement": {"clusterAffinity": {"clusterNames": [NAME]}}}}
        maps = [{"apiVersion": "v1", "kind": "ConfigMap", "data": {"n": str(i)},
                 "metadata": {"name": f"m{i}", "namespace": "default", "labels": {"many": "yes"}}} for i in range(MANY)]
        began = time.monotonic()
        self.create([policy])
        with ThreadPoolExecutor(HANDS) as hands:
            list(hands.map(self.create, [maps[i::HANDS] for i in range(HANDS)]))
        self.eventually(lambda: self.present() == MANY, within=120)
        self.eventually(lambda: self.applied() == MANY, within=120)
        print(f"{MANY} templates present and reported {time.monotonic() - began:.1f} s after kubectl began")

        os.kill(self.pid(), signal.SIGKILL)
        self.eventually(lambda: self.ready() == "Unknown")
        self.kubectl("patch", "configmap", "m0", "--type=merge", "-p", '{"data": {"n": "new"}}')
        self.kubectl("delete", "configmap", "m1")
        self.kubectl("delete", "configmap", "m2", member=True)
        self.assertEqual(self.json("configmap", "m1", member=True)["data"], {"n": "1"})

        began = time.monotonic()
        self.start_again()
        self.eventually(lambda: self.ready() == "True")
        self.eventually(lambda: self.json("configmap", "m0", member=True)["data"] == {"n": "new"})
        self.eventually(lambda: self.present() == MANY - 1)
        self.assertEqual(self.json("configmap", "m2", member=True)["data"], {"n": "2"})
        print(f"converged {time.monotonic() - began:.1f} s after the agent started again")

        self.no_request_was_refused()
        run("flotillactl", "--kubeconfig", self.plane.kubeconfig, "unregister", NAME, "--cluster-kubeconfig",
            self.member.kubeconfig, "--agent-dir", self.agent_dir, "--wait", "150s")
        self.assertEqual(self.present(), 0)
        self.assertEqual(self.kubectl("get", "clusters", "-o", "name"), "")
        self.assertNotIn("karmada-es-far", self.kubectl("get", "namespaces", "-o", "name"))
        self.assertNotIn("karmada-cluster", self.kubectl("get", "namespaces", "-o", "name", member=True))
        self.assertFalse(os.path.exists(os.path.join(self.agent_dir, "karmada-agent.conf")))

    def present(self):
        return len(self.json("configmaps", "-n", "default", "-l", "karmada.io/managed=true", member=True)["items"])

    def applied(self):
        works = self.json("works", "-n", f"karmada-es-{NAME}")["items"]
        return sum(1 for work in works
                   if work["spec"]["workload"]["manifests"][0]["kind"] == "ConfigMap"
                   and any(one["type"] == "Applied" and one["status"] == "True"
                           for one in work.get("status", {}).get("conditions", []))
                   and work["status"].get("manifestStatuses"))

    def no_request_was_refused(self):
        """All that the agent asked for is among the rights that Karmada gives agents."""
        with open(self.audit, encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        self.assertGreater(len(events), MANY)
        refused = {(one["verb"], one["requestURI"]) for one in events if one["responseStatus"].get("code") in (401, 403)}
        self.assertEqual(refused, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
