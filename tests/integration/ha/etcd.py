# SPDX-License-Identifier: Apache-2.0
"""A real etcd on loopback, for one test."""
import http.client
import signal
import socket
import subprocess
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Etcd:
    def __init__(self, folder, *flags):
        self.folder, self.flags = folder, flags
        self.port, self.peer = free_port(), free_port()
        self.endpoint = f"127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        peer, client = f"http://127.0.0.1:{self.peer}", f"http://{self.endpoint}"
        self.log = open(f"{self.folder}/etcd.log", "ab")
        self.process = subprocess.Popen(
            ["etcd", "--data-dir", f"{self.folder}/etcd", "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
             *self.flags], stdout=self.log, stderr=self.log)
        until = time.monotonic() + 30
        while not self.healthy():
            if time.monotonic() > until or self.process.poll() is not None:
                raise AssertionError(f"etcd did not start, see {self.folder}/etcd.log")
            time.sleep(0.05)
        return self

    def healthy(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/health")
            return b"true" in connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        if self.process is not None:
            self.process.wait(20)
            self.log.close()
        self.process = None
