# SPDX-License-Identifier: Apache-2.0
"""A member that answers what a scenario says, path by path: for what no server in its right mind does."""
import base64
import hashlib
import http.server
import json
import struct
import threading
import time

NOT_FOUND = {"status": 404, "body": {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}}


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def respond(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        path = self.path.partition("?")[0]
        stub = self.server.stub
        stub.asked.append({"method": self.command, "path": self.path, "body": body.decode("utf-8", "replace")})
        given = stub.answers.get(path, NOT_FOUND)
        if isinstance(given, dict) and "websocket" in given:
            self.converse(given["websocket"])
            return
        if given == "hang":
            while stub.answers.get(path) == "hang" and not stub.ended:
                time.sleep(0.05)
            self.close_connection = True
            return
        if not (isinstance(given, dict) and "status" in given and "body" in given):
            given = {"status": 200, "body": given}
        is_text = isinstance(given["body"], str)
        said = (given["body"] if is_text else json.dumps(given["body"])).encode()
        self.send_response(given["status"])
        self.send_header("Content-Type", "text/plain" if is_text else "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def converse(self, talk):
        """exec and attach: `out` and `err`, then what comes on standard input until it ends, then `exit`."""
        self.close_connection = True
        accept = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
        self.send_header("Sec-WebSocket-Protocol", "v5.channel.k8s.io")
        self.end_headers()
        self.say(1, talk.get("out", "").encode())
        self.say(2, talk.get("err", "").encode())
        while "stdin=true" in self.path:
            message = self.hear()
            if message[:1] in (b"", b"\xff"):
                break
            if message[:1] == b"\x00":
                self.say(1, message[1:])
        code = talk.get("exit", 0)
        self.say(3, json.dumps({"status": "Success"} if code == 0 else
                               {"status": "Failure", "reason": "NonZeroExitCode", "message": f"exit code {code}",
                                "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}).encode())
        self.wfile.write(b"\x88\x02\x03\xe8")
        self.wfile.flush()

    def say(self, channel, payload):
        payload = bytes([channel]) + payload
        size = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + struct.pack(">H", len(payload))
        self.wfile.write(b"\x82" + size + payload)
        self.wfile.flush()

    def hear(self):
        head = self.rfile.read(2)
        if len(head) < 2 or head[0] & 0x0f == 8:
            return b""
        size = head[1] & 0x7f
        if size == 126:
            size = struct.unpack(">H", self.rfile.read(2))[0]
        mask, payload = self.rfile.read(4), self.rfile.read(size)
        return bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond

    def log_message(self, *_):
        pass


class Stub:
    def __init__(self, name, answers):
        self.name, self.answers, self.asked = name, dict(answers), []
        self.serving = None
        self.ended = False
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.server.daemon_threads = True
        self.server.stub = self

    def start(self, plane):
        """Serves, and joins by hand: a secret and a Cluster that names it."""
        self.serving = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.serving.start()
        plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "karmada-cluster"}})
        for name in (self.name, self.name + "-impersonator"):
            plane.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "karmada-cluster"},
                         "stringData": {"token": "anybody"}})
        plane.apply({"apiVersion": "cluster.karmada.io/v1alpha1", "kind": "Cluster", "metadata": {"name": self.name},
                     "spec": {"syncMode": "Push", "insecureSkipTLSVerification": True, "apiEndpoint": f"http://127.0.0.1:{self.server.server_port}",
                              "secretRef": {"namespace": "karmada-cluster", "name": self.name},
                              "impersonatorSecretRef": {"namespace": "karmada-cluster", "name": self.name + "-impersonator"}}})

    def stop(self):
        self.ended = True
        if self.serving is not None:
            self.server.shutdown()
        self.server.server_close()
