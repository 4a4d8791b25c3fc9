# SPDX-License-Identifier: Apache-2.0
"""Types every command of docs/plan.md, docs/explain.md and README.md into a lab of three members and looks at how it ends."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from programs import BIN, run

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
LINE = re.compile(r"^    \$ (?P<command>.*?)(?:\s+# (?P<says>(?:exit|shows) .*))?$")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def commands(name):
    with open(f"{ROOT}/{name}", encoding="utf-8") as page:
        for line in page:
            match = LINE.match(line.rstrip("\n"))
            if match:
                says = match.group("says") or ""
                code = re.search(r"exit (\d+)", says)
                shows = re.search(r"shows (.*)$", says)
                yield match.group("command"), int(code.group(1)) if code else 0, shows.group(1) if shows else None


def transcript():
    """The commands of README's console blocks with what they print."""
    with open(f"{ROOT}/README.md", encoding="utf-8") as page:
        blocks = re.findall(r"^```console\n(.*?)^```$", page.read(), re.M | re.S)
    for block in blocks:
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, printed = part.partition("\n")
            yield command, printed


def plain(text):
    """Without what differs from run to run: times, and blanks that end a line."""
    return "\n".join(line.rstrip() for line in TIME.sub("TIME", text).strip().splitlines())


class PagesTest(unittest.TestCase):
    def setUp(self):
        self.parent = tempfile.mkdtemp(prefix="flotilla-pages-")
        self.lab = os.path.join(self.parent, "lab")
        self.addCleanup(shutil.rmtree, self.parent, ignore_errors=True)
        self.addCleanup(lambda: run("flotillactl", "-q", "lab", "down", "--dir", self.lab, check=False))
        run("flotillactl", "lab", "up", "--members", "3", "--dir", self.lab)
        self.work = os.path.join(self.parent, "work")
        os.makedirs(self.work)
        os.symlink(f"{ROOT}/config", f"{self.work}/config")

    def type(self, command):
        environment = {**os.environ, "KUBECONFIG": f"{self.lab}/kubeconfig", "HOME": self.parent, "NO_COLOR": "1",
                       "PATH": f"{BIN}:{os.environ['PATH']}"}
        return subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=self.work, env=environment, text=True,
                              capture_output=True, timeout=120)

    def follow(self, page, least):
        typed = 0
        for command, code, shows in commands(page):
            with self.subTest(command):
                done = self.type(command)
                self.assertEqual(done.returncode, code, f"{command}\n{done.stdout}{done.stderr}")
                if shows:
                    self.assertIn(shows, done.stdout)
            typed += 1
        self.assertGreater(typed, least)

    def test_what_the_page_on_plans_says_is_so(self):
        self.follow("docs/plan.md", 15)

    def test_what_the_page_on_decisions_says_is_so(self):
        self.follow("docs/explain.md", 12)

    def test_what_the_readme_shows_is_what_is_printed(self):
        self.type("flotillactl apply -f config/samples/quickstart")
        ready = "kubectl wait --for=jsonpath='{.status.readyReplicas}'=12 deployment/web --timeout=60s"
        self.assertEqual(self.type(ready).returncode, 0)
        typed = 0
        for command, printed in transcript():
            with self.subTest(command):
                self.assertEqual(plain(self.type(command).stdout), plain(printed))
            typed += 1
        self.assertGreater(typed, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
