# SPDX-License-Identifier: Apache-2.0
"""How flotillad starts, refuses to start, and ends."""
import os
import shutil
import signal
import socket
import tempfile
import unittest

from programs import Flotillad, run


class DaemonTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flotilla-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, name, *flags, **options):
        daemon = Flotillad(os.path.join(self.folder, name), *flags, **options)
        self.addCleanup(daemon.stop, signal.SIGKILL)
        return daemon

    def refused(self, name, *flags, **options):
        daemon = self.start(name, *flags, **options)
        self.assertFalse(daemon.ready())
        errors = daemon.errors()
        self.assertEqual(daemon.process.returncode, 1, errors)
        lines = [line for line in errors.splitlines() if line.startswith("error: ")]
        self.assertEqual(len(lines), 1, errors)
        return lines[0]

    def test_serves_and_ends_in_order(self):
        daemon = self.start("plane")
        self.assertTrue(daemon.ready(), "no ready line")
        self.assertEqual(daemon.kubeconfig, os.path.join(self.folder, "plane", "admin.kubeconfig"))
        version = run("flotillactl", "--kubeconfig", daemon.kubeconfig, "version").stdout
        self.assertIn("Server Version: v1.", version)
        code, took = daemon.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 5)

    def test_member_profile_serves(self):
        daemon = self.start("member", "--profile", "member", "--set", "simulation.nodes=2")
        self.assertTrue(daemon.ready(), "no ready line")
        nodes = run("flotillactl", "--kubeconfig", daemon.kubeconfig, "get", "nodes", "-o", "name").stdout.split()
        self.assertEqual(len(nodes), 2)
        self.assertEqual(daemon.stop()[0], 0)

    def test_second_daemon_on_the_same_data_is_told_the_pid(self):
        first = self.start("plane")
        self.assertTrue(first.ready())
        self.assertIn(f"in use by the daemon with pid {first.process.pid}", self.refused("plane"))
        first.stop()

    def test_port_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            error = self.refused("plane", listen=address)
        self.assertIn(str(address.split(":")[1]), error)
        self.assertIn("in use", error)

    def test_unknown_storage_lists_what_there_is(self):
        self.assertIn("sqlite", self.refused("plane", "--storage", "sqllite"))

    def test_broken_plugins_are_put_aside(self):
        folder = os.path.join(self.folder, "plugins")
        os.mkdir(folder)
        with open(os.path.join(folder, "junk.so"), "w") as junk:
            junk.write("no plugin at all")
        daemon = self.start("plane", "--set", f"plugins.directories=[{folder}]")
        self.assertTrue(daemon.ready())
        listed = run("flotillactl", "--kubeconfig", daemon.kubeconfig, "plugin", "list").stdout
        self.assertIn("Quarantined", listed)
        self.assertIn("no ELF file", listed)
        self.assertIn("io.flotilla.storage.sqlite", listed)
        daemon.stop()

    def test_configuration_is_checked_with_file_and_line(self):
        path = os.path.join(self.folder, "f.yaml")
        with open(path, "w") as file:
            file.write("listen: 127.0.0.1:0\nsimulation:\n  nods: 3\n")
        result = run("flotillad", "--config", path, "--check-config", check=False)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, f'error: {path}:3: unknown key "simulation.nods"; did you mean "simulation.nodes"?\n')
        self.assertEqual(run("flotillad", "--check-config").stdout, "configuration ok\n")
        self.assertEqual(run("flotillad", "--no-such-flag", check=False).returncode, 64)
        self.assertEqual(run("flotillad", check=False).returncode, 64)

    def test_data_survives_kill_9(self):
        daemon = self.start("plane")
        self.assertTrue(daemon.ready())
        manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\ndata: {a: b}\n"
        run("flotillactl", "--kubeconfig", daemon.kubeconfig, "apply", "-f", "-", stdin=manifest)
        daemon.stop(signal.SIGKILL)
        again = self.start("plane")
        self.assertTrue(again.ready(), again.errors())
        self.assertEqual(run("flotillactl", "--kubeconfig", again.kubeconfig, "get", "configmap", "kept", "-o",
                             "name").stdout, "configmap/kept\n")
        again.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
