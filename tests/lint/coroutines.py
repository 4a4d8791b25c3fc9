#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No capturing lambda and no brace-built aggregate inside an expression with co_await (g++ 12 destroys them twice); no
lambda coroutine with captures (they die before it does)."""
import re

import source

LAMBDA = re.compile(r"(?<![\w\])])\[([^\[\]]*)\]\s*(?:\(|\{|mutable)")
AGGREGATE = re.compile(r"(?:[\w>]\s*|[(,=]\s*)\{")


def expression_around(code, at):
    """From the start of the statement to its end; conditions and bodies are apart."""
    start, depth = at, 0
    while start > 0:
        c = code[start - 1]
        if c in ")]}":
            depth += 1
        elif c in "([{":
            depth -= 1
        if (depth <= 0 and c == ";") or (c == "{" and depth < 0 and re.search(r"[);=\w]\s*$|^\s*$", code[:start - 1][-40:]) and is_body(code, start - 1)):
            break
        if c == "}" and depth == 1 and is_block_end(code, start - 1):
            break
        start -= 1
    end, depth = at, 0
    while end < len(code):
        c = code[end]
        if c in "([{":
            if c == "{" and depth <= 0 and is_body(code, end):
                break
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == ";" and depth <= 0:
            break
        end += 1
    return code[start:end]


def is_body(code, brace):
    before = code[max(0, brace - 200):brace].rstrip()
    return before.endswith((")", "else", "do", "try", "noexcept", "const", "override")) or before.endswith(("{", "}", ";", ":"))


def is_block_end(code, brace):
    return re.match(r"\}\s*\n", code[brace:brace + 200]) is not None


def body_after(code, at):
    """The braces after position `at`, or nothing."""
    depth = 0
    for i in range(at, min(len(code), at + 20000)):
        c = code[i]
        if c == "(":
            depth += 1
        elif c == ")":
            depth -= 1
        elif c == "{" and depth == 0:
            level = 0
            for j in range(i, len(code)):
                level += {"{": 1, "}": -1}.get(code[j], 0)
                if level == 0:
                    return code[i:j + 1]
        elif c in ";" and depth == 0:
            return ""
    return ""


def main():
    faults = []
    for path, name in source.files(("core", "plugins", "tests")):
        if path.suffix not in (".cpp", ".hpp"):
            continue
        code = source.bare(path.read_text(encoding="utf-8"))
        if "co_" not in code:
            continue
        for match in re.finditer(r"\bco_await\b", code):
            text = expression_around(code, match.start())
            line = source.line_of(code, match.start())
            if any(capture.strip() for capture in LAMBDA.findall(text)):
                faults.append(f"{name}:{line}: a capturing lambda in an expression with co_await")
            elif AGGREGATE.search(text):
                faults.append(f"{name}:{line}: a brace-built value in an expression with co_await")
        for match in LAMBDA.finditer(code):
            if match.group(1).strip() and re.search(r"\bco_(await|return|yield)\b", body_after(code, match.end(1) + 1)):
                faults.append(f"{name}:{source.line_of(code, match.start())}: a lambda coroutine with captures")
    source.finish("coroutines", faults)


main()
