#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that mean no good, or are too many: hostile_test.py API_HARNESS BIN. Every one gets an exact answer or is cut
off; memory stays bounded and the next honest request is served."""
import base64
import json
import os
import re
import resource
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

from harness import Harness, config_map

BIN = sys.argv.pop(2)
PROGRAM = sys.argv.pop(1)


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def read_all(sock):
    data = b""
    try:
        while block := sock.recv(65536):
            data += block
    except (ssl.SSLError, ConnectionError):
        pass
    return data


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        cls.server = Harness(PROGRAM)
        cls.server.request("POST", "/api/v1/namespaces", {"metadata": {"name": "h"}})

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def tearDown(self):
        self.assertEqual(self.server.request("GET", "/api/v1/namespaces/h")[0], 200)

    def raw(self):
        sock = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
        return self.server.tls().wrap_socket(sock, server_hostname="127.0.0.1")

    def exchange(self, data):
        with self.raw() as sock:
            sock.sendall(data)
            return read_all(sock)

    def test_a_body_over_three_megabytes(self):
        status, answer = self.server.request("POST", "/api/v1/namespaces/h/configmaps", config_map("big", {"x": "x" * (3 << 20)}))
        self.assertEqual((status, answer["reason"], answer["code"]), (413, "RequestEntityTooLarge", 413))
        self.assertEqual(answer["message"], "Request entity too large: limit is 3145728")

    def test_a_head_that_is_too_large(self):
        self.assertTrue(self.exchange(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200_000 + b"\r\n\r\n").startswith(b"HTTP/1.1 431 "))
        many = b"".join(b"X%d: x\r\n" % i for i in range(3000))
        self.assertTrue(self.exchange(b"GET / HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n").startswith(b"HTTP/1.1 431 "))

    def test_garbage_in_a_pipeline(self):
        answer = self.exchange(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + b"\x00\xff garbage\r\n\r\n")
        self.assertEqual(answer.count(b"HTTP/1.1 200 OK"), 3)
        self.assertEqual(answer.count(b"HTTP/1.1 400 Bad Request"), 1)

    def test_lengths_that_contradict_each_other(self):
        for head in (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n",
                     b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"):
            answer = self.exchange(b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\n" + head + b"\r\nab")
            self.assertRegex(answer[:12].decode(), "^HTTP/1.1 4..$")

    def test_bodies_that_are_none(self):
        cases = {
            b"{": 400, b"": 400, b"[]": 400, b"\xff\xfe": 400, b'{"metadata": {"name": "\xff"}}': 400, b"null": 422, b'"x"': 400,
            b'{"metadata": 5}': 400, b'{"metadata": {"name": ["a"]}}': 400, b"[" * 100_000: 400, b'{"a":' * 20_000: 400,
        }
        for body, wanted in cases.items():
            status, answer = self.server.request("POST", "/api/v1/namespaces/h/configmaps?dryRun=All", body)
            self.assertEqual(status, wanted, (body[:40], answer))
            self.assertEqual(answer["kind"], "Status", (body[:40], answer))

    def test_yaml_bombs(self):
        bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(12))
        for body in (bomb.encode(), b',listeiste\x8a:0en: ":":n:0en: ":":', b"[" * 50_000, b"- " * 50_000):
            status, answer = self.server.request("POST", "/api/v1/namespaces/h/configmaps", body, {"Content-Type": "application/yaml"})
            self.assertEqual((status, answer["kind"]), (400, "Status"), body[:20])

    def test_selectors_and_tokens_that_are_none(self):
        path = "/api/v1/namespaces/h/configmaps?"
        for query in ("labelSelector=a%20in%20(", "labelSelector=%FF%FE", "labelSelector=" + "!" * 20_000, "fieldSelector=a",
                      "fieldSelector=spec.x%3D1", "continue=!!!", "continue=" + base64.urlsafe_b64encode(b'{"v":"meta.k8s.io/v1","rv":1,'
                      b'"start":"../../secrets\\u0000"}').decode().rstrip("="), "limit=x", "continue=" + "A" * 20_000):
            status, answer = self.server.request("GET", path + query)
            self.assertEqual((status, answer["kind"]), (400, "Status"), query[:40])
        status, answer = self.server.request("GET", path + "continue=" + base64.urlsafe_b64encode(
            b'{"v":"meta.k8s.io/v1","rv":0,"start":"a\\u0000"}').decode().rstrip("="))
        self.assertEqual(answer["message"], "invalid continue token: continue key is not valid: incorrect encoded start "
                         "resourceVersion (version meta.k8s.io/v1)")

    def test_patches_that_are_none(self):
        self.server.request("POST", "/api/v1/namespaces/h/configmaps", config_map("p", {"a": "b"}))
        deep = b'{"data":' * 2000 + b"1" + b"}" * 2000
        for kind in ("json-patch", "merge-patch", "strategic-merge-patch"):
            for body in (b"", b"{", b"5", b'"x"', deep, b'[{"op":"nothing"}]', b'[{"op":"copy","from":"/","path":"/a"}]' * 2, b"\xff"):
                status, answer = self.server.request("PATCH", "/api/v1/namespaces/h/configmaps/p", body,
                                                     {"Content-Type": f"application/{kind}+json"})
                self.assertIn(status, range(400, 501), (kind, body[:30]))
                self.assertEqual(answer["kind"], "Status", (kind, body[:30]))
        many = json.dumps([{"op": "add", "path": "/data/x", "value": "y"}] * 10_001)
        status, _ = self.server.request("PATCH", "/api/v1/namespaces/h/configmaps/p", many, {"Content-Type": "application/json-patch+json"})
        self.assertEqual(status, 413)

    def test_a_thousand_idle_connections_are_cheap(self):
        pid = self.server.process.pid
        count = 1000
        context = self.server.tls()
        before = resident(pid)
        idle = []
        try:
            for _ in range(count):
                sock = context.wrap_socket(socket.create_connection(("127.0.0.1", self.server.port), timeout=20), server_hostname="127.0.0.1")
                sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(b"200 OK", sock.recv(4096))
                idle.append(sock)
            each = (resident(pid) - before) / count
            print(f"memory of an idle TLS connection: {each / 1024:.1f} KiB")
            self.assertLess(each, 64 << 10)
            self.assertEqual(self.server.request("GET", "/livez")[0], 200)
        finally:
            for sock in idle:
                sock.close()

    def test_watchers_that_do_not_read(self):
        """One writes large objects while others do not read what they watch: they cost a bounded amount, and go."""
        pid = self.server.process.pid
        slow = []
        for _ in range(20):
            sock = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock = self.server.tls().wrap_socket(sock, server_hostname="127.0.0.1")
            sock.sendall(b"GET /api/v1/namespaces/h/configmaps?watch=true&resourceVersion=0 HTTP/1.1\r\nHost: x\r\n\r\n")
            slow.append(sock)
        self.server.request("POST", "/api/v1/namespaces/h/configmaps", config_map("large"))
        before = resident(pid)
        connection = self.server.connection()
        for i in range(200):
            connection.request("PUT", "/api/v1/namespaces/h/configmaps/large", json.dumps(config_map("large", {"x": str(i % 10) * 500_000})),
                               {"Content-Type": "application/json"})
            self.assertEqual(connection.getresponse().read()[:1], b"{")
        grown = resident(pid) - before
        print(f"20 watchers that do not read 100 MB of events cost {grown >> 20} MiB")
        self.assertLess(grown, 300 << 20)
        for sock in slow:
            sock.close()

    def test_half_a_handshake(self):
        socks = [socket.create_connection(("127.0.0.1", self.server.port), timeout=20) for _ in range(50)]
        for sock in socks:
            sock.sendall(b"\x16\x03\x01\x02\x00\x01")
        self.assertEqual(self.server.request("GET", "/livez")[0], 200)
        for sock in socks:
            sock.close()

    def test_many_writers_and_watchers_at_once(self):
        """A storm: everybody gets every event once, in order."""
        watchers, seen = 50, [[] for _ in range(50)]
        listed = self.server.request("GET", "/api/v1/namespaces/h/secrets")[1]["metadata"]["resourceVersion"]

        def watch(index):
            connection = self.server.connection()
            connection.request("GET", f"/api/v1/namespaces/h/secrets?watch=true&resourceVersion={listed}&timeoutSeconds=8")
            for line in connection.getresponse():
                event = json.loads(line)
                seen[index].append(int(event["object"]["metadata"]["resourceVersion"]))
            connection.close()

        threads = [threading.Thread(target=watch, args=(i,)) for i in range(watchers)]
        for thread in threads:
            thread.start()
        connection = self.server.connection()
        for i in range(100):
            connection.request("POST", "/api/v1/namespaces/h/secrets", json.dumps({"metadata": {"name": f"s-{i}"}}),
                               {"Content-Type": "application/json"})
            connection.getresponse().read()
        connection.close()
        for thread in threads:
            thread.join()
        for events in seen:
            self.assertEqual(len(events), 100)
            self.assertEqual(events, sorted(set(events)))

    @unittest.skipUnless(shutil.which("curl"), "needs curl")
    def test_http2_and_compression(self):
        def curl(*arguments):
            d = self.server.directory
            return subprocess.run(["curl", "-s", "--cacert", f"{d}/ca.pem", "--cert", f"{d}/admin.pem", "--key", f"{d}/admin.key", *arguments],
                                  capture_output=True, timeout=60, check=True).stdout
        self.assertEqual(curl("--http2", "-o", "/dev/null", "-w", "%{http_version}", f"{self.server.url}/livez"), b"2")
        self.assertEqual(curl("--http1.1", "-o", "/dev/null", "-w", "%{http_version}", f"{self.server.url}/livez"), b"1.1")
        for i in range(30):
            self.server.request("POST", "/api/v1/namespaces/h/configmaps", config_map(f"gz-{i}", {"x": "abc" * 5000}, {"gz": "yes"}))
        for version in ("--http2", "--http1.1"):
            url = f"{self.server.url}/api/v1/namespaces/h/configmaps?labelSelector=gz"
            head = curl(version, "-H", "Accept-Encoding: gzip", "-D", "-", "-o", "/dev/null", url).decode().lower()
            self.assertIn("content-encoding: gzip", head)
            self.assertIn("vary: accept-encoding", head)
            plain = curl(version, "-A", "x", url)
            self.assertEqual(json.loads(curl(version, "-A", "x", "--compressed", url)), json.loads(plain))
            small = curl(version, "-H", "Accept-Encoding: gzip", "-D", "-", "-o", "/dev/null", f"{self.server.url}/version").decode().lower()
            self.assertNotIn("content-encoding", small)

    def test_lists_of_every_size_come_to_their_end(self):
        """Gathered in one piece, gathered beyond a block, streamed: each boundary is crossed on the way."""
        path = "/api/v1/namespaces/h/configmaps"
        for count in range(1, 13):
            body = config_map(f"sized-{count}", {"x": "x" * (30 << 10)})
            self.assertEqual(self.server.request("POST", path, body)[0], 201)
            status, answer = self.server.request("GET", path)
            self.assertEqual(status, 200)
            names = [item["metadata"]["name"] for item in answer["items"] if item["metadata"]["name"].startswith("sized-")]
            self.assertEqual(len(names), count)

    def test_watch_over_a_websocket(self):
        for protocol in ("", "base64.binary.k8s.io"):
            with self.raw() as sock:
                wanted = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
                sock.sendall(("GET /api/v1/namespaces/h/services?watch=true&timeoutSeconds=3 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              + wanted + "\r\n").encode())
                head = b""
                while b"\r\n\r\n" not in head:
                    head += sock.recv(1)
                self.assertTrue(head.startswith(b"HTTP/1.1 101 "), head)
                self.assertIn(b"s3pplmbitxaq9kygzzhzrbk+xoo=", head.lower())
                name = "ws" + protocol.split(".")[0]
                self.server.request("POST", "/api/v1/namespaces/h/services", {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}})
                events = []
                while not any(name == event["object"]["metadata"]["name"] for event in events):
                    first, length = sock.recv(1)[0], sock.recv(1)[0]
                    self.assertIn(first, (0x81,))
                    if length == 126:
                        length = int.from_bytes(sock.recv(2), "big")
                    text = b""
                    while len(text) < length:
                        text += sock.recv(length - len(text))
                    events.append(json.loads(base64.b64decode(text) if protocol else text))
                self.assertEqual(events[-1]["type"], "ADDED")

    @unittest.skipUnless(os.path.exists(f"{BIN}/flotillad"), "needs flotillad")
    def test_sigterm_ends_watches_at_once_and_the_socket_knows_its_peer(self):
        with tempfile.TemporaryDirectory() as directory:
            daemon = subprocess.Popen([f"{BIN}/flotillad", "--data-dir", directory, "--listen", "127.0.0.1:0", "--set", "log.level=error"],
                                      stdout=subprocess.PIPE, text=True)
            try:
                self.assertRegex(daemon.stdout.readline(), "^ready ")
                local = ["curl", "-sN", "-A", "x", "--unix-socket", f"{directory}/admin.sock"]
                status = subprocess.run([*local, "-o", "/dev/null", "-w", "%{http_code}", "http://x/api/v1/secrets"], capture_output=True,
                                        timeout=20, check=True).stdout
                self.assertEqual(status, b"200")  # what anonymous requests may not read
                self.assertEqual(os.stat(f"{directory}/admin.sock").st_mode & 0o777, 0o600)
                watches = [subprocess.Popen([*local, "http://x/api/v1/namespaces?watch=true"], stdout=subprocess.PIPE) for _ in range(5)]
                for one in watches:
                    self.assertIn(b"ADDED", one.stdout.readline())
                began = time.monotonic()
                daemon.send_signal(signal.SIGTERM)
                self.assertEqual(daemon.wait(10), 0)
                took = time.monotonic() - began
                print(f"SIGTERM to exit with open watches: {took * 1000:.0f} ms")
                self.assertLess(took, 1)
                for one in watches:
                    self.assertEqual(one.wait(5), 0)  # an orderly end, not a cut
                    one.stdout.close()
                daemon.stdout.close()
            finally:
                daemon.kill()
                daemon.wait()


if __name__ == "__main__":
    unittest.main()
