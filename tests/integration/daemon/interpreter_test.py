# SPDX-License-Identifier: Apache-2.0
"""flotillactl interpret as docs/resource-interpreters.md shows it, and interpreter webhooks over real HTTPS."""
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BIN = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "build/dev/bin"
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", "..", ".."))
sys.path += [os.path.join(HERE, "..", "api"), os.path.join(HERE, "..", "..", "scenarios")]

import fleet  # noqa: E402
import webhook_server  # noqa: E402

SHOWN = re.compile(r"```console\n(.*?)```", re.S)


def ctl(*arguments, cwd=None):
    result = subprocess.run([f"{BIN}/flotillactl", "interpret", *arguments], capture_output=True, text=True,
                            timeout=60, cwd=cwd)
    return result.returncode, result.stdout, result.stderr


class Documentation(unittest.TestCase):
    def test_every_command_of_the_document_prints_what_it_shows(self):
        with open(f"{ROOT}/docs/resource-interpreters.md", encoding="utf-8") as file:
            blocks = SHOWN.findall(file.read())
        self.assertGreaterEqual(len(blocks), 3)
        for block in blocks:
            lines = block.splitlines()
            self.assertTrue(lines[0].startswith("$ flotillactl "), lines[0])
            result = subprocess.run(f"{BIN}/{lines[0][2:]}", shell=True, capture_output=True, text=True, timeout=60,
                                    cwd=f"{ROOT}/config/samples/interpreters")
            self.assertEqual(result.stdout.rstrip("\n"), "\n".join(lines[1:]), lines[0] + result.stderr)


