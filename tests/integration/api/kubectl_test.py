#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stock kubectl against the API server: kubectl_test.py API_HARNESS. Exits with 77 where there is no kubectl."""
import os
import shutil
import subprocess
import sys
import tempfile

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: "nginx:1"}]}
"""
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
"""
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}\n"


class Kubectl:
    def __init__(self, directory):
        self.directory = directory
        self.failures = 0

    def __call__(self, command, expect="", stdin=None, code=0, environment=None):
        env = {**os.environ, "KUBECONFIG": f"{self.directory}/kubeconfig", "HOME": self.directory, **(environment or {})}
        done = subprocess.run(["kubectl", *command.split()], input=stdin, capture_output=True, text=True, env=env,
                              timeout=60, check=False)
        output = done.stdout + done.stderr
        good = done.returncode == code and expect in output
        print(("ok     " if good else "not ok ") + "kubectl " + command)
        if not good:
            self.failures += 1
            print(f"  exit {done.returncode}, wanted {code} and {expect!r} in:\n{output}")
        return output


def check(kubectl):
    kubectl("version", "Server Version")
    kubectl("api-resources", "deployments")
    kubectl("api-versions", "policy.karmada.io/v1alpha1")
    kubectl("create namespace shop", "namespace/shop created")
    kubectl("-n shop create configmap c --from-literal=k=v", "configmap/c created")
    kubectl("-n shop get configmap c -o jsonpath={.data.k}", "v")
    kubectl("-n shop apply -f -", "deployment.apps/web created", DEPLOYMENT)
    kubectl("-n shop apply -f -", "deployment.apps/web unchanged", DEPLOYMENT)
    kubectl("-n shop apply -f -", "deployment.apps/web configured", DEPLOYMENT.replace("nginx:1", "nginx:2"))
    kubectl("-n shop apply --server-side --force-conflicts -f -", "serverside-applied", DEPLOYMENT)
    kubectl("-n shop diff -f -", "", DEPLOYMENT)
    kubectl("-n shop get deployments", "READY")
    kubectl("get deployments -A -o wide", "CONTAINERS")
    kubectl("-n shop get deployment web -o name", "deployment.apps/web")
    kubectl("-n shop get deployment web -o yaml", "kind: Deployment")
    kubectl("-n shop get all -l app=web", "deployment.apps/web")
    kubectl("-n shop get configmaps --field-selector metadata.name=c", "c ")
    kubectl("-n shop describe deployment web", "StrategyType")
    kubectl("-n shop scale deployment web --replicas=4", "scaled")
    kubectl("-n shop get deployment web -o jsonpath={.spec.replicas}", "4")
    kubectl("-n shop set image deployment/web nginx=nginx:3", "image updated")
    kubectl("-n shop label deployment web tier=front", "labeled")
    kubectl("-n shop annotate deployment web note=x", "annotated")
    for kind, patch in [("strategic", '{"spec":{"paused":true}}'), ("merge", '{"spec":{"paused":false}}'),
                        ("json", '[{"op":"replace","path":"/spec/replicas","value":1}]')]:
        kubectl(f"-n shop patch deployment web --type {kind} -p {patch}", "patched")
    kubectl("-n shop rollout restart deployment web", "restarted")
    kubectl("-n shop edit configmap c", "edited", environment={"EDITOR": "sed -i s/k:.v/k:\\ edited/"})
    kubectl("-n shop get configmap c -o jsonpath={.data.k}", "edited")
    kubectl("explain deployment.spec.replicas", "replicas <integer>")
    kubectl("apply -f -", "created", CRD)
    kubectl("wait --for=condition=Established crd/widgets.example.com --timeout=20s", "condition met")
    kubectl("-n shop apply -f -", "widget.example.com/w created", WIDGET)
    kubectl("-n shop get wd", "w ")
    kubectl("-n shop apply -f -", "configured", WIDGET.replace("1}", "2}"))
    kubectl("explain widget.spec.size", "size <integer>")
    kubectl("auth can-i create pods --as nobody", "no", code=1)
    kubectl("-n shop create serviceaccount robot", "created")
    kubectl("-n shop create token robot", "ey")
    kubectl("-n shop get pods nosuch", "(NotFound)", code=1)
    kubectl("-n shop create -f -", "unknown field \"spec.nonsense\"", DEPLOYMENT.replace("replicas: 2", "nonsense: 2"), code=1)
    kubectl("-n shop delete deployment web", "deleted")
    kubectl("delete crd widgets.example.com", "deleted")
    kubectl("delete namespace shop --timeout=30s", "deleted")
    kubectl("get namespace shop", "(NotFound)", code=1)


def main():
    if shutil.which("kubectl") is None:
        print("kubectl is not installed; run packaging/install-deps.sh test")
        return 1
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen([sys.argv[1], directory, "--controllers"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        try:
            server.stdout.readline()
            kubectl = Kubectl(directory)
            check(kubectl)
        finally:
            server.stdin.close()
            stopped = server.wait(timeout=20)
        print(f"{kubectl.failures} failures, server exited with {stopped}")
        return 1 if kubectl.failures or stopped else 0


sys.exit(main())
