# SPDX-License-Identifier: Apache-2.0
"""Replays recorded answers of a Kubernetes API server: recorded_test.py API_HARNESS REPLAY_TOOL VECTORS..."""
import subprocess
import sys
import tempfile


def main():
    harness, tool, *vectors = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen([harness, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            server.stdout.readline()
            replayed = subprocess.run([sys.executable, tool, "--kubeconfig", f"{directory}/kubeconfig", "--summary", *vectors],
                                      timeout=500, check=False)
        finally:
            server.stdin.close()
            stopped = server.wait(timeout=20)
        return 1 if replayed.returncode or stopped else 0


sys.exit(main())