class Interpret(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def customization(self, member, script):
        return self.write("c.yaml", json.dumps({
            "apiVersion": "config.karmada.io/v1alpha1", "kind": "ResourceInterpreterCustomization",
            "metadata": {"name": "c"},
            "spec": {"target": {"apiVersion": "example.io/v1", "kind": "Game"},
                     "customizations": {member: {"luaScript": script}}}}))

    def game(self):
        return self.write("game.yaml", "apiVersion: example.io/v1\nkind: Game\nspec: {players: 2}\n")

    def test_errors_name_file_script_and_line(self):
        file = self.customization("healthInterpretation", "function InterpretHealth(o)\n  return o.a.b\nend")
        code, _, said = ctl("-f", file, "--operation", "InterpretHealth", "--observed-file", self.game())
        self.assertEqual(code, 1)
        self.assertIn(f'{file}: ResourceInterpreterCustomization "c", InterpretHealth: line 2: attempt to index', said)

    def test_check_finds_syntax_and_missing_functions(self):
        code, said, _ = ctl("--check", "-f", self.customization("retention", "function Retain(d, o) return d"))
        self.assertEqual(code, 1)
        self.assertRegex(said, r"Retain: +ERROR: line 1: 'end' expected")
        code, said, _ = ctl("--check", "-f", self.customization("retention", "function Retian(d, o) return d end"))
        self.assertEqual(code, 1)
        self.assertIn("the script defines no function Retain", said)
        code, said, _ = ctl("--check", "-f", self.customization("retention", "function Retain(d, o) return d end"))
        self.assertEqual(code, 0, said)

    def test_what_scripts_print_is_seen_but_no_result(self):
        file = self.customization("healthInterpretation", "function InterpretHealth(o) print('here', o.spec.players) return true end")
        code, said, aside = ctl("-f", file, "--operation", "InterpretHealth", "--observed-file", self.game())
        self.assertEqual((code, said, aside), (0, "---\n# [1/1] healthy:\ntrue\n", "here\t2\n"))

    def test_a_loop_ends(self):
        file = self.customization("healthInterpretation", "function InterpretHealth(o) while true do end end")
        started = time.monotonic()
        code, _, said = ctl("-f", file, "--operation", "InterpretHealth", "--observed-file", self.game())
        self.assertEqual(code, 1)
        self.assertIn("limit is reached", said)
        self.assertLess(time.monotonic() - started, 20)

    def test_usage(self):
        for arguments in ([], ["--check"], ["--operation", "Nonsense"], ["--operation", "Retain", "--desired-file", self.game()],
                          ["--test", "/nonexistent"], ["--check", "-f", "/nonexistent.yaml"],
                          ["--check", "-f", self.write("bad.yaml", "a: [")]):
            self.assertEqual(ctl(*arguments)[0], 64, arguments)

    def test_without_files_the_built_in_ones_answer(self):
        rollout = self.write("r.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {replicas: 5}\n")
        code, said, aside = ctl("--operation", "InterpretReplica", "--desired-file", rollout)
        self.assertEqual((code, said), (0, "---\n# [1/2] replica:\n5\n---\n# [2/2] requires:\nnull\n"), aside)

    def test_fixtures_that_do_not_hold_fail(self):
        self.customization("healthInterpretation", "function InterpretHealth(o) return o.spec.players == 3 end")
        self.write("tests.yaml", "tests:\n- {name: three, operation: InterpretHealth, observed: game.yaml, expect: {healthy: true}}\n")
        self.game()
        code, said, _ = ctl("--test", self.folder.name)
        self.assertEqual(code, 1)
        self.assertIn("not ok ./three: healthy: want true, got false", said)
        self.assertIn("0 passed, 1 failed", said)


class Edit(unittest.TestCase):
    """What a user types is a script here: each run of the editor takes the next of `edits`, a Python expression of
    the text that it was shown."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def edit(self, edits, *arguments, flags=()):
        for number, expression in enumerate(edits):
            with open(self.path(f"edit{number}"), "w", encoding="utf-8") as file:
                file.write(expression)
        with open(self.path("editor.py"), "w", encoding="utf-8") as file:
            file.write("import os, sys\n"
                       "here = os.path.dirname(os.path.abspath(__file__))\n"
                       "done = len([n for n in os.listdir(here) if n.startswith('shown')])\n"
                       "text = open(sys.argv[1]).read()\n"
                       "open(f'{here}/shown{done}', 'w').write(text)\n"
                       "edited = eval(open(f'{here}/edit{done}').read(), {'text': text})\n"
                       "open(sys.argv[1], 'w').write(edited)\n")
        environment = {**os.environ, "KUBE_EDITOR": f"{sys.executable} {self.path('editor.py')}", "EDITOR": "false",
                       "TMPDIR": self.folder.name}
        result = subprocess.run([f"{BIN}/flotillactl", *flags, "interpret", "--edit", *arguments], capture_output=True,
                                text=True, timeout=60, env=environment)
        return result.returncode, result.stdout, result.stderr

    def shown(self, number):
        with open(self.path(f"shown{number}"), encoding="utf-8") as file:
            return file.read()

    def customization(self):
        path = self.path("c.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "config.karmada.io/v1alpha1", "kind": "ResourceInterpreterCustomization",
                       "metadata": {"name": "c"},
                       "spec": {"target": {"apiVersion": "example.io/v1", "kind": "Game"}, "customizations": {
                           "healthInterpretation": {"luaScript": "function InterpretHealth(o)\n  return true\nend\n"}}}},
                      file)
        return path

    def script(self, path, member):
        with open(path, encoding="utf-8") as file:
            return json.load(file)["spec"]["customizations"].get(member, {}).get("luaScript")

    def test_an_edit_is_saved_in_the_file(self):
        file = self.customization()
        code, said, aside = self.edit(["text.replace('return true', 'return false')"], "-f", file, "--show-doc")
        self.assertEqual((code, said), (0, "resourceinterpretercustomization.config.karmada.io/c edited\n"), aside)
        self.assertEqual(self.script(file, "healthInterpretation"), "function InterpretHealth(o)\n  return false\nend\n")
        self.assertIn("---@rule: InterpretHealth\n--| ", self.shown(0))

    def test_nothing_is_saved_that_was_not_changed(self):
        file = self.customization()
        with open(file, encoding="utf-8") as before:
            before = before.read()
        for edit in ("text", "''"):
            for shown in ("shown0",):
                if os.path.exists(self.path(shown)):
                    os.unlink(self.path(shown))
            code, said, aside = self.edit([edit], "-f", file)
            self.assertEqual((code, said, aside), (0, "", "Edit cancelled, no changes made.\n"))
            with open(file, encoding="utf-8") as after:
                self.assertEqual(after.read(), before)

    def test_what_is_wrong_is_shown_in_the_next_round(self):
        file = self.customization()
        code, _, aside = self.edit([r"text.replace('\nend', '')", "text.replace('return true', 'return false end')"],
                                   "-f", file)
        self.assertEqual(code, 0, aside)
        self.assertRegex(self.shown(1), r"(?m)^-- It was not saved:\n-- InterpretHealth: line \d+: 'end' expected")
        self.assertEqual(self.script(file, "healthInterpretation"), "function InterpretHealth(o)\n  return false end\n")

    def test_who_gives_up_keeps_a_copy(self):
        file = self.customization()
        code, _, aside = self.edit([r"text.replace('\nend', '')", "text"], "-f", file)
        self.assertEqual(code, 1)
        self.assertIn("Edit cancelled, no valid changes were saved.", aside)
        with open(re.search(r'stored to "(.*)"', aside)[1], encoding="utf-8") as copy:
            self.assertIn("return true", copy.read())
        self.assertIn("end", self.script(file, "healthInterpretation"))

    def test_a_new_file_becomes_a_customization(self):
        edit = ("text.replace('name: ', 'name: n').replace('apiVersion: ', 'apiVersion: v1').replace('kind: ', 'kind: K')"
                ".replace('rule: Retain\\n', 'rule: Retain\\nfunction Retain(d, o) return d end\\n')")
        code, said, aside = self.edit([edit], "-f", self.path("new.yaml"))
        self.assertEqual((code, said), (0, "resourceinterpretercustomization.config.karmada.io/n edited\n"), aside)
        self.assertEqual(ctl("--check", "-f", self.path("new.yaml"))[0], 0)

    def test_one_of_the_control_plane_is_saved_there(self):
        world = fleet.Fleet(BIN, self.folder.name, {}, {})
        self.addCleanup(world.stop)
        world.start()
        with open(self.customization(), encoding="utf-8") as file:
            world.plane.apply(json.load(file))
        flags = ["--kubeconfig", world.plane.kubeconfig]
        code, said, aside = self.edit(["text.replace('name: c', 'name: d')", "text.replace('name: d', 'name: c').replace('true', 'nil')"],
                                      "c", flags=flags)
        self.assertEqual((code, said), (0, "resourceinterpretercustomization.config.karmada.io/c edited\n"), aside)
        self.assertIn("cannot be changed", self.shown(1))
        saved = world.plane.request("GET", "/apis/config.karmada.io/v1alpha1/resourceinterpretercustomizations/c")
        self.assertIn("return nil", saved["spec"]["customizations"]["healthInterpretation"]["luaScript"])

    def test_usage(self):
        for arguments in ([], ["a", "b"], ["a", "-f", self.customization()], ["--check", "a"]):
            self.assertEqual(self.edit([], *arguments)[0], 64, arguments)


DEPLOYMENT = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
             "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}}}}
POLICY = {
    "apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy",
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"resourceSelectors": [{"apiVersion": "apps/v1", "kind": "Deployment"}, {"apiVersion": "v1", "kind": "Secret"}],
             "placement": {"replicaScheduling": {"replicaSchedulingType": "Divided"}}}}


class Webhook(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.hook = webhook_server.WebhookServer(self.folder.name, "hook.default.svc")
        self.addCleanup(self.hook.close)
        self.answers = {}
        self.hook.on("/interpret", self.interpret)
        self.fleet = fleet.Fleet(BIN, self.folder.name, {"member1": {}}, {})
        self.addCleanup(self.fleet.stop)
        self.fleet.start()
        self.plane = self.fleet.plane

    def interpret(self, request):
        answer = self.answers[request["operation"]](request)
        if isinstance(answer, int):
            return answer
        context = {"apiVersion": "config.karmada.io/v1alpha1", "kind": "ResourceInterpreterContext",
                   "response": {"uid": request["uid"], "successful": True, **answer}}
        return json.dumps(context).encode()

    def configure(self, operations, service=None, timeout=5):
        client = {"caBundle": self.hook.ca_bundle()}
        if service:
            client["service"] = {"namespace": "default", "name": service, "path": "/interpret", "port": self.hook.port}
        else:
            client["url"] = f"https://127.0.0.1:{self.hook.port}/interpret"
        self.plane.apply({
            "apiVersion": "config.karmada.io/v1alpha1", "kind": "ResourceInterpreterWebhookConfiguration",
            "metadata": {"name": "hooks"},
            "webhooks": [{"name": "deployments.example.io", "clientConfig": client, "timeoutSeconds": timeout,
                          "interpreterContextVersions": ["v1alpha1"],
                          "rules": [{"operations": operations, "apiGroups": ["apps"], "apiVersions": ["v1"],
                                     "kinds": ["Deployment"]}]}]})
        self.settle()

    def settle(self):
        calm, before = 0, None
        until = time.monotonic() + 20
        while calm < 3:
            self.assertLess(time.monotonic(), until, "never at rest")
            waiting, total = self.plane.busy()
            calm = calm + 1 if not waiting and total == before else 0
            before = total
            time.sleep(0.02)

    def wait(self, path, holds, seconds=20):
        until = time.monotonic() + seconds
        while True:
            try:
                seen = self.plane.request("GET", path)
                if holds(seen):
                    return seen
            except fleet.Refused as refused:
                seen = str(refused)
            if time.monotonic() > until:
                raise AssertionError(f"{path}: {json.dumps(seen)[:3000]}\n{self.plane.said()}")
            time.sleep(0.02)

    def wait_binding(self, holds):
        return self.wait("/apis/work.karmada.io/v1alpha2/namespaces/default/resourcebindings/web-deployment", holds)

    def test_all_operations_are_asked_of_the_webhook(self):
        def patch(*operations):
            return {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(operations).encode()).decode()}

        self.answers = {
            "InterpretReplica": lambda r: {"replicas": r["object"]["spec"]["replicas"] + 1,
                                           "replicaRequirements": {"resourceRequest": {"cpu": "10m"}}},
            "ReviseReplica": lambda r: patch({"op": "replace", "path": "/spec/replicas", "value": r["replicas"] - 1}),
            "Retain": lambda r: patch({"op": "add", "path": "/metadata/annotations/seen",
                                       "value": str(r["observedObject"]["spec"]["replicas"])}),
            "InterpretStatus": lambda r: {"rawStatus": {"mine": r["object"]["status"].get("replicas", 0)}},
            "InterpretHealth": lambda r: {"healthy": False},
            "AggregateStatus": lambda r: patch({"op": "add", "path": "/status", "value": {
                "replicas": sum(i.get("status", {}).get("mine", 0) for i in r["aggregatedStatus"])}}),
            "InterpretDependency": lambda r: {"dependencies": []},
        }
        self.configure(["*"])
        self.plane.apply(POLICY)
        self.plane.apply(DEPLOYMENT)
        binding = self.wait_binding(lambda b: b.get("status", {}).get("aggregatedStatus", [{}])[0].get("status") == {"mine": 2})
        self.assertEqual(binding["spec"]["replicas"], 3)
        self.assertEqual(binding["spec"]["replicaRequirements"]["resourceRequest"], {"cpu": "10m"})
        self.assertEqual(binding["status"]["aggregatedStatus"][0]["health"], "Unhealthy")
        member = self.fleet["member1"]
        path = "/apis/apps/v1/namespaces/default/deployments/web"
        self.assertEqual(member.request("GET", path)["spec"]["replicas"], 2)
        self.wait(path, lambda d: d.get("status", {}).get("replicas") == 2)
        self.plane.request("PATCH", path, {"metadata": {"annotations": {"a": "b"}}}, "application/merge-patch+json")
        until = time.monotonic() + 20
        while member.request("GET", path)["metadata"]["annotations"].get("seen") != "2":
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)

    def test_failures_say_what_is_wrong_and_hold_up_nothing_else(self):
        self.answers = {"InterpretReplica": lambda r: (time.sleep(3), {"replicas": 1})[1]}
        self.configure(["InterpretReplica"], timeout=1)
        self.plane.apply(POLICY)
        self.plane.apply(DEPLOYMENT)
        started = time.monotonic()
        self.plane.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "quick", "namespace": "default"},
                          "stringData": {"a": "b"}})
        self.wait("/apis/work.karmada.io/v1alpha2/namespaces/default/resourcebindings/quick-secret",
                  lambda b: b.get("status", {}).get("aggregatedStatus"))
        self.assertLess(time.monotonic() - started, 3)
        self.wait_event("GetReplicasFailed", r'interpreter webhook "hooks/deployments.example.io", InterpretReplica: .*deadline')
        self.answers = {"InterpretReplica": lambda r: {"successful": False, "status": {"code": 400, "message": "no such game"}}}
        self.plane.request("PATCH", "/apis/apps/v1/namespaces/default/deployments/web",
                           {"metadata": {"labels": {"again": "1"}}}, "application/merge-patch+json")
        self.wait_event("GetReplicasFailed", "webhook call failed: no such game")
        self.answers = {"InterpretReplica": lambda r: {"replicas": 7}}
        self.wait_binding(lambda b: b["spec"].get("replicas") == 7)

    def test_a_webhook_that_hangs_under_load_holds_up_its_kind_alone(self):
        free, lock, calls = threading.Event(), threading.Lock(), {"now": 0, "most": 0}
        self.addCleanup(free.set)

        def hang(request):
            with lock:
                calls["now"] += 1
                calls["most"] = max(calls["most"], calls["now"])
            free.wait(30)
            with lock:
                calls["now"] -= 1
            return {"replicas": 5}

        self.answers = {"InterpretReplica": hang}
        self.configure(["InterpretReplica"], timeout=30)
        self.plane.apply(POLICY)
        for number in range(100):
            self.plane.apply({**DEPLOYMENT, "metadata": {"name": f"web-{number}", "namespace": "default"}})
        started = time.monotonic()
        for number in range(20):
            self.plane.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"quick-{number}", "namespace": "default"},
                              "stringData": {"a": "b"}})
            self.wait(f"/apis/work.karmada.io/v1alpha2/namespaces/default/resourcebindings/quick-{number}-secret",
                      lambda b: b.get("status", {}).get("aggregatedStatus"))
        self.assertLess(time.monotonic() - started, 15)
        self.assertFalse(free.is_set())
        self.assertLessEqual(calls["most"], 16)
        self.wait_event("GetReplicasFailed", "hooks/deployments.example.io. (has not answered for a moment|has 16 questions)")
        free.set()
        self.wait("/apis/work.karmada.io/v1alpha2/namespaces/default/resourcebindings", lambda listed: sum(
            binding["spec"].get("replicas") == 5 for binding in listed["items"]) == 100, 40)

    def wait_event(self, reason, words):
        self.wait("/api/v1/namespaces/default/events", lambda events: any(
            event["reason"] == reason and re.search(words, event["message"]) for event in events["items"]))

    def test_services_are_reached_by_name(self):
        self.plane.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hook", "namespace": "default"},
                          "spec": {"type": "ExternalName", "externalName": "localhost"}})
        self.answers = {"InterpretReplica": lambda r: {"replicas": 9}}
        self.configure(["InterpretReplica"], service="hook")
        self.plane.apply(POLICY)
        self.plane.apply(DEPLOYMENT)
        self.wait_binding(lambda b: b["spec"].get("replicas") == 9)


if __name__ == "__main__":
    unittest.main(verbosity=2)
