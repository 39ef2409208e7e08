"""What the command's tests share: a scratch project, running canyon, TAP.

A test is a function named test_*; each runs in an empty folder of its own.
"""
import os, subprocess, sys, traceback

CANYON = os.path.join(os.environ["CANYON_BUILD"], "canyon")

SAMPLE = """\
import asyncio


async def main():
    await asyncio.sleep(1)
    policy = asyncio.get_event_loop_policy()
    return policy
"""
SAMPLE_CLEAN = """\
import asyncio


async def main():
    await asyncio.sleep(1)
"""


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())


def read(path):
    with open(path, "rb") as f:
        return f.read()


def canyon(*args, stdin=b"", cwd=None, env=None, user=None):
    """Run canyon; bytes out and err are decoded, `code` is the exit status."""
    variables = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    variables.update(env or {})
    done = subprocess.run([CANYON, *args], input=stdin, cwd=cwd, env=variables, capture_output=True,
                          user=user, timeout=300)
    done.code = done.returncode
    done.out = done.stdout.decode(errors="replace")
    done.err = done.stderr.decode(errors="replace")
    assert "AddressSanitizer" not in done.err and "runtime error" not in done.err, done.err
    assert "LeakSanitizer" not in done.err, done.err
    return done


def tree(top="."):
    """Every file below with its bytes, mode and time; the store left out."""
    found = {}
    for folder, folders, files in os.walk(top):
        if ".canyon" in folders:
            folders.remove(".canyon")
        for name in files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            body = os.readlink(path).encode() if os.path.islink(path) else read(path)
            found[os.path.relpath(path, top)] = (body, st.st_mode, st.st_mtime_ns)
    return found


def texts(top="."):
    return {path: entry[0] for path, entry in tree(top).items()}


def main(names):
    tests = [(n, f) for n, f in names.items() if n.startswith("test_")]
    top = os.getcwd()
    failed = 0
    print(f"1..{len(tests)}")
    for i, (name, test) in enumerate(tests, 1):
        os.makedirs(os.path.join(top, name))
        os.chdir(os.path.join(top, name))
        write("pyproject.toml", '[project]\nname = "sample"\nrequires-python = ">=3.10"\n')
        try:
            skipped = test()
            print(f"ok {i} - {name[5:]}" + (f" # SKIP {skipped}" if skipped else ""), flush=True)
        except Exception:
            failed += 1
            print(f"not ok {i} - {name[5:]}")
            print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    sys.exit(1 if failed else 0)
