"""What both plugins share: the check of the running library, and the count of
the tests that passed it."""

import functools
import inspect
import json
import os
from collections import Counter

import sniffio

ran: Counter[str] = Counter()


def running() -> str:
    """The library whose event loop runs right now, asked at the source."""
    import asyncio

    try:
        import trio
    except ImportError:
        trio = None
    libraries = set()
    if trio and trio.lowlevel.in_trio_run():
        libraries.add("trio")
    if asyncio._get_running_loop() is not None:
        libraries.add("asyncio")
    (library,) = libraries
    assert sniffio.current_async_library() == library
    return library


def checked(function, expected):
    """An async test that fails unless it runs on the expected library.
    `expected` maps the test's keyword arguments to its name."""

    @functools.wraps(function)
    async def test(**kwargs):
        library = running()
        assert library == expected(kwargs), f"this test runs on {library}"
        await function(**kwargs)
        assert running() == library
        ran[library] += 1

    return test


def write_count(path=os.environ.get("HARNESS_COUNT")):
    if path:
        with open(path, "w") as f:
            json.dump(ran, f)


def is_async_test(item) -> bool:
    return inspect.iscoroutinefunction(getattr(item, "obj", None))
