"""TAP: each program of programs.py, plain asyncio against the support module."""
import os, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
FLOORS = ["newest", "4.14.2", "4.4.0"]


def trace(backend, name):
    """What one program prints; in this process."""
    import programs, virtual

    lines = []
    if backend == "plain":
        import asyncio as aio
        sleep, cancelled, own = aio.sleep, aio.CancelledError, lambda: aio.CancelledError
    else:
        import anyio
        import _anyio_support as aio

        sleep, cancelled, own = anyio.sleep, aio.TaskCancelled, anyio.get_cancelled_exc_class
    virtual.run(backend, lambda: getattr(programs, name)(
        aio=aio, sleep=sleep, out=lambda x: lines.append(str(x)), Cancelled=cancelled, own=own),
                real=name.startswith("real_"))
    return lines


def child(backend):
    import programs, traceback

    for name in [n for n, f in vars(programs).items() if callable(f) and n != "cancel_later" and not n.startswith("_")]:
        try:
            lines = trace(backend, name)
        except BaseException:
            lines = ["raised"] + traceback.format_exc().splitlines()[-6:]
        print(name, repr(lines), flush=True)


def run_child(backend, floor, folder):
    env = dict(os.environ, PYTHONPATH=folder)
    if floor != "newest":
        env["PYTHONPATH"] = os.path.join(os.environ["VENV"], "floors", "anyio-" + floor) + ":" + folder
    done = subprocess.run([sys.executable, "-W", "error::RuntimeWarning", __file__, backend], env=env, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines()), done.stderr


def main():
    from assemble import assemble

    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "_anyio_support.py"), "w") as f:
            f.write(assemble(os.path.join(HERE, "../../src/migrate/support")))
        want, err = run_child("plain", "newest", folder)
        count = bad = 0
        for floor in FLOORS:
            for backend in ("asyncio", "trio"):
                got, err = run_child(backend, floor, folder)
                for name in want:
                    count += 1
                    good = got.get(name) == want[name]
                    bad += not good
                    print(("ok" if good else "not ok"), count, f"- {name} on {backend}, AnyIO {floor}")
                    if not good:
                        print("#   want", want[name], "\n#   got ", got.get(name))
                if err:
                    print("\n".join("# " + line for line in err.splitlines()[-20:]))
        print(f"1..{count}")
        return 1 if bad or count < 60 else 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child(sys.argv[1])
    else:
        sys.exit(main())
