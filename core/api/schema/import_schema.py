#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes config/schema/types.txt and config/schema/resources.txt from recorded schemas.

    import_schema.py KUBE_DIR KARMADA_DIR OUT_DIR

KUBE_DIR has schema.json and discovery.json, KARMADA_DIR has schema.json. The grammar of the two files is in
config/schema/README.md. Facts that no schema tells (which optional scalars are pointers in Go) are listed here.
"""
import json
import pathlib
import re
import sys

# Optional scalars that keep their zero value. "Type.field" or ".field" for every type.
POINTERS = set("""
.privileged .runAsUser .runAsGroup .runAsNonRoot .readOnlyRootFilesystem .allowPrivilegeEscalation .procMount
.fsGroup .fsGroupChangePolicy .terminationGracePeriodSeconds .activeDeadlineSeconds
.automountServiceAccountToken .shareProcessNamespace .enableServiceLinks .runtimeClassName .setHostnameAsFQDN
.hostUsers .defaultMode .mode .optional .volumeMode .mountPropagation .initiatorName .endpointsNamespace
.cachingMode .secretNamespace .lun .tolerationSeconds .ipFamilyPolicy .allocateLoadBalancerNodePorts
.loadBalancerClass .internalTrafficPolicy .appProtocol .immutable .deletionGracePeriodSeconds .controller
.blockOwnerDeletion .remainingItemCount .started .minDomains .nodeAffinityPolicy .nodeTaintsPolicy
.gmsaCredentialSpecName .gmsaCredentialSpec .runAsUserName .hostProcess .localhostProfile .resizeStatus
.revisionHistoryLimit .progressDeadlineSeconds .collisionCount .parallelism .completions .backoffLimit
.manualSelector .ttlSecondsAfterFinished .completionMode .suspend .containerName .timeZone
.startingDeadlineSeconds .successfulJobsHistoryLimit .failedJobsHistoryLimit .minReplicas
.targetCPUUtilizationPercentage .currentCPUUtilizationPercentage .averageUtilization
.stabilizationWindowSeconds .selectPolicy .unhealthyPodEvictionPolicy .gracePeriodSeconds .orphanDependents
.propagationPolicy .ingressClassName .pathType .scope .endPort .holderIdentity .leaseDurationSeconds
.leaseTransitions .allowVolumeExpansion .volumeBindingMode .attachRequired .podInfoOnMount .fsGroupPolicy
.storageCapacity .requiresRepublish .seLinuxMount .preemptionPolicy .expirationSeconds .failurePolicy
.matchPolicy .sideEffects .reinvocationPolicy .deprecationWarning .labelSelectorPath .lendablePercent
.borrowingLimitPercent .persistentVolumeName .maximum .minimum .maxLength .minLength .maxItems .minItems
.multipleOf .maxProperties .minProperties .x-kubernetes-preserve-unknown-fields .x-kubernetes-list-type
.x-kubernetes-map-type .priority .resourceClaimName .resourceClaimTemplateName
ReplicationControllerSpec.replicas ReplicaSetSpec.replicas DeploymentSpec.replicas StatefulSetSpec.replicas
RollingUpdateStatefulSetStrategy.partition HostPathVolumeSource.type PersistentVolumeClaimSpec.storageClassName
CSIVolumeSource.readOnly CSIVolumeSource.fsType AzureDiskVolumeSource.kind AzureDiskVolumeSource.fsType
AzureDiskVolumeSource.readOnly ClientIPConfig.timeoutSeconds EndpointAddress.nodeName GRPCAction.service
PodDNSConfigOption.value TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup JobStatus.ready
HorizontalPodAutoscalerStatus.observedGeneration Preconditions.uid Preconditions.resourceVersion
IngressClassParametersReference.apiGroup IngressClassParametersReference.namespace NetworkPolicyPort.protocol
IngressPortStatus.error PortStatus.error discovery.v1.EndpointPort.name discovery.v1.EndpointPort.protocol
discovery.v1.EndpointPort.port Endpoint.hostname Endpoint.nodeName Endpoint.zone EndpointConditions.ready
EndpointConditions.serving EndpointConditions.terminating StorageClass.reclaimPolicy VolumeNodeResources.count
MutatingWebhook.timeoutSeconds ValidatingWebhook.timeoutSeconds ServiceReference.path ServiceReference.port
WebhookClientConfig.url CustomResourceSubresourceScale.labelSelectorPath
""".split())
NOT_POINTERS = set("""
PriorityClass.priority FlowSchemaSpec.priority CustomResourceColumnDefinition.priority
AzureFileVolumeSource.secretNamespace APIServiceSpec.priority ResourceClaimStatus.x
""".split())

# Optional fields that Go writes even when they are unset, as null.
ALWAYS_WRITTEN = set("""
HorizontalPodAutoscalerStatus.currentMetrics CSINodeDriver.topologyKeys TypedLocalObjectReference.apiGroup
TypedObjectReference.apiGroup TokenRequestSpec.boundObjectRef TokenRequestSpec.expirationSeconds
CustomResourceDefinitionStatus.conditions CustomResourceDefinitionStatus.storedVersions
""".split())

SCALARS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "is",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "mt",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any(keep;emb;mt=atomic)",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any(keep)",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "any(keep)",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "any(keep)",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus": "any(keep)",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "any(keep)",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "any(keep)",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "any(keep)",
}
AGGREGATOR = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1."
FACETS = {
    "minimum": "min", "maximum": "max", "minLength": "minlen", "maxLength": "maxlen", "minItems": "minitems",
    "maxItems": "maxitems", "minProperties": "minprops", "maxProperties": "maxprops", "multipleOf": "mul",
}
KNOWN = set(FACETS) | {
    "type", "properties", "items", "additionalProperties", "required", "default", "enum", "format", "pattern",
    "nullable", "allOf", "anyOf", "oneOf", "not", "$ref", "uniqueItems", "exclusiveMinimum", "exclusiveMaximum",
    "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-patch-strategy",
    "x-kubernetes-patch-merge-key", "x-kubernetes-group-version-kind", "x-kubernetes-unions",
    "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource",
    "x-kubernetes-validations", "description",
}


def token(value):
    """JSON without the characters that the grammar uses."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return re.sub(r"[ ;()]", lambda m: "\\u%04x" % ord(m.group()), text)


