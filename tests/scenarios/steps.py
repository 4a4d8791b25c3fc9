# SPDX-License-Identifier: Apache-2.0
"""The verbs of scenarios. README.md says what each takes."""
import json
import os
import re
import signal
import subprocess
import time

import yaml

import patterns
from fleet import PLANE, Refused

WITHIN = 20  # seconds; the machines of tests are slow
SPAN = re.compile(r"^([0-9.]+)(ms|s|m)$")
UNIT = {"ms": 0.001, "s": 1, "m": 60}
REFERENCE = re.compile(r"^([^/@\s]+)/(?:([^/@\s]+)/)?([^/@\s]+)(?:@(\S+))?$")
WORK = re.compile(r"^work of ([^/\s]+)/(?:([^/\s]+)/)?(\S+) in (\S+)$")


class Failure(AssertionError):
    pass


def seconds(text):
    match = SPAN.match(str(text))
    if not match:
        raise Failure(f"{text} is no time span like 500ms, 2s or 1m")
    return float(match.group(1)) * UNIT[match.group(2)]


def documents(given):
    """Objects of a step: one, a list of them, or YAML text."""
    if isinstance(given, str):
        return [one for one in yaml.load_all(given, patterns.Loader) if one]
    return given if isinstance(given, list) else [given]


