# SPDX-License-Identifier: Apache-2.0
"""Admission webhooks as Kubernetes calls them: webhooks_test.py API_HARNESS."""
import time
import unittest

from harness import ApiTest, config_map, pod
from webhook_server import WebhookServer, patch

GROUP = "/apis/admissionregistration.k8s.io/v1"
MUTATING, VALIDATING = GROUP + "/mutatingwebhookconfigurations", GROUP + "/validatingwebhookconfigurations"


class WebhookTest(ApiTest):
    def setUp(self):
        self.hook = WebhookServer(self.directory, "hooks.shop.svc")
        self.addCleanup(self.hook.close)
        self.ns = self.namespace("t" + str(time.time_ns()))
        self.space = self.ns.rsplit("/", 1)[1]
        self.configured = []
        self.addCleanup(self.remove)

    def remove(self):
        for path in self.configured:
            self.call("DELETE", path)

    def configure(self, mutating, name, path, resources, **options):
        options.setdefault("namespaceSelector", {"matchLabels": {"kubernetes.io/metadata.name": self.space}})
        collection = MUTATING if mutating else VALIDATING
        made = self.create(collection, self.hook.configuration(mutating, name, path, resources, **options)).json
        self.configured.append(collection + "/" + made["metadata"]["name"])

    def test_mutates_then_validates(self):
        self.hook.on("/m", lambda r: {**patch({"op": "add", "path": "/data/added", "value": "yes"}), "warnings": ["mutated"]})
        self.hook.on("/v", lambda r: {"allowed": r["object"]["data"].get("added") == "yes"})
        self.configure(True, "m.example.com", "/m", ["configmaps"])
        self.configure(False, "v.example.com", "/v", ["configmaps"])
        answer = self.create(self.ns + "/configmaps", config_map("a", k="v"))
        self.assertEqual(answer.json["data"], {"k": "v", "added": "yes"})
        self.assertIn('299 - "mutated"', answer.warnings)
        owned = [f["fieldsV1"].get("f:data", {}) for f in answer.json["metadata"]["managedFields"]]
        self.assertNotIn("f:added", owned[0])
        request = self.hook.requests("/v")[0]
        self.assertEqual(request["operation"], "CREATE")
        self.assertEqual(request["kind"], {"group": "", "version": "v1", "kind": "ConfigMap"})
        self.assertEqual(request["resource"], {"group": "", "version": "v1", "resource": "configmaps"})
        self.assertEqual(request["name"], "a")
        self.assertEqual(request["namespace"], self.space)
        self.assertEqual(request["userInfo"]["username"], "admin")
        self.assertIsNone(request["oldObject"])
        self.assertFalse(request["dryRun"])
        self.assertEqual(request["options"]["kind"], "CreateOptions")
        self.assertEqual(self.hook.seen[0][1], "timeout=10s")
        self.assertIn('apiserver_admission_webhook_admission_duration_seconds_count{name="v.example.com",type="validating",rejected="false"} 1',
                      self.get("/metrics").text)

    def test_denial_is_worded_as_kubernetes_does(self):
        self.hook.on("/v", lambda r: {"allowed": False, "status": {"code": 403, "reason": "Forbidden", "message": "no way"}})
        self.configure(False, "v.example.com", "/v", ["configmaps"])
        answer = self.create(self.ns + "/configmaps", config_map("a"), code=403)
        self.assertEqual(answer.message, 'admission webhook "v.example.com" denied the request: no way')
        self.assertEqual(answer.json["reason"], "Forbidden")
        self.hook.on("/v", lambda r: {"allowed": False})
        answer = self.create(self.ns + "/configmaps", config_map("a"), code=400)
        self.assertEqual(answer.message, 'admission webhook "v.example.com" denied the request without explanation')
        self.assertNotIn("reason", answer.json)
        self.hook.on("/v", lambda r: {"allowed": False, "status": {"code": 418, "message": "tea"}})
        self.create(self.ns + "/configmaps", config_map("a"), code=418)

    def test_failures_follow_the_policy(self):
        self.hook.on("/v", lambda r: 500)
        self.configure(False, "v.example.com", "/v", ["configmaps"])
        answer = self.create(self.ns + "/configmaps", config_map("a"), code=500)
        self.assertEqual(answer.message, 'Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: '
                         'an error on the server ("broken on purpose") has prevented the request from succeeding')
        self.assertEqual(answer.json["reason"], "InternalError")
        self.hook.on("/v", lambda r: b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"x","allowed":true}}')
        answer = self.create(self.ns + "/configmaps", config_map("a"), code=500)
        self.assertIn("received invalid webhook response: expected response.uid=", answer.message)
        self.remove()
        self.hook.on("/v", lambda r: 500)
        self.configure(False, "v.example.com", "/v", ["configmaps"], failurePolicy="Ignore")
        self.create(self.ns + "/configmaps", config_map("a"))

    def test_nobody_there_and_timeouts(self):
        self.hook.on("/slow", lambda r: time.sleep(3) or {"allowed": True})
        self.configure(False, "slow.example.com", "/slow", ["configmaps"], timeoutSeconds=1)
        began = time.monotonic()
        answer = self.create(self.ns + "/configmaps", config_map("a"), code=500)
        self.assertLess(time.monotonic() - began, 2.5)
        self.assertIn("context deadline exceeded", answer.message)
        self.remove()
        self.hook.close()
        self.configure(False, "gone.example.com", "/gone", ["configmaps"])
        answer = self.create(self.ns + "/configmaps", config_map("a"), code=500)
        self.assertIn(f'Post "https://127.0.0.1:{self.hook.port}/gone?timeout=10s": dial tcp 127.0.0.1:{self.hook.port}: connect: '
                      "connection refused", answer.message)

    def test_selectors_and_operations(self):
        self.hook.on("/v", lambda r: {"allowed": False, "status": {"message": r["operation"]}})
        self.configure(False, "v.example.com", "/v", ["configmaps"], operations=["CREATE", "UPDATE", "DELETE"],
                       objectSelector={"matchLabels": {"watched": "yes"}})
        self.create(self.ns + "/configmaps", config_map("free"))
        self.create(self.ns + "/configmaps", config_map("held", {"watched": "yes"}), code=400)
        answer = self.call("PUT", self.ns + "/configmaps/free", config_map("free", {"watched": "yes"}))
        self.assertIn("UPDATE", answer.message)
        self.assertEqual(self.call("DELETE", self.ns + "/configmaps/free").code, 200)
        other = self.namespace("o" + str(time.time_ns()))
        self.create(other + "/configmaps", config_map("held", {"watched": "yes"}))

    def test_deletes_show_the_old_object(self):
        self.hook.on("/v", lambda r: {"allowed": False, "status": {"message": "keep " + r["oldObject"]["metadata"]["name"]}})
        self.configure(False, "v.example.com", "/v", ["configmaps"], operations=["DELETE"])
        self.create(self.ns + "/configmaps", config_map("a"))
        answer = self.call("DELETE", self.ns + "/configmaps/a")
        self.assertEqual(answer.message, 'admission webhook "v.example.com" denied the request: keep a')
        self.assertIsNone(self.hook.requests("/v")[0]["object"])
        self.assertEqual(self.call("DELETE", self.ns + "/configmaps").code, 400)

    def test_dry_run_wants_no_side_effects(self):
        self.hook.on("/v", lambda r: {"allowed": True})
        self.configure(False, "v.example.com", "/v", ["configmaps"], sideEffects="NoneOnDryRun")
        self.create(self.ns + "/configmaps?dryRun=All", config_map("a"))
        self.assertTrue(self.hook.requests("/v")[0]["dryRun"])
        self.assertEqual(self.hook.requests("/v")[0]["options"]["dryRun"], ["All"])

    def test_equivalent_versions_are_converted(self):
        self.hook.on("/v", lambda r: {"allowed": False, "status": {"message": r["object"]["apiVersion"]}})
        self.configure(False, "v.example.com", "/v", ["horizontalpodautoscalers"], groups=["autoscaling"], versions=["v1"])
        scaler = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"},
                  "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}}}
        path = f"/apis/autoscaling/v2/namespaces/{self.space}/horizontalpodautoscalers"
        answer = self.create(path, scaler, code=400)
        self.assertIn("autoscaling/v1", answer.message)
        request = self.hook.requests("/v")[0]
        self.assertEqual(request["kind"]["version"], "v1")
        self.assertEqual(request["requestKind"]["version"], "v2")
        self.remove()
        self.configure(False, "v.example.com", "/v", ["horizontalpodautoscalers"], groups=["autoscaling"], versions=["v1"],
                       matchPolicy="Exact")
        self.create(path, scaler)

    def test_reinvocation(self):
        def count(key):
            def handler(request):
                data = request["object"].get("data") or {}
                if key == "late" and "late" in data:
                    return {"allowed": True}
                return patch({"op": "add", "path": "/data/" + key, "value": str(int(data.get(key, "0")) + 1)})
            return handler
        self.hook.on("/a", count("early"))
        self.hook.on("/b", count("late"))
        self.configure(True, "a.example.com", "/a", ["configmaps"], reinvocationPolicy="IfNeeded")
        self.configure(True, "b.example.com", "/b", ["configmaps"])
        answer = self.create(self.ns + "/configmaps", config_map("a", k="v"))
        self.assertEqual(answer.json["data"], {"k": "v", "early": "2", "late": "1"})

    def test_mutated_objects_are_validated_and_defaulted(self):
        self.hook.on("/m", lambda r: patch({"op": "add", "path": "/spec/containers/-", "value": {"name": "side", "image": "x:1"}}))
        self.configure(True, "m.example.com", "/m", ["pods"])
        made = self.create(self.ns + "/pods", pod("a")).json
        self.assertEqual(made["spec"]["containers"][1]["imagePullPolicy"], "IfNotPresent")
        self.hook.on("/m", lambda r: patch({"op": "replace", "path": "/spec/containers/0/image", "value": ""}))
        answer = self.create(self.ns + "/pods", pod("b"), code=422)
        self.assertIn("spec.containers[0].image: Required value", answer.message)
        self.hook.on("/m", lambda r: patch({"op": "test", "path": "/spec/nope", "value": 1}))
        self.create(self.ns + "/pods", pod("c"), code=500)

    def test_service_references(self):
        self.hook.on("/s", lambda r: {"allowed": False, "status": {"message": "through the service"}})
        self.configure(False, "s.example.com", "/s", ["configmaps"], service=("shop", "hooks", 443))
        answer = self.create(self.ns + "/configmaps", config_map("a"), code=500)
        self.assertIn('Post "https://hooks.shop.svc:443/s?timeout=10s": service "hooks" not found', answer.message)
        if self.get("/api/v1/namespaces/shop").code == 404:
            self.namespace("shop")
        self.create("/api/v1/namespaces/shop/services", {"metadata": {"name": "hooks"}, "spec": {"ports": [{"port": 443}]}})
        answer = self.create(self.ns + "/configmaps", config_map("a"), code=500)
        self.assertIn('no endpoints available for service "hooks"', answer.message)
        self.create("/api/v1/namespaces/shop/endpoints", {"metadata": {"name": "hooks"}, "subsets": [
            {"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": self.hook.port}]}]}, code=422)
        self.create("/api/v1/namespaces/shop/endpoints", {"metadata": {"name": "hooks"}, "subsets": []})
        # No slice may hold an address that leads here, but an external name may.
        self.create("/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices", {
            "metadata": {"name": "hooks-1", "labels": {"kubernetes.io/service-name": "hooks"}}, "addressType": "FQDN",
            "endpoints": [{"addresses": ["localhost"]}], "ports": [{"name": "", "port": self.hook.port}]}, code=422)
        self.call("DELETE", "/api/v1/namespaces/shop/services/hooks")
        self.create("/api/v1/namespaces/shop/services", {"metadata": {"name": "hooks"}, "spec": {
            "type": "ExternalName", "externalName": "localhost"}})
        self.remove()
        self.configure(False, "s.example.com", "/s", ["configmaps"], service=("shop", "hooks", self.hook.port))
        answer = self.create(self.ns + "/configmaps", config_map("a"), code=400)
        self.assertIn("through the service", answer.message)

    def test_scale_and_eviction_are_seen(self):
        self.hook.on("/v", lambda r: {"allowed": False, "status": {"message": r["subResource"] + " " + r["kind"]["kind"]}})
        self.configure(False, "v.example.com", "/v", ["deployments/scale"], operations=["UPDATE"], groups=["apps"])
        self.configure(False, "e.example.com", "/v", ["pods/eviction"])
        deployments = f"/apis/apps/v1/namespaces/{self.space}/deployments"
        self.create(deployments, {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}})
        answer = self.call("PUT", deployments + "/d/scale", {"metadata": {"name": "d"}, "spec": {"replicas": 3}})
        self.assertIn("scale Scale", answer.message)
        self.create(self.ns + "/pods", pod("p"))
        answer = self.call("POST", self.ns + "/pods/p/eviction", {"metadata": {"name": "p"}})
        self.assertIn("eviction Eviction", answer.message)
        self.configure(False, "x.example.com", "/v", ["pods/exec"], operations=["CONNECT"])
        answer = self.call("POST", self.ns + "/pods/p/exec?command=sh&command=-c&stdout=1")
        self.assertIn("exec PodExecOptions", answer.message)
        self.assertEqual(self.hook.requests("/v")[-1]["object"]["command"], ["sh", "-c"])

    def test_match_conditions(self):
        self.hook.on("/v", lambda r: {"allowed": False, "status": {"message": "asked"}})
        self.configure(False, "v.example.com", "/v", ["configmaps"], matchConditions=[
            {"name": "big", "expression": "has(object.data) && 'big' in object.data"},
            {"name": "not-robot", "expression": "request.userInfo.username != 'robot'"},
            {"name": "may", "expression": "authorizer.group('').resource('secrets').check('get').allowed()"}])
        self.create(self.ns + "/configmaps", config_map("a", small="1"))
        self.create(self.ns + "/configmaps", config_map("b", big="1"), code=400)
        self.create(self.ns + "/configmaps", config_map("c", big="1"), headers={
            "Impersonate-User": "robot", "Impersonate-Group": "system:masters"})
        self.remove()
        self.configure(False, "v.example.com", "/v", ["configmaps"], matchConditions=[
            {"name": "broken", "expression": "object.data.missing == 'x'"}])
        answer = self.create(self.ns + "/configmaps", config_map("d", k="v"), code=403)
        self.assertIn("configmaps \"d\" is forbidden: ", answer.message)
        self.assertIn("no such key: missing", answer.message)

    def test_connections_are_kept_and_calls_run_side_by_side(self):
        self.hook.on("/v", lambda r: time.sleep(0.5) or {"allowed": True})
        for name in ("a", "b", "c"):
            self.configure(False, name + ".example.com", "/v", ["configmaps"])
        began = time.monotonic()
        self.create(self.ns + "/configmaps", config_map("a"))
        self.assertLess(time.monotonic() - began, 1.2)
        before = self.hook.connections
        for i in range(3):
            self.create(self.ns + "/configmaps", config_map(f"n{i}"))
        self.assertEqual(self.hook.connections, before)

    def test_configurations_are_exempt(self):
        self.hook.on("/v", lambda r: {"allowed": False})
        self.configure(False, "all.example.com", "/v", ["*/*"], groups=["*"], operations=["*"])
        self.create(self.ns + "/configmaps", config_map("a"), code=400)
        self.assertEqual(self.call("DELETE", self.configured.pop()).code, 200)