class Writer:
    def __init__(self):
        self.lines = []
        self.inline = {}  # content of an anonymous struct -> its name
        self.structural = False  # custom resources: an object without properties keeps nothing

    def attributes(self, node, required_of_map=False):
        out = []
        if "format" in node and node.get("type") != "integer":
            out.append("fmt=" + node["format"])
        if "enum" in node:
            out.append("enum=" + token(node["enum"]))
        if "pattern" in node:
            out.append("pat=" + token(node["pattern"]))
        out += [f"{short}={json.dumps(node[long])}" for long, short in FACETS.items() if long in node]
        for long, short in (("exclusiveMinimum", "xmin"), ("exclusiveMaximum", "xmax"), ("uniqueItems", "uniq"),
                            ("nullable", "null"), ("x-kubernetes-preserve-unknown-fields", "keep"),
                            ("x-kubernetes-embedded-resource", "emb")):
            if node.get(long):
                out.append(short)
        if node.get("x-kubernetes-list-type") and node.get("type") == "array":
            out.append("lt=" + node["x-kubernetes-list-type"])
        if "x-kubernetes-list-map-keys" in node:
            out.append("lk=" + ",".join(node["x-kubernetes-list-map-keys"]))
        if node.get("x-kubernetes-map-type") == "atomic":
            out.append("mt=atomic")
        if required_of_map and node.get("required"):
            out.append("req=" + ",".join(node["required"]))
        if "x-kubernetes-validations" in node:
            out.append("cel=" + token(node["x-kubernetes-validations"]))
        junctors = {k: node[k] for k in ("allOf", "anyOf", "oneOf", "not") if k in node}
        if junctors and not node.get("x-kubernetes-int-or-string"):
            out.append("junct=" + token(junctors))
        return "(" + ";".join(out) + ")" if out else ""

    def expression(self, node, path):
        unknown = set(node) - KNOWN
        if unknown:
            sys.exit(f"{path}: no meaning for {sorted(unknown)}")
        reference = node.get("$ref")
        if "allOf" in node and len(node["allOf"]) == 1 and "$ref" in node["allOf"][0]:
            reference = node["allOf"][0]["$ref"]
        if reference:
            name = reference.rsplit("/", 1)[1]
            granular = "(mt=granular)" if node.get("x-kubernetes-map-type") == "granular" else ""
            return SCALARS.get(name, "@" + name) + granular
        if node.get("x-kubernetes-int-or-string"):
            return "is" + self.attributes(node)
        kind = node.get("type")
        if kind == "object":
            if node.get("properties"):
                return "@" + self.struct(node, path)
            if isinstance(node.get("additionalProperties"), dict):
                return "{" + self.expression(node["additionalProperties"], path + "{}") + "}" + self.attributes(node, True)
            if self.structural:
                return "@" + self.struct(node, path)
            return "{any}" + self.attributes(node, True)
        if kind == "array":
            return "[" + self.expression(node.get("items", {}), path + "[]") + "]" + self.attributes(node)
        if kind == "integer":
            letter = {"int32": "i32", "int64": "i64"}.get(node.get("format"), "i")
            return letter + self.attributes(node)
        if kind == "string" and node.get("format") == "byte":
            return "bytes" + self.attributes({k: v for k, v in node.items() if k != "format"})
        letter = {"string": "s", "number": "n", "boolean": "b", None: "any"}[kind]
        return letter + self.attributes(node)

    def struct(self, node, path):
        """Writes an anonymous struct once, whatever the number of its places; gives its name."""
        content = json.dumps(node, sort_keys=True)
        if content not in self.inline:
            self.inline[content] = path
            self.type(path, node, typed=False)
        return self.inline[content]

    def type(self, name, node, typed=True, gvk=()):
        fields = []
        required = node.get("required", [])
        short = name.rsplit(".", 1)[1]
        for field, schema in sorted(node.get("properties", {}).items()):
            text = f" {field} {self.expression(schema, name + '.' + field)}"
            if field in required:
                text += " !"
            places = {"." + field, f"{short}.{field}", ".".join(name.split(".")[-3:]) + "." + field}
            if typed and field not in required and places & POINTERS and not places & NOT_POINTERS:
                text += " *"
            if typed and f"{short}.{field}" in ALWAYS_WRITTEN:
                text += " ~"
            if "default" in schema:
                text += " =" + token(schema["default"])
            if "x-kubernetes-patch-strategy" in schema:
                text += " ps=" + schema["x-kubernetes-patch-strategy"]
            if "x-kubernetes-patch-merge-key" in schema:
                text += " pk=" + schema["x-kubernetes-patch-merge-key"]
            fields.append(text)
        head = f"type {name}"
        undeclared = [f for f in required if f not in node.get("properties", {})]
        own = {k: v for k, v in node.items() if k in KNOWN and k not in ("properties", "required", "allOf")}
        if undeclared:
            own["required"] = undeclared
        attributes = self.attributes(own, True)
        if attributes:
            head += " " + attributes
        for one in gvk:
            head += f" gvk={one['group']}/{one['version']}/{one['kind']}"
        self.lines += [head] + fields


