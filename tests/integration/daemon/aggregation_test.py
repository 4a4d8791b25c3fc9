# SPDX-License-Identifier: Apache-2.0
"""An extension API server behind an APIService, and certificates on request: aggregation_test.py BIN_DIRECTORY."""
import base64
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from programs import Flotillad
from security_test import Client

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))
from webhook_server import make_certificates  # noqa: E402

GROUP = "/apis/ext.example.com"
DISCOVERY = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "ext.example.com/v1", "resources": [
    {"name": "things", "singularName": "thing", "namespaced": True, "kind": "Thing", "verbs": ["get", "list", "watch"],
     "shortNames": ["th"]},
    {"name": "things/status", "singularName": "", "namespaced": True, "kind": "Thing", "verbs": ["get"]}]}
THING = {"group": "ext.example.com", "version": "v1", "kind": "Thing"}
OPENAPI_V3 = {"openapi": "3.0.0", "info": {"title": "ext", "version": "1"}, "paths": {
    GROUP + "/v1/namespaces/{namespace}/things": {"get": {"x-kubernetes-group-version-kind": THING, "responses": {}}}},
    "components": {"schemas": {"com.example.ext.v1.Thing": {"type": "object", "description": "A thing of the extension.",
                                                            "x-kubernetes-group-version-kind": [THING]}}}}
OPENAPI_V2 = {"swagger": "2.0", "info": {"title": "ext", "version": "1"}, "paths": {
    GROUP + "/v1/namespaces/{namespace}/things": {"get": {"responses": {"200": {
        "description": "OK", "schema": {"$ref": "#/definitions/com.example.ext.v1.Thing"}}}}}, "/version/": {"get": {}}},
    "definitions": {"com.example.ext.v1.Thing": {"type": "object", "x-kubernetes-group-version-kind": [THING]}}}


def path_allows(path):
    return "forbidden" not in path


