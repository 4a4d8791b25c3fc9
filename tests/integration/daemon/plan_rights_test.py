# SPDX-License-Identifier: Apache-2.0
"""/flotilla/v1/: who may ask what, what is refused, and that no client of Kubernetes meets it."""
import base64
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from programs import BIN, Flotillad, run

MANIFEST = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "default"}, "data": {"a": "b"}}
READER = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: planner, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: fleet-reader}
rules:
- {apiGroups: [cluster.karmada.io], resources: [clusters], verbs: [list]}
- {apiGroups: [work.karmada.io], resources: ["*"], verbs: [list]}
- {apiGroups: [policy.karmada.io], resources: ["*"], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: planner}
subjects: [{kind: ServiceAccount, name: planner, namespace: default}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: fleet-reader}
"""
WRITER = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: config-writer, namespace: default}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get, create, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: planner, namespace: default}
subjects: [{kind: ServiceAccount, name: planner, namespace: default}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: config-writer}
"""


class PlanRightsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.parent = tempfile.mkdtemp(prefix="flotilla-rights-")
        cls.daemon = Flotillad(os.path.join(cls.parent, "data"), "--set", "storage.name=memory")
        assert cls.daemon.ready(), cls.daemon.errors()
        cls.context = cls.client()
        # The administrator's certificate, as the kubeconfig has it.
        with open(cls.daemon.kubeconfig, encoding="utf-8") as file:
            kubeconfig = file.read()
        pem = b""
        for member in ("client-certificate-data", "client-key-data"):
            pem += base64.b64decode(re.search(rf"{member}: *(\S+)", kubeconfig).group(1))
        path = os.path.join(cls.parent, "admin.pem")
        with open(path, "wb") as file:
            file.write(pem)
        cls.admins = cls.client()
        cls.admins.load_cert_chain(path)

    @staticmethod
    def client():
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()
        shutil.rmtree(cls.parent, ignore_errors=True)

    def kubectl(self, *arguments, stdin=None):
        done = subprocess.run(["kubectl", "--kubeconfig", self.daemon.kubeconfig, *arguments], capture_output=True,
                              text=True, timeout=60, input=stdin)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def ctl(self, *arguments, **options):
        return run("flotillactl", "--kubeconfig", self.daemon.kubeconfig, *arguments, **options)

    def ask(self, path, token=None, body=None, context=None):
        request = urllib.request.Request(self.daemon.url + path, method="POST" if body is not None else "GET",
                                         data=None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, context=context or self.context, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else {"message": text.decode()}

    def test_rights_are_those_of_the_kinds_that_are_looked_at(self):
        self.kubectl("apply", "-f", "-", stdin=READER)
        token = self.kubectl("create", "token", "planner").strip()
        plan = {"manifests": [MANIFEST]}
        self.assertEqual(self.ask("/flotilla/v1/plans", body=plan)[0], 403)
        code, status = self.ask("/flotilla/v1/plans", token, plan)
        self.assertEqual(code, 403)
        self.assertIn('cannot create resource "configmaps"', status["message"])
        self.kubectl("apply", "-f", "-", stdin=WRITER)
        code, answer = self.ask("/flotilla/v1/plans", token, plan)
        self.assertEqual(code, 200, answer)
        self.assertEqual(answer["problems"][0]["reason"], "NoPolicyMatched")
        code, status = self.ask("/flotilla/v1/plans", token, {"delete": [MANIFEST]})
        self.assertEqual(code, 403)
        self.assertIn('cannot delete resource "configmaps"', status["message"])
        path = "/flotilla/v1/why/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
        self.assertEqual(self.ask(path, token)[0], 403)

    def test_what_cannot_be_planned_is_said(self):
        for body, code, text in (
                ({}, 400, "nothing to plan"),
                ({"manifests": [{"apiVersion": "v9", "kind": "Nothing", "metadata": {"name": "a"}}]}, 404, "no matches for kind"),
                ({"manifests": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "default"}}]}, 400, "name is missing"),
                ({"manifests": [MANIFEST] * 1001}, 413, "at most 1000"),
                ({"manifests": [{**MANIFEST, "data": {"a": 1}}]}, 400, "ConfigMap")):
            status = self.admin("/flotilla/v1/plans", body)
            self.assertEqual(status["code"], code, status)
            self.assertIn(text, status["message"])
        self.assertEqual(self.admin("/flotilla/v1/nothing", {})["code"], 404)
        self.assertEqual(self.admin("/flotilla/v1/why/api/v1/namespaces/default/configmaps")["code"], 404)

    def admin(self, path, body=None):
        return self.ask(path, body=body, context=self.admins)[1]

    def test_nothing_is_written_and_a_namespace_of_the_same_plan_counts(self):
        before = self.kubectl("get", "configmaps,namespaces", "-A", "-o", "name")
        files = os.path.join(self.parent, "fresh.yaml")
        with open(files, "w", encoding="utf-8") as file:
            file.write("apiVersion: v1\nkind: Namespace\nmetadata: {name: fresh}\n---\n"
                       "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: fresh}\n")
        plan = json.loads(self.ctl("plan", "-f", files, "-o", "json").stdout)
        self.assertEqual([change["action"] for change in plan["changes"]], ["create", "create"])
        self.assertEqual(self.kubectl("get", "configmaps,namespaces", "-A", "-o", "name"), before)

    def test_it_is_in_no_discovery_document(self):
        self.assertNotIn("flotilla/v1", self.kubectl("get", "--raw", "/"))
        self.assertNotIn("plans", self.kubectl("api-resources"))
        self.assertTrue(os.path.exists(f"{BIN}/flotillactl"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
