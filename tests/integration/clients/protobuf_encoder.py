# SPDX-License-Identifier: Apache-2.0
"""JSON objects as Kubernetes' typed Go clients send them: protobuf, by the table of config/schema/protobuf.txt."""
import base64
import calendar
import json
import re
import struct
import time

META = "k8s.io.apimachinery.pkg.apis.meta.v1."
GROUPS = {"": "core", "rbac.authorization.k8s.io": "rbac", "networking.k8s.io": "networking", "storage.k8s.io": "storage",
          "coordination.k8s.io": "coordination", "discovery.k8s.io": "discovery", "scheduling.k8s.io": "scheduling",
          "node.k8s.io": "node", "certificates.k8s.io": "certificates", "events.k8s.io": "events",
          "admissionregistration.k8s.io": "admissionregistration", "authentication.k8s.io": "authentication",
          "authorization.k8s.io": "authorization", "flowcontrol.apiserver.k8s.io": "flowcontrol"}


def read_table(path):
    """message -> [(number, name, type)]; types as in the file."""
    messages, current, in_schema = {}, None, False
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if line.startswith("m "):
            current = messages.setdefault(line[2:], [])
            in_schema = line.endswith(".JSONSchemaProps")
        elif line.startswith(" ") and current is not None:
            number, name, kind = line[1:].split(" ", 2)
            if in_schema:
                name = re.sub("(?<=[a-z])[A-Z]", lambda m: "-" + m.group().lower(), name) if name.startswith("xKube") else name
                name = "$" + name if name in ("ref", "schema") else name
            current.append((int(number), name, kind))
    return messages


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def chunk(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


class Encoder:
    def __init__(self, table):
        self.table = table

    def message_name(self, api_version, kind):
        group, _, version = api_version.rpartition("/")
        if group == "apiextensions.k8s.io":
            name = f"k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.{version}.{kind}"
        elif group == "apiregistration.k8s.io":
            name = f"k8s.io.kube_aggregator.pkg.apis.apiregistration.{version}.{kind}"
        else:
            name = f"k8s.io.api.{GROUPS.get(group, group)}.{version}.{kind}"
        return name if name in self.table else None

    def envelope(self, body):
        """The whole request body, or None for a kind that has no message."""
        name = self.message_name(body["apiVersion"], body["kind"])
        if name is None:
            return None
        meta = chunk(1, body["apiVersion"].encode()) + chunk(2, body["kind"].encode())
        return b"k8s\0" + chunk(1, meta) + chunk(2, self.message(name, body))

    def message(self, name, value):
        special = self.special(name, value)
        if special is not None:
            return special
        out = b""
        for number, field, kind in self.table[name]:
            if field == "-":
                out += chunk(number, self.message(kind[1:], value))
            elif field in value and value[field] is not None:
                out += self.field(number, kind, value[field])
        return out

    def special(self, name, value):
        if name in (META + "Time", META + "MicroTime"):
            seconds, fraction = self.instant(value)
            return self.scalar(1, "l", seconds) + (self.scalar(2, "i", fraction) if fraction else b"")
        if name == META + "Duration":
            raise NotImplementedError(name)
        if name.endswith(".resource.Quantity"):
            return chunk(1, str(value).encode())
        if name.endswith(".intstr.IntOrString"):
            if isinstance(value, int):
                return self.scalar(1, "l", 0) + self.scalar(2, "i", value)
            return self.scalar(1, "l", 1) + chunk(3, value.encode())
        if name.endswith((".RawExtension", ".FieldsV1", ".v1.JSON")):
            return chunk(1, json.dumps(value).encode())
        if name.endswith(".ExtraValue"):
            return b"".join(chunk(1, one.encode()) for one in value)
        if name.endswith("JSONSchemaPropsOrBool"):
            if isinstance(value, bool):
                return self.scalar(1, "b", value)
            return self.scalar(1, "b", True) + chunk(2, self.message(name.replace("OrBool", ""), value))
        if name.endswith("JSONSchemaPropsOrArray"):
            return chunk(1, self.message(name.replace("OrArray", ""), value))
        if name.endswith("JSONSchemaPropsOrStringArray"):
            if isinstance(value, list):
                return b"".join(chunk(2, one.encode()) for one in value)
            return chunk(1, self.message(name.replace("OrStringArray", ""), value))
        return None

    @staticmethod
    def instant(text):
        main, _, rest = text.rstrip("Z").partition(".")
        return calendar.timegm(time.strptime(main, "%Y-%m-%dT%H:%M:%S")), int((rest or "0").ljust(9, "0"))

    def field(self, number, kind, value):
        if kind.startswith("[") != isinstance(value, list) and not kind.startswith("@"):
            raise TypeError(f"{value!r} for {kind}")
        if kind.startswith("["):
            return b"".join(self.one(number, kind[1:-1], element) for element in value)
        if kind.startswith("{"):
            return b"".join(chunk(number, chunk(1, key.encode()) + self.one(2, kind[1:-1], element))
                            for key, element in value.items())
        return self.one(number, kind, value)

    def one(self, number, kind, value):
        if kind.startswith("@"):
            return chunk(number, self.message(kind[1:], value))
        return self.scalar(number, kind, value)

    @staticmethod
    def scalar(number, kind, value):
        if kind == "s":
            return chunk(number, value.encode())
        if kind == "y":
            return chunk(number, base64.b64decode(value, validate=True))
        if kind == "d":
            return varint(number << 3 | 1) + struct.pack("<d", value)
        if int(value) != value:
            raise ValueError(f"{value!r} is not whole")
        return varint(number << 3) + varint(int(value))