class Extension:
    """Knows its callers by the front proxy's certificate and the headers it sends."""

    def __init__(self, directory, trusted=None):
        self.ca, pem, key = make_certificates(directory, "ext.shop.svc")
        self.seen, self.healthy, self.ended = [], True, threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                subject = self.connection.getpeercert()
                outer.seen.append((self.path, dict(self.headers.items()), self.headers.get_all("X-Remote-Group"), subject))
                path = self.path.partition("?")[0]
                if not outer.healthy:
                    return self.reply(500, {})
                if "watch=1" in self.path:
                    return self.stream()
                if self.headers.get("Upgrade") == "shout":
                    return self.shout()
                documents = {"/openapi/v2": OPENAPI_V2, "/openapi/v3/apis/ext.example.com/v1": OPENAPI_V3,
                             "/openapi/v3": {"paths": {"apis/ext.example.com/v1": {
                                 "serverRelativeURL": "/openapi/v3/apis/ext.example.com/v1?hash=ABC"}}}}
                if path in documents:
                    return self.reply(200, documents[path])
                if path == GROUP + "/v1":
                    return self.reply(200, DISCOVERY)
                if path.endswith("/things"):
                    return self.reply(200, {"kind": "ThingList", "apiVersion": "ext.example.com/v1", "metadata": {}, "items": [
                        {"metadata": {"name": "one", "namespace": "default"}}]})
                return self.reply(404, {"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound"})

            def shout(self):
                """Sends back what comes, louder; the other end says when it is over."""
                if not path_allows(self.path):
                    return self.reply(403, {"kind": "Status", "code": 403, "message": "not here"})
                self.send_response(101)
                self.send_header("Connection", "Upgrade")
                self.send_header("Upgrade", "shout")
                self.end_headers()
                self.close_connection = True
                while data := self.connection.recv(65536):
                    self.wfile.write(data.upper())
                    if data.endswith(b"bye"):
                        return None
                outer.ended.set()
                return None

            def stream(self):
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for number in range(3):
                    line = json.dumps({"type": "ADDED", "object": {"metadata": {"name": str(number)}}}).encode() + b"\n"
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                    self.wfile.flush()
                    time.sleep(0.1)
                self.wfile.write(b"0\r\n\r\n")

            def reply(self, code, body):
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        if trusted:
            context.load_verify_locations(cadata=trusted)
            context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bundle(self):
        with open(self.ca, "rb") as file:
            return base64.b64encode(file.read()).decode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class AggregationTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flotilla-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.daemon = Flotillad(os.path.join(self.folder, "plane"))
        self.addCleanup(self.daemon.stop, signal.SIGKILL)
        self.assertTrue(self.daemon.ready(), self.daemon.errors())
        self.client = Client(self.daemon)

    def until(self, holds, seconds=10):
        end = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), end, "did not happen in time")
            time.sleep(0.05)

    def condition(self):
        service = self.client.json("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1.ext.example.com")
        found = [c for c in service.get("status", {}).get("conditions", []) if c["type"] == "Available"]
        return (found[0]["status"], found[0]["reason"], found[0]["message"]) if found else ("", "", "")

    def kubectl(self, *arguments):
        return subprocess.run(["kubectl", *arguments], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "KUBECONFIG": self.daemon.kubeconfig, "HOME": self.folder})

    def test_requests_go_to_the_extension(self):
        client = self.client
        trust = client.json("GET", "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication")["data"]
        self.assertEqual(json.loads(trust["requestheader-username-headers"]), ["X-Remote-User"])
        extension = Extension(self.folder, trust["requestheader-client-ca-file"])
        self.addCleanup(extension.close)
        client.json("POST", "/apis/apiregistration.k8s.io/v1/apiservices", {
            "metadata": {"name": "v1.ext.example.com"}, "spec": {
                "group": "ext.example.com", "version": "v1", "groupPriorityMinimum": 2000, "versionPriority": 10,
                "service": {"namespace": "shop", "name": "ext", "port": extension.port}, "caBundle": extension.bundle()}})
        self.until(lambda: self.condition()[1] == "ServiceNotFound")
        self.assertEqual(self.condition()[2], 'service/ext in "shop" is not present')
        self.assertEqual(client.call("GET", GROUP + "/v1/things"), (503, "service unavailable\n"))
        client.json("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
        client.json("POST", "/api/v1/namespaces/shop/services", {
            "metadata": {"name": "ext"}, "spec": {"type": "ExternalName", "externalName": "127.0.0.1"}})
        self.until(lambda: self.condition()[0] == "True")
        self.assertEqual(self.condition()[1:], ("Passed", "all checks passed"))

        things = client.json("GET", GROUP + "/v1/namespaces/default/things?limit=5")
        self.assertEqual(things["items"][0]["metadata"]["name"], "one")
        path, headers, groups, subject = extension.seen[-1]
        self.assertEqual(path, GROUP + "/v1/namespaces/default/things?limit=5")
        self.assertEqual(headers["X-Remote-User"], client.who(None)["username"])
        self.assertEqual(groups, ["system:masters", "system:authenticated"])
        self.assertNotIn("Authorization", headers)
        self.assertIn((("commonName", "front-proxy-client"),), subject["subject"])
        status, text = client.call("GET", GROUP + "/v1/things?watch=1")
        self.assertEqual((status, len(text.splitlines())), (200, 3))
        self.assertEqual(client.call("GET", GROUP + "/v1/nothing")[0], 404)
        status, text = client.call("GET", GROUP + "/v1/things", headers={"Impersonate-User": "eve"})
        self.assertEqual(status, 403, text)

        groups = {group["name"] for group in client.json("GET", "/apis")["groups"]}
        self.assertIn("ext.example.com", groups)
        self.assertEqual(client.json("GET", GROUP)["preferredVersion"]["version"], "v1")
        self.assertIn("things", self.kubectl("api-resources", "--api-group=ext.example.com").stdout)
        listed = self.kubectl("get", "th", "-n", "default")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn("one", listed.stdout)

        self.documents_are_merged()
        self.upgrades_pass(extension)

        extension.healthy = False
        client.json("PATCH", "/apis/apiregistration.k8s.io/v1/apiservices/v1.ext.example.com", {"metadata": {"labels": {"a": "b"}}},
                    headers={"Content-Type": "application/merge-patch+json"})
        self.until(lambda: self.condition()[1] == "FailedDiscoveryCheck")
        self.assertTrue(self.condition()[2].startswith("failing or missing response from https://ext.shop.svc:"))
        client.json("DELETE", "/apis/apiregistration.k8s.io/v1/apiservices/v1.ext.example.com")
        self.assertEqual(client.call("GET", GROUP + "/v1/things")[0], 404)
        self.assertNotIn("ext.example.com", {group["name"] for group in client.json("GET", "/apis")["groups"]})

    def documents_are_merged(self):
        index = self.client.json("GET", "/openapi/v3")["paths"]
        self.assertEqual(index["apis/ext.example.com/v1"]["serverRelativeURL"], "/openapi/v3/apis/ext.example.com/v1?hash=ABC")
        explained = self.kubectl("explain", "things")
        self.assertIn("A thing of the extension.", explained.stdout, explained.stderr)
        whole = self.client.json("GET", "/openapi/v2")
        self.assertIn("com.example.ext.v1.Thing", whole["definitions"])
        self.assertIn("io.k8s.api.apps.v1.Deployment", whole["definitions"])
        self.assertIn(GROUP + "/v1/namespaces/{namespace}/things", whole["paths"])
        self.assertNotIn("/version/", whole["paths"])

    def raw(self, path):
        """A connection of its own, upgraded as kubectl does it."""
        wire = self.client.admin.wrap_socket(socket.create_connection(("127.0.0.1", self.daemon.port)), server_hostname="localhost")
        self.addCleanup(wire.close)
        wire.settimeout(10)
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += wire.recv(1)
        return wire, head.decode()

    def upgrades_pass(self, extension):
        wire, head = self.raw(GROUP + "/v1/namespaces/default/things/one/exec")
        self.assertTrue(head.startswith("HTTP/1.1 101 "), head)
        self.assertEqual(extension.seen[-1][1]["X-Remote-User"], self.client.who(None)["username"])
        for piece in (b"hello", b"x" * 50000):
            wire.sendall(piece)
            heard = b""
            while len(heard) < len(piece):
                heard += wire.recv(65536)
            self.assertEqual(heard, piece.upper())
        wire.sendall(b"bye")
        self.assertEqual(wire.recv(10), b"BYE")
        self.assertEqual(wire.recv(10), b"")  # the backend's end is ours
        wire, head = self.raw(GROUP + "/v1/namespaces/default/things/one/exec")
        wire.close()
        self.assertTrue(extension.ended.wait(10), "the backend did not see the client go")
        wire, head = self.raw(GROUP + "/v1/namespaces/default/things/forbidden/exec")
        self.assertTrue(head.startswith("HTTP/1.1 403 "), head)

    def test_what_is_served_here_has_api_services(self):
        path = "/apis/apiregistration.k8s.io/v1/apiservices"
        services = {one["metadata"]["name"]: one for one in self.client.json("GET", path)["items"]}
        apps = services["v1.apps"]
        self.assertEqual(apps["spec"], {"group": "apps", "version": "v1", "groupPriorityMinimum": 17800, "versionPriority": 15})
        self.assertEqual(apps["metadata"]["labels"], {"kube-aggregator.kubernetes.io/automanaged": "onstart"})
        condition = apps["status"]["conditions"][0]
        self.assertEqual((condition["type"], condition["status"], condition["reason"], condition["message"]),
                         ("Available", "True", "Local", "Local APIServices are always available"))
        self.assertIn("v1.", services)
        self.assertNotIn("v1.apiregistration.k8s.io", services)
        self.assertIn("Local", self.kubectl("get", "apiservices", "v1alpha1.policy.karmada.io").stdout)

        definition = {"metadata": {"name": "widgets.shop.io"}, "spec": {
            "group": "shop.io", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"}, "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}]}}
        definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        self.client.json("POST", definitions, definition)
        self.until(lambda: self.client.call("GET", path + "/v1.shop.io")[0] == 200)
        made = self.client.json("GET", path + "/v1.shop.io")
        self.assertEqual(made["spec"], {"group": "shop.io", "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 100})
        self.assertEqual(made["metadata"]["labels"], {"kube-aggregator.kubernetes.io/automanaged": "true"})
        self.client.json("DELETE", path + "/v1.shop.io")
        self.until(lambda: self.client.call("GET", path + "/v1.shop.io")[0] == 200)
        self.client.json("DELETE", definitions + "/widgets.shop.io")
        self.until(lambda: self.client.call("GET", path + "/v1.shop.io")[0] == 404)
        self.client.json("DELETE", path + "/v1.batch")
        self.assertEqual(self.client.call("GET", path + "/v1.batch")[0], 404)
        self.assertEqual(self.client.call("GET", "/apis/batch/v1/jobs")[0], 200)

    def test_certificates_are_signed_once_approved(self):
        key, csr = os.path.join(self.folder, "k.pem"), os.path.join(self.folder, "c.pem")
        subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", csr,
                        "-subj", "/O=dev/CN=carol"], check=True, capture_output=True)
        with open(csr, "rb") as file:
            request = base64.b64encode(file.read()).decode()
        path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
        self.client.json("POST", path, {"metadata": {"name": "carol"}, "spec": {
            "request": request, "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"], "expirationSeconds": 3600}})
        self.assertNotIn("certificate", self.client.json("GET", path + "/carol").get("status", {}))
        approved = self.kubectl("certificate", "approve", "carol")
        self.assertEqual(approved.returncode, 0, approved.stderr)
        self.until(lambda: self.client.json("GET", path + "/carol")["status"].get("certificate"))
        pem = os.path.join(self.folder, "signed.pem")
        with open(pem, "wb") as file:
            file.write(base64.b64decode(self.client.json("GET", path + "/carol")["status"]["certificate"]))
        self.client.admin = ssl.create_default_context(cafile=os.path.join(self.daemon.data_dir, "pki", "ca.crt"))
        self.client.admin.load_cert_chain(pem, key)
        who = self.client.who(None)
        self.assertEqual((who["username"], who["groups"]), ("carol", ["dev", "system:authenticated"]))


if __name__ == "__main__":
    unittest.main(verbosity=1)
