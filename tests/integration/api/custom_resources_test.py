#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CustomResourceDefinitions, their objects, server-side apply and OpenAPI: custom_resources_test.py API_HARNESS."""
import json
import time
import unittest

from harness import ApiTest
from webhook_server import WebhookServer

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


def definition(plural, spec, group="example.com", names=None, version=None, **more):
    kind = plural[:-1].capitalize()
    versions = [{"name": "v1", "served": True, "storage": True,
                 "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}, **(version or {})}]
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind, **(names or {})},
                     "versions": versions, **more}}


class CustomResources(ApiTest):
    flags = ("--controllers",)

    def define(self, plural, spec, **options):
        self.create(CRDS, definition(plural, spec, **options))
        for _ in range(200):
            crd = self.get(f"{CRDS}/{plural}.example.com").json
            conditions = {c["type"]: c["status"] for c in crd.get("status", {}).get("conditions") or []}
            if conditions.get("Established") == "True":
                return f"/apis/example.com/v1/namespaces/default/{plural}"
            time.sleep(0.02)
        self.fail(f"{plural} is not established")

    def object(self, plural, name, **spec):
        return {"apiVersion": "example.com/v1", "kind": plural[:-1].capitalize(), "metadata": {"name": name}, "spec": spec}

    def patch(self, path, body, content_type=MERGE):
        return self.call("PATCH", path, body, content_type=content_type)

    def test_rules_in_cel(self):
        path = self.define("rules", {
            "type": "object",
            "x-kubernetes-validations": [
                {"rule": "self.least <= self.most", "message": "least above most", "reason": "FieldValueForbidden",
                 "fieldPath": ".least"},
                {"rule": "!has(oldSelf.frozen) || self.frozen == oldSelf.frozen",
                 "messageExpression": "'frozen was ' + oldSelf.frozen"}],
            "properties": {"least": {"type": "integer"}, "most": {"type": "integer", "default": 10},
                           "frozen": {"type": "string", "maxLength": 10}}})
        self.create(path, self.object("rules", "a", least=3, frozen="x"))
        refused = self.create(path, self.object("rules", "b", least=30), code=422).json
        self.assertEqual(refused["details"]["causes"], [
            {"reason": "FieldValueForbidden", "message": "Forbidden: least above most", "field": "spec.least"}])
        refused = self.patch(f"{path}/a", {"spec": {"frozen": "y"}}).json
        self.assertEqual(refused["details"]["causes"][0]["message"], 'Invalid value: "object": frozen was x')
        self.assertEqual(self.patch(f"{path}/a", {"spec": {"least": 4}}).code, 200)

    def test_rules_have_to_compile_and_to_be_cheap(self):
        def rule(text, **more):
            spec = {"type": "object", "x-kubernetes-validations": [{"rule": text}],
                    "properties": {"l": {"type": "array", "items": {"type": "string"}, **more}}}
            return self.call("POST", CRDS, definition("costs", spec)).json
        self.assertIn("undefined field 'nothing'", rule("self.nothing == 1")["message"])
        self.assertIn("must evaluate to", rule("self.l.size()")["message"])
        self.assertIn("exceeds budget by factor of more than 100x",
                      rule("self.l.all(a, self.l.all(b, a == b || a.contains(b)))")["message"])

    def test_unchanged_faults_may_stay(self):
        path = self.define("laxes", {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}})
        self.create(path, self.object("laxes", "a", n=50, s="x"))
        crd = self.get(f"{CRDS}/laxes.example.com").json
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["n"]["maximum"] = 9
        self.assertEqual(self.call("PUT", f"{CRDS}/laxes.example.com", crd).code, 200)
        for _ in range(200):
            if self.call("POST", path + "?dryRun=All", self.object("laxes", "b", n=50)).code == 422:
                break
            time.sleep(0.02)
        self.assertEqual(self.patch(f"{path}/a", {"spec": {"s": "y"}}).code, 200)
        self.assertEqual(self.patch(f"{path}/a", {"spec": {"n": 51}}).code, 422)

    def test_names_are_accepted_one_by_one(self):
        self.define("firsts", {"type": "object"}, names={"shortNames": ["fst"]})
        self.create(CRDS, definition("seconds", {"type": "object"}, names={"kind": "First", "shortNames": ["fst"]}))
        for _ in range(200):
            status = self.get(f"{CRDS}/seconds.example.com").json["status"]
            if status.get("conditions"):
                break
            time.sleep(0.02)
        conditions = {c["type"]: c for c in status["conditions"]}
        self.assertEqual(conditions["NamesAccepted"]["status"], "False")
        self.assertEqual(conditions["NamesAccepted"]["reason"], "ListKindConflict")
        self.assertEqual(conditions["Established"]["status"], "False")
        self.assertEqual(status["acceptedNames"]["plural"], "seconds")

    def test_fields_that_select(self):
        path = self.define("picks", {"type": "object", "properties": {"color": {"type": "string"}}},
                           version={"selectableFields": [{"jsonPath": ".spec.color"}]})
        self.create(path, self.object("picks", "a", color="red"))
        self.create(path, self.object("picks", "b", color="blue"))
        found = self.get(path + "?fieldSelector=spec.color%3Dblue").json["items"]
        self.assertEqual([one["metadata"]["name"] for one in found], ["b"])
        self.assertEqual(self.get(path + "?fieldSelector=spec.size%3D1").code, 400)

    def test_apply_merges_lists_by_their_keys(self):
        path = self.define("merges", {
            "type": "object", "properties": {"parts": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "required": ["name"],
                          "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}}}})
        one = self.object("merges", "a", parts=[{"name": "x", "size": 1}])
        two = self.object("merges", "a", parts=[{"name": "y", "size": 2}])
        self.assertEqual(self.patch(f"{path}/a?fieldManager=one", one, APPLY).code, 201)
        both = self.patch(f"{path}/a?fieldManager=two", two, APPLY).json
        self.assertEqual({part["name"] for part in both["spec"]["parts"]}, {"x", "y"})
        two["spec"]["parts"] = [{"name": "x", "size": 3}]
        conflict = self.patch(f"{path}/a?fieldManager=two", two, APPLY)
        self.assertEqual(conflict.code, 409)
        self.assertEqual(conflict.json["details"]["causes"][0]["field"], '.spec.parts[name="x"].size')
        left = self.patch(f"{path}/a?fieldManager=two&force=true", two, APPLY).json
        self.assertEqual(left["spec"]["parts"], [{"name": "x", "size": 3}])

    def test_apply_to_status_and_scale(self):
        path = self.define("scales", {"type": "object", "properties": {"replicas": {"type": "integer"}}}, version={
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas",
                                                     "statusReplicasPath": ".status.replicas"}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "spec": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
                "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}}}}}})
        self.patch(f"{path}/a?fieldManager=one", self.object("scales", "a", replicas=1), APPLY)
        status = {"apiVersion": "example.com/v1", "kind": "Scale", "metadata": {"name": "a"}, "status": {"replicas": 1}}
        self.assertEqual(self.patch(f"{path}/a/status?fieldManager=ctl", status, APPLY).json["status"], {"replicas": 1})
        scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}, "spec": {"replicas": 5}}
        self.assertEqual(self.patch(f"{path}/a/scale?fieldManager=hpa", scale, APPLY).code, 409)
        self.assertEqual(self.patch(f"{path}/a/scale?fieldManager=hpa&force=true", scale, APPLY).json["spec"], {"replicas": 5})
        fields = self.get(f"{path}/a").json["metadata"]["managedFields"]
        self.assertEqual({(f["manager"], f.get("subresource", "")) for f in fields}, {("ctl", "status"), ("hpa", "scale")})

    def test_deleting_a_definition_deletes_its_objects(self):
        path = self.define("leaves", {"type": "object"})
        held = self.object("leaves", "a")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        self.create(path, held)
        self.assertEqual(self.call("DELETE", f"{CRDS}/leaves.example.com").code, 200)
        for _ in range(200):
            if "deletionTimestamp" in self.get(f"{path}/a").json["metadata"]:
                break
            time.sleep(0.02)
        self.assertEqual(self.call("POST", path, self.object("leaves", "b")).code, 405)
        conditions = {c["type"]: c["status"] for c in self.get(f"{CRDS}/leaves.example.com").json["status"]["conditions"]}
        self.assertEqual(conditions["Terminating"], "True")
        self.patch(f"{path}/a", {"metadata": {"finalizers": []}})
        for _ in range(200):
            if self.get(f"{CRDS}/leaves.example.com").code == 404:
                break
            time.sleep(0.02)
        self.assertEqual(self.get(path).code, 404)

    def test_versions_converted_by_a_webhook(self):
        server = WebhookServer(self.directory)
        self.addCleanup(server.close)

        def convert(request):
            converted = []
            for one in request["objects"]:
                one = json.loads(json.dumps(one))
                if request["desiredAPIVersion"].endswith("/v2") and "host" in one["spec"]:
                    host, port = one["spec"].pop("host").split(":")
                    one["spec"].update(name=host, port=int(port))
                elif request["desiredAPIVersion"].endswith("/v1") and "name" in one["spec"]:
                    one["spec"] = {"host": f"{one['spec']['name']}:{one['spec']['port']}"}
                one["apiVersion"] = request["desiredAPIVersion"]
                converted.append(one)
            return json.dumps({"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "response": {
                "uid": request["uid"], "convertedObjects": converted, "result": {"status": "Success"}}}).encode()

        def schema(**properties):
            spec = {"type": "object", "properties": {k: {"type": v} for k, v in properties.items()}}
            return {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
        server.on("/convert", convert)
        crd = definition("hosts", {"type": "object"}, conversion={"strategy": "Webhook", "webhook": {
            "conversionReviewVersions": ["v1"],
            "clientConfig": {"url": f"https://127.0.0.1:{server.port}/convert", "caBundle": server.ca_bundle()}}})
        crd["spec"]["versions"] = [
            {"name": "v1", "served": True, "storage": True, "schema": schema(host="string")},
            {"name": "v2", "served": True, "storage": False, "schema": schema(name="string", port="integer"),
             "selectableFields": [{"jsonPath": ".spec.name"}]}]
        self.create(CRDS, crd)
        for _ in range(200):
            if self.get("/apis/example.com/v2/namespaces/default/hosts").code == 200:
                break
            time.sleep(0.02)
        old, new = (f"/apis/example.com/{v}/namespaces/default/hosts" for v in ("v1", "v2"))
        made = self.create(new, {"apiVersion": "example.com/v2", "kind": "Host", "metadata": {"name": "a"},
                                 "spec": {"name": "n", "port": 80}}).json
        self.assertEqual((made["apiVersion"], made["spec"]), ("example.com/v2", {"name": "n", "port": 80}))
        self.assertEqual(self.get(f"{old}/a").json["spec"], {"host": "n:80"})
        self.assertEqual(self.get(new).json["items"][0]["spec"], {"name": "n", "port": 80})
        self.assertEqual(self.patch(f"{new}/a", {"spec": {"port": 81}}).json["spec"], {"name": "n", "port": 81})
        events = self.get(f"{new}?watch=true&timeoutSeconds=1&resourceVersion=0").text.splitlines()
        self.assertEqual(json.loads(events[0])["object"]["spec"], {"name": "n", "port": 81})
        self.fields_are_those_of_the_version(new)
        server.on("/convert", lambda request: json.dumps({"kind": "ConversionReview", "response": {
            "uid": request["uid"], "result": {"status": "Failure", "message": "not today"}}}).encode())
        failed = self.get(f"{new}/a")
        self.assertEqual((failed.code, failed.message),
                         (500, "conversion webhook for example.com/v1, Kind=Host failed: not today"))
        self.assertEqual(self.get(f"{old}/a").code, 200)
        server.on("/convert", convert)
        self.assertEqual(self.call("DELETE", f"{new}/a").code, 200)

    def fields_are_those_of_the_version(self, new):
        self.assertEqual(len(self.get(f"{new}?fieldSelector=spec.name%3Dn").json["items"]), 1)
        self.assertEqual(self.get(f"{new}?fieldSelector=spec.name%3Dother").json["items"], [])
        version = self.get(new).json["metadata"]["resourceVersion"]
        self.patch(f"{new}/a", {"spec": {"name": "m"}})
        back = self.patch(f"{new}/a", {"spec": {"name": "n"}}).json
        lines = self.get(f"{new}?watch=true&timeoutSeconds=1&fieldSelector=spec.name%3Dn&resourceVersion={version}").text.splitlines()
        events = [json.loads(line) for line in lines]
        self.assertEqual([e["type"] for e in events], ["DELETED", "ADDED"])
        for event in events:
            self.assertEqual((event["object"]["apiVersion"], event["object"]["spec"]), ("example.com/v2", {"name": "n", "port": 81}))
        left, came = (int(e["object"]["metadata"]["resourceVersion"]) for e in events)
        self.assertLess(int(version), left)
        self.assertLess(left, came)
        self.assertEqual(str(came), back["metadata"]["resourceVersion"])

    def test_openapi(self):
        self.define("docs", {"type": "object", "description": "What is wanted.",
                             "properties": {"size": {"type": "integer", "description": "How large it is."}}})
        index = self.get("/openapi/v3").json["paths"]
        answer = self.get(index["apis/example.com/v1"]["serverRelativeURL"])
        self.assertIn("How large it is.", answer.text)
        again = self.get("/openapi/v3/apis/example.com/v1", headers={"If-None-Match": answer.headers["Etag"]})
        self.assertEqual(again.code, 304)
        self.assertIn("com.example.v1.Doc", self.get("/openapi/v2").json["definitions"])
        self.assertEqual(self.get("/openapi/v2", headers={"Accept": "text/html"}).code, 406)

    def test_kubectl_reads_openapi(self):
        self.define("prints", {"type": "object", "description": "What is wanted.",
                               "properties": {"size": {"type": "integer", "description": "How large it is."}}})
        for arguments, wanted in [
                (("explain", "deployment.spec.strategy"), "rollingUpdate"),
                (("explain", "deployment", "--recursive"), "maxSurge"),
                (("explain", "pod.spec.containers", "--output=plaintext-openapiv2"), "imagePullPolicy"),
                (("explain", "propagationpolicy.spec"), "placement"),
                (("explain", "resourcebinding", "--recursive"), "clusters"),
                (("explain", "print.spec.size"), "How large it is."),
                (("explain", "print.spec", "--output=plaintext-openapiv2"), "How large it is.")]:
            done = self.kubectl(*arguments)
            self.assertEqual(done.returncode, 0, (arguments, done.stderr))
            self.assertIn(wanted, done.stdout, arguments)
        wrong = json.dumps(self.object("prints", "a", bogus=1))
        self.assertIn('unknown field "spec.bogus"', self.kubectl("create", "-f", "-", stdin=wrong).stderr)
        self.assertEqual(self.kubectl("create", "--validate=ignore", "-f", "-", stdin=wrong).returncode, 0)

    def test_kubectl_applies_both_ways(self):
        manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
                    {"name": "a", "image": "nginx:1", "ports": [{"containerPort": 80}]}, {"name": "b", "image": "nginx:1"}]}}}}
        text = json.dumps(manifest)
        self.assertIn("created", self.kubectl("apply", "-f", "-", stdin=text).stdout)
        self.assertEqual(self.kubectl("diff", "-f", "-", stdin=text).returncode, 0)
        manifest["spec"]["template"]["spec"]["containers"].pop()
        manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
        text = json.dumps(manifest)
        self.assertEqual(self.kubectl("diff", "-f", "-", stdin=text).returncode, 1)
        self.assertIn("server dry run", self.kubectl("apply", "--dry-run=server", "-f", "-", stdin=text).stdout)
        self.assertIn("configured", self.kubectl("apply", "-f", "-", stdin=text).stdout)
        # Migration: what kubectl applied from the client becomes what it applies on the server.
        done = self.kubectl("apply", "--server-side", "-f", "-", stdin=text)
        self.assertIn("serverside-applied", done.stdout, done.stderr)
        fields = self.get("/apis/apps/v1/namespaces/default/deployments/web").json["metadata"]["managedFields"]
        self.assertEqual({f["manager"] for f in fields}, {"kubectl", "kubectl-last-applied"})
        done = self.kubectl("apply", "--server-side", "--field-manager=helm", "-f", "-",
                            stdin=text.replace("nginx:2", "nginx:3"))
        self.assertIn("conflict", done.stderr)
        done = self.kubectl("apply", "--server-side", "--field-manager=helm", "--force-conflicts", "--dry-run=server",
                            "-o", "jsonpath={.spec.template.spec.containers[*].image}", "-f", "-",
                            stdin=text.replace("nginx:2", "nginx:3"))
        self.assertEqual(done.stdout, "nginx:3", done.stderr)


if __name__ == "__main__":
    unittest.main()
