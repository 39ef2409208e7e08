#!/usr/bin/env python3
"""echo.py FOLDER [-n ROUNDS] [-s SECONDS]: TCP echo on libcanyon against bare servers.

FOLDER has the programs echo, echo_floor and echo_load. All servers run in turn, round after round, the server on one
processor and the load on another; what counts is the server's CPU time per request, and of that the ratio to the bare
server of the same kind in the same run.
"""
import argparse
import os
import random
import statistics
import subprocess
import time
from pathlib import Path

SERVERS = {
    "bare epoll": ("echo_floor", "epoll", None),
    "uv": ("echo", "uv", "bare epoll"),
    "bare io_uring": ("echo_floor", "uring", None),
    "uring": ("echo", "uring", "bare io_uring"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=lambda p: Path(p).resolve())
    parser.add_argument("-n", type=int, default=5)
    parser.add_argument("-s", type=float, default=1.0)
    args = parser.parse_args()
    for connections in (1, 64, 1000):
        cost = {name: [] for name in SERVERS}
        for _ in range(args.n):
            for name in SERVERS:
                cost[name].append(measure(args, name, connections))
        show(connections, cost)


def measure(args, name, connections):
    program, kind, _ = SERVERS[name]
    port = str(random.randrange(10000, 32000))
    cpus = sorted(os.sched_getaffinity(0))
    server = subprocess.Popen(["taskset", "-c", str(cpus[-1]), args.folder / program, port, kind])
    try:
        time.sleep(0.1)
        load = [args.folder / "echo_load", port, str(connections), str(args.s), str(server.pid)]
        done = subprocess.run(["taskset", "-c", str(cpus[0]), *load], check=True, stdout=subprocess.PIPE, text=True)
        return float(done.stdout.split()[1])
    finally:
        server.kill()
        server.wait()


def show(connections, cost):
    print(f"{connections} connections: us of the server's CPU per request (ratio, round by round)")
    for name, (_, _, floor) in SERVERS.items():
        line = f"  {name:14s} {statistics.median(cost[name]):7.3f}"
        if floor:
            ratios = [a / b for a, b in zip(cost[name], cost[floor])]
            line += f"  {statistics.median(ratios):5.2f} of {floor}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
