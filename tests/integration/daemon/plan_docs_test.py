# SPDX-License-Identifier: Apache-2.0
"""Types every command of docs/plan.md into a lab of three members and looks at how it ends."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from programs import BIN, run

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
LINE = re.compile(r"^    \$ (?P<command>.*?)(?:\s+# (?P<says>(?:exit|shows) .*))?$")


def commands():
    with open(f"{ROOT}/docs/plan.md", encoding="utf-8") as page:
        for line in page:
            match = LINE.match(line.rstrip("\n"))
            if match:
                says = match.group("says") or ""
                code = re.search(r"exit (\d+)", says)
                shows = re.search(r"shows (.*)$", says)
                yield match.group("command"), int(code.group(1)) if code else 0, shows.group(1) if shows else None


class PlanPageTest(unittest.TestCase):
    def setUp(self):
        self.parent = tempfile.mkdtemp(prefix="flotilla-plan-")
        self.lab = os.path.join(self.parent, "lab")
        self.addCleanup(shutil.rmtree, self.parent, ignore_errors=True)
        self.addCleanup(lambda: run("flotillactl", "-q", "lab", "down", "--dir", self.lab, check=False))

    def test_what_the_page_says_is_so(self):
        run("flotillactl", "lab", "up", "--members", "3", "--dir", self.lab)
        work = os.path.join(self.parent, "work")
        os.makedirs(work)
        os.symlink(f"{ROOT}/config", f"{work}/config")
        environment = {**os.environ, "KUBECONFIG": f"{self.lab}/kubeconfig", "HOME": self.parent, "NO_COLOR": "1",
                       "PATH": f"{BIN}:{os.environ['PATH']}"}
        typed = 0
        for command, code, shows in commands():
            with self.subTest(command):
                done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=work, env=environment, text=True,
                                      capture_output=True, timeout=120)
                self.assertEqual(done.returncode, code, f"{command}\n{done.stdout}{done.stderr}")
                if shows:
                    self.assertIn(shows, done.stdout)
            typed += 1
        self.assertGreater(typed, 15)


if __name__ == "__main__":
    unittest.main(verbosity=2)
