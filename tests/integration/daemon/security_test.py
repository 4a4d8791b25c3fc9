# SPDX-License-Identifier: Apache-2.0
"""Who gets in, what is written down about it, and what the disk shows: security_test.py BIN_DIRECTORY."""
import base64
import concurrent.futures
import glob
import hashlib
import hmac
import json
import os
import shutil
import signal
import ssl
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from programs import Flotillad


class Client:
    def __init__(self, daemon):
        self.url = daemon.url
        pki = os.path.join(daemon.data_dir, "pki")
        self.plain = ssl.create_default_context(cafile=f"{pki}/ca.crt")
        self.admin = ssl.create_default_context(cafile=f"{pki}/ca.crt")
        self.admin.load_cert_chain(f"{pki}/admin.crt", f"{pki}/admin.key")

    def call(self, method, path, body=None, token=None, anonymous=False, headers=None):
        request = urllib.request.Request(self.url + path, method=method, headers=headers or {},
                                         data=None if body is None else json.dumps(body).encode())
        if body is not None and "Content-Type" not in (headers or {}):
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", "Bearer " + token)
        try:
            with urllib.request.urlopen(request, context=self.plain if token or anonymous else self.admin, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def json(self, *arguments, code=(200, 201), **options):
        status, text = self.call(*arguments, **options)
        assert status in code, text
        return json.loads(text)

    def who(self, token):
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        status, text = self.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review, token=token)
        return json.loads(text)["status"]["userInfo"] if status == 201 else status


class SecurityTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flotilla-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def start(self, name, **settings):
        flags = [part for key, value in settings.items() for part in ("--set", key.replace("__", ".") + "=" + str(value))]
        daemon = Flotillad(os.path.join(self.folder, name), *flags)
        self.addCleanup(daemon.stop, signal.SIGKILL)
        return daemon

    def serve(self, name, **settings):
        daemon = self.start(name, **settings)
        self.assertTrue(daemon.ready(), daemon.errors())
        return daemon, Client(daemon)

    def test_tokens(self):
        tokens = self.file("tokens", 'letmein,alice,17,"dev,ops"\n')
        _, client = self.serve("plane", security__token_file=tokens, security__anonymous="health")
        who = client.who("letmein")
        self.assertEqual((who["username"], who["uid"]), ("alice", "17"))
        self.assertEqual(who["groups"], ["dev", "ops", "system:authenticated"])
        self.assertEqual(client.who("wrong"), 401)
        self.assertEqual(client.call("GET", "/readyz", anonymous=True)[0], 200)
        self.assertEqual(client.call("GET", "/version", anonymous=True)[0], 401)

        def secret(**data):
            values = {"token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true", **data}
            client.call("DELETE", "/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef")
            client.json("POST", "/api/v1/namespaces/kube-system/secrets", {
                "metadata": {"name": "bootstrap-token-abcdef"}, "type": "bootstrap.kubernetes.io/token", "stringData": values})
        token = "abcdef.0123456789abcdef"
        self.assertEqual(client.who(token), 401)
        secret(**{"auth-extra-groups": "system:bootstrappers:karmada:default-cluster-token"})
        who = client.who(token)
        self.assertEqual(who["username"], "system:bootstrap:abcdef")
        self.assertEqual(set(who["groups"]), {"system:bootstrappers", "system:bootstrappers:karmada:default-cluster-token",
                                              "system:authenticated"})
        self.assertEqual(client.who("abcdef.0123456789abcdee"), 401)
        secret(expiration="2020-01-01T00:00:00Z")
        self.assertEqual(client.who(token), 401)
        secret(**{"usage-bootstrap-authentication": "false"})
        self.assertEqual(client.who(token), 401)

    def test_cluster_info_is_signed_for_those_who_join(self):
        daemon, client = self.serve("plane")
        info = "/api/v1/namespaces/kube-public/configmaps/cluster-info"

        def data():
            status, text = client.call("GET", info, anonymous=True)
            return json.loads(text)["data"] if status == 200 else {}

        def until(holds):
            end = time.monotonic() + 10
            while not holds():
                self.assertLess(time.monotonic(), end, data())
                time.sleep(0.05)
        until(data)
        text = data()["kubeconfig"]
        self.assertIn("server: " + daemon.url, text)
        self.assertEqual(client.call("GET", "/api/v1/namespaces/kube-public/configmaps", anonymous=True)[0], 403)
        secrets = "/api/v1/namespaces/kube-system/secrets"

        def token(name, **more):
            client.json("POST", secrets, {"metadata": {"name": "bootstrap-token-" + name}, "type": "bootstrap.kubernetes.io/token",
                                          "stringData": {"token-id": name, "token-secret": "0123456789abcdef",
                                                         "usage-bootstrap-signing": "true", **more}})
        token("abcdef")
        until(lambda: "jws-kubeconfig-abcdef" in data())
        header, payload, signature = data()["jws-kubeconfig-abcdef"].split(".")

        def url64(raw):
            return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        self.assertEqual(payload, "")
        signed = hmac.new(b"0123456789abcdef", f"{header}.{url64(text.encode())}".encode(), hashlib.sha256).digest()
        self.assertEqual(signature, url64(signed))
        client.json("DELETE", secrets + "/bootstrap-token-abcdef")
        until(lambda: "jws-kubeconfig-abcdef" not in data())
        token("past00", expiration="2020-01-01T00:00:00Z")
        until(lambda: client.call("GET", secrets + "/bootstrap-token-past00")[0] == 404)

    def test_requests_are_answered_as_kubernetes_does(self):
        _, client = self.serve("plane")
        reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?fieldValidation=Strict"

        def review(**selector):
            return client.call("POST", reviews, {"spec": {"resourceAttributes": {
                "verb": "list", "resource": "pods", "fieldSelector": selector}}})
        status, text = review(rawSelector="spec.nodeName=a")
        self.assertEqual((status, json.loads(text)["status"]["allowed"]), (201, True))
        status, text = review()
        self.assertEqual(status, 422)
        self.assertIn("when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required", text)
        status, text = review(requirements=[{"key": "spec.nodeName", "operator": "In"}])
        self.assertIn("must be specified when `operator` is 'In' or 'NotIn'", json.loads(text)["message"])
        self.assertEqual(client.call("GET", "/api/v1/namespaces?timeout=1h2m")[0], 200)
        status, text = client.call("GET", "/api/v1/namespaces?timeout=soon")
        self.assertEqual((status, json.loads(text)["message"]), (400, "invalid timeout specified in the request URL"))
        status, text = client.call("GET", "/api/v1/nodes/n1/proxy/metrics")
        self.assertEqual((status, json.loads(text)["message"]), (404, 'nodes "n1" not found'))
        client.json("POST", "/api/v1/namespaces/default/services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
        status, text = client.call("GET", "/api/v1/namespaces/default/services/https:s:80/proxy/")
        self.assertEqual((status, json.loads(text)["message"]), (503, 'no endpoints available for service "s"'))
        owner = {"apiVersion": "v1", "kind": "Service", "name": "s", "uid": "b1946ac9-0000-4000-8000-000000000000"}
        body = json.dumps({"metadata": {"name": "owned", "ownerReferences": [owner, owner]}}).encode()
        request = urllib.request.Request(client.url + "/api/v1/namespaces/default/configmaps?dryRun=All", method="POST", data=body,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=client.admin, timeout=30) as answer:
            self.assertIn("duplicate UID(s) observed: " + owner["uid"], answer.headers["Warning"])
            self.assertEqual(json.load(answer)["metadata"]["ownerReferences"], [owner])
        request = urllib.request.Request(client.url + "/version")
        with urllib.request.urlopen(request, context=client.admin, timeout=30) as answer:
            self.assertRegex(answer.headers["Audit-Id"], "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")

    def test_tokens_die_with_what_they_are_bound_to(self):
        _, client = self.serve("plane")
        core = "/api/v1/namespaces/default"
        client.json("POST", core + "/serviceaccounts", {"metadata": {"name": "robot"}})
        client.json("POST", core + "/secrets", {"metadata": {"name": "s"}})
        pod = {"metadata": {"name": "p"}, "spec": {"serviceAccountName": "robot", "containers": [{"name": "c", "image": "i"}]}}
        client.json("POST", core + "/pods", pod)
        request = core + "/serviceaccounts/robot/token"

        def token(kind, name):
            return client.json("POST", request, {"spec": {"boundObjectRef": {"kind": kind, "apiVersion": "v1", "name": name}}})
        bound = token("Pod", "p")["status"]["token"]
        by_secret = token("Secret", "s")["status"]["token"]
        self.assertEqual(client.who(bound)["username"], "system:serviceaccount:default:robot")
        self.assertEqual(client.who(bound)["extra"]["authentication.kubernetes.io/pod-name"], ["p"])
        client.json("DELETE", core + "/pods/p")
        client.json("DELETE", core + "/secrets/s")
        self.assertEqual(client.who(bound), 401)
        self.assertEqual(client.who(by_secret), 401)
        status, text = client.call("POST", request, {"spec": {"boundObjectRef": {"kind": "Pod", "name": "none"}}})
        self.assertEqual(status, 404, text)
        pod["metadata"]["name"], pod["spec"]["serviceAccountName"] = "q", "other"
        client.json("POST", core + "/pods", pod)
        status, text = client.call("POST", request, {"spec": {"boundObjectRef": {"kind": "Pod", "name": "q"}}})
        self.assertEqual(status, 400, text)
        self.assertIn("cannot bind token", text)

    def test_audit_log(self):
        policy = self.file("policy.yaml", """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, userGroups: ["system:nodes"]}
- {level: RequestResponse, omitManagedFields: true, resources: [{group: "", resources: [configmaps]}]}
- {level: Metadata, resources: [{group: "", resources: [secrets]}]}
""")
        log = os.path.join(self.folder, "log", "audit.log")
        os.mkdir(os.path.dirname(log))
        daemon, client = self.serve("plane", audit__policy_file=policy, audit__log_path=log)
        client.json("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "c"}, "data": {"k": "v"}},
                    headers={"User-Agent": "tester", "Audit-Id": "my-id"})
        client.json("POST", "/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}, "stringData": {"p": "hidden"}})
        client.call("GET", "/api/v1/namespaces/default/secrets", headers={"Impersonate-User": "eve"})
        client.json("GET", "/api/v1/namespaces")
        admin = client.who(None)["username"]
        daemon.stop()
        with open(log) as file:
            events = [json.loads(line) for line in file]
        made = next(event for event in events if event["auditID"] == "my-id")
        self.assertEqual((made["kind"], made["apiVersion"], made["level"], made["stage"], made["verb"]),
                         ("Event", "audit.k8s.io/v1", "RequestResponse", "ResponseComplete", "create"))
        self.assertEqual(made["user"]["username"], admin)
        self.assertEqual(made["sourceIPs"], ["127.0.0.1"])
        self.assertEqual(made["userAgent"], "tester")
        self.assertEqual(made["objectRef"], {"resource": "configmaps", "namespace": "default", "apiVersion": "v1"})
        self.assertEqual(made["requestObject"]["data"], {"k": "v"})
        self.assertEqual(made["responseObject"]["metadata"]["name"], "c")
        self.assertNotIn("managedFields", made["responseObject"]["metadata"])
        self.assertEqual(made["responseStatus"]["code"], 201)
        self.assertEqual(made["annotations"]["authorization.k8s.io/decision"], "allow")
        secrets = [event for event in events if event["objectRef"]["resource"] == "secrets"]
        self.assertNotIn("hidden", json.dumps(secrets))
        refused = next(event for event in secrets if event["verb"] == "list")
        self.assertEqual(refused["impersonatedUser"]["username"], "eve")
        self.assertEqual(refused["responseStatus"]["code"], 403)
        self.assertEqual(refused["responseStatus"]["reason"], "Forbidden")
        self.assertEqual(refused["annotations"]["authorization.k8s.io/decision"], "forbid")
        self.assertFalse([event for event in events if event["objectRef"]["resource"] == "namespaces"])

    def test_broken_files_are_named(self):
        bad = self.file("bad.yaml", "kind: Policy\napiVersion: audit.k8s.io/v1\nrules: [{level: Loud}]\n")
        daemon = self.start("plane", audit__policy_file=bad)
        self.assertFalse(daemon.ready())
        self.assertIn('rules[0].level: unknown level "Loud"', daemon.errors())
        daemon = self.start("plane", security__token_file=self.file("t", "only,two\n"))
        self.assertFalse(daemon.ready())
        self.assertIn("t: line 1: expected token,user,uid", daemon.errors())

    def encryption(self, name, *keys, identity=True):
        entries = ", ".join(f"{{name: {key}, secret: {base64.b64encode(secret.encode()).decode()}}}" for key, secret in keys)
        providers = [f"aesgcm: {{keys: [{entries}]}}"] if keys else []
        providers += ["identity: {}"] if identity else []
        lines = "".join(f"  - {provider}\n" for provider in providers)
        return self.file(name, "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n"
                         "- resources: [secrets]\n  providers:\n" + lines)

    def on_disk(self, name, text):
        found = False
        for path in glob.glob(os.path.join(self.folder, name, "**"), recursive=True):
            if os.path.isfile(path) and "/pki/" not in path:
                with open(path, "rb") as file:
                    found = found or text.encode() in file.read()
        return found

    def test_secrets_are_hidden_and_keys_rotate(self):
        word = base64.b64encode(b"a very well kept secret").decode()
        path = "/api/v1/namespaces/default/secrets"
        daemon, client = self.serve("plane")
        client.json("POST", path, {"metadata": {"name": "old"}, "data": {"p": word}})
        daemon.stop()
        self.assertTrue(self.on_disk("plane", word))

        one = self.encryption("one.yaml", ("one", "0123456789abcdef"))
        daemon, client = self.serve("plane", security__encryption_config=one)
        client.json("POST", path, {"metadata": {"name": "new"}, "data": {"q": word}})
        client.json("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "open"}, "data": {"p": "plain to see"}})
        self.assertEqual(client.json("GET", path + "/old")["data"]["p"], word)
        daemon.stop()
        self.assertTrue(self.on_disk("plane", "k8s:enc:aesgcm:v1:one:"))
        self.assertTrue(self.on_disk("plane", "plain to see"))

        both = self.encryption("both.yaml", ("two", "fedcba9876543210fedcba9876543210"), ("one", "0123456789abcdef"))
        daemon, client = self.serve("plane", security__encryption_config=both)
        self.assertEqual(client.json("GET", path + "/new")["data"]["q"], word)
        self.assertIn("values rewritten with the current key", daemon.errors())
        daemon.stop()

        two = self.encryption("two.yaml", ("two", "fedcba9876543210fedcba9876543210"), identity=False)
        daemon, client = self.serve("plane", security__encryption_config=two)
        self.assertEqual({item["metadata"]["name"] for item in client.json("GET", path)["items"]}, {"old", "new"})
        daemon.stop()

        wrong = self.encryption("wrong.yaml", ("two", "another key, 16b"))
        daemon = self.start("plane", security__encryption_config=wrong)
        self.assertFalse(daemon.ready())
        self.assertIn(wrong + " cannot read /registry/secrets/default/new", daemon.errors())
        daemon = self.start("plane", security__encryption_config=one)
        self.assertFalse(daemon.ready())
        self.assertIn("it was written with a key that is not here: aesgcm:v1:two", daemon.errors())
        daemon = self.start("plane")
        self.assertFalse(daemon.ready())
        self.assertIn("is encrypted; name the file with its keys in security.encryption_config", daemon.errors())

    def test_controllers_of_a_member_are_held_to_quotas(self):
        daemon = Flotillad(os.path.join(self.folder, "member"), "--profile", "member", "--set", "simulation.nodes=1")
        self.addCleanup(daemon.stop, signal.SIGKILL)
        self.assertTrue(daemon.ready(), daemon.errors())
        client = Client(daemon)
        client.json("POST", "/api/v1/namespaces", {"metadata": {"name": "small"}})
        client.json("POST", "/api/v1/namespaces/small/resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}})
        end = time.monotonic() + 10
        while "used" not in client.json("GET", "/api/v1/namespaces/small/resourcequotas/q").get("status", {}):
            self.assertLess(time.monotonic(), end)
        client.json("POST", "/apis/apps/v1/namespaces/small/deployments", {"metadata": {"name": "d"}, "spec": {
            "replicas": 5, "selector": {"matchLabels": {"a": "b"}}, "template": {
                "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}})
        pods = []
        while len(pods) < 2:
            self.assertLess(time.monotonic(), end)
            pods = client.json("GET", "/api/v1/namespaces/small/pods")["items"]
        time.sleep(1)
        self.assertEqual(len(client.json("GET", "/api/v1/namespaces/small/pods")["items"]), 2)
        self.assertEqual(client.json("GET", "/api/v1/namespaces/small/resourcequotas/q")["status"]["used"], {"pods": "2"})

    def test_pods_get_an_account_where_that_is_wanted(self):
        daemon = Flotillad(os.path.join(self.folder, "member"), "--profile", "member", "--set", "security.admission=[ServiceAccount]")
        self.addCleanup(daemon.stop, signal.SIGKILL)
        self.assertTrue(daemon.ready(), daemon.errors())
        client = Client(daemon)
        pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        made = client.json("POST", "/api/v1/namespaces/default/pods", pod)["spec"]
        self.assertEqual((made["serviceAccountName"], made["serviceAccount"]), ("default", "default"))
        self.assertEqual(made["containers"][0]["volumeMounts"], [{
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": made["volumes"][0]["name"], "readOnly": True}])
        self.assertEqual([next(iter(source)) for source in made["volumes"][0]["projected"]["sources"]],
                         ["serviceAccountToken", "configMap", "downwardAPI"])
        pod["metadata"], pod["spec"]["serviceAccountName"] = {"generateName": "q-"}, "nobody"
        status, text = client.call("POST", "/api/v1/namespaces/default/pods", pod)
        self.assertEqual(status, 403)
        self.assertIn('is forbidden: error looking up service account default/nobody: serviceaccount \\"nobody\\" not found', text)

    def test_scripts_are_read_before_they_are_taken(self):
        _, client = self.serve("plane")
        status, text = client.call("POST", "/apis/config.karmada.io/v1alpha1/resourceinterpretercustomizations", {
            "metadata": {"name": "r"}, "spec": {"target": {"apiVersion": "apps/v1", "kind": "Deployment"}, "customizations": {
                "replicaResource": {"luaScript": "function GetReplicas(obj) return end end"}}}})
        self.assertIn(status, (400, 403, 422), text)
        status, text = client.call("POST", "/apis/config.karmada.io/v1alpha1/resourceinterpretercustomizations", {
            "metadata": {"name": "r"}, "spec": {"target": {"apiVersion": "apps/v1", "kind": "Deployment"}, "customizations": {
                "replicaResource": {"luaScript": "function GetReplicas(obj) return 1, nil end"}}}})
        self.assertEqual(status, 201, text)

    def test_health_metrics_and_overload(self):
        tokens = self.file("tokens", 'letmein,alice,17,"dev"\n')
        _, client = self.serve("plane", security__token_file=tokens, api__max_requests_inflight=1)
        status, text = client.call("GET", "/readyz?verbose")
        self.assertEqual(status, 200)
        self.assertIn("[+]storage ok\n", text)
        self.assertTrue(text.endswith("readyz check passed\n"))
        self.assertIn("[+]storage excluded: ok\n", client.call("GET", "/livez?verbose&exclude=storage")[1])
        self.assertIn('no matches for "x"', client.call("GET", "/livez?verbose&exclude=x")[1])
        self.assertEqual(client.call("GET", "/readyz/ping"), (200, "ok"))
        self.assertEqual(client.call("GET", "/readyz/nothing")[0], 404)
        client.json("GET", "/api/v1/namespaces")
        text = client.call("GET", "/metrics")[1]
        self.assertIn('apiserver_request_total{verb="LIST",dry_run="",group="",version="v1",resource="namespaces",subresource="",'
                      'scope="cluster",component="apiserver",code="200"} 1', text)
        for name in ("apiserver_request_duration_seconds_bucket", "apiserver_current_inflight_requests", "process_resident_memory_bytes",
                     "apiserver_storage_objects", "kubernetes_build_info", "apiserver_response_sizes_bucket",
                     'etcd_request_duration_seconds_bucket{operation="update",type="storage",le="0.005"}',
                     'workqueue_depth{name="namespace",controller="namespace"}'):
            self.assertIn(name, text)
        self.assertIn("store", client.call("GET", "/debug")[1])
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            codes = set(pool.map(lambda _: client.call("GET", "/version", token="letmein")[0], range(300)))
        self.assertLessEqual(codes, {200, 429})
        self.assertEqual({client.call("GET", "/version")[0] for _ in range(20)}, {200})


if __name__ == "__main__":
    unittest.main(verbosity=1)