class Steps:
    def __init__(self, fleet, folder):
        self.fleet, self.folder = fleet, folder
        self.memory = {}

    # Where things are.

    def find(self, reference):
        """(server, path) of what a reference names; None where a Work of this name is not there."""
        work = WORK.match(reference)
        if work:
            return self.find_work(*work.groups())
        match = REFERENCE.match(reference)
        if not match:
            raise Failure(f'"{reference}" is no reference like deployment/web, rb/ns/web-deployment or pod/p@member1')
        kind, ns, name, server = match.groups()
        server = self.fleet[server or PLANE]
        return server, server.path(kind, ns, name)

    def find_work(self, kind, ns, name, member):
        server = self.fleet.plane
        listed = server.request("GET", server.path("works.work.karmada.io", f"karmada-es-{member}"))
        for work in listed["items"]:
            for manifest in work["spec"]["workload"].get("manifests", []):
                meta = manifest["metadata"]
                if (manifest["kind"].lower() == kind.lower() and meta["name"] == name
                        and (ns is None or meta.get("namespace") == ns)):
                    return server, server.path("works.work.karmada.io", f"karmada-es-{member}", work["metadata"]["name"])
        return None

    def get(self, reference):
        """The object, or MISSING."""
        found = self.find(reference)
        if found is None:
            return patterns.MISSING
        server, path = found
        try:
            return server.request("GET", path)
        except Refused as refused:
            if refused.status == 404:
                return patterns.MISSING
            raise

    def eventually(self, faults_of, within):
        until = time.monotonic() + within
        pause = 0.005
        while True:
            faults = faults_of()
            if not faults:
                return
            if time.monotonic() > until:
                raise Failure("\n".join(faults))
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def faults(self, expected):
        found = []
        for reference, pattern in expected.items():
            value = self.get(reference)
            if value is patterns.MISSING and not isinstance(pattern, patterns.Absent):
                found.append(f"{reference} is not there")
            else:
                found += [f"{reference} {fault}" for fault in patterns.differences(pattern, value, self.memory)]
        return found

    def servers(self, step):
        to = step.get("to", PLANE)
        return [self.fleet[name] for name in (to if isinstance(to, list) else [to])]

    # Writing.

    def apply(self, step):
        for server in self.servers(step):
            for obj in documents(step["apply"]):
                server.apply(obj, step.get("as", "scenario"))

    def create(self, step):
        for server in self.servers(step):
            for obj in documents(step["create"]):
                server.request("POST", server.path_of(obj, with_name=False), obj)

    def patch(self, step):
        for reference, change in step["patch"].items():
            server, path = self.find(reference)
            if step.get("subresource"):
                path += "/" + step["subresource"]
            kind = "application/json-patch+json" if isinstance(change, list) else "application/merge-patch+json"
            server.request("PATCH", path, change, kind)

    def delete(self, step):
        given = step["delete"]
        for reference in given if isinstance(given, list) else [given]:
            found = self.find(reference)
            if found is None:
                raise Failure(f"{reference} is not there to be deleted")
            options = {"propagationPolicy": step["propagation"]} if "propagation" in step else None
            found[0].request("DELETE", found[1], options)

    def refused(self, step):
        """Another step that has to be answered with an error."""
        inner = {**{key: value for key, value in step.items() if key != "refused"}, **step["refused"]}
        verbs = [verb for verb in ("apply", "create", "patch", "delete") if verb in inner]
        if len(verbs) != 1:
            raise Failure("refused: needs one of apply, create, patch, delete")
        try:
            getattr(self, verbs[0])(inner)
        except Refused as refused:
            wanted = {key: inner[key] for key in ("code", "reason", "message") if key in inner}
            faults = patterns.differences(wanted, refused.answer, self.memory)
            if faults:
                raise Failure("\n".join(faults)) from None
            return
        raise Failure("was accepted, wanted it refused")

    # Looking.

    def expect(self, step):
        self.eventually(lambda: self.faults(step["expect"]), seconds(step.get("within", f"{WITHIN}s")))

    def absent(self, step):
        given = step["absent"]
        expected = {reference: patterns.Absent() for reference in (given if isinstance(given, list) else [given])}
        self.eventually(lambda: self.faults(expected), seconds(step.get("within", f"{WITHIN}s")))

    def settled(self, step):
        """Nobody has anything to do: twice the same count, with nothing due."""
        before = [None]

        def faults():
            now = [server.busy() for server in self.fleet.everybody()
                   if server.process is not None and server.name not in self.memory.get("paused", ())]
            calm = all(waiting == 0 for waiting, _ in now) and now == before[0]
            before[0] = now
            return [] if calm else [f"still at work: {now}"]

        self.eventually(faults, seconds(step.get("within", f"{WITHIN}s")))

    def still(self, step):
        """After everybody has come to rest, not eventually."""
        self.settled({})
        faults = self.faults(step["still"])
        if faults:
            raise Failure("\n".join(faults))

    def list(self, step):
        wanted = step["list"]
        server = self.fleet[wanted.get("at", PLANE)]

        def faults():
            path = server.path(wanted["of"], wanted.get("namespace", "*"))
            if wanted.get("selector"):
                path += f"?labelSelector={wanted['selector'].replace(',', '%2C').replace('=', '%3D')}"
            items = server.request("GET", path)["items"]
            if wanted.get("only"):
                items = [one for one in items if not patterns.differences(wanted["only"], one, self.memory)]
            found = []
            if "count" in wanted:
                names = [one["metadata"]["name"] for one in items]
                found += [f"{fault} ({names})" for fault in patterns.differences(wanted["count"], len(items), self.memory)]
            for one in items if "each" in wanted else []:
                found += [f"{one['metadata']['name']} {fault}"
                          for fault in patterns.differences(wanted["each"], one, self.memory)]
            return found

        self.eventually(faults, seconds(step.get("within", f"{WITHIN}s")))

    def event(self, step):
        wanted = step["event"]
        found = self.find(wanted["of"])
        if found is None:
            raise Failure(f"{wanted['of']} is not there")
        server, path = found
        name = path.rsplit("/", 1)[1]
        kind = path.rsplit("/", 2)[1]
        pattern = {key: wanted[key] for key in ("reason", "type", "message") if key in wanted}

        def faults():
            events = [one for one in server.request("GET", "/api/v1/events")["items"]
                      if one["involvedObject"]["name"] == name
                      and server.resource(one["involvedObject"]["kind"].lower())[1] == kind]
            if any(not patterns.differences(pattern, one, self.memory) for one in events):
                return []
            seen = [f"{one['type']} {one['reason']}: {one['message']}" for one in events]
            return [f"no event {pattern} on {wanted['of']}; there are {seen}"]

        self.eventually(faults, seconds(step.get("within", f"{WITHIN}s")))

    def reasons(self, step):
        """Reasons that events have told, by their type and the kind they speak of."""
        wanted = {(type_, kind, reason) for type_, kinds in step["reasons"].items()
                  for kind, told in kinds.items() for reason in told}

        def faults():
            seen = {(one["type"], one["involvedObject"]["kind"], one["reason"])
                    for one in self.fleet.plane.request("GET", "/api/v1/events")["items"]}
            return [f"no {' '.join(missing)}" for missing in sorted(wanted - seen)]

        self.eventually(faults, seconds(step.get("within", f"{WITHIN}s")))

    def remember(self, step):
        for name, (reference, place) in step["remember"].items():
            value = self.get(reference)
            for part in place if isinstance(place, list) else place.split("."):
                value = value[int(part)] if isinstance(value, list) else value[part]
            self.memory[name] = value

    def run(self, step):
        """A command, with the fleet's kubeconfig; its answer and exit code."""
        command = step["run"].split() if isinstance(step["run"], str) else step["run"]
        environment = {**os.environ, "KUBECONFIG": self.fleet.kubeconfig(), "NO_COLOR": "1",
                       "PATH": f"{self.fleet.programs}:{os.environ['PATH']}"}
        files = os.path.join(self.folder, "files")
        os.makedirs(files, exist_ok=True)
        for name, text in step.get("files", {}).items():
            path = os.path.join(files, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

        def faults():
            done = subprocess.run(command, capture_output=True, text=True, cwd=files, env=environment, timeout=60,
                                  input=step.get("stdin"), check=False)
            found = []
            if done.returncode != step.get("exit", 0):
                found.append(f"ended with {done.returncode}: {done.stdout}{done.stderr}")
            for name, said in (("stdout", done.stdout), ("stderr", done.stderr)):
                wanted = step.get(name, [])
                if isinstance(wanted, dict):
                    found += patterns.differences(wanted, json.loads(said or "null"), self.memory)
                    continue
                for pattern in wanted if isinstance(wanted, list) else [wanted]:
                    if not re.search(pattern, said, re.M):
                        found.append(f"{name} does not fit /{pattern}/:\n{said}")
                for pattern in step.get(f"not-{name}", []):
                    if re.search(pattern, said, re.M):
                        found.append(f"{name} fits /{pattern}/:\n{said}")
            return found

        self.eventually(faults, seconds(step.get("within", "0s")))

    # Breaking and mending.

    def kill(self, step):
        """As a power cut: no goodbye."""
        self.fleet[step["kill"]].end(signal.SIGKILL)

    def crashes(self, step):
        """It ends by itself; `at-start`: it is started, and may do so before it is ready."""
        server = self.fleet[step["crashes"]]
        if step.get("at-start"):
            server.start()
        try:
            server.process.wait(seconds(step.get("within", "20s")))
        except subprocess.TimeoutExpired:
            raise Failure(f"{step['crashes']} goes on") from None
        server.end()

    def stop(self, step):
        self.fleet[step["stop"]].end()

    def start(self, step):
        self.fleet[step["start"]].start().ready()

    def pause(self, step):
        """The program hangs: connections stay, nobody answers."""
        self.fleet[step["pause"]].process.send_signal(signal.SIGSTOP)
        self.memory.setdefault("paused", set()).add(step["pause"])

    def resume(self, step):
        self.fleet[step["resume"]].process.send_signal(signal.SIGCONT)
        self.memory.get("paused", set()).discard(step["resume"])

    def estimators(self, step):
        """What the estimators of members say from now on; null: a member they do not know."""
        for name, answer in step["estimators"].items():
            self.fleet.estimators.say(name, answer)

    def asked(self, step):
        """Patterns of requests that estimators have had, waited for; `not-asked` of those they have not."""
        def faults():
            path = f"{self.fleet.estimators.folder}/requests"
            said = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
            found = [f"nobody asked /{one}/:\n{said}" for one in step["asked"] if not re.search(one, said, re.M)]
            return found + [f"asked /{one}/:\n{said}" for one in step.get("not-asked", []) if re.search(one, said, re.M)]

        self.eventually(faults, WITHIN)

    def cut(self, step):
        """The network between an agent and the control plane (agent-NAME), or its member (NAME), is gone."""
        self.fleet.relays[step["cut"]].cut()

    def mend(self, step):
        self.fleet.relays[step["mend"]].mend()

    def answers(self, step):
        """Other answers of members that are scripted."""
        for name, changed in step["answers"].items():
            self.fleet.stubs[name].answers.update(changed)

    def heard(self, step):
        """Requests that a scripted member has had: patterns of method, path, body."""
        for name, wanted in step["heard"].items():
            stub = self.fleet.stubs[name]
            self.eventually(lambda stub=stub, wanted=wanted: patterns.differences(patterns.Contains(wanted), stub.asked,
                                                                                  self.memory),
                            seconds(step.get("within", f"{WITHIN}s")))

    def join(self, step):
        names = step["join"] if isinstance(step["join"], list) else [step["join"]]
        for name in names:
            said, _ = (process := self.fleet.joining(name)).communicate(timeout=60)
            if process.returncode != 0:
                raise Failure(f"join {name}: {said}")
            if name in self.fleet.agents:
                self.fleet.agents[name].start().ready()
            self.fleet.describe(name)
            self.eventually(lambda name=name: [] if self.fleet.is_ready(name) else [f"{name} is not ready"], WITHIN)


VERBS = {"apply", "create", "patch", "delete", "refused", "expect", "absent", "settled", "still", "list", "event", "reasons",
         "remember", "run", "kill", "stop", "start", "pause", "resume", "crashes", "cut", "mend", "join", "estimators", "asked",
         "answers", "heard"}


def play(steps, step):
    verbs = [verb for verb in step if verb in VERBS]
    if len(verbs) > 1 and "refused" in verbs:
        verbs = ["refused"]
    if len(verbs) != 1:
        raise Failure(f"a step needs one verb of {', '.join(sorted(VERBS))}; this one has {list(step)}")
    getattr(steps, verbs[0])(step)
