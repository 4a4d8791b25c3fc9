# SPDX-License-Identifier: Apache-2.0
"""A control plane and its members, as real programs, and what a client says to them."""
import base64
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.request

import yaml

from relay import Relay
from stub import Stub

READY = re.compile(rb"^ready https://([^:]+):(\d+) kubeconfig=(\S+)$")
PLANE = "control-plane"

PERIODIC = ("federatedHPA-controller", "cronfederatedhpa-controller", "descheduler", "cluster-lease",
            "cert-rotation-controller")


def work_in(metrics):
    """Work that is due or done right now, and how much there has been; the beat of cluster health apart, and what
    other loops do by the clock counted only while they do it."""
    waiting = total = 0.0
    for line in metrics.splitlines():
        if "cluster-status" in line or "cluster-monitor" in line:
            continue
        if line.startswith("workqueue_adds_total{") and any(f'"{name}"' in line for name in PERIODIC):
            continue
        if line.startswith(("workqueue_depth{", "controller_runtime_active_workers{")):
            waiting += float(line.rsplit(" ", 1)[1])
        elif line.startswith("workqueue_adds_total{"):
            total += float(line.rsplit(" ", 1)[1])
    return waiting, total


def as_flags(settings):
    return [part for key, value in settings.items()
            for part in ("--set", f"{key}={value if isinstance(value, str) else json.dumps(value)}")]


class Refused(Exception):
    """What a server answers instead of an object."""

    def __init__(self, status, body):
        self.status = status
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {"message": body.decode("utf-8", "replace")}
        self.answer = answer
        super().__init__(f"{status} {answer.get('reason', '')}: {answer.get('message', '')}")


