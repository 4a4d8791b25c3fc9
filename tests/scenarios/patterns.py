# SPDX-License-Identifier: Apache-2.0
"""What a scenario says about an object: a pattern that names only what matters."""
import re

import yaml


class Absent:
    def __repr__(self):
        return "!absent"


class Any:
    def __repr__(self):
        return "!any"


class Text:
    def __init__(self, pattern):
        self.pattern = pattern

    def __repr__(self):
        return f"!text {self.pattern}"


class Contains:
    def __init__(self, items):
        self.items = items

    def __repr__(self):
        return f"!contains {self.items}"


class Exactly:
    def __init__(self, value):
        self.value = value

    def __repr__(self):
        return f"!exactly {self.value}"


class Bound:
    def __init__(self, least, value):
        self.least, self.value = least, value

    def __repr__(self):
        return f"!{'at-least' if self.least else 'at-most'} {self.value}"


class Remembered:
    def __init__(self, same, name):
        self.same, self.name = same, name

    def __repr__(self):
        return f"!{'same' if self.same else 'other'} {self.name}"


class Json:
    """A text that is JSON and, read, matches."""

    def __init__(self, pattern):
        self.pattern = pattern

    def __repr__(self):
        return f"!json {self.pattern}"


class Loader(yaml.SafeLoader):
    pass


def _deep(loader, node):
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    # A scalar under a tag of ours is read as it would be without.
    plain = yaml.ScalarNode(loader.resolve(yaml.ScalarNode, node.value, (node.style is None, node.style is not None)),
                            node.value, style=node.style)
    return loader.construct_object(plain, deep=True)


Loader.add_constructor("!absent", lambda loader, node: Absent())
Loader.add_constructor("!any", lambda loader, node: Any())
Loader.add_constructor("!text", lambda loader, node: Text(loader.construct_scalar(node)))
Loader.add_constructor("!contains", lambda loader, node: Contains(_deep(loader, node)))
Loader.add_constructor("!exactly", lambda loader, node: Exactly(_deep(loader, node)))
Loader.add_constructor("!json", lambda loader, node: Json(_deep(loader, node)))
Loader.add_constructor("!at-least", lambda loader, node: Bound(True, _deep(loader, node)))
Loader.add_constructor("!at-most", lambda loader, node: Bound(False, _deep(loader, node)))
Loader.add_constructor("!same", lambda loader, node: Remembered(True, loader.construct_scalar(node)))
Loader.add_constructor("!other", lambda loader, node: Remembered(False, loader.construct_scalar(node)))
# Times stay texts, as in JSON.
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}

MISSING = object()


def differences(pattern, value, memory, path=""):
    """Every way in which the value is not what the pattern says; nothing: it matches."""
    here = path or "."
    if isinstance(pattern, Absent):
        return [] if value is MISSING or value is None else [f"{here}: is there: {short(value)}"]
    if value is MISSING:
        return [f"{here}: is missing, wanted {short(pattern)}"]
    if isinstance(pattern, Any):
        return []
    if isinstance(pattern, Text):
        fits = isinstance(value, str) and re.search(pattern.pattern, value)
        return [] if fits else [f"{here}: {short(value)} does not fit /{pattern.pattern}/"]
    if isinstance(pattern, Json):
        try:
            return differences(pattern.pattern, yaml.safe_load(value), memory, path)
        except (yaml.YAMLError, AttributeError) as error:
            return [f"{here}: is no JSON: {error}"]
    if isinstance(pattern, Bound):
        fits = isinstance(value, (int, float)) and (value >= pattern.value if pattern.least else value <= pattern.value)
        return [] if fits else [f"{here}: is {short(value)}, wanted {pattern}"]
    if isinstance(pattern, Remembered):
        known = memory[pattern.name]
        return [] if (value == known) == pattern.same else [f"{here}: is {short(value)}, {pattern} is {short(known)}"]
    if isinstance(pattern, Exactly):
        return [] if value == pattern.value else [f"{here}: is {short(value)}, wanted exactly {short(pattern.value)}"]
    if isinstance(pattern, Contains):
        if isinstance(value, str):
            return [] if str(pattern.items) in value else [f"{here}: {short(value)} does not contain {pattern.items}"]
        items = pattern.items if isinstance(pattern.items, list) else [pattern.items]
        lacking = [item for item in items
                   if not any(not differences(item, one, memory) for one in (value if isinstance(value, list) else []))]
        return [f"{here}: none of {short(value)} is {short(item)}" for item in lacking]
    if isinstance(pattern, dict):
        if not isinstance(value, dict):
            return [f"{here}: is {short(value)}, wanted {short(pattern)}"]
        faults = []
        for key, wanted in pattern.items():
            faults += differences(wanted, value.get(key, MISSING), memory, f"{path}.{key}")
        return faults
    if isinstance(pattern, list):
        if not isinstance(value, list) or len(value) != len(pattern):
            return [f"{here}: is {short(value)}, wanted {len(pattern)} of {short(pattern)}"]
        faults = []
        for index, wanted in enumerate(pattern):
            faults += differences(wanted, value[index], memory, f"{path}[{index}]")
        return faults
    same = value == pattern and isinstance(value, bool) == isinstance(pattern, bool)
    return [] if same else [f"{here}: is {short(value)}, wanted {short(pattern)}"]


def short(value):
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "..."
