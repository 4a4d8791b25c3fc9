# SPDX-License-Identifier: Apache-2.0
"""Starts the API harness and speaks to it over HTTPS with nothing but the standard library."""
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

HARNESS = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "build/dev/tests/api_harness"


class Answer:
    def __init__(self, code, headers, body):
        self.code, self.headers, self.text = code, headers, body.decode()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def message(self):
        return self.json.get("message", "")

    @property
    def warnings(self):
        return self.headers.get_all("Warning") or []


class ApiTest(unittest.TestCase):
    """One server for the whole class; `flags` go to it."""
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="flotilla-api-")
        cls.process = subprocess.Popen([HARNESS, cls.directory, *cls.flags], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        line = cls.process.stdout.readline().split()
        assert line and line[0] == "ready", line
        cls.url = line[1]
        cls.context = ssl.create_default_context(cafile=f"{cls.directory}/ca.pem")
        cls.admin = ssl.create_default_context(cafile=f"{cls.directory}/ca.pem")
        cls.admin.load_cert_chain(f"{cls.directory}/admin.pem", f"{cls.directory}/admin.key")

    @classmethod
    def tearDownClass(cls):
        cls.process.stdin.close()
        code = cls.process.wait(20)
        cls.process.stdout.close()
        shutil.rmtree(cls.directory, ignore_errors=True)
        assert code == 0, code

    def call(self, method, path, body=None, headers=None, admin=True, content_type="application/json"):
        data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=dict(headers or {}))
        if data is not None:
            request.add_header("Content-Type", content_type)
        try:
            with urllib.request.urlopen(request, context=self.admin if admin else self.context, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def create(self, path, body, code=201, **options):
        answer = self.call("POST", path, body, **options)
        self.assertEqual(answer.code, code, answer.text)
        return answer

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def namespace(self, name, **labels):
        self.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        return f"/api/v1/namespaces/{name}"

    def kubectl(self, *arguments, stdin=None):
        env = {**os.environ, "KUBECONFIG": f"{self.directory}/kubeconfig", "HOME": self.directory}
        return subprocess.run(["kubectl", *arguments], input=stdin, capture_output=True, text=True, env=env, timeout=60,
                              check=False)


def pod(name, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"containers": [{"name": "c", "image": "nginx"}], **spec}}


def config_map(name, labels=None, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels or {}}, "data": data}
