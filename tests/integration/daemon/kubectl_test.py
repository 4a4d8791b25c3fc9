# SPDX-License-Identifier: Apache-2.0
"""Stock kubectl against a control plane with three simulated members: every verb a user reaches for, and each change
converging on all members."""
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from programs import run

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
SAMPLE = f"{ROOT}/config/samples/quickstart"
MEMBERS = ("member1", "member2", "member3")


class KubectlTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.parent = tempfile.mkdtemp(prefix="flotilla-kubectl-")
        cls.folder = os.path.join(cls.parent, "lab")
        run("flotillactl", "lab", "up", "--members", "3", "--dir", cls.folder)
        cls.environment = {**os.environ, "KUBECONFIG": f"{cls.folder}/kubeconfig", "HOME": cls.parent}

    @classmethod
    def tearDownClass(cls):
        run("flotillactl", "-q", "lab", "down", "--dir", cls.folder, check=False)
        shutil.rmtree(cls.parent, ignore_errors=True)

    def kubectl(self, *arguments, context="flotilla", check=True, stdin=None, env=None, timeout=120):
        result = subprocess.run(["kubectl", "--context", context, *arguments], capture_output=True, text=True,
                                timeout=timeout, input=stdin, env={**self.environment, **(env or {})})
        if check and result.returncode != 0:
            self.fail(f"kubectl {' '.join(arguments)} ended with {result.returncode}: {result.stdout}{result.stderr}")
        return result

    def out(self, *arguments, **options):
        return self.kubectl(*arguments, **options).stdout

    def get(self, *arguments, context="flotilla"):
        result = self.kubectl("get", *arguments, "-o", "json", context=context, check=False)
        return json.loads(result.stdout) if result.returncode == 0 else None

    def eventually(self, what, holds, timeout=60):
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if holds():
                return
            time.sleep(0.1)
        state = self.kubectl("get", "deployments,resourcebindings,works,clusters", "-A", check=False)
        self.fail(f"never {what}\n{state.stdout}{state.stderr}")

    def ready(self):
        counts = []
        for member in MEMBERS:
            deployment = self.get("deployment", "web", context=member)
            counts.append(deployment.get("status", {}).get("readyReplicas", 0) if deployment else 0)
        return counts

    def images(self):
        images = []
        for member in MEMBERS:
            deployment = self.get("deployment", "web", context=member)
            images.append(deployment["spec"]["template"]["spec"]["containers"][0]["image"] if deployment else None)
        return images

    def test_1_sample_reaches_three_clusters(self):
        self.out("apply", "-f", SAMPLE)
        self.eventually("12 replicas ready by weight", lambda: sum(self.ready()) == 12 and min(self.ready()) > 0)
        self.eventually("one status", lambda: self.get("deployment", "web").get("status", {}).get("readyReplicas") == 12)
        self.out("rollout", "status", "deployment/web", "--timeout=60s")
        self.out("wait", "--for=condition=FullyApplied", "resourcebinding/web-deployment", "--timeout=60s")
        self.assertTrue(any("registry.example.com" in image for image in self.images()), self.images())
        for member in MEMBERS:
            self.assertIsNotNone(self.get("service", "web", context=member), member)

    def test_2_reading(self):
        table = self.out("get", "deployment", "web")
        self.assertRegex(table, r"NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +12/12 ")
        self.assertRegex(self.out("get", "clusters"), r"NAME +VERSION +MODE +READY +AGE")
        self.assertRegex(self.out("get", "rb"), r"NAME +SCHEDULED +FULLYAPPLIED +AGE\n")
        self.assertIn("CONTAINERS", self.out("get", "deployment", "-o", "wide"))
        self.assertIn("deployment.apps/web\n", self.out("get", "deployments", "-o", "name"))
        self.assertEqual(self.out("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"), "12")
        self.assertIn("kind: Deployment", self.out("get", "deployment", "web", "-o", "yaml"))
        self.assertIn("karmada-es-member1", self.out("get", "works", "-A"))
        self.assertIn("web", self.out("get", "deployment", "--field-selector", "metadata.name=web", "-o", "name"))
        self.assertEqual(self.out("get", "deployment", "-l", "no=such", "-o", "name"), "")
        described = self.out("describe", "deployment", "web")
        self.assertIn("Replicas:", described)
        self.assertIn("member1", self.out("describe", "cluster", "member1"))
        resources = self.out("api-resources")
        for kind in ("Deployment", "PropagationPolicy", "ResourceBinding", "Cluster", "Work"):
            self.assertIn(kind, resources)
        self.assertIn("FIELDS", self.out("explain", "deployment.spec"))
        self.assertIn("placement", self.out("explain", "propagationpolicy.spec"))

    def test_3_writing(self):
        self.out("create", "configmap", "notes", "--from-literal=a=1")
        self.out("label", "configmap", "notes", "team=blue")
        self.out("annotate", "configmap", "notes", "why=test")
        self.out("patch", "configmap", "notes", "--type=merge", "-p", '{"data":{"b":"2"}}')
        self.out("patch", "configmap", "notes", "--type=json", "-p", '[{"op":"add","path":"/data/c","value":"3"}]')
        self.out("patch", "configmap", "notes", "--type=strategic", "-p", '{"data":{"a":null}}')
        notes = self.get("configmap", "notes")
        self.assertEqual(notes["data"], {"b": "2", "c": "3"})
        self.assertEqual(notes["metadata"]["labels"], {"team": "blue"})
        self.out("edit", "configmap", "notes", env={"EDITOR": "sed -i s/blue/green/"})
        self.assertEqual(self.get("configmap", "notes")["metadata"]["labels"]["team"], "green")
        self.out("delete", "configmap", "notes")
        self.assertIsNone(self.get("configmap", "notes"))
        manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {a: '1', b: '2'}\n"
        self.out("apply", "-f", "-", stdin=manifest)
        self.out("apply", "-f", "-", stdin=manifest.replace(", b: '2'", ""))
        self.assertEqual(self.get("configmap", "applied")["data"], {"a": "1"})
        self.out("apply", "--server-side", "-f", "-", stdin=manifest.replace("applied", "server-side"))
        self.assertEqual(self.get("configmap", "server-side")["data"], {"a": "1", "b": "2"})

    def test_4_watching(self):
        watch = subprocess.Popen(["kubectl", "--context", "flotilla", "get", "configmaps", "-w", "-o", "name"],
                                 stdout=subprocess.PIPE, text=True, env=self.environment)
        try:
            self.out("create", "configmap", "watched")
            seen = next(line for line in watch.stdout if "watched" in line)
            self.assertEqual(seen, "configmap/watched\n")
        finally:
            watch.kill()
            watch.wait(10)
            watch.stdout.close()

    def test_5_changes_converge(self):
        self.out("scale", "deployment/web", "--replicas=6")
        self.eventually("6 replicas", lambda: sum(self.ready()) == 6)
        self.out("set", "image", "deployment/web", "*=docker.io/library/nginx:1.29")
        self.eventually("the new image everywhere", lambda: all(i and i.endswith("nginx:1.29") for i in self.images()))
        self.eventually("status", lambda: self.get("deployment", "web")["status"].get("updatedReplicas") == 6)

    def test_6_policy_edit_and_cluster_labels_converge(self):
        self.out("label", "cluster", "member1", "tier=gold")
        policy = self.out("get", "propagationpolicies", "-o", "name").split()[0]
        self.out("patch", policy, "--type=json", "-p", json.dumps([
            {"op": "replace", "path": "/spec/placement", "value": {
                "clusterAffinity": {"labelSelector": {"matchLabels": {"tier": "gold"}}},
                "replicaScheduling": {"replicaSchedulingType": "Duplicated"}}}]))
        self.eventually("only member1 has it", lambda: self.ready() == [6, 0, 0])
        self.out("label", "cluster", "member3", "tier=gold")
        self.eventually("member3 joins in", lambda: self.ready() == [6, 0, 6])
        self.out("label", "cluster", "member1", "tier-")
        self.eventually("member1 leaves", lambda: self.ready() == [0, 0, 6])

    def test_7_deletion_converges(self):
        self.out("delete", "-f", SAMPLE)
        self.eventually("gone everywhere",
                        lambda: all(self.get("deployment", "web", context=m) is None for m in MEMBERS))
        self.eventually("no binding left", lambda: self.get("resourcebindings")["items"] == [])

    def test_7_metrics_tell_what_happened(self):
        whole = self.out("get", "--raw", "/metrics")
        names = [line.split()[2] for line in whole.splitlines() if line.startswith("# TYPE ")]
        self.assertEqual(len(names), len(set(names)), [n for n in names if names.count(n) > 1])
        values = {}
        for line in whole.splitlines():
            if not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                self.assertNotIn(series, values)
                values[series] = float(value)
        member = MEMBERS[0]
        self.assertEqual(values[f'cluster_ready_state{{member_cluster="{member}"}}'], 1)
        self.assertGreater(values[f'cluster_cpu_allocatable_number{{member_cluster="{member}"}}'], 0)
        self.assertGreater(values[f'create_resource_to_cluster{{result="success",apiversion="apps/v1",kind="Deployment",'
                                  f'member_cluster="{member}",recreate="false"}}'], 0)
        for name in ('karmada_scheduler_schedule_attempts_total{result="scheduled",schedule_type="ReconcileSchedule"}',
                     'karmada_scheduler_e2e_scheduling_duration_seconds_bucket{result="scheduled",schedule_type="ReconcileSchedule",le="0.512"}',
                     'policy_apply_attempts_total{result="success"}', "resource_match_policy_duration_seconds_count",
                     'binding_sync_work_duration_seconds_bucket{result="success",le="1.024"}',
                     'work_sync_workload_duration_seconds_bucket{result="success",le="2.048"}',
                     f'cluster_sync_status_duration_seconds_bucket{{member_cluster="{member}",le="1"}}',
                     'workqueue_adds_total{name="execution",controller="execution"}',
                     'workqueue_queue_duration_seconds_count{name="binding",controller="binding"}',
                     'controller_runtime_reconcile_total{controller="scheduler",result="success"}',
                     'controller_runtime_max_concurrent_reconciles{controller="garbage-collector"}',
                     'etcd_request_duration_seconds_count{operation="update",type="storage"}',
                     'karmada_scheduler_queue_incoming_bindings_total{event="BindingAdd"}',
                     'leader_election_master_status{name="karmada-scheduler"}'):
            self.assertGreater(values.get(name, 0), 0, name)
        self.assertIn('scheduler_pending_bindings{queue="active"}', values)
        scheduler = self.out("get", "--raw", "/metrics/karmada-scheduler")
        self.assertIn("karmada_scheduler_schedule_attempts_total", scheduler)
        self.assertNotIn("apiserver_request_total", scheduler)
        self.assertNotIn("karmada_scheduler", self.out("get", "--raw", "/metrics/karmada-apiserver"))
        self.assertNotEqual(self.kubectl("get", "--raw", "/metrics/nobody", check=False).returncode, 0)

    def test_8_bad_input_is_told_plainly(self):
        refused = self.kubectl("apply", "-f", "-", check=False, stdin="apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n")
        self.assertEqual(refused.returncode, 1)
        self.assertIn('no matches for kind "Nonsense"', refused.stderr)
        refused = self.kubectl("create", "-f", "-", check=False,
                               stdin="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndatta: {}\n")
        self.assertIn('unknown field "datta"', refused.stderr)
        refused = self.kubectl("apply", "-f", "-", check=False, stdin=json.dumps({
            "apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy",
            "metadata": {"name": "bad", "namespace": "default"},
            "spec": {"resourceSelectors": [{"apiVersion": "v1", "kind": "ConfigMap"}], "placement": {
                "spreadConstraints": [{"spreadByField": "cluster", "minGroups": 3, "maxGroups": 2}]}}}))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("maxGroups", refused.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
