"""Run many small Python programs, each in a process and a folder of its own.

As a module: `run_all(jobs)` takes {"id", "text", "world"} and gives
{id: {"out", "err", "code", "late", "loops"}}. A world is (AnyIO folder or "",
backend, order); one server process per world imports what programs import and
forks for each of them, so a program costs some ten milliseconds.

As a program (the server): jobs in on standard input, results out, one JSON
object per line. In the child, before the program starts:

 * the default backend of anyio.run and of the portals is the world's;
 * trio wakes tasks in the world's order, "first" or "last", where it would
   throw a coin;
 * every event loop that really runs, asyncio's or trio's, is written down,
   at the lowest level that both libraries have.

anyio itself is imported by the server, but none of the submodules that a
plain `import anyio` would not import: a forgotten import must show.
"""
import atexit
import gc
import importlib.abc
import importlib.machinery
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import types
from concurrent.futures import ThreadPoolExecutor

LOOPS_FD = 3


# --- the caller's side -------------------------------------------------------


def run_all(python, jobs, side_by_side, limit):
    """Every job, world by world, two worlds at a time."""
    worlds = {}
    for job in jobs:
        worlds.setdefault(tuple(job["world"]), []).append(job)
    results = {}
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for part in pool.map(lambda w: run_world(python, w, worlds[w], side_by_side, limit), worlds):
            results.update(part)
    return results


