# SPDX-License-Identifier: Apache-2.0
"""Types the commands of docs/backup.md and docs/storage.md on a machine of their own: /var/lib/flotilla, /backups and /tmp are
folders of the test, systemctl starts and stops a real flotillad."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from programs import BIN

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
LINE = re.compile(r"^    \$ (?P<command>.*?)(?:\s+# shows (?P<shows>.*))?$")
SYSTEMCTL = """#!/bin/bash
[ "$2" = flotillad ] || exit 5
case "$1" in
start)
  flotillad --data-dir {data} --listen 127.0.0.1:0 --storage sqlite > {folder}/out 2> {folder}/err &
  echo $! > {folder}/pid
  for i in $(seq 600); do grep -q ^ready {folder}/out && exit 0; sleep 0.1; done; exit 1 ;;
stop)
  pid=$(cat {folder}/pid); kill $pid
  for i in $(seq 300); do kill -0 $pid 2> /dev/null || exit 0; sleep 0.1; done; exit 1 ;;
esac
"""


class PagesTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flotilla-pages-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = f"{self.folder}/var/lib/flotilla"
        for name in (self.data, f"{self.folder}/backups", f"{self.folder}/tmp", f"{self.folder}/bin"):
            os.makedirs(name)
        systemctl = f"{self.folder}/bin/systemctl"
        with open(systemctl, "w", encoding="utf-8") as file:
            file.write(SYSTEMCTL.format(data=self.data, folder=self.folder))
        os.chmod(systemctl, 0o755)
        self.addCleanup(self.type, "systemctl stop flotillad")
        self.type("systemctl start flotillad", fine=True)

    def type(self, command, fine=False):
        for path in ("/var/lib/flotilla", "/backups", "/tmp/rehearsal"):
            command = command.replace(path, self.folder + path)
        command = command.replace("tar -C / ", f"tar -C {self.folder} ").replace("cd /", f"cd {self.folder}")
        environment = {**os.environ, "HOME": self.folder, "NO_COLOR": "1", "KUBECONFIG": f"{self.data}/admin.kubeconfig",
                       "PATH": f"{self.folder}/bin:{BIN}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=self.folder, env=environment, text=True,
                              capture_output=True, timeout=120)
        if fine:
            self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done

    def follow(self, page, least):
        typed = 0
        with open(f"{ROOT}/{page}", encoding="utf-8") as file:
            lines = [LINE.match(line.rstrip("\n")) for line in file]
        for match in filter(None, lines):
            with self.subTest(match.group("command")):
                shown = self.type(match.group("command"), fine=True).stdout
                if match.group("shows"):
                    self.assertIn(match.group("shows"), shown)
            typed += 1
        self.assertGreaterEqual(typed, least)

    def test_what_the_page_on_backups_says_is_so(self):
        self.follow("docs/backup.md", 15)

    def test_what_the_page_on_storage_says_is_so(self):
        self.follow("docs/storage.md", 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
