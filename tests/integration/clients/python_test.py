#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The python client as programs use it: python_test.py API_HARNESS. Exits with 77 where the client is not installed."""
import sys
import threading
import time
import unittest

try:
    from kubernetes import client, config, dynamic, watch
    from kubernetes.client.rest import ApiException
    from kubernetes.leaderelection import electionconfig, leaderelection
    from kubernetes.leaderelection.resourcelock import configmaplock
except ImportError:
    sys.exit(77)

from harness import Harness, config_map

PROGRAM = sys.argv.pop(1)


class Informer(threading.Thread):
    """List, then watch from there, forever: what every informer is."""

    def __init__(self, core, namespace, **selection):
        super().__init__(daemon=True)
        self.core, self.namespace, self.selection = core, namespace, selection
        self.store, self.events, self.lists = {}, [], 0
        self.synced = threading.Event()
        self.ended = False

    def run(self):
        while not self.ended:
            listed = self.core.list_namespaced_config_map(self.namespace, **self.selection)
            self.lists += 1
            self.store = {item.metadata.name: item for item in listed.items}
            self.synced.set()
            version = listed.metadata.resource_version
            try:
                while not self.ended:
                    stream = watch.Watch()
                    for event in stream.stream(self.core.list_namespaced_config_map, self.namespace, resource_version=version,
                                               timeout_seconds=2, allow_watch_bookmarks=True, **self.selection):
                        # A bookmark comes untyped.
                        item = event["object"]
                        if event["type"] == "BOOKMARK":
                            version = item["metadata"]["resourceVersion"] if isinstance(item, dict) else item.metadata.resource_version
                            self.events.append(("BOOKMARK", None))
                            continue
                        version = item.metadata.resource_version
                        self.events.append((event["type"], item.metadata.name))
                        if event["type"] == "DELETED":
                            self.store.pop(item.metadata.name, None)
                        else:
                            self.store[item.metadata.name] = item
            except ApiException as gone:
                if gone.status != 410:
                    raise


def eventually(holds, timeout=15):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


class PythonClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Harness(PROGRAM, "--controllers")
        config.load_kube_config(cls.server.kubeconfig)
        cls.api = client.ApiClient()
        cls.core = client.CoreV1Api(cls.api)
        cls.core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="py")))

    @classmethod
    def tearDownClass(cls):
        cls.api.close()
        cls.server.__exit__()

    def test_an_informer_keeps_up(self):
        for i in range(30):
            self.core.create_namespaced_config_map("py", config_map(f"before-{i}", labels={"in": "yes"}))
        informer = Informer(self.core, "py", label_selector="in=yes")
        informer.start()
        self.assertTrue(informer.synced.wait(10))
        for i in range(30):
            self.core.create_namespaced_config_map("py", config_map(f"after-{i}", labels={"in": "yes"}))
            self.core.patch_namespaced_config_map(f"before-{i}", "py", {"data": {"x": str(i)}})
        self.core.delete_namespaced_config_map("after-0", "py")
        # Out of the selection and into it.
        self.core.patch_namespaced_config_map("after-1", "py", {"metadata": {"labels": {"in": "no"}}})
        self.core.create_namespaced_config_map("py", config_map("outside"))
        self.core.patch_namespaced_config_map("outside", "py", {"metadata": {"labels": {"in": "yes"}}})
        self.assertTrue(eventually(lambda: "outside" in informer.store))
        self.assertTrue(eventually(lambda: ("BOOKMARK", None) in informer.events))  # before each end
        wanted = {item.metadata.name: item.metadata.resource_version
                  for item in self.core.list_namespaced_config_map("py", label_selector="in=yes").items}
        self.assertTrue(eventually(lambda: {name: item.metadata.resource_version for name, item in informer.store.items()} == wanted))
        self.assertEqual(informer.lists, 1)
        self.assertIn(("DELETED", "after-1"), informer.events)
        self.assertIn(("ADDED", "outside"), informer.events)
        informer.ended = True

    def test_pages_are_of_one_moment(self):
        for i in range(25):
            self.core.create_namespaced_config_map("py", config_map(f"page-{i:02}", labels={"page": "yes"}))
        seen, token, version = [], None, None
        while True:
            page = self.core.list_namespaced_config_map("py", limit=10, _continue=token)
            seen += [item.metadata.name for item in page.items]
            self.assertIn(version, (None, page.metadata.resource_version))
            version = page.metadata.resource_version
            token = page.metadata._continue
            if not token:
                break
            self.assertIsNotNone(page.metadata.remaining_item_count)
            self.core.delete_namespaced_config_map(next(name for name in seen if name.startswith("page")), "py") \
                if any(name.startswith("page") for name in seen) and len(seen) == 10 else None
        self.assertEqual(seen, sorted(seen))
        self.assertEqual(len(seen), len(set(seen)))

    def test_patches_of_each_kind(self):
        apps = client.AppsV1Api(self.api)
        body = {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "one", "image": "x:1"}]}}}}
        apps.create_namespaced_deployment("py", body)
        patched = apps.patch_namespaced_deployment("web", "py", {"spec": {"template": {"spec": {"containers": [
            {"name": "two", "image": "y:1"}]}}}})  # strategic: merged by name
        self.assertEqual({c.name for c in patched.spec.template.spec.containers}, {"one", "two"})
        patched = apps.patch_namespaced_deployment("web", "py", [{"op": "replace", "path": "/spec/replicas", "value": 3}])
        self.assertEqual(patched.spec.replicas, 3)
        scale = apps.patch_namespaced_deployment_scale("web", "py", {"spec": {"replicas": 5}})
        self.assertEqual(scale.spec.replicas, 5)
        apps.delete_namespaced_deployment("web", "py")

    def test_custom_resources(self):
        extensions = client.ApiextensionsV1Api(self.api)
        schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1}}}}}
        extensions.create_custom_resource_definition({
            "metadata": {"name": "gadgets.example.org"},
            "spec": {"group": "example.org", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"},
                     "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                                   "schema": {"openAPIV3Schema": schema}}]}})
        custom = client.CustomObjectsApi(self.api)
        gadget = {"apiVersion": "example.org/v1", "kind": "Gadget", "metadata": {"name": "g"}, "spec": {"size": 1}}
        self.assertTrue(eventually(lambda: self.created(custom, gadget)))
        with self.assertRaises(ApiException) as refused:
            custom.create_namespaced_custom_object("example.org", "v1", "py", "gadgets",
                                                   {**gadget, "metadata": {"name": "bad"}, "spec": {"size": 0}})
        self.assertEqual(refused.exception.status, 422)
        dynamic_client = dynamic.DynamicClient(self.api)
        gadgets = dynamic_client.resources.get(api_version="example.org/v1", kind="Gadget")
        self.assertEqual(gadgets.get(name="g", namespace="py").spec.size, 1)
        gadgets.patch(name="g", namespace="py", body={"spec": {"size": 7}}, content_type="application/merge-patch+json")
        events = []
        for event in gadgets.watch(namespace="py", timeout=1):
            events.append((event["type"], event["object"].spec.size))
        self.assertIn(("ADDED", 7), events)
        extensions.delete_custom_resource_definition("gadgets.example.org")

    def created(self, custom, body):
        try:
            custom.create_namespaced_custom_object("example.org", "v1", "py", "gadgets", body)
            return True
        except ApiException:
            return False

    def test_errors_are_the_clients_own(self):
        with self.assertRaises(ApiException) as missing:
            self.core.read_namespaced_config_map("nowhere", "py")
        self.assertEqual((missing.exception.status, missing.exception.reason), (404, "Not Found"))
        self.core.create_namespaced_config_map("py", config_map("twice"))
        with self.assertRaises(ApiException) as twice:
            self.core.create_namespaced_config_map("py", config_map("twice"))
        self.assertEqual(twice.exception.status, 409)

    def test_leader_election(self):
        led = threading.Event()
        lock = configmaplock.ConfigMapLock("leader", "py", "me")

        def lead():
            led.set()
            raise SystemExit  # the library has no other end

        election = leaderelection.LeaderElection(electionconfig.Config(
            lock, lease_duration=5, renew_deadline=3, retry_period=1.1, onstarted_leading=lead, onstopped_leading=lambda: None))
        threading.Thread(target=self.elect, args=(election,), daemon=True).start()
        self.assertTrue(led.wait(20))
        holder = self.core.read_namespaced_config_map("leader", "py").metadata.annotations
        self.assertIn('"holderIdentity": "me"', holder["control-plane.alpha.kubernetes.io/leader"])

    @staticmethod
    def elect(election):
        election.run()

    def test_a_protected_namespace_goes_when_it_is_empty(self):
        self.core.create_namespace({"metadata": {"name": "going"}})
        self.core.create_namespaced_config_map("going", config_map("a"))
        self.core.delete_namespace("going")
        self.assertTrue(eventually(lambda: "going" not in {n.metadata.name for n in self.core.list_namespace().items}))


if __name__ == "__main__":
    unittest.main()
