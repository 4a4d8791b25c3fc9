# SPDX-License-Identifier: Apache-2.0
"""ValidatingAdmissionPolicies, by HTTP and by kubectl: policies_test.py API_HARNESS."""
import shutil
import time
import unittest

from harness import ApiTest, config_map

GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICIES, BINDINGS = GROUP + "/validatingadmissionpolicies", GROUP + "/validatingadmissionpolicybindings"
POLICY = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicas}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  variables:
  - {name: wanted, expression: object.spec.replicas}
  validations:
  - expression: variables.wanted <= 5
    messageExpression: "'at most 5 replicas, not ' + string(variables.wanted)"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: replicas-everywhere}
spec:
  policyName: replicas
  validationActions: [Deny]
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: %d
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
"""


def policy(name, *validations, resources=("configmaps",), operations=("CREATE", "UPDATE"), **spec):
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": list(operations), "resources": list(resources)}]
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {"matchConstraints": {"resourceRules": rules}, "validations": list(validations), **spec}}


def binding(name, actions=("Deny",), **spec):
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name + "-b"}, "spec": {"policyName": name, "validationActions": list(actions), **spec}}


class PolicyTest(ApiTest):
    def setUp(self):
        self.ns = self.namespace("t" + str(time.time_ns()))
        self.space = self.ns.rsplit("/", 1)[1]
        self.made = []
        self.addCleanup(self.remove)

    def remove(self):
        for path in self.made:
            self.call("DELETE", path)

    # In this test's namespace alone, as a binding of its own has to say.
    def bind(self, body, actions=("Deny",), **spec):
        name = body["metadata"]["name"]
        self.create(POLICIES, body)
        self.made.append(POLICIES + "/" + name)
        match = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.space}}}
        self.create(BINDINGS, binding(name, actions, matchResources=match, **spec))
        self.made.append(BINDINGS + "/" + name + "-b")

    def test_denies_at_once_and_no_more_once_it_is_gone(self):
        self.bind(policy("no-secrets", {"expression": "!('password' in object.data)", "message": "no passwords here"}))
        answer = self.create(self.ns + "/configmaps", config_map("a", password="x"), code=422)
        text = "ValidatingAdmissionPolicy 'no-secrets' with binding 'no-secrets-b' denied request: no passwords here"
        self.assertEqual(answer.message, 'configmaps "a" is forbidden: ' + text)
        self.assertEqual(answer.json["reason"], "Invalid")
        self.assertEqual(answer.json["details"],
                         {"name": "a", "kind": "configmaps", "causes": [{"message": text}]})
        self.create(self.ns + "/configmaps", config_map("a", user="x"))
        answer = self.call("PATCH", self.ns + "/configmaps/a", {"data": {"password": "y"}},
                           content_type="application/merge-patch+json")
        self.assertEqual(answer.code, 422)
        self.call("DELETE", BINDINGS + "/no-secrets-b")
        self.create(self.ns + "/configmaps", config_map("b", password="x"))

    def test_sees_old_objects_and_deletions(self):
        self.bind(policy("keep", {"expression": "oldObject.metadata.?labels.?keep.orValue('no') != 'yes'", "reason": "Forbidden"},
                         operations=("DELETE",)))
        self.create(self.ns + "/configmaps", config_map("a", labels={"keep": "yes"}))
        answer = self.call("DELETE", self.ns + "/configmaps/a")
        self.assertEqual((answer.code, answer.json["reason"]), (403, "Forbidden"))
        self.create(self.ns + "/configmaps", config_map("b"))
        self.assertEqual(self.call("DELETE", self.ns + "/configmaps/b").code, 200)

    def test_warns(self):
        self.bind(policy("named", {"expression": "object.metadata.name.startsWith('x')"}), actions=("Warn",))
        answer = self.create(self.ns + "/configmaps", config_map("a"))
        self.assertIn("299 - \"Validation failed for ValidatingAdmissionPolicy 'named' with binding 'named-b': failed "
                      "expression: object.metadata.name.startsWith('x')\"", answer.warnings)

    def test_reads_parameters(self):
        self.create(self.ns + "/configmaps", config_map("limits", most="2"))
        self.bind(policy("limited", {"expression": "!has(object.data) || object.data.size() <= int(params.data.most)"},
                         paramKind={"apiVersion": "v1", "kind": "ConfigMap"}),
                  paramRef={"name": "limits", "parameterNotFoundAction": "Deny"})
        self.create(self.ns + "/configmaps", config_map("a", a="1", b="2"))
        self.create(self.ns + "/configmaps", config_map("b", a="1", b="2", c="3"), code=422)
        self.call("DELETE", self.ns + "/configmaps/limits")
        answer = self.create(self.ns + "/configmaps", config_map("c"), code=422)
        self.assertIn("no params found for policy binding with `Deny` parameterNotFoundAction", answer.message)

    def test_dry_runs_are_judged_too(self):
        self.bind(policy("never", {"expression": "request.dryRun"}))
        self.create(self.ns + "/configmaps?dryRun=All", config_map("a"))
        self.create(self.ns + "/configmaps", config_map("a"), code=422)

    def test_policies_that_cannot_be_are_refused(self):
        answer = self.create(POLICIES, policy("bad", {"expression": "object.x +"}, {"expression": "request.nope"}), code=422)
        causes = answer.json["details"]["causes"]
        self.assertEqual([c["field"] for c in causes], ["spec.validations[0].expression", "spec.validations[1].expression"])
        self.assertIn("compilation failed: ERROR: <input>:1:8: undefined field 'nope'\n | request.nope\n | .......^",
                      causes[1]["message"])
        self.create(BINDINGS, binding("x", actions=()), code=422)

    def test_status_says_what_was_observed(self):
        body = policy("typed", {"expression": "object.dat.size() > 0"})
        self.create(POLICIES, body)
        self.made.append(POLICIES + "/typed")
        for _ in range(100):
            status = self.get(POLICIES + "/typed").json.get("status", {})
            if status:
                break
            time.sleep(0.05)
        self.assertEqual(status["observedGeneration"], 1)
        warning = status["typeChecking"]["expressionWarnings"][0]
        self.assertEqual(warning["fieldRef"], "spec.validations[0].expression")
        self.assertTrue(warning["warning"].startswith("v1, Kind=ConfigMap: ERROR: <input>:1:7: undefined field 'dat'"), warning)

    @unittest.skipUnless(shutil.which("kubectl"), "there is no kubectl")
    def test_kubectl_applies_policies_and_shows_their_denials(self):
        applied = self.kubectl("apply", "-f", "-", stdin=POLICY)
        self.made += [POLICIES + "/replicas", BINDINGS + "/replicas-everywhere"]
        self.assertEqual(applied.returncode, 0, applied.stderr)
        denied = self.kubectl("-n", self.space, "create", "-f", "-", stdin=DEPLOYMENT % 6)
        self.assertEqual(denied.returncode, 1)
        self.assertIn("ValidatingAdmissionPolicy 'replicas' with binding 'replicas-everywhere' denied request: at most 5 "
                      "replicas, not 6", denied.stderr)
        self.assertEqual(self.kubectl("-n", self.space, "create", "-f", "-", stdin=DEPLOYMENT % 5).returncode, 0)
        scaled = self.kubectl("-n", self.space, "patch", "deployment", "web", "-p", '{"spec":{"replicas":9}}')
        self.assertIn("at most 5 replicas, not 9", scaled.stderr)
        shown = self.kubectl("get", "validatingadmissionpolicies,validatingadmissionpolicybindings")
        self.assertIn("<unset>", shown.stdout)
        explained = self.kubectl("explain", "validatingadmissionpolicy.spec")
        self.assertIn("matchConstraints", explained.stdout)


if __name__ == "__main__":
    unittest.main()
