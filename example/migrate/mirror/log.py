"""Structured log lines: one dict per event, with the time on the loop's
clock and what the current context knows."""

import asyncio
import contextlib
import contextvars
import json
import logging

_fields: contextvars.ContextVar[dict] = contextvars.ContextVar("fields", default={})
_logger = logging.getLogger("mirror")


class Clock:
    """Seconds since this clock was made; only inside a running loop."""

    def __init__(self) -> None:
        self._start = asyncio.get_running_loop().time()

    def elapsed(self) -> float:
        loop = asyncio.get_running_loop()
        return loop.time() - self._start


@contextlib.contextmanager
def fields(**more):
    token = _fields.set({**_fields.get(), **more})
    try:
        yield
    finally:
        _fields.reset(token)


def event(name: str, **more) -> None:
    _logger.info("%s", json.dumps({"event": name, **_fields.get(), **more}, sort_keys=True))
