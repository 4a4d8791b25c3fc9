#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes config/schema/protobuf.txt from recorded message definitions: import_protobuf.py protobuf.json

The definitions are {message: [[number, name, "" | "repeated", type], ...]}. Only what the kinds that are
served reach is kept. Names become those of the JSON form; fields that Go embeds are marked inline.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCALARS = {"string": "s", "bool": "b", "int32": "i", "int64": "l", "bytes": "y", "double": "d"}
INLINE = {
    "volumeSource", "persistentVolumeSource", "handler", "ephemeralContainerCommon", "localObjectReference",
    "ruleWithOperations", "rule", "ingressRuleValue",
}
EXTRA = ["k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions", "k8s.io.api.policy.v1.Eviction",
         "k8s.io.api.autoscaling.v1.Scale", "k8s.io.api.authentication.v1.TokenRequest", "k8s.io.api.core.v1.Binding",
         "k8s.io.api.authentication.v1.SelfSubjectReview",
         "k8s.io.api.flowcontrol.v1.FlowSchema", "k8s.io.api.flowcontrol.v1.PriorityLevelConfiguration"]


def proto_name(type_name):
    name = type_name.removeprefix("io.k8s.")
    return "k8s.io." + name.replace("apiextensions-apiserver", "apiextensions_apiserver").replace(
        "kube-aggregator", "kube_aggregator")


def read_types():
    types, current = {}, None
    schema = ROOT / "config/schema"
    text = "".join((schema / name).read_text(encoding="utf-8") for name in ("types.txt", "later_types.txt"))
    for line in text.splitlines():
        if line.startswith(("type ", "extend ")):
            current = types.setdefault(line.split()[1], [])
        elif line.startswith(" ") and current is not None:
            current.append(line.split()[0])
    return types


def json_name(name, known):
    if name in known:
        return name
    for field in known:
        if field.lower() == name.lower():
            return field
    return name[0].lower() + name[1:]


def main():
    messages = json.load(open(sys.argv[1], encoding="utf-8"))
    types = read_types()
    fields_of = {proto_name(name): fields for name, fields in types.items() if name.startswith("io.k8s.")}
    queue = [proto_name(name) for name in types if name.startswith("io.k8s.api") or "kube-aggregator" in name]
    queue = [name for name in queue + EXTRA if name in messages and not name.endswith("List")]
    seen, lines = set(), []
    while queue:
        message = queue.pop(0)
        if message in seen:
            continue
        seen.add(message)
        lines.append("m " + message)
        for number, name, label, kind in messages[message]:
            wanted = re.findall(r"k8s\.io[\w.]*", kind)
            queue += [one for one in wanted if one not in seen]
            inner = re.fullmatch(r"map<string,(.*)>", kind)
            text = SCALARS.get(inner.group(1) if inner else kind) or "@" + (inner.group(1) if inner else kind)
            text = "{" + text + "}" if inner else "[" + text + "]" if label == "repeated" else text
            known = fields_of.get(message, [])
            inline = name in INLINE and text.startswith("@") and name not in known
            lines.append(f" {number} {'-' if inline else json_name(name, known)} {text}")
    # One order, whatever the order of discovery: a small difference stays small.
    blocks = sorted("\n".join(lines).split("\nm "), key=lambda block: block.removeprefix("m "))
    text = "\n".join(block if block.startswith("m ") else "m " + block for block in blocks)
    header = "# SPDX-License-Identifier: Apache-2.0\n# Written by core/api/protobuf/import_protobuf.py; see README.md.\n"
    (ROOT / "config/schema/protobuf.txt").write_text(header + text + "\n", encoding="utf-8")


main()
