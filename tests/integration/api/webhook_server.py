# SPDX-License-Identifier: Apache-2.0
"""A real HTTPS admission webhook for tests: what it answers is a Python function per path."""
import base64
import http.server
import json
import os
import ssl
import subprocess
import threading


def make_certificates(directory, *names):
    """A CA and a server certificate for 127.0.0.1 and `names`. Returns the paths: ca, certificate, key."""
    ca_key, ca = os.path.join(directory, "wh-ca.key"), os.path.join(directory, "wh-ca.pem")
    key, csr, pem = (os.path.join(directory, "wh." + end) for end in ("key", "csr", "pem"))
    ext = os.path.join(directory, "wh.ext")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", ca_key, "-out", ca,
            "-days", "2", "-subj", "/CN=webhook-ca")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", csr, "-subj",
            "/CN=webhook")
    with open(ext, "w") as file:
        file.write("subjectAltName=IP:127.0.0.1,DNS:localhost" + "".join(",DNS:" + name for name in names))
    openssl("x509", "-req", "-in", csr, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", pem, "-days", "2",
            "-extfile", ext)
    return ca, pem, key


class WebhookServer:
    """server.on("/path", function): function(request) -> dict that goes into response, or bytes/int sent as they are."""

    def __init__(self, directory, *names):
        self.ca, pem, key = make_certificates(directory, *names)
        self.handlers, self.seen, self.connections = {}, [], 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                outer.connections += 1
                super().setup()

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path, _, query = self.path.partition("?")
                outer.seen.append((path, query, body))
                answer = outer.handlers[path](body["request"])
                if isinstance(answer, int):
                    return self.reply(answer, b"broken on purpose")
                if isinstance(answer, bytes):
                    return self.reply(200, answer)
                review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                          "response": {"uid": body["request"]["uid"], **answer}}
                return self.reply(200, json.dumps(review).encode())

            def reply(self, code, data):
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
                pass  # a caller that gave up

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def on(self, path, handler):
        self.handlers[path] = handler

    def requests(self, path):
        return [body["request"] for seen, _, body in self.seen if seen == path]

    def ca_bundle(self):
        with open(self.ca, "rb") as file:
            return base64.b64encode(file.read()).decode()

    def configuration(self, mutating, name, path, resources, operations=("CREATE",), groups=("",), service=None, versions=("*",), **extra):
        client = {"caBundle": self.ca_bundle()}
        if service:
            client["service"] = {"namespace": service[0], "name": service[1], "path": path, "port": service[2]}
        else:
            client["url"] = f"https://127.0.0.1:{self.port}{path}"
        webhook = {"name": name, "clientConfig": client, "admissionReviewVersions": ["v1"], "sideEffects": "None",
                   "rules": [{"apiGroups": list(groups), "apiVersions": list(versions), "operations": list(operations),
                              "resources": list(resources)}], **extra}
        kind = "MutatingWebhookConfiguration" if mutating else "ValidatingWebhookConfiguration"
        return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
                "metadata": {"name": name.replace(".", "-")}, "webhooks": [webhook]}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def patch(*operations):
    """The part of a response that carries a JSON patch."""
    return {"allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(operations).encode()).decode()}
