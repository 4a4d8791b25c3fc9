#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What deployment tools do, with kubectl: flows_test.py API_HARNESS. Exits with 77 where there is no kubectl."""
import json
import shutil
import subprocess
import sys
import unittest

if not shutil.which("kubectl"):
    sys.exit(77)

from harness import Harness

PROGRAM = sys.argv.pop(1)


def deployment(image, replicas=None, **labels):
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": {
        "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}}}
    if replicas is not None:
        spec["replicas"] = replicas
    metadata = {"name": "web", **({"labels": labels} if labels else {})}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"set": "one"}}, "data": data}


class Flows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Harness(PROGRAM, "--controllers")

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def setUp(self):
        self.namespace = self._testMethodName.replace("_", "-")[:40]
        self.kubectl("create", "namespace", self.namespace, in_namespace=False)

    def kubectl(self, *arguments, objects=(), code=0, in_namespace=True):
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects} if len(objects) != 1 else objects[0])
        where = ["-n", self.namespace] if in_namespace else []
        done = subprocess.run(["kubectl", *where, *arguments], input=text, capture_output=True, text=True, timeout=60,
                              env=self.server.environment(), check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def get(self, what):
        return json.loads(self.kubectl("get", what, "-o", "json"))

    def test_three_way_apply(self):
        self.kubectl("apply", "-f", "-", objects=[deployment("nginx:1", 2, tier="a", gone="soon")])
        # Somebody else's change stays, what we drop goes, what we change changes.
        self.kubectl("scale", "deployment/web", "--replicas=5")
        self.kubectl("label", "deployment/web", "theirs=yes")
        self.assertIn("configured", self.kubectl("apply", "-f", "-", objects=[deployment("nginx:2", None, tier="b")]))
        live = self.get("deployment/web")
        self.assertEqual(live["metadata"]["labels"], {"tier": "b", "theirs": "yes"})
        self.assertEqual(live["spec"]["template"]["spec"]["containers"][0]["image"], "nginx:2")
        self.assertIn("unchanged", self.kubectl("apply", "-f", "-", objects=[deployment("nginx:2", None, tier="b")]))
        self.assertEqual(self.get("deployment/web")["metadata"]["resourceVersion"], live["metadata"]["resourceVersion"])

    def test_diff_changes_nothing(self):
        self.kubectl("apply", "-f", "-", objects=[deployment("nginx:1")])
        before = self.get("deployment/web")["metadata"]
        output = self.kubectl("diff", "-f", "-", objects=[deployment("nginx:2"), config_map("new", a="b")], code=1)
        self.assertIn("-      - image: nginx:1", output)
        self.assertIn("+      - image: nginx:2", output)
        self.assertIn("+kind: ConfigMap", output)
        self.assertEqual(self.get("deployment/web")["metadata"], before)
        self.kubectl("get", "configmap", "new", code=1)
        self.kubectl("diff", "-f", "-", objects=[deployment("nginx:1")])
        output = self.kubectl("diff", "--server-side", "--force-conflicts", "-f", "-", objects=[deployment("nginx:3")], code=1)
        self.assertIn("+      - image: nginx:3", output)

    def test_dry_run_on_the_server(self):
        output = self.kubectl("apply", "--dry-run=server", "-o", "json", "-f", "-", objects=[deployment("nginx:1")])
        made = json.loads(output)
        self.assertEqual(made["spec"]["replicas"], 1)  # defaults are filled in
        self.assertEqual(made["spec"]["strategy"]["type"], "RollingUpdate")
        self.kubectl("get", "deployment", "web", code=1)
        bad = deployment("nginx:1")
        bad["spec"]["selector"] = {"matchLabels": {"app": "other"}}
        self.assertIn("`selector` does not match template `labels`",
                      self.kubectl("apply", "--dry-run=server", "-f", "-", objects=[bad], code=1))
        self.kubectl("create", "-f", "-", objects=[deployment("nginx:1")])
        self.kubectl("delete", "deployment/web", "--dry-run=server")
        self.assertEqual(self.get("deployment/web")["metadata"]["name"], "web")
        self.kubectl("create", "configmap", "x", "--dry-run=server", "--from-literal=a=b", "-o", "yaml")
        self.kubectl("get", "configmap", "x", code=1)

    def test_server_side_apply(self):
        self.kubectl("apply", "--server-side", "--field-manager=one", "-f", "-", objects=[deployment("nginx:1", 2)])
        conflict = self.kubectl("apply", "--server-side", "--field-manager=two", "-f", "-", objects=[deployment("nginx:2", 2)], code=1)
        self.assertIn('conflict with "one": .spec.template.spec.containers[name="web"].image', conflict)
        self.kubectl("apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", "-", objects=[deployment("nginx:2", 2)])
        # "one" lets go of replicas, which "two" still has.
        self.kubectl("apply", "--server-side", "--field-manager=one", "-f", "-", objects=[deployment("nginx:2")])
        live = self.get("deployment/web")
        self.assertEqual(live["spec"]["replicas"], 2)
        self.assertEqual(live["spec"]["template"]["spec"]["containers"][0]["image"], "nginx:2")

    def test_migration_to_server_side_apply(self):
        self.kubectl("apply", "-f", "-", objects=[config_map("m", a="1", b="1")])
        self.kubectl("apply", "--server-side", "-f", "-", objects=[config_map("m", a="2")])
        self.assertEqual(self.get("configmap/m")["data"], {"a": "2"})

    def test_prune(self):
        self.kubectl("apply", "-f", "-", "--prune", "-l", "set=one", "--prune-allowlist=core/v1/ConfigMap",
                     objects=[config_map("keep", a="1"), config_map("drop", a="1")])
        output = self.kubectl("apply", "-f", "-", "--prune", "-l", "set=one", "--prune-allowlist=core/v1/ConfigMap",
                              objects=[config_map("keep", a="2")])
        self.assertIn("configmap/drop pruned", output)
        self.assertEqual(self.get("configmap/keep")["data"], {"a": "2"})
        self.kubectl("get", "configmap", "drop", code=1)

    def test_replace_edit_and_wait(self):
        self.kubectl("create", "-f", "-", objects=[config_map("r", a="1")])
        self.kubectl("replace", "-f", "-", objects=[config_map("r", b="2")])
        self.assertEqual(self.get("configmap/r")["data"], {"b": "2"})
        self.kubectl("patch", "configmap/r", "--type=json", "-p", '[{"op":"add","path":"/data/c","value":"3"}]')
        self.kubectl("wait", "--for=jsonpath={.data.c}=3", "configmap/r", "--timeout=10s")
        waiting = subprocess.Popen(["kubectl", "-n", self.namespace, "wait", "--for=delete", "configmap/r", "--timeout=20s"],
                                   env=self.server.environment(), stdout=subprocess.DEVNULL)
        self.kubectl("delete", "configmap/r")
        self.assertEqual(waiting.wait(20), 0)

    def test_a_release_as_helm_keeps_it(self):
        """Typed secrets, listed by labels; upgrades are three-way patches."""
        def release(version, status):
            return {"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": {
                "name": f"sh.helm.release.v1.web.v{version}",
                "labels": {"owner": "helm", "name": "web", "status": status, "version": str(version)}}, "data": {"release": "SDRzSUE="}}
        self.kubectl("create", "-f", "-", objects=[release(1, "pending-install")])
        self.kubectl("replace", "-f", "-", objects=[release(1, "deployed")])
        self.kubectl("create", "-f", "-", objects=[release(2, "deployed")])
        found = json.loads(self.kubectl("get", "secrets", "-l", "owner=helm,name=web,status=deployed", "-o", "json"))
        self.assertEqual(len(found["items"]), 2)
        found = json.loads(self.kubectl("get", "secrets", "--field-selector=type=helm.sh/release.v1", "-o", "json"))
        self.assertEqual(len(found["items"]), 2)


if __name__ == "__main__":
    unittest.main()
