# SPDX-License-Identifier: Apache-2.0
"""A lab of two members, from nothing to running replicas and back, with the sample of the quickstart."""
import json
import os
import shutil
import tempfile
import time
import unittest

from programs import run

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


class LabTest(unittest.TestCase):
    def setUp(self):
        self.folder = os.path.join(tempfile.mkdtemp(prefix="flotilla-lab-"), "lab")
        self.addCleanup(shutil.rmtree, os.path.dirname(self.folder), ignore_errors=True)
        self.addCleanup(lambda: run("flotillactl", "-q", "lab", "down", "--dir", self.folder, check=False))

    def ctl(self, *arguments, context="flotilla", **options):
        return run("flotillactl", "--kubeconfig", f"{self.folder}/kubeconfig", "--context", context, *arguments, **options)

    def eventually(self, what, holds, timeout=60):
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if holds():
                return
            time.sleep(0.1)
        self.fail(f"never {what}: " + self.ctl("get", "deployments,resourcebindings,works", "-A", check=False).stdout)

    def ready_replicas(self, member):
        result = self.ctl("get", "deployment", "web", "-o", "json", context=member, check=False)
        return json.loads(result.stdout).get("status", {}).get("readyReplicas", 0) if result.returncode == 0 else 0

    def test_from_nothing_to_replicas_and_back(self):
        run("flotillactl", "lab", "up", "--members", "3", "--dir", self.folder)
        again = run("flotillactl", "lab", "up", "--members", "3", "--dir", self.folder)
        self.assertIn("is running", again.stderr)
        status = run("flotillactl", "lab", "status", "--dir", self.folder).stdout
        self.assertEqual(status.count("Running"), 4)
        self.ctl("apply", "-f", f"{ROOT}/config/samples/quickstart")
        self.eventually("divided 6 4 2", lambda: [self.ready_replicas(f"member{i}") for i in (1, 2, 3)] == [6, 4, 2])
        image = json.loads(self.ctl("get", "deployment", "web", "-o", "json", context="member2").stdout)
        self.assertTrue(image["spec"]["template"]["spec"]["containers"][0]["image"].startswith("registry.example.com/"))
        self.ctl("delete", "-f", f"{ROOT}/config/samples/quickstart")
        self.eventually("gone from member1", lambda: self.ctl("get", "deployment", "web", context="member1",
                                                              check=False).returncode != 0)
        run("flotillactl", "lab", "down", "--dir", self.folder)
        self.assertFalse(os.path.exists(self.folder))


if __name__ == "__main__":
    unittest.main(verbosity=2)