def reversed_name(group, version, kind):
    return ".".join(reversed(group.split("."))) + f".{version}.{kind}"


def aggregator_types():
    """kube-aggregator's types, which the recorded server did not publish."""
    string, ref = {"type": "string"}, lambda name: {"allOf": [{"$ref": "#/" + name}]}
    meta = "io.k8s.apimachinery.pkg.apis.meta.v1."
    int32 = {"type": "integer", "format": "int32"}
    needed = {"type": "string", "default": ""}
    zero = {"type": "integer", "format": "int32", "default": 0}
    return {
        "APIService": {"properties": {"apiVersion": string, "kind": string,
                                      "metadata": {**ref(meta + "ObjectMeta"), "default": {}},
                                      "spec": {**ref(AGGREGATOR + "APIServiceSpec"), "default": {}},
                                      "status": ref(AGGREGATOR + "APIServiceStatus")}},
        "APIServiceCondition": {"properties": {"lastTransitionTime": {**ref(meta + "Time"), "default": {}},
                                               "message": string, "reason": string, "status": needed, "type": needed},
                                "required": ["type", "status"]},
        "APIServiceList": {"properties": {"apiVersion": string, "kind": string,
                                          "metadata": {**ref(meta + "ListMeta"), "default": {}},
                                          "items": {"type": "array", "items": {**ref(AGGREGATOR + "APIService"), "default": {}}}},
                           "required": ["items"]},
        "APIServiceSpec": {"properties": {"caBundle": {"type": "string", "format": "byte", "x-kubernetes-list-type": "atomic"},
                                          "group": string, "groupPriorityMinimum": zero, "insecureSkipTLSVerify": {"type": "boolean"},
                                          "service": ref(AGGREGATOR + "ServiceReference"), "version": string, "versionPriority": zero},
                           "required": ["groupPriorityMinimum", "versionPriority"]},
        "APIServiceStatus": {"properties": {"conditions": {"type": "array", "items": {**ref(AGGREGATOR + "APIServiceCondition"), "default": {}},
                                                           "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
                                                           "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "type"}}},
        "ServiceReference": {"properties": {"name": string, "namespace": string, "port": int32}},
    }


def write_kubernetes(writer, kube):
    schemas = json.loads((kube / "schema.json").read_text())["schemas"]
    for name, node in schemas.items():
        if name in SCALARS:
            continue
        gvk = node.get("x-kubernetes-group-version-kind", [])
        if len(gvk) > 3:
            gvk = [{"group": "", "version": "v1", "kind": name.rsplit(".", 1)[1]}]
        writer.type(name, node, gvk=gvk)
    for name, node in aggregator_types().items():
        gvk = []
        if name in ("APIService", "APIServiceList"):
            gvk = [{"group": "apiregistration.k8s.io", "version": "v1", "kind": name}]
        writer.type(AGGREGATOR + name, node, gvk=gvk)


def write_karmada(writer, kinds):
    meta = {"allOf": [{"$ref": "#/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}]}
    writer.structural = True
    for kind in kinds:
        for version in kind["versions"]:
            name = reversed_name(kind["group"], version["name"], kind["kind"])
            schema = dict(version["schema"])
            schema["properties"] = {**schema["properties"], "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": meta}
            gvk = {"group": kind["group"], "version": version["name"], "kind": kind["kind"]}
            writer.type(name, schema, typed=False, gvk=[gvk])


def resource_line(group, version, entry, origin, extra=""):
    scope = "ns" if entry["namespaced"] else "cluster"
    line = f"resource {group or '-'} {version} {entry['name']} {entry['kind']} {scope} {origin}"
    line += " verbs=" + ",".join(entry["verbs"])
    if entry.get("shortNames"):
        line += " short=" + ",".join(entry["shortNames"])
    if entry.get("categories"):
        line += " cat=" + ",".join(entry["categories"])
    return line + extra


def write_resources(kube, kinds):
    lines = []
    for path, entries in json.loads((kube / "discovery.json").read_text())["resources"].items():
        parts = path.strip("/").split("/")
        group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
        for entry in entries:
            if "/" not in entry["name"]:
                lines.append(resource_line(group, version, entry, "kubernetes"))
                continue
            body = (entry.get("group", group) or "-", entry.get("version", version), entry["kind"])
            lines.append(f" sub {entry['name'].split('/', 1)[1]} {body[0]} {body[1]} {body[2]} {','.join(entry['verbs'])}")
    verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    for kind in kinds:
        storage = next(v["name"] for v in kind["versions"] if v["storage"])
        aggregated = kind["servedBy"] != "CustomResourceDefinition"
        for version in kind["versions"]:
            entry = {"name": kind["plural"], "kind": kind["kind"], "namespaced": kind["scope"] == "Namespaced",
                     "verbs": verbs, "shortNames": kind["shortNames"], "categories": kind["categories"]}
            extra = f" stored={storage} singular={kind['singular']}"
            lines.append(resource_line(kind["group"], version["name"], entry, "aggregated" if aggregated else "karmada", extra))
            for sub in sorted(version["subresources"]):
                sub_verbs = "get,patch,update" if sub != "proxy" else "create,delete,get,patch,update"
                sub_kind = kind["kind"] if sub != "proxy" else "ClusterProxyOptions"
                lines.append(f" sub {sub} {kind['group']} {version['name']} {sub_kind} {sub_verbs}")
            for column in version["printerColumns"]:
                path = column.get("jsonPath", ".metadata.name")
                lines.append(f" column {token(column['name'])} {column['type']} {column.get('format') or '-'} "
                             f"{column.get('priority', 0)} {token(path)}")
    return lines


def main():
    kube, karmada, out = (pathlib.Path(argument) for argument in sys.argv[1:4])
    kinds = json.loads((karmada / "schema.json").read_text())["kinds"]
    writer = Writer()
    write_kubernetes(writer, kube)
    write_karmada(writer, kinds)
    header = "# SPDX-License-Identifier: Apache-2.0\n# Written by core/api/schema/import_schema.py; see README.md.\n"
    out.mkdir(parents=True, exist_ok=True)
    (out / "types.txt").write_text(header + "\n".join(writer.lines) + "\n")
    (out / "resources.txt").write_text(header + "\n".join(write_resources(kube, kinds)) + "\n")


if __name__ == "__main__":
    main()
