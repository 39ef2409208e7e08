#!/usr/bin/env python3
"""bench.py --tree TREE --canyon PROGRAM --floor PROGRAM --tools FOLDER [-n RUNS]

`canyon scan` against what people would use instead, on one tree: grep -r, the
bare floor (floor.c), ruff's ASYNC rules, ast-grep with one pattern, and a
script of the tree's own if you name it with --also. The tools come from their
registries into FOLDER. All programs run in turn, A B C, A B C, ..., after one
round that is not counted; what counts are the ratios of the medians.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tree", "canyon", "floor", "tools"):
        parser.add_argument(f"--{name}", required=True, type=lambda p: Path(p).resolve())
    parser.add_argument("--also", action="append", default=[], metavar="COMMAND", help="run in the tree by the shell")
    parser.add_argument("-n", type=int, default=7)
    args = parser.parse_args()
    programs = competitors(args)
    times = {name: [] for name in programs}
    for i in range(-1, args.n):
        for name, command in programs.items():
            measured = once(command, args.tree)
            if i >= 0:
                times[name].append(measured)
    show(times, args)


def competitors(args):
    ruff, ast_grep = tools(args.tools)
    programs = {
        "canyon scan": [args.canyon, "scan", "--quiet", "."],
        "floor, one thread": [args.floor, "."],
        "floor, bump allocator": [args.floor, "-a", "."],
        "grep -r asyncio": ["grep", "-r", "asyncio", "."],
        "ruff ASYNC": [ruff, "check", "--select", "ASYNC", "--isolated", "--no-cache", "."],
        "ast-grep, 1 thread": [ast_grep, "run", "-p", "asyncio.$A", "-l", "py", "-j", "1", "."],
        "ast-grep": [ast_grep, "run", "-p", "asyncio.$A", "-l", "py", "."],
    }
    for command in args.also:
        programs[command] = ["sh", "-c", command]
    return programs


def tools(folder):
    """ruff and ast-grep, installed once; None where that is not possible."""
    folder.mkdir(parents=True, exist_ok=True)
    ruff, ast_grep = folder / "venv/bin/ruff", folder / "node_modules/.bin/ast-grep"
    if not ruff.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        subprocess.run([folder / "venv/bin/pip", "install", "-q", "--disable-pip-version-check", "ruff"], check=True)
    if not ast_grep.exists():
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, "@ast-grep/cli"], check=True)
    # npm puts a script in front of the program: measure the program.
    real = sorted(folder.glob("node_modules/@ast-grep/cli-linux-*/ast-grep"))
    return ruff, real[0] if real else ast_grep


def once(command, tree):
    """(wall seconds, processor seconds, peak MB) of one run."""
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=tree, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"bench: {command[0]} ended with {process.returncode}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def show(times, args):
    base = statistics.median(t[0] for t in next(iter(times.values())))
    print(f"{args.tree.name}: medians of {args.n} interleaved runs, load {os.getloadavg()[0]:.1f}\n")
    print(f"| {'':24} | wall s | min s | cpu s | peak MB | canyon / it |")
    print(f"|{'-' * 26}|-------:|------:|------:|--------:|------------:|")
    for name, runs in times.items():
        wall, cpu, peak = (statistics.median(r[i] for r in runs) for i in range(3))
        print(f"| {name:24} | {wall:6.3f} | {min(r[0] for r in runs):5.3f} | {cpu:5.3f} | {peak:7.0f} | {base / wall:11.2f} |")


if __name__ == "__main__":
    main()