class Server:
    """One flotillad."""

    def __init__(self, programs, folder, name, flags):
        self.programs, self.folder, self.name, self.flags = programs, folder, name, flags
        self.port = 0
        self.process = None
        self.connection = None
        self.types = None

    def start(self):
        self.log = open(f"{self.folder}/{self.name}.log", "ab")
        self.process = subprocess.Popen(
            [f"{self.programs}/flotillad", "--data-dir", f"{self.folder}/{self.name}",
             "--listen", f"127.0.0.1:{self.port}", *self.flags],
            stdout=subprocess.PIPE, stderr=self.log)
        return self

    def ready(self):
        line = self.process.stdout.readline().rstrip(b"\n")
        match = READY.match(line)
        if not match:
            raise AssertionError(f"{self.name} did not start: {self.said()}")
        self.host, self.port, self.kubeconfig = match.group(1).decode(), int(match.group(2)), match.group(3).decode()
        with open(self.kubeconfig, encoding="utf-8") as file:
            config = yaml.safe_load(file)
        user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
        tls = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
            pair.flush()
            tls.load_cert_chain(pair.name)
        self.tls = tls  # whole at once: other threads connect with it
        self.hang_up()
        return self

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def said(self):
        with open(f"{self.folder}/{self.name}.log", encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def end(self, how=signal.SIGTERM):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
            raise AssertionError(f"{self.name} did not stop: {self.said()}") from None
        finally:
            self.process.stdout.close()
            self.log.close()
            self.process = None
            self.hang_up()

    def request(self, verb, path, body=None, kind="application/json", accept="application/json"):
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(self.host, self.port, context=self.tls, timeout=30)
            try:
                headers = {"Accept": accept}
                if body is not None:
                    headers["Content-Type"] = kind
                self.connection.request(verb, path, None if body is None else json.dumps(body), headers)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
        if answer.status >= 300:
            raise Refused(answer.status, text)
        return json.loads(text) if accept == "application/json" else text.decode()

    def resource(self, name):
        """(path before the namespace, plural, namespaced) of a resource, kind or short name, with group where given."""
        if self.types is None or name.lower() not in self.types:
            self.discover()
        if name.lower() not in self.types:
            raise AssertionError(f"{self.name} serves no {name}")
        return self.types[name.lower()]

    def discover(self):
        self.types = {}
        groups = [("", "v1", "/api/v1")]
        for group in self.request("GET", "/apis")["groups"]:
            versions = [group["preferredVersion"]] + group["versions"]
            groups += [(group["name"], one["version"], f"/apis/{one['groupVersion']}") for one in versions]
        for group, _, path in groups:
            try:
                listed = self.request("GET", path)["resources"]
            except Refused:
                continue
            for one in listed:
                if "/" in one["name"]:
                    continue
                found = (path, one["name"], one["namespaced"])
                names = [one["name"], one["kind"].lower(), one.get("singularName", "")] + one.get("shortNames", [])
                for name in filter(None, names):
                    self.types.setdefault(name, found)
                    self.types.setdefault(f"{name}.{group}" if group else name, found)

    def path(self, resource, ns=None, name=None, subresource=None):
        prefix, plural, namespaced = self.resource(resource)
        path = prefix + (f"/namespaces/{ns or 'default'}" if namespaced and ns != "*" else "") + f"/{plural}"
        if name:
            path += "/" + name
        return path + (f"/{subresource}" if subresource else "")

    def path_of(self, obj, with_name=True):
        group, _, version = obj["apiVersion"].rpartition("/")
        prefix = f"/apis/{group}/{version}" if group else f"/api/{version}"
        _, plural, namespaced = self.resource(obj["kind"].lower() + ("." + group if group else ""))
        ns = obj["metadata"].get("namespace", "default")
        path = prefix + (f"/namespaces/{ns}" if namespaced else "") + f"/{plural}"
        return path + ("/" + obj["metadata"]["name"] if with_name else "")

    def apply(self, obj, manager="scenario"):
        path = self.path_of(obj)
        return self.request("PATCH", f"{path}?fieldManager={manager}&force=true", obj, "application/apply-patch+yaml")

    def busy(self):
        return work_in(self.request("GET", "/metrics", accept="text/plain"))


class AgentProgram:
    """The agent of a member in pull mode, from the files that registering wrote."""

    def __init__(self, programs, folder, member, flags):
        self.programs, self.folder, self.flags = programs, folder, flags
        self.name = f"agent-{member}"
        self.directory = f"{folder}/{self.name}"
        self.process = None
        self.health = None

    def start(self):
        self.log = open(f"{self.folder}/{self.name}.log", "ab")
        self.process = subprocess.Popen(
            [f"{self.programs}/flotillad", "--config", f"{self.directory}/flotilla.yaml", *self.flags],
            stdout=subprocess.PIPE, stderr=self.log)
        return self

    def ready(self):
        line = self.process.stdout.readline().decode().rstrip("\n")
        match = re.search(r"^ready agent of .* health=(http://\S+)$", line)
        if not match:
            raise AssertionError(f"{self.name} did not start: {line} {self.said()}")
        self.health = match.group(1)
        return self

    def busy(self):
        with urllib.request.urlopen(self.health + "/metrics", timeout=10) as answer:
            return work_in(answer.read().decode())

    said = Server.said
    end = Server.end

    def hang_up(self):
        pass


class Estimators:
    """An estimator for every member, as Karmada runs them; what it says of a member is a file."""

    def __init__(self, programs, folder):
        self.programs, self.folder, self.process = programs, f"{folder}/estimators", None

    @property
    def address(self):
        return f"unix:{self.folder}/sock"

    def say(self, member, answer):
        os.makedirs(self.folder, exist_ok=True)
        path = f"{self.folder}/{member}"
        if answer is None:
            if os.path.exists(path):
                os.remove(path)
            return
        with open(path + "~", "w", encoding="utf-8") as file:
            json.dump(answer, file)
        os.replace(path + "~", path)

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        self.process = subprocess.Popen([f"{self.programs}/flotilla-test-estimator", self.folder, self.address],
                                        stdout=subprocess.PIPE)
        return self

    def ready(self):
        if self.process.stdout.readline() != b"ready\n":
            raise AssertionError("the estimators did not start")
        return self

    def end(self, how=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(20)
        self.process.stdout.close()
        self.process = None


class Fleet:
    """A control plane and its members, from start to end of one scenario."""

    def __init__(self, programs, folder, members, settings, estimators=None):
        self.programs, self.folder = programs, folder
        self.estimators = None
        if estimators is not None:
            self.estimators = Estimators(programs, folder)
            for name, answer in estimators.items():
                self.estimators.say(name, answer)
            settings.setdefault("controllers.enable_scheduler_estimator", True)
            settings["scheduler.estimators"] = {"karmada_grpc": {"address": self.estimators.address}}
        flags = ["--storage", settings.pop("storage.name", "memory")]
        # Health is believed after a moment, so that what follows from it can be seen.
        given = {"controllers.cluster_status_update_frequency": "200ms", "controllers.cluster_success_threshold": "1ms",
                 "controllers.cluster_failure_threshold": "1ms", **settings}
        built = os.path.dirname(os.path.abspath(programs))
        flags += [part.replace("{built}", built) for part in as_flags(given)]
        self.servers = {PLANE: Server(programs, folder, PLANE, flags)}
        self.stubs = {name: Stub(name, member["answers"]) for name, member in members.items() if "answers" in member}
        self.members = {name: member for name, member in members.items() if name not in self.stubs}
        for name, member in self.members.items():
            own = as_flags(member.get("settings") or {})
            self.servers[name] = Server(programs, folder, name, ["--profile", "member", *own])
        # Members in pull mode: their agents, and what lies between these and both clusters.
        self.agents, self.relays = {}, {}
        for name in [name for name, member in members.items() if member.get("mode") == "pull"]:
            health = {key: value for key, value in given.items() if key.startswith("controllers.cluster_")}
            own = {**health, "agent.listen": "127.0.0.1:0", "agent.cluster_lease_duration": "1s",
                   **(members[name].get("agent") or {})}
            self.agents[name] = AgentProgram(programs, folder, name, as_flags(own))

    def __getitem__(self, name):
        if name == "estimators" and self.estimators is not None:
            return self.estimators
        if name.startswith("agent-") and name[6:] in self.agents:
            return self.agents[name[6:]]
        if name not in self.servers:
            raise AssertionError(f"there is no server {name}; there are {', '.join(self.servers)}")
        return self.servers[name]

    @property
    def plane(self):
        return self.servers[PLANE]

    def everybody(self):
        return [*self.servers.values(), *self.agents.values()]

    def start(self):
        if self.estimators is not None:
            self.estimators.start().ready()
        for server in self.servers.values():
            server.start()
        for server in self.servers.values():
            server.ready()
        for name, agent in self.agents.items():
            self.relays[agent.name] = Relay(self.plane.port)
            self.relays[name] = Relay(self[name].port)
        joined = [name for name, member in self.members.items() if member.get("join", True)]
        for name, process in [(name, self.joining(name)) for name in joined]:
            said, _ = process.communicate(timeout=60)
            if process.returncode != 0:
                raise AssertionError(f"join {name}: {said}\n{self.plane.said()}")
            if name in self.agents:
                self.agents[name].start().ready()
        for name in joined:
            self.describe(name)
        until = time.monotonic() + 30
        while not all(self.is_ready(name) for name in joined):
            if time.monotonic() > until:
                raise AssertionError("members do not become ready: " + self.plane.said())
            time.sleep(0.01)
        for stub in self.stubs.values():
            stub.start(self.plane)

    def joining(self, name):
        if name in self.agents:
            return self.registering(name)
        return subprocess.Popen(
            [f"{self.programs}/flotillactl", "-q", "--kubeconfig", self.plane.kubeconfig, "join", name,
             "--cluster-kubeconfig", self[name].kubeconfig],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def registering(self, name):
        """As a person would: the command that the control plane prints, typed where the member is."""
        made = subprocess.run(
            [f"{self.programs}/flotillactl", "--kubeconfig", self.plane.kubeconfig, "token", "create",
             "--print-register-command"], capture_output=True, text=True, timeout=60, check=True)
        words = made.stdout.split()
        assert words[:2] == ["flotillactl", "register"], made.stdout
        agent, between = self.agents[name], self.relays
        with open(self[name].kubeconfig, encoding="utf-8") as file:
            own = yaml.safe_load(file)
        own["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{between[name].port}"
        reached = f"{self.folder}/{name}.through-relay"
        with open(reached, "w", encoding="utf-8") as file:
            yaml.safe_dump(own, file)
        member = self.members[name]
        flags = [f"--cluster-{key}={member[key]}" for key in ("provider", "region") if key in member]
        flags += [f"--cluster-zones={','.join(member['zones'])}"] if "zones" in member else []
        return subprocess.Popen(
            [f"{self.programs}/flotillactl", "-q", "register", f"127.0.0.1:{between[agent.name].port}", *words[3:],
             "--cluster-name", name, "--kubeconfig", reached, "--agent-dir", agent.directory,
             *flags, *(member.get("register") or [])],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def describe(self, name):
        """Labels, region and so on of a Cluster, as the scenario says."""
        member = self.members[name]
        until = time.monotonic() + 30
        while name in self.agents and not self.is_ready(name) and time.monotonic() < until:
            time.sleep(0.01)
        change = {}
        if member.get("labels"):
            change["metadata"] = {"labels": member["labels"]}
        spec = {key: member[key] for key in ("provider", "region", "zones", "taints") if key in member}
        if spec:
            change["spec"] = spec
        if change:
            self.plane.request("PATCH", f"/apis/cluster.karmada.io/v1alpha1/clusters/{name}", change,
                               "application/merge-patch+json")

    def is_ready(self, name):
        try:
            cluster = self.plane.request("GET", f"/apis/cluster.karmada.io/v1alpha1/clusters/{name}")
        except Refused:
            return False  # its agent is about to make it
        return any(one["type"] == "Ready" and one["status"] == "True"
                   for one in cluster.get("status", {}).get("conditions", []))

    def stop(self):
        faults = []
        for stub in self.stubs.values():
            stub.stop()
        for server in [*self.agents.values(), *self.servers.values(), *filter(None, [self.estimators])]:
            try:
                server.end()
            except AssertionError as error:
                faults.append(str(error))
        for relay in self.relays.values():
            relay.close()
        if faults:
            raise AssertionError("\n".join(faults))

    def kubeconfig(self):
        """All servers as contexts of one file, the control plane first; then members through its proxy."""
        path = f"{self.folder}/kubeconfig"
        if not os.path.exists(path):
            merged = {"apiVersion": "v1", "kind": "Config", "current-context": "flotilla",
                      "clusters": [], "users": [], "contexts": []}
            for name, server in self.servers.items():
                with open(server.kubeconfig, encoding="utf-8") as file:
                    own = yaml.safe_load(file)
                called = "flotilla" if name == PLANE else name
                merged["clusters"].append({"name": called, "cluster": own["clusters"][0]["cluster"]})
                merged["users"].append({"name": called, "user": own["users"][0]["user"]})
                merged["contexts"].append({"name": called, "context": {"cluster": called, "user": called}})
            through = merged["clusters"][0]["cluster"]
            for name in [*self.members, "*"]:
                called = "all-clusters" if name == "*" else f"through-{name}"
                server = through["server"] + f"/apis/cluster.karmada.io/v1alpha1/clusters/{name}/proxy"
                merged["clusters"].append({"name": called, "cluster": {**through, "server": server}})
                merged["contexts"].append({"name": called, "context": {"cluster": called, "user": "flotilla"}})
            server = through["server"] + "/apis/search.karmada.io/v1alpha1/proxying/karmada/proxy"
            merged["clusters"].append({"name": "global", "cluster": {**through, "server": server}})
            merged["contexts"].append({"name": "global", "context": {"cluster": "global", "user": "flotilla"}})
            with open(path, "w", encoding="utf-8") as file:
                yaml.safe_dump(merged, file)
        return path
