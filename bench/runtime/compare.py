#!/usr/bin/env python3
"""compare.py FLOOR BENCH [-n ROUNDS]: the runtime against the floor of the same run.

Every case runs ROUNDS times in both programs, in turn, pinned to one processor. What counts is the ratio of the
medians, held against its target; the nanoseconds are this machine's. Exit status 1 if a target is missed.
"""
import argparse
import os
import statistics
import subprocess
import sys

# case, repetitions, figure -> the most it may be: times the floor, or an absolute value.
CASES = [
    ("switch", 3_000_000, {"switch": 2.0}),
    ("spawn", 3_000_000, {"spawn": 2.3}),
    ("yield", 2_000_000, {"yield": None}),
    ("channel", 2_000_000, {"channel": 1.9}),
    ("cancel", 100_000, {"cancel": 1.9, "memory": None, "start": None}),
    ("timer", 5_000_000, {"scope": 5.0}),
    ("thread", 50_000, {"thread": 1.5}),
    ("lock", 10_000_000, {"lock": None}),
]
ABSOLUTE = {"lock": (5.0, "ns"), "memory": (4500, "bytes")}


def figures(program, case, n):
    out = subprocess.run([program, case, str(n)], capture_output=True, text=True, check=True).stdout
    return {name: float(value) for name, value in (line.split() for line in out.splitlines())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("floor")
    parser.add_argument("bench")
    parser.add_argument("-n", type=int, default=5)
    args = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    missed = 0
    print(f"{'':10}{'runtime':>10}{'floor':>10}{'ratio':>8}   target")
    for case, n, targets in CASES:
        seen = {args.floor: {}, args.bench: {}}
        for _ in range(args.n):
            for program in seen:
                for name, value in figures(program, case, n).items():
                    seen[program].setdefault(name, []).append(value)
        for name, target in targets.items():
            missed += row(name, target, seen[args.bench][name], seen[args.floor].get(name))
    return 1 if missed else 0


def row(name, target, ours, floor):
    mine = statistics.median(ours)
    line = f"{name:10}{mine:10.2f}"
    base = statistics.median(floor) if floor else None
    line += f"{base:10.2f}{mine / base:8.2f}" if base else " " * 18
    good = True
    if target:
        good = mine / base <= target
        line += f"   {target} times"
    elif name in ABSOLUTE:
        most, unit = ABSOLUTE[name]
        good = mine <= most
        line += f"   {most} {unit}"
    print(line + ("" if good else "   MISSED"))
    return not good


if __name__ == "__main__":
    sys.exit(main())
