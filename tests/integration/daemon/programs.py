# SPDX-License-Identifier: Apache-2.0
"""Starts flotillad as a user does and takes it down again."""
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

BIN = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "build/dev/bin"
READY = re.compile(r"^ready (https://\S+:(\d+)) kubeconfig=(\S+)$")


class Flotillad:
    def __init__(self, data_dir, *flags, listen="127.0.0.1:0"):
        self.data_dir = data_dir
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [f"{BIN}/flotillad", "--data-dir", data_dir, "--listen", listen, *flags],
            stdout=subprocess.PIPE, stderr=self.log)
        self.url = self.port = self.kubeconfig = None

    def ready(self, timeout=60):
        """Waits for the one line on stdout. False: it ended before."""
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            raise AssertionError("not ready in time: " + self.errors())
        line = self.process.stdout.readline().decode().rstrip("\n")
        match = READY.match(line)
        if not match:
            self.process.wait(10)
            return False
        self.url, self.port, self.kubeconfig = match.group(1), int(match.group(2)), match.group(3)
        return True

    def errors(self):
        self.log.seek(0)
        return self.log.read().decode()

    def stop(self, with_signal=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        started = time.monotonic()
        code = self.process.wait(20)
        took = time.monotonic() - started
        self.process.stdout.close()
        if not self.log.closed:
            self.log.close()
        return code, took


def run(program, *arguments, check=True, env=None, stdin=None):
    result = subprocess.run([f"{BIN}/{program}", *arguments], capture_output=True, text=True, timeout=180, input=stdin,
                            env={**os.environ, **(env or {})})
    if check and result.returncode != 0:
        raise AssertionError(f"{program} {' '.join(arguments)} ended with {result.returncode}: {result.stdout}{result.stderr}")
    return result
