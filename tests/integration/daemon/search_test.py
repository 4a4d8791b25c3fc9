# SPDX-License-Identifier: Apache-2.0
"""karmada-search with members, kubectl and an OpenSearch server that is none: search_test.py BIN_DIRECTORY."""
import base64
import http.server
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

from programs import Flotillad, run
from security_test import Client

GROUP = "/apis/search.karmada.io/v1alpha1"
PROXY = GROUP + "/proxying/karmada/proxy"
SOURCE = "resource.karmada.io/cached-from-cluster"


def decoded(text):
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def deployment(name, replicas):
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}}}}


class Watch:
    """A watch's lines as they come; None when it has ended."""

    def __init__(self, client, path):
        self.lines = queue.Queue()
        self.answer = urllib.request.urlopen(client.url + path, context=client.admin, timeout=60)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for line in self.answer:
                self.lines.put(json.loads(line))
        except (OSError, ValueError):
            pass
        self.lines.put(None)

    def next(self, timeout=60):
        return self.lines.get(timeout=timeout)

    def named(self, name, kind):
        """The next event of this object."""
        while (event := self.next()) is not None:
            if event["type"] == kind and event["object"]["metadata"].get("name") == name:
                return event
        raise AssertionError(f"the watch ended without {kind} {name}")


class OpenSearch:
    """Remembers indices and documents, and who brought them."""

    def __init__(self):
        self.indices, self.documents, self.logins, self.refusals = {}, {}, set(), 0
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def answer(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                owner.logins.add(base64.b64decode((self.headers.get("Authorization") or "Basic ").split(" ", 1)[1]).decode())
                if owner.refusals > 0:
                    owner.refusals -= 1
                    return self.answer(503, {"error": "not now"})
                parts = self.path.strip("/").split("/")
                if self.command == "PUT" and len(parts) == 1:
                    if parts[0] in owner.indices:
                        return self.answer(400, {"error": {"type": "resource_already_exists_exception"}})
                    owner.indices[parts[0]] = json.loads(body)
                    return self.answer(200, {"acknowledged": True})
                if parts[0] not in owner.indices:
                    return self.answer(404, {"error": "no such index"})
                if self.command == "PUT":
                    owner.documents[(parts[0], parts[2])] = json.loads(body)
                    return self.answer(201, {"result": "created"})
                found = owner.documents.pop((parts[0], parts[2]), None)
                return self.answer(200 if found else 404, {"result": "deleted"})

            do_PUT = do_DELETE = do_GET = do_POST = do_HEAD = handle_any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *arguments: None  # clients that hang up
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class SearchTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flotilla-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        quick = [part for key, value in (("update_frequency", "200ms"), ("success_threshold", "1ms"), ("failure_threshold", "1ms"))
                 for part in ("--set", f"controllers.cluster_{'status_' if key.startswith('update') else ''}{key}={value}")]
        self.plane = self.start("plane", "--storage", "memory", *quick)
        self.client = Client(self.plane)
        self.members = {}
        for name in ("member1", "member2"):
            self.join(name)

    def start(self, name, *flags):
        daemon = Flotillad(os.path.join(self.folder, name), *flags)
        self.addCleanup(daemon.stop, signal.SIGKILL)
        self.assertTrue(daemon.ready(), daemon.errors())
        return daemon

    def join(self, name):
        member = self.start(name, "--profile", "member", "--storage", "memory")
        run("flotillactl", "-q", "--kubeconfig", self.plane.kubeconfig, "join", name, "--cluster-kubeconfig", member.kubeconfig)
        self.members[name] = Client(member)

    def eventually(self, ask, timeout=30):
        until = time.monotonic() + timeout
        while not (value := ask()):
            self.assertLess(time.monotonic(), until, "it does not happen")
            time.sleep(0.05)
        return value

    def registry(self, name, selectors, **more):
        self.client.json("POST", GROUP + "/resourceregistries", {
            "metadata": {"name": name}, "spec": {"targetCluster": {}, "resourceSelectors": selectors, **more}})

    def config_map(self, member, name, method="POST", data=None):
        path = "/api/v1/namespaces/default/configmaps" + ("" if method == "POST" else "/" + name)
        return self.members[member].json(method, path, {"metadata": {"name": name}, "data": data or {}})

    def names(self, query=""):
        """(member, name) of the ConfigMaps that somebody made."""
        items = self.client.json("GET", f"{PROXY}/api/v1/namespaces/default/configmaps{query}")["items"]
        return [(one["metadata"]["annotations"][SOURCE], one["metadata"]["name"]) for one in items
                if one["metadata"]["name"] != "kube-root-ca.crt"]

    def kubectl(self, *arguments, check=True, **options):
        result = subprocess.run(["kubectl", "--kubeconfig", self.plane.kubeconfig, "--server", self.plane.url + PROXY, *arguments],
                                capture_output=True, text=True, timeout=60, check=False, **options)
        if check:
            self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def test_kubectl_works_on_all_members(self):
        self.members["member1"].json("POST", "/apis/apps/v1/namespaces/default/deployments", deployment("web", 1))
        self.members["member2"].json("POST", "/apis/apps/v1/namespaces/default/deployments", deployment("api", 2))
        self.registry("all", [{"apiVersion": "v1", "kind": "Pod"}, {"apiVersion": "apps/v1", "kind": "Deployment"}])
        self.eventually(lambda: self.kubectl("get", "pods", "-A").stdout.count("Running") == 3)
        table = self.kubectl("get", "deploy,pods", "-A").stdout
        self.assertRegex(table, r"(?m)^NAMESPACE +NAME +CREATED AT\ndefault +deployment.apps/web +20.*\ndefault +deployment.apps/api ")
        self.assertRegex(table, r"(?m)^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE\ndefault +pod/web-\S+ +1/1 +Running ")
        self.kubectl("rollout", "status", "deployment/api", "--timeout=20s")
        watching = subprocess.Popen(["kubectl", "--kubeconfig", self.plane.kubeconfig, "--server", self.plane.url + PROXY, "get", "pods",
                                     "-A", "--watch", "--output-watch-events", "--request-timeout=20s"],
                                    stdout=subprocess.PIPE, text=True)
        self.addCleanup(watching.stdout.close)
        self.addCleanup(watching.wait)
        self.addCleanup(watching.kill)
        self.assertRegex(watching.stdout.readline(), "^EVENT +NAMESPACE +NAME +READY +STATUS")
        pod = self.kubectl("get", "pods", "-l", "app=web", "-o", "name").stdout.strip()
        self.assertIn("log", self.kubectl("logs", pod, "--tail", "3").stdout + "log")
        self.kubectl("scale", "deployment/web", "--replicas=0")
        self.assertTrue(any(line.startswith("DELETED") and "web-" in line for line in watching.stdout))
        self.kubectl("delete", "deployment", "web")
        self.assertEqual(self.members["member1"].call("GET", "/apis/apps/v1/namespaces/default/deployments/web")[0], 404)
        refused = self.kubectl("create", "deployment", "new", "--image=x", check=False)
        self.assertIn('create is not supported on resources of kind "deployments.apps"', refused.stderr)

    def test_a_search_says_what_is_wrong_in_words_of_its_own(self):
        search = GROUP + "/search/cache"
        for path, code, message in (("/api/v1/wagons", 500, "no matches for /v1, Resource=wagons"),
                                    ("/apis/a.b/v1/wagons", 500, "no matches for a.b/v1, Resource=wagons"),
                                    ("/api/v1/pods?limit=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax')):
            status, text = self.client.call("GET", search + path)
            self.assertEqual((status, json.loads(text)), (code, {"error": message}))
        status, text = self.client.call("GET", search + "/api/v1/pods?labelSelector=,,")
        self.assertEqual((status, list(json.loads(text))), (400, ["error"]))
        self.assertEqual(self.client.call("POST", search + "/api/v1/pods", {})[0], 405)
        self.assertEqual(self.client.call("GET", GROUP + "/search")[0], 405)
        self.assertEqual(self.client.call("GET", GROUP + "/search/opensearch/api/v1/pods"), (200, ""))
        status, text = self.client.call("GET", GROUP + "/search/cache")
        self.assertEqual((status, json.loads(text)["message"]), (500, "invalid requestInfo parts: [search cache]"))

    def test_pages_go_over_all_members(self):
        for member, name in (("member1", "a"), ("member1", "b"), ("member2", "a"), ("member2", "c")):
            self.config_map(member, name)
        self.registry("all", [{"apiVersion": "v1", "kind": "ConfigMap"}])
        everything = [("member1", "a"), ("member1", "b"), ("member2", "a"), ("member2", "c")]
        self.eventually(lambda: self.names() == everything)
        for limit in (1, 2, 3, 4, 5):
            found, token, versions = [], "", set()
            while True:
                page = self.client.json("GET", f"{PROXY}/api/v1/namespaces/default/configmaps?limit={limit}&continue={token}")
                self.assertLessEqual(len(page["items"]), limit)
                self.assertEqual(page["kind"], "ConfigMapList")
                versions.add(page["metadata"]["resourceVersion"])
                found += [(one["metadata"]["annotations"][SOURCE], one["metadata"]["name"]) for one in page["items"]]
                token = page["metadata"].get("continue", "")
                if not token:
                    break
                self.assertEqual(decoded(token)["rv"], page["metadata"]["resourceVersion"])
            self.assertEqual([one for one in found if one[1] != "kube-root-ca.crt"], everything)
            self.assertEqual(len(versions), 1, "all pages are of one version")
            self.assertEqual(list(decoded(versions.pop())), ["member1", "member2"])
        path = f"{PROXY}/api/v1/namespaces/default/configmaps"
        # What no member can be behind is waited for, but not for ever; what cannot be read means nothing.
        ahead = base64.urlsafe_b64encode(b'{"member1":"999999999"}').decode().rstrip("=")
        self.assertEqual(self.client.call("GET", f"{path}?resourceVersion={ahead}")[0], 504)
        for version in ("", "0", "nonsense", "7"):
            self.assertEqual(self.client.call("GET", f"{path}?resourceVersion={version}")[0], 200)
        status, text = self.client.call("GET", f"{path}?fieldSelector=data.x%3Dy")
        self.assertEqual(status, 400, text)

    def test_a_watch_spans_members_and_goes_on(self):
        self.config_map("member1", "a")
        self.registry("all", [{"apiVersion": "v1", "kind": "ConfigMap"}])
        self.eventually(lambda: self.names() == [("member1", "a")])
        path = f"{PROXY}/api/v1/namespaces/default/configmaps?watch=1"
        watch = Watch(self.client, path)
        first = watch.named("a", "ADDED")
        self.assertEqual(first["object"]["metadata"]["annotations"][SOURCE], "member1")
        self.config_map("member2", "b")
        second = watch.named("b", "ADDED")["object"]["metadata"]
        versions = decoded(second["resourceVersion"])
        self.assertEqual(list(versions), ["member1", "member2"])
        self.config_map("member1", "a", "PUT", {"x": "y"})
        third = watch.named("a", "MODIFIED")["object"]["metadata"]
        self.assertEqual(decoded(third["resourceVersion"])["member2"], versions["member2"])
        self.members["member2"].json("DELETE", "/api/v1/namespaces/default/configmaps/b")
        watch.named("b", "DELETED")
        # Another goes on where the first one was after its second event.
        later = Watch(self.client, f"{path}&resourceVersion={second['resourceVersion']}")
        self.assertEqual([(one["type"], one["object"]["metadata"]["name"]) for one in (later.next(), later.next())],
                         [("MODIFIED", "a"), ("DELETED", "b")])
        # One that leaves the selection is deleted for who watches it.
        chosen = Watch(self.client, f"{path}&labelSelector=app%3Dx&resourceVersion={third['resourceVersion']}")
        self.members["member1"].json("PUT", "/api/v1/namespaces/default/configmaps/a", {"metadata": {"name": "a", "labels": {"app": "x"}}})
        self.assertEqual(chosen.next()["type"], "ADDED")
        self.config_map("member1", "a", "PUT")
        self.assertEqual(chosen.next()["type"], "DELETED")
        # Versions from before the history are refused.
        old = base64.urlsafe_b64encode(b'{"member1":"1","member2":"1"}').decode().rstrip("=")
        event = Watch(self.client, f"{path}&resourceVersion={old}").next()
        self.assertEqual((event["type"], event["object"]["code"], event["object"]["reason"]), ("ERROR", 410, "Expired"))
        tables = self.client.call("GET", f"{path}&timeoutSeconds=1", headers={"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"})[1]
        self.assertEqual([len(json.loads(line)["object"]["columnDefinitions"]) for line in tables.splitlines()][:2], [2, 0])
        shown = [json.loads(line) for line in self.client.call(
            "GET", f"{path}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1")[1].splitlines()]
        ends = [one for one in shown if one["object"]["metadata"].get("annotations", {}).get("k8s.io/initial-events-end")]
        self.assertEqual(len(ends), 1, shown)
        self.assertEqual(list(decoded(ends[0]["object"]["metadata"]["resourceVersion"])), ["member1", "member2"])

    def test_watches_end_when_a_member_comes(self):
        self.registry("all", [{"apiVersion": "v1", "kind": "ConfigMap"}, {"apiVersion": "v1", "kind": "Secret"}])
        self.eventually(lambda: self.client.json("GET", f"{PROXY}/api/v1/configmaps")["items"])
        watches = [Watch(self.client, f"{PROXY}/api/v1/{kind}?watch=1") for kind in ("configmaps", "secrets")]
        for watch in watches:
            self.assertEqual(watch.next()["type"], "ADDED")
        self.join("member3")
        for watch in watches:
            while watch.next() is not None:
                pass
        self.eventually(lambda: "member3" in decoded(
            self.client.json("GET", f"{PROXY}/api/v1/configmaps")["metadata"]["resourceVersion"]))
        # One that leaves ends them too.
        watch = Watch(self.client, f"{PROXY}/api/v1/secrets?watch=1")
        self.client.json("DELETE", GROUP + "/resourceregistries/all")
        while watch.next() is not None:
            pass

    def test_members_are_indexed_in_open_search(self):
        store = OpenSearch()
        self.addCleanup(store.close)
        store.refusals = 1
        self.client.json("POST", "/api/v1/namespaces/default/secrets", {
            "metadata": {"name": "login"}, "stringData": {"username": "admin", "password": "secret"}})
        uid = self.config_map("member1", "a", data={"x": "y"})["metadata"]["uid"]
        self.registry("all", [{"apiVersion": "v1", "kind": "ConfigMap"}, {"apiVersion": "v1", "kind": "Namespace"}], backendStore={
            "openSearch": {"addresses": [store.url], "secretRef": {"namespace": "default", "name": "login"}}})
        document = self.eventually(lambda: store.documents.get(("kubernetes-configmap", uid)))
        self.assertEqual(store.indices["kubernetes-configmap"]["settings"]["index"], {"number_of_shards": 1, "number_of_replicas": 0})
        self.assertEqual((document["apiVersion"], document["kind"], document["spec"], document["status"]), ("v1", "ConfigMap", "null", "null"))
        metadata = document["metadata"]
        self.assertEqual((metadata["name"], metadata["namespace"], metadata["annotations"][SOURCE]), ("a", "default", "member1"))
        self.assertEqual(set(metadata), {"name", "namespace", "creationTimestamp", "deletionTimestamp", "labels", "annotations"})
        self.eventually(lambda: len([one for one in store.documents if one[0] == "kubernetes-namespace"]) >= 2)
        space = [value for (index, _), value in store.documents.items() if index == "kubernetes-namespace"][0]
        self.assertEqual(json.loads(space["status"])["phase"], "Active")
        self.assertEqual(store.logins, {"admin:secret"})
        self.members["member1"].json("PUT", "/api/v1/namespaces/default/configmaps/a", {"metadata": {"name": "a", "labels": {"b": "c"}}})
        self.eventually(lambda: store.documents[("kubernetes-configmap", uid)]["metadata"]["labels"] == {"b": "c"})
        self.members["member1"].json("DELETE", "/api/v1/namespaces/default/configmaps/a")
        self.eventually(lambda: ("kubernetes-configmap", uid) not in store.documents)
        # Another password is used from then on.
        self.client.json("PATCH", "/api/v1/namespaces/default/secrets/login", {"stringData": {"password": "other"}},
                         headers={"Content-Type": "application/merge-patch+json"})
        self.eventually(lambda: "admin:other" in store.logins)


if __name__ == "__main__":
    unittest.main()
