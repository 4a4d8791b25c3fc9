# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` lays down runs by itself: daemon, lab and plugins, and a stranger's plugin is built with its SDK."""
import glob
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import programs
from programs import run

BUILD = os.path.dirname(programs.BIN)


def only(pattern):
    found = glob.glob(pattern, recursive=True)
    assert len(found) == 1, f"{pattern}: {found}"
    return found[0]


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="flotilla-install-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.stage = f"{cls.folder}/stage"
        subprocess.run(["cmake", "--install", BUILD, "--strip"], env={**os.environ, "DESTDIR": cls.stage}, check=True,
                       stdout=subprocess.DEVNULL)
        programs.BIN = os.path.dirname(only(f"{cls.stage}/**/bin/flotillad"))
        cls.prefix = os.path.dirname(programs.BIN)

    def test_nothing_can_be_written_by_others(self):
        for path, folders, files in os.walk(self.stage):
            for name in folders + files:
                mode = os.stat(os.path.join(path, name)).st_mode & 0o777
                expected = 0o755 if name in folders or path.endswith("/bin") else 0o644
                self.assertEqual(oct(mode), oct(expected), os.path.join(path, name))

    def test_the_unit_starts_what_is_installed(self):
        with open(only(f"{self.stage}/**/flotillad.service"), encoding="utf-8") as unit:
            start = next(line for line in unit if line.startswith("ExecStart=")).removeprefix("ExecStart=").split()
        self.assertTrue(os.access(self.stage + start[0], os.X_OK), start)
        self.assertTrue(os.path.exists(self.stage + start[start.index("--config") + 1]), start)

    def test_the_configuration_is_valid(self):
        run("flotillad", "--config", only(f"{self.stage}/**/flotilla.yaml"), "--check-config")

    def test_a_lab_runs_the_sample(self):
        lab = f"{self.folder}/lab"
        self.addCleanup(lambda: run("flotillactl", "-q", "lab", "down", "--dir", lab, check=False))
        run("flotillactl", "lab", "up", "--members", "2", "--dir", lab)
        flags = ("--kubeconfig", f"{lab}/kubeconfig", "--context")
        run("flotillactl", *flags, "flotilla", "apply", "-f", f"{self.prefix}/share/flotilla/samples/quickstart")
        until = time.monotonic() + 30
        while True:
            web = run("flotillactl", *flags, "member2", "get", "deployment", "web", check=False)
            if web.returncode == 0 or time.monotonic() > until:
                break
            time.sleep(0.1)
        self.assertEqual(web.returncode, 0, web.stderr)
        self.assertNotIn("Quarantined", run("flotillactl", *flags, "flotilla", "plugin", "list").stdout)

    def test_the_sdk_builds_every_example(self):
        examples = sorted(glob.glob(f"{self.prefix}/share/flotilla/examples/*/"))
        names = [os.path.basename(os.path.dirname(source)) for source in examples]
        self.assertEqual(names, ["hello_assign", "hello_driver", "hello_estimator", "hello_filter", "hello_override", "hello_storage"])
        for source in examples:
            name = os.path.basename(os.path.dirname(source))
            build = f"{self.folder}/{name}"
            subprocess.run(["cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}", *self.compiler()],
                           check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["cmake", "--build", build], check=True, stdout=subprocess.DEVNULL)
            run("flotilla-plugin-check", f"{build}/{name}.so")

    @staticmethod
    def compiler():
        with open(f"{BUILD}/CMakeCache.txt", encoding="utf-8") as cache:
            return ["-D" + line.strip() for line in cache if line.startswith("CMAKE_CXX_COMPILER:")]


if __name__ == "__main__":
    unittest.main(verbosity=2)
