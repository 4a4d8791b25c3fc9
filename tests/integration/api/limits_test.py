# SPDX-License-Identifier: Apache-2.0
"""Quotas, limit ranges, pod security and the other built-in plugins: limits_test.py API_HARNESS."""
import threading
import time
import unittest

from harness import ApiTest, config_map, pod


def asking(name, **amounts):
    """A pod whose container asks for amounts like cpu="1"; limits_cpu="2" is a limit."""
    resources = {"requests": {}, "limits": {}}
    for key, value in amounts.items():
        limit = key.startswith("limits_")
        resources["limits" if limit else "requests"][key.removeprefix("limits_")] = value
    made = pod(name)
    made["spec"]["containers"][0]["resources"] = resources
    return made


class LimitsTest(ApiTest):
    flags = ("--controllers",)

    def fresh(self, **labels):
        name = "t" + str(time.time_ns())
        return self.namespace(name, **labels)

    def quota(self, ns, hard, **spec):
        self.create(ns + "/resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": hard, **spec}})
        self.until(lambda: self.get(ns + "/resourcequotas/q").json.get("status", {}).get("used") is not None)

    def until(self, holds, seconds=5):
        end = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), end, "did not happen in time")
            time.sleep(0.02)

    def used(self, ns):
        return self.get(ns + "/resourcequotas/q").json["status"]["used"]

    def test_object_counts(self):
        ns = self.fresh()
        self.quota(ns, {"count/configmaps": "2", "secrets": "1"})
        self.create(ns + "/configmaps", config_map("a"))
        self.until(lambda: self.used(ns)["count/configmaps"] in ("1", "2"))
        while self.call("POST", ns + "/configmaps", {"metadata": {"generateName": "x-"}}).code == 201:
            pass
        answer = self.create(ns + "/configmaps", config_map("over"), code=403)
        self.assertEqual(answer.message, 'configmaps "over" is forbidden: exceeded quota: q, requested: count/configmaps=1, '
                         "used: count/configmaps=2, limited: count/configmaps=2")
        self.assertEqual(answer.json["reason"], "Forbidden")
        self.assertEqual(answer.json["details"], {"name": "over", "kind": "configmaps"})
        self.create(ns + "/secrets", {"metadata": {"name": "s"}})
        self.create(ns + "/secrets", {"metadata": {"name": "t"}}, code=403)
        self.call("DELETE", ns + "/secrets/s")
        self.until(lambda: self.used(ns)["secrets"] == "0")
        self.create(ns + "/secrets", {"metadata": {"name": "t"}})

    def test_pods_pay_for_what_they_ask(self):
        ns = self.fresh()
        self.quota(ns, {"pods": "3", "requests.cpu": "1", "limits.memory": "1Gi"})
        answer = self.create(ns + "/pods", pod("a"), code=403)
        self.assertEqual(answer.message, 'pods "a" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c')
        self.create(ns + "/pods", asking("a", cpu="600m", limits_memory="512Mi"))
        answer = self.create(ns + "/pods", asking("b", cpu="600m", limits_memory="512Mi"), code=403)
        self.assertEqual(answer.message, 'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: '
                         "requests.cpu=600m, limited: requests.cpu=1")
        self.create(ns + "/pods?dryRun=All", asking("b", cpu="400m", limits_memory="512Mi"))
        self.assertEqual(self.used(ns), {"pods": "1", "requests.cpu": "600m", "limits.memory": "512Mi"})

    def test_scopes(self):
        ns = self.fresh()
        self.quota(ns, {"pods": "0"}, scopes=["BestEffort"])
        self.create(ns + "/pods", pod("a"), code=403)
        self.create(ns + "/pods", asking("b", cpu="1"))

    def test_nobody_spends_the_same_rest_twice(self):
        ns = self.fresh()
        self.quota(ns, {"count/configmaps": "10"})
        codes = []

        def many(worker):
            for i in range(10):
                codes.append(self.call("POST", ns + "/configmaps", config_map(f"c{worker}-{i}")).code)
        workers = [threading.Thread(target=many, args=(worker,)) for worker in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertLessEqual(codes.count(201), 10)
        self.assertGreaterEqual(codes.count(201), 9)  # kube-root-ca.crt may come in between
        self.assertEqual(set(codes), {201, 403})

    def test_limit_ranges(self):
        ns = self.fresh()
        self.create(ns + "/limitranges", {"metadata": {"name": "l"}, "spec": {"limits": [
            {"type": "Container", "default": {"cpu": "500m"}, "defaultRequest": {"cpu": "250m"}, "max": {"cpu": "1"},
             "min": {"cpu": "100m"}, "maxLimitRequestRatio": {"cpu": "4"}},
            {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}]}})
        made = self.create(ns + "/pods", pod("a")).json
        self.assertEqual(made["spec"]["containers"][0]["resources"], {"limits": {"cpu": "500m"}, "requests": {"cpu": "250m"}})
        self.assertEqual(made["metadata"]["annotations"]["kubernetes.io/limit-ranger"],
                         "LimitRanger plugin set: cpu request for container c; cpu limit for container c")
        answer = self.create(ns + "/pods", asking("b", cpu="100m", limits_cpu="2"), code=403)
        self.assertEqual(answer.message, 'pods "b" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, cpu max limit '
                         "to request ratio per Container is 4, but provided ratio is 20.000000]")
        answer = self.create(ns + "/pods", asking("b", cpu="50m", limits_cpu="100m"), code=403)
        self.assertEqual(answer.message, 'pods "b" is forbidden: minimum cpu usage per Container is 100m, but request is 50m')
        answer = self.create(ns + "/persistentvolumeclaims", {"metadata": {"name": "v"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}}, code=403)
        self.assertIn("maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi", answer.message)

    def test_pod_security(self):
        prefix = "pod-security.kubernetes.io/"
        ns = self.fresh(**{prefix + "enforce": "baseline", prefix + "warn": "restricted"})
        answer = self.create(ns + "/pods", pod("a"))
        self.assertEqual(answer.warnings, [
            '299 - "would violate PodSecurity \\"restricted:latest\\": allowPrivilegeEscalation != false (container \\"c\\" must set '
            'securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \\"c\\" must set '
            'securityContext.capabilities.drop=[\\"ALL\\"]), runAsNonRoot != true (pod or container \\"c\\" must set '
            'securityContext.runAsNonRoot=true), seccompProfile (pod or container \\"c\\" must set '
            'securityContext.seccompProfile.type to \\"RuntimeDefault\\" or \\"Localhost\\")"'])
        answer = self.create(ns + "/pods", pod("b", hostNetwork=True, volumes=[{"name": "r", "hostPath": {"path": "/"}}]), code=403)
        self.assertEqual(answer.message, 'pods "b" is forbidden: violates PodSecurity "baseline:latest": host namespaces '
                         '(hostNetwork=true), hostPath volumes (volume "r")')
        answer = self.create("/api/v1/namespaces", {"metadata": {"name": "bad", "labels": {prefix + "enforce": "strict"}}}, code=422)
        self.assertIn("must be one of privileged, baseline, restricted", answer.message)

    def test_pod_security_of_an_older_version(self):
        prefix = "pod-security.kubernetes.io/"
        ns = self.fresh(**{prefix + "enforce": "baseline", prefix + "enforce-version": "v1.28"})
        sysctls = {"sysctls": [{"name": "net.ipv4.tcp_keepalive_time", "value": "60"}]}
        answer = self.create(ns + "/pods", pod("a", securityContext=sysctls), code=403)
        self.assertEqual(answer.message, 'pods "a" is forbidden: violates PodSecurity "baseline:v1.28": forbidden sysctls '
                         "(net.ipv4.tcp_keepalive_time)")
        self.create(self.fresh(**{prefix + "enforce": "baseline"}) + "/pods", pod("a", securityContext=sysctls))
        answer = self.create("/api/v1/namespaces", {"metadata": {"name": "bad", "labels": {prefix + "enforce-version": "1.28"}}}, code=422)
        self.assertIn('metadata.labels[pod-security.kubernetes.io/enforce-version]: Invalid value: "1.28": must be "latest" or "v1.x"',
                      answer.message)

    def test_flow_control_objects_are_there(self):
        group = "/apis/flowcontrol.apiserver.k8s.io"
        self.assertEqual(self.get(group).json["preferredVersion"]["version"], "v1")
        shown = self.kubectl("get", "flowschemas")
        self.assertEqual(len(shown.stdout.splitlines()), 14, shown.stderr)
        self.assertRegex(shown.stdout, r"exempt +exempt +1 +<none>")
        levels = {one["metadata"]["name"]: one["spec"] for one in self.get(group + "/v1/prioritylevelconfigurations").json["items"]}
        self.assertEqual(sorted(levels), ["catch-all", "exempt", "global-default", "leader-election", "node-high", "system", "workload-high",
                                          "workload-low"])
        self.assertEqual(levels["workload-low"]["limited"]["nominalConcurrencyShares"], 100)
        self.assertEqual(levels["exempt"]["exempt"], {"nominalConcurrencyShares": 0, "lendablePercent": 0})
        older = self.get(group + "/v1beta2/prioritylevelconfigurations/workload-low")
        self.assertEqual(older.json["spec"]["limited"]["assuredConcurrencyShares"], 100)
        self.assertIn("deprecated in v1.29+", self.get(group + "/v1beta3/flowschemas").warnings[0])

    def test_stricter_labels_warn_of_pods_that_are_there(self):
        ns = self.fresh()
        for name in ("a", "b"):
            self.create(ns + "/pods", pod(name))
        answer = self.call("PATCH", ns, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
                           content_type="application/merge-patch+json")
        space = ns.rsplit("/", 1)[1]
        self.assertEqual(answer.warnings, [
            f'299 - "existing pods in namespace \\"{space}\\" violate the new PodSecurity enforce level \\"restricted:latest\\""',
            '299 - "a (and 1 other pod): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, '
            'seccompProfile"'])

    def test_default_classes(self):
        ns = self.fresh()
        self.create("/apis/networking.k8s.io/v1/ingressclasses", {"metadata": {"name": "front", "annotations": {
            "ingressclass.kubernetes.io/is-default-class": "true"}}, "spec": {"controller": "example.com/c"}})
        made = self.create(ns.replace("/api/v1", "/apis/networking.k8s.io/v1") + "/ingresses", {
            "metadata": {"name": "i"}, "spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}}).json
        self.assertEqual(made["spec"]["ingressClassName"], "front")

    def test_runtime_classes(self):
        ns = self.fresh()
        self.create("/apis/node.k8s.io/v1/runtimeclasses", {"metadata": {"name": "vm"}, "handler": "vm", "overhead": {
            "podFixed": {"cpu": "100m"}}, "scheduling": {"nodeSelector": {"vm": "yes"}}})
        made = self.create(ns + "/pods", pod("a", runtimeClassName="vm")).json
        self.assertEqual(made["spec"]["overhead"], {"cpu": "100m"})
        self.assertEqual(made["spec"]["nodeSelector"], {"vm": "yes"})
        answer = self.create(ns + "/pods", pod("b", runtimeClassName="none"), code=403)
        self.assertIn('pod rejected: RuntimeClass "none" not found', answer.message)


if __name__ == "__main__":
    unittest.main(verbosity=1)
