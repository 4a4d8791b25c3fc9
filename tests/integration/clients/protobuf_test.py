#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bodies as typed Go clients send them: protobuf_test.py API_HARNESS TABLE [VECTORS...]

Every object is sent as JSON and as protobuf, with dryRun; both must give the same answer. Without recorded vectors, a few
objects of our own."""
import json
import re
import sys

from harness import Harness
from protobuf_encoder import Encoder, read_table

OWN = [
    ("/api/v1/namespaces/default/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}}, "spec": {
        "terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}], "resources": {
            "limits": {"cpu": "100m", "memory": "1Gi"}}, "livenessProbe": {"httpGet": {"path": "/", "port": "http"}},
            "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}]}}),
    ("/api/v1/namespaces/default/secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "AAEC"}}),
    ("/apis/apps/v1/namespaces/default/deployments", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
        "replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}}),
    ("/apis/coordination.k8s.io/v1/namespaces/default/leases", {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {
        "name": "l"}, "spec": {"holderIdentity": "me", "renewTime": "2024-05-06T07:08:09.123456Z"}}),
    ("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas", {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {
        "name": "f"}, "spec": {"priorityLevelConfiguration": {"name": "global-default"}, "matchingPrecedence": 7000, "rules": [{
            "subjects": [{"kind": "Group", "group": {"name": "g"}}], "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]}]}}),
    ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}}),
]
VARYING = re.compile(r'"(uid|creationTimestamp|time|clusterIP|nodePort|healthCheckNodePort|resourceVersion|[a-z]*[Tt]oken)": ?("[^"]*"|\d+)')


def posts(vectors):
    """What the recorded vectors create, in the namespace default."""
    for path in vectors:
        for line in open(path, encoding="utf-8"):
            for step in json.loads(line.replace("{{ns}}", "default"))["steps"]:
                body = step.get("body")
                if step.get("method") == "POST" and isinstance(body, dict) and "{{" not in json.dumps(step) \
                        and not step.get("headers") and step["path"].startswith("/api") and "?" not in step["path"] \
                        and "generateName" not in body.get("metadata", {}):
                    yield step["path"], body


def settled(answer):
    text = json.dumps(answer, sort_keys=True)
    text = re.sub(r'"clusterIPs": \["[^"]*"\]', "", text)
    text = re.sub("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", text)
    return VARYING.sub("", text)


def first_difference(left, right):
    at = next((i for i, (a, b) in enumerate(zip(left, right)) if a != b), min(len(left), len(right)))
    return f"json ...{left[max(0, at - 100):at + 200]}\n  protobuf ...{right[max(0, at - 100):at + 200]}"


def main():
    program, table, *vectors = sys.argv[1:]
    encoder = Encoder(read_table(table))
    passed, skipped, kinds, failures = 0, 0, set(), []
    with Harness(program) as server:
        sent = OWN + list(posts(vectors))
        connection = server.connection()

        def post(path, data, content_type):
            connection.request("POST", path + "?dryRun=All", data, {"Content-Type": content_type, "Accept":
                               "application/vnd.kubernetes.protobuf,application/json", "User-Agent": "typed/1.0"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

        for path, body in sent:
            body = {**body}
            try:
                encoded = encoder.envelope(body) if "apiVersion" in body and "kind" in body else None
            except (NotImplementedError, ValueError, TypeError, AttributeError, KeyError):
                encoded = None  # no object of its kind: what a Go client could not even hold
            if encoded is None:
                skipped += 1
                continue
            status, plain = post(path, json.dumps(body), "application/json")
            typed_status, typed = post(path, encoded, "application/vnd.kubernetes.protobuf")
            if status >= 400:
                # Words may name the JSON; that it is refused for the same reason must hold.
                same = (status, plain.get("reason")) == (typed_status, typed.get("reason"))
            else:
                same = (status, settled(plain)) == (typed_status, settled(typed))
            if same:
                passed += 1
                if status < 400:
                    kinds.add((body["apiVersion"], body["kind"]))
            else:
                failures.append((path, body, plain, typed))
        connection.close()
    for path, body, plain, typed in failures[:20]:
        print(f"not ok {path}\n  sent {json.dumps(body)[:600]}\n  " + first_difference(settled(plain), settled(typed)))
    print(f"{len(kinds)} kinds accepted in protobuf, {skipped} bodies left out")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
