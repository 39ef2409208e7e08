"""Assemble the parts of src/migrate/support into one module, as canyon does."""
import os, re


def parts(folder):
    found = []
    for name in open(os.path.join(folder, "order")).read().split():
        text = open(os.path.join(folder, name + ".py")).read()
        head = dict(re.findall(r"^# (part|names|needs|imports):[ ]?(.*)$", text, re.M))
        body = text.split("\n", 4)[4]
        found.append((name, head, body))
    return found


def assemble(folder, wanted=None):
    """The module with the parts that `wanted` names need; all without it."""
    known = parts(folder)
    chosen = {n for n, _, _ in known} if wanted is None else set()
    for name, head, _ in reversed(known):
        if wanted is not None and set(head["names"].split(", ")) & set(wanted):
            chosen.add(name)
        if name in chosen:
            chosen.update(head["needs"].split(", ") if head["needs"] else [])
    lines = {line for n, head, _ in known if n in chosen for line in head["imports"].split("; ") if line}
    froms = {}
    for line in lines:
        m = re.match(r"from (\S+) import (.*)", line)
        if m:
            froms.setdefault(m[1], set()).update(m[2].split(", "))
    plain = sorted(line for line in lines if line.startswith("import "))
    merged = [f"from {mod} import {', '.join(sorted(names))}" for mod, names in sorted(froms.items())]
    bodies = [body.strip("\n") for n, _, body in known if n in chosen]
    return "from __future__ import annotations\n\n" + "\n".join(plain + merged) + "\n\n" + "\n\n\n".join(bodies) + "\n"


if __name__ == "__main__":
    import sys

    print(assemble(sys.argv[1], sys.argv[2:] or None), end="")