def run_world(python, world, jobs, side_by_side, limit):
    folder, backend, order = world
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env.update(PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0", PYTHONUTF8="1")
    if folder:
        env["PYTHONPATH"] = folder
    with tempfile.TemporaryDirectory(prefix="canyon-pages-") as scratch:
        done = subprocess.run(
            [python, os.path.abspath(__file__), backend, order, scratch, str(side_by_side), str(limit)],
            input=json.dumps(jobs), env=env, stdout=subprocess.PIPE, text=True, check=True)
    results = {r["id"]: r for r in map(json.loads, done.stdout.splitlines())}
    missing = [j["id"] for j in jobs if j["id"] not in results]
    if missing:
        raise RuntimeError(f"no result for {missing}")
    return results


# --- the server: forks, waits, collects --------------------------------------


class Running:
    def __init__(self, job, scratch, backend, order, limit):
        self.job = job
        self.folder = os.path.join(scratch, str(job["id"]))
        os.mkdir(self.folder)
        self.started = time.monotonic()
        self.limit, self.late = limit, False
        self.pid = os.fork()
        if self.pid == 0:
            child(job, self.folder, backend, order)

    def ended(self):
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            if not self.late and time.monotonic() - self.started > self.limit:
                self.late = True
                os.killpg(self.pid, signal.SIGKILL)
            return None
        try:  # what the program left running
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return {"id": self.job["id"], "code": os.waitstatus_to_exitcode(status), "late": self.late,
                "out": self.read("out"), "err": self.read("err"), "loops": sorted(set(self.read("loops").split()))}

    def read(self, name):
        with open(f"{self.folder}.{name}", errors="replace") as f:
            return f.read()


def serve(backend, order, scratch, side_by_side, limit):
    jobs = json.load(sys.stdin)
    preload()
    running = []
    while jobs or running:
        while jobs and len(running) < side_by_side:
            running.append(Running(jobs.pop(0), scratch, backend, order, limit))
        time.sleep(0.002)
        for r in list(running):
            result = r.ended()
            if result:
                running.remove(r)
                print(json.dumps(result), flush=True)


def preload():
    # What programs and AnyIO's backends import, but no part of AnyIO that
    # `import anyio` leaves out.
    import asyncio, concurrent.futures, contextlib, contextvars, functools, inspect, logging, multiprocessing  # noqa
    import queue, socket, ssl, subprocess, tempfile, threading, uuid  # noqa
    import sniffio, trio, trio.from_thread, trio.to_thread, trio.lowlevel, trio.socket, trio.testing  # noqa
    import exceptiongroup, idna, typing_extensions  # noqa
    import anyio  # noqa
    gc.collect()
    gc.freeze()


# --- the child: one program ---------------------------------------------------


def child(job, folder, backend, order):
    code = 99
    try:
        os.setsid()
        stdin = os.open(os.devnull, os.O_RDONLY)
        write = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        files = [stdin] + [os.open(f"{folder}.{n}", write, 0o600) for n in ("out", "err", "loops")]
        for to, fd in enumerate(files):
            # Moved out of the way first: the targets are 0 to 3.
            files[to] = os.dup2(os.dup(fd), 10 + to)
        for to, fd in enumerate(files):
            os.dup2(fd, to, inheritable=to < LOOPS_FD)
        os.closerange(LOOPS_FD + 1, 64)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", closefd=False), open(2, "w", closefd=False)
        os.chdir(folder)
        prepare("asyncio" if backend == "before" else backend, order)
        if job.get("support"):
            with open(os.path.join(folder, "_anyio_support.py"), "w") as f:
                f.write(job["support"])
        code = execute(job["text"], folder)
    except BaseException:
        traceback.print_exc()
    finally:
        finish()
        os._exit(code)


def execute(text, folder):
    path = os.path.join(folder, "program.py")
    with open(path, "w") as f:
        f.write(text)
    sys.argv, sys.path[0] = [path], folder
    main = types.ModuleType("__main__")
    main.__file__ = path
    sys.modules["__main__"] = main
    try:
        exec(compile(text, path, "exec"), main.__dict__)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def finish():
    """The end of an interpreter, as far as programs can see it."""
    for step in (threading._shutdown, atexit._run_exitfuncs, gc.collect, sys.stdout.flush, sys.stderr.flush):
        try:
            step()
        except BaseException:
            traceback.print_exc()


def prepare(backend, order):
    import asyncio
    import trio

    watch(asyncio.base_events.BaseEventLoop, "run_forever", "asyncio")
    watch(trio._core._run, "setup_runner", "trio")
    trio._core._run._r = Coin(order)
    if backend != "asyncio":
        sys.meta_path.insert(0, AfterImport(backend))
        for name in list(AfterImport.NAMES):
            if name in sys.modules:
                AfterImport.change(sys.modules[name], backend)


def watch(place, name, library):
    real = getattr(place, name)

    def watched(*args, **kwargs):
        os.write(LOOPS_FD, library.encode() + b"\n")
        return real(*args, **kwargs)

    setattr(place, name, watched)


class Coin(random.Random):
    """trio pops the tasks that may run from the end of a list, which it
    reverses first when its coin shows less than a half."""

    def __init__(self, order):
        super().__init__(0)
        self.value = {"first": 0.25, "last": 0.75}[order]

    def random(self):
        return self.value


class AfterImport(importlib.abc.MetaPathFinder):
    """Change the default of every `backend` parameter as soon as the module
    that has it is imported."""

    NAMES = {"anyio._core._eventloop": ["run"], "anyio.from_thread": ["start_blocking_portal", "BlockingPortalProvider"]}

    def __init__(self, backend):
        self.backend = backend

    def find_spec(self, name, path=None, target=None):
        if name not in self.NAMES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        real = spec.loader.exec_module

        def exec_module(module):
            real(module)
            self.change(module, self.backend)

        spec.loader.exec_module = exec_module
        return spec

    @classmethod
    def change(cls, module, backend):
        for name in cls.NAMES[module.__name__]:
            function = getattr(module, name)
            if isinstance(function, type):
                function.backend = backend
                function = function.__init__
            elif hasattr(function, "__wrapped__"):
                function = function.__wrapped__
            default(function, "backend", backend)


def default(function, name, value):
    if name in (function.__kwdefaults__ or ()):
        function.__kwdefaults__[name] = value
        return
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    defaults = list(function.__defaults__ or ())
    defaults[names.index(name) - len(names)] = value
    function.__defaults__ = tuple(defaults)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
