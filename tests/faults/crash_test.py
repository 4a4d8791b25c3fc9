# SPDX-License-Identifier: Apache-2.0
"""kill -9 of a flotillad under load, at random points, on one data directory: every write that was answered is there
afterwards with the content that was answered last, and nothing is there that was never sent. The seed is printed."""
import base64
import http.client
import json
import os
import random
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "integration", "daemon"))
from programs import Flotillad  # noqa: E402

SEED = int(os.environ.get("FLOTILLA_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = int(os.environ.get("FLOTILLA_CRASHES", "8"))
WRITERS = 4
PATH = "/api/v1/namespaces/default/configmaps"


class Client:
    """One connection of the administrator."""

    def __init__(self, kubeconfig):
        config = json.loads(subprocess.run(["kubectl", "--kubeconfig", kubeconfig, "config", "view", "--raw", "-o", "json"],
                                           capture_output=True, check=True, timeout=60).stdout)
        user = config["users"][0]["user"]
        cluster = config["clusters"][0]["cluster"]
        self.address = cluster["server"].removeprefix("https://")
        self.context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        with tempfile.NamedTemporaryFile() as pem:
            pem.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
            pem.flush()
            self.context.load_cert_chain(pem.name)
        self.connection = http.client.HTTPSConnection(self.address, context=self.context, timeout=20)

    def request(self, method, path, body=None):
        self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")


class Writer(threading.Thread):
    """Creates and overwrites objects of its own until the connection breaks; remembers what was answered."""

    def __init__(self, kubeconfig, number, round_number):
        super().__init__()
        self.kubeconfig, self.number, self.round = kubeconfig, number, round_number
        self.answered = {}   # name -> the last value that was answered
        self.pending = None  # (name, value) sent but not answered
        self.trouble = None

    def run(self):
        try:
            client = Client(self.kubeconfig)
            for i in range(1_000_000):
                name, value = f"w{self.number}-r{self.round}-{i // 2}", str(i)
                body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}}
                self.pending = (name, value)
                if i % 2 == 0:
                    status, answer = client.request("POST", PATH, body)
                else:
                    status, answer = client.request("PUT", f"{PATH}/{name}", body)
                if status not in (200, 201):
                    self.trouble = f"{status}: {answer}"
                    return
                self.answered[name] = value
                self.pending = None
        except (OSError, http.client.HTTPException):
            pass  # the kill


class CrashTest(unittest.TestCase):
    def test_every_answered_write_survives(self):
        print(f"seed {SEED} (FLOTILLA_SEED), {ROUNDS} crashes (FLOTILLA_CRASHES)", file=sys.stderr)
        chance = random.Random(SEED)
        folder = tempfile.mkdtemp(prefix="flotilla-crash-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        expected, maybe, total = {}, {}, 0
        for round_number in range(ROUNDS):
            daemon = Flotillad(os.path.join(folder, "plane"))
            self.addCleanup(lambda d=daemon: d.process.poll() is None and d.stop(signal.SIGKILL))
            self.assertTrue(daemon.ready(), daemon.errors() if daemon.process.poll() is not None else "not ready")
            self.check(daemon.kubeconfig, expected, maybe)
            writers = [Writer(daemon.kubeconfig, n, round_number) for n in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(chance.uniform(0.05, 0.6))
            daemon.stop(signal.SIGKILL)
            maybe = {}
            for writer in writers:
                writer.join(30)
                self.assertFalse(writer.is_alive())
                self.assertIsNone(writer.trouble)
                expected.update(writer.answered)
                total += len(writer.answered)
                if writer.pending:
                    maybe[writer.pending[0]] = writer.pending[1]
        daemon = Flotillad(os.path.join(folder, "plane"))
        self.addCleanup(lambda: daemon.process.poll() is None and daemon.stop(signal.SIGKILL))
        self.assertTrue(daemon.ready())
        self.check(daemon.kubeconfig, expected, maybe)
        print(f"{total} objects answered over {ROUNDS} crashes, all there", file=sys.stderr)
        self.assertGreater(total, 0)

    def check(self, kubeconfig, expected, maybe):
        status, answer = Client(kubeconfig).request("GET", PATH)
        self.assertEqual(status, 200)
        found = {item["metadata"]["name"]: item["data"]["value"] for item in answer["items"]
                 if item["metadata"]["name"].startswith("w")}
        for name, value in expected.items():
            self.assertIn(found.get(name), (value, maybe.get(name)), f"{name} was answered with {value}")
        for name, value in found.items():
            self.assertTrue(name in expected or maybe.get(name) == value, f"{name} was never sent")
        # What arrived without an answer is now known.
        expected.update({name: found[name] for name in maybe if name in found})


if __name__ == "__main__":
    unittest.main(verbosity=2)
