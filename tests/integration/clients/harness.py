# SPDX-License-Identifier: Apache-2.0
"""An API server for one test program, and what every client needs to reach it."""
import http.client
import json
import os
import ssl
import subprocess
import tempfile


class Harness:
    """api_harness in a folder of its own: with Harness(program, "--controllers") as server."""

    def __init__(self, program, *flags):
        self.folder = tempfile.TemporaryDirectory()
        self.directory = self.folder.name
        self.process = subprocess.Popen([program, self.directory, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().split()
        if line[:1] != ["ready"]:
            raise AssertionError(f"api_harness did not start: {line}")
        self.url = line[1]
        self.port = int(self.url.rsplit(":", 1)[1])
        self.kubeconfig = f"{self.directory}/kubeconfig"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        code = self.process.wait(30)
        self.process.stdout.close()
        self.folder.cleanup()
        if code != 0:
            raise AssertionError(f"api_harness ended with {code}")

    def tls(self):
        context = ssl.create_default_context(cafile=f"{self.directory}/ca.pem")
        context.load_cert_chain(f"{self.directory}/admin.pem", f"{self.directory}/admin.key")
        return context

    def connection(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls(), timeout=30)

    def request(self, method, path, body=None, headers=None):
        """Status and parsed answer, on a connection of its own."""
        connection = self.connection()
        try:
            data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
            sent = {"Content-Type": "application/json"} if data is not None else {}
            connection.request(method, path, data, {**sent, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read()
            try:
                return answer.status, json.loads(text)
            except ValueError:
                return answer.status, text.decode(errors="replace")
        finally:
            connection.close()

    def environment(self):
        return {**os.environ, "KUBECONFIG": self.kubeconfig, "HOME": self.directory}


def config_map(name, data=None, labels=None):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels or {}}, "data": data or {}}
