# SPDX-License-Identifier: Apache-2.0
"""A member's API through the control plane: what a simulated member does not do: cluster_proxy_test.py BIN_DIRECTORY."""
import base64
import os
import shutil
import signal
import socket
import ssl
import tempfile
import threading
import time
import unittest

from aggregation_test import Extension, make_certificates
from programs import Flotillad
from security_test import Client

PROXY = "/apis/cluster.karmada.io/v1alpha1/clusters/far/proxy"


def secret_value(text):
    return base64.b64encode(text.encode()).decode()


class Tunnel:
    """A proxy that remembers what it was asked: CONNECT, within TLS or not, or SOCKS 5."""

    def __init__(self, tls=None, socks=False, login=None):
        self.heads, self.tls, self.socks, self.login = [], tls, socks, login
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            if self.tls is not None:
                client = self.tls.wrap_socket(client, server_side=True)
            target = self.greet_socks(client) if self.socks else self.read_connect(client)
        except OSError:
            return
        if target is None:
            client.close()
            return
        backend = socket.create_connection(target)
        client.sendall(b"\x05\0\0\x01\x7f\0\0\x01\x04\x38" if self.socks else b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=self.copy, args=(backend, client), daemon=True).start()
        self.copy(client, backend)

    def read_connect(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1)
        self.heads.append(head.decode())
        host, port = head.split()[1].decode().rsplit(":", 1)
        return host, int(port)

    @staticmethod
    def exactly(client, count):
        data = b""
        while len(data) < count:
            more = client.recv(count - len(data))
            if not more:
                raise OSError("the client hung up")
            data += more
        return data

    def greet_socks(self, client):
        version, count = self.exactly(client, 2)
        methods = self.exactly(client, count)
        assert version == 5
        if self.login is not None:
            if 2 not in methods:
                client.sendall(b"\x05\xff")
                return None
            client.sendall(b"\x05\x02")
            _, size = self.exactly(client, 2)
            user = self.exactly(client, size)
            said = (user.decode(), self.exactly(client, self.exactly(client, 1)[0]).decode())
            client.sendall(b"\x01\x00" if said == self.login else b"\x01\x01")
            if said != self.login:
                return None
        else:
            client.sendall(b"\x05\x00")
        kind = self.exactly(client, 4)
        assert kind == b"\x05\x01\x00\x03", kind
        host = self.exactly(client, self.exactly(client, 1)[0]).decode()
        port = int.from_bytes(self.exactly(client, 2), "big")
        self.heads.append(f"{host}:{port}")
        return host, port

    @staticmethod
    def copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class ClusterProxyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flotilla-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.daemon = Flotillad(os.path.join(self.folder, "plane"))
        self.addCleanup(self.daemon.stop, signal.SIGKILL)
        self.assertTrue(self.daemon.ready(), self.daemon.errors())
        self.client = Client(self.daemon)
        self.member = Extension(self.folder)
        self.addCleanup(self.member.close)
        secrets = "/api/v1/namespaces/default/secrets"
        self.client.json("POST", secrets, {"metadata": {"name": "far"}, "data": {
            "caBundle": self.member.bundle(), "token": secret_value("own")}})
        self.client.json("POST", secrets, {"metadata": {"name": "far-impersonator"}, "data": {"token": secret_value("imp")}})
        self.spec = {"syncMode": "Push", "apiEndpoint": f"https://127.0.0.1:{self.member.port}/apis",
                     "secretRef": {"namespace": "default", "name": "far"},
                     "impersonatorSecretRef": {"namespace": "default", "name": "far-impersonator"}}
        self.client.json("POST", "/apis/cluster.karmada.io/v1alpha1/clusters", {"metadata": {"name": "far"}, "spec": self.spec})

    def change(self, spec):
        self.client.json("PATCH", "/apis/cluster.karmada.io/v1alpha1/clusters/far", {"spec": spec},
                         headers={"Content-Type": "application/merge-patch+json"})

    def last(self, path):
        """(path, headers, groups) of the last request that our proxy sent there."""
        return [(one[0], one[1], one[3]) for one in self.member.seen if one[0].startswith(path)][-1]

    def test_a_request_goes_as_its_user(self):
        things = "/ext.example.com/v1/namespaces/default/things?limit=5&labelSelector=a%3Db%2Cc"
        status, text = self.client.call("GET", PROXY + things, headers={
            "Impersonate-User": "jane", "Impersonate-Group": "system:masters", "Impersonate-Extra-Scopes": "all", "X-Remote-User": "eve"})
        self.assertEqual(status, 200, text)
        path, headers, _ = self.last("/apis/ext")
        self.assertEqual(path, "/apis" + things)
        self.assertEqual((headers["Impersonate-User"], headers["Impersonate-Group"]), ("jane", "system:masters"))
        self.assertEqual(headers["Authorization"], "bearer imp")
        self.assertNotIn("X-Remote-User", headers)
        self.assertNotIn("Impersonate-Extra-Scopes", headers)
        self.assertEqual(headers["Host"], f"127.0.0.1:{self.member.port}")
        self.assertEqual(self.client.call("GET", PROXY + "/ext.example.com/nothing")[0], 404)

    def test_answers_stream_and_connections_are_upgraded(self):
        status, text = self.client.call("GET", PROXY + "/ext.example.com/v1/things?watch=1")
        self.assertEqual((status, len(text.splitlines())), (200, 3))
        wire, head = self.upgrade("/ext.example.com/v1/namespaces/default/pods/p/exec?command=sh&command=-c")
        self.assertTrue(head.startswith("HTTP/1.1 101 "), head)
        path, headers, _ = self.last("/apis/ext.example.com/v1/namespaces")
        self.assertTrue(path.endswith("?command=sh&command=-c"), path)
        self.assertEqual((headers["Impersonate-User"], headers["Authorization"]), ("admin", "bearer imp"))
        wire.sendall(b"hello")
        self.assertEqual(wire.recv(100), b"HELLO")
        wire.sendall(b"bye")
        self.assertEqual(wire.recv(10), b"BYE")
        self.assertEqual(wire.recv(10), b"")
        _, head = self.upgrade("/ext.example.com/v1/forbidden")
        self.assertTrue(head.startswith("HTTP/1.1 403 "), head)

    def upgrade(self, path):
        wire = self.client.admin.wrap_socket(socket.create_connection(("127.0.0.1", self.daemon.port)), server_hostname="localhost")
        self.addCleanup(wire.close)
        wire.settimeout(10)
        wire.sendall(f"GET {PROXY}{path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += wire.recv(1)
        return wire, head.decode()

    def test_the_member_has_to_be_the_one_that_is_meant(self):
        with open(os.path.join(self.daemon.data_dir, "pki", "ca.crt"), encoding="utf-8") as file:
            other = secret_value(file.read())
        self.client.json("PATCH", "/api/v1/namespaces/default/secrets/far", {"data": {"caBundle": other}},
                         headers={"Content-Type": "application/merge-patch+json"})
        status, text = self.client.call("GET", PROXY + "/ext.example.com/v1")
        self.assertEqual(status, 503, text)
        self.assertIn("certificate", text)
        self.change({"insecureSkipTLSVerification": True})
        self.assertEqual(self.client.call("GET", PROXY + "/ext.example.com/v1")[0], 200)

    def test_a_proxy_on_the_way_is_told_its_headers(self):
        tunnel = Tunnel()
        self.addCleanup(tunnel.listener.close)
        self.change({"proxyURL": f"http://127.0.0.1:{tunnel.port}", "proxyHeader": {"X-Tenant": "a,b"}})
        self.assertEqual(self.client.call("GET", PROXY + "/ext.example.com/v1")[0], 200)
        asked = [head for head in tunnel.heads if "X-Tenant" in head][-1]
        self.assertTrue(asked.startswith(f"CONNECT 127.0.0.1:{self.member.port} "), asked)
        self.assertIn("X-Tenant: a\r\nX-Tenant: b\r\n", asked)

    def tls_tunnel(self, pem, key):
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(pem, key)
        tunnel = Tunnel(tls=tls)
        self.addCleanup(tunnel.listener.close)
        return tunnel

    def test_a_proxy_may_speak_tls(self):
        folder = os.path.join(self.folder, "tls")
        os.makedirs(folder)
        _, pem, key = make_certificates(folder, "localhost")
        stranger = self.tls_tunnel(pem, key)
        self.change({"proxyURL": f"https://localhost:{stranger.port}"})
        status, text = self.client.call("GET", PROXY + "/ext.example.com/v1")
        self.assertEqual(status, 503, text)
        self.assertIn("certificate of proxy localhost", text)
        # Trusted as the member is.
        tunnel = self.tls_tunnel(os.path.join(self.folder, "wh.pem"), os.path.join(self.folder, "wh.key"))
        self.change({"proxyURL": f"https://localhost:{tunnel.port}"})
        status, text = self.client.call("GET", PROXY + "/ext.example.com/v1")
        self.assertEqual(status, 200, text)
        self.assertTrue(tunnel.heads[-1].startswith(f"CONNECT 127.0.0.1:{self.member.port} "), tunnel.heads)
        # More than a record each way, piece by piece.
        status, text = self.client.call("GET", PROXY + "/ext.example.com/v1/things?watch=1")
        self.assertEqual((status, len(text.splitlines())), (200, 3))
        wire, head = self.upgrade("/ext.example.com/v1/namespaces/default/pods/p/exec?command=sh")
        self.assertTrue(head.startswith("HTTP/1.1 101 "), head)
        wire.sendall(b"x" * 100000)
        heard = 0
        while heard < 100000:
            heard += len(wire.recv(65536))

    def test_a_proxy_may_speak_socks(self):
        tunnel = Tunnel(socks=True)
        self.addCleanup(tunnel.listener.close)
        self.change({"proxyURL": f"socks5://127.0.0.1:{tunnel.port}"})
        status, text = self.client.call("GET", PROXY + "/ext.example.com/v1")
        self.assertEqual(status, 200, text)
        self.assertEqual(tunnel.heads[-1], f"127.0.0.1:{self.member.port}")
        private = Tunnel(socks=True, login=("joe", "secret"))
        self.addCleanup(private.listener.close)
        self.change({"proxyURL": f"socks5://joe:secret@127.0.0.1:{private.port}"})
        self.assertEqual(self.client.call("GET", PROXY + "/ext.example.com/v1")[0], 200)
        self.change({"proxyURL": f"socks5://joe:wrong@127.0.0.1:{private.port}"})
        status, text = self.client.call("GET", PROXY + "/ext.example.com/v1")
        self.assertEqual(status, 503, text)
        self.assertIn("it refuses this user and password", text)

    def test_the_driver_goes_the_same_way(self):
        tunnel = Tunnel(socks=True)
        self.addCleanup(tunnel.listener.close)
        self.change({"proxyURL": f"socks5://127.0.0.1:{tunnel.port}"})
        until = time.monotonic() + 20
        while not tunnel.heads and time.monotonic() < until:
            time.sleep(0.05)
        self.assertEqual(tunnel.heads[:1], [f"127.0.0.1:{self.member.port}"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