class ControllerWritesTest(ApiTest):
    """What controllers of the same process change and delete is asked about, too."""
    flags = ("--controllers",)

    def test_updates_and_deletes(self):
        hook = WebhookServer(self.directory, "hooks.shop.svc")
        self.addCleanup(hook.close)
        ns = self.namespace("shop")
        allowed = []
        hook.on("/d", lambda r: {"allowed": r["name"] in allowed, "status": {"message": "not yet"}})
        hook.on("/u", lambda r: patch({"op": "add", "path": "/metadata/annotations", "value": {"seen": "yes"}}))
        self.create(VALIDATING, hook.configuration(False, "d.example.com", "/d", ["configmaps"], operations=["DELETE"]))
        self.create(MUTATING, hook.configuration(True, "u.example.com", "/u", ["clusterroles"], operations=["UPDATE"],
                                                 groups=["rbac.authorization.k8s.io"]))
        owner = self.create(ns + "/secrets", {"metadata": {"name": "owner"}}).json["metadata"]
        dependent = config_map("dependent")
        dependent["metadata"]["ownerReferences"] = [
            {"apiVersion": "v1", "kind": "Secret", "name": "owner", "uid": owner["uid"]}]
        self.create(ns + "/configmaps", dependent)
        self.assertEqual(self.call("DELETE", ns + "/secrets/owner").code, 200)
        self.until(lambda: hook.requests("/d"))
        request = hook.requests("/d")[0]
        self.assertEqual((request["operation"], request["name"], request["userInfo"]["username"], request["options"]["kind"]),
                         ("DELETE", "dependent", "system:kube-controller-manager", "DeleteOptions"))
        self.assertEqual((request["object"], request["oldObject"]["metadata"]["name"]), (None, "dependent"))
        self.assertEqual(self.get(ns + "/configmaps/dependent").code, 200)
        allowed.append("dependent")
        self.until(lambda: self.get(ns + "/configmaps/dependent").code == 404)

        roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
        self.create(roles, {"metadata": {"name": "whole"}, "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to": "whole"}}]}})
        self.create(roles, {"metadata": {"name": "part", "labels": {"to": "whole"}},
                            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]})
        self.until(lambda: self.get(roles + "/whole").json.get("rules"))
        self.assertEqual(self.get(roles + "/whole").json["metadata"]["annotations"], {"seen": "yes"})
        request = [r for r in hook.requests("/u") if r["name"] == "whole"][0]
        self.assertEqual((request["operation"], request["options"]["kind"]), ("UPDATE", "UpdateOptions"))

    def until(self, holds, seconds=20):
        end = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), end, "did not happen in time")
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main(verbosity=1)
