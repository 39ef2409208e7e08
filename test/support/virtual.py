"""Run an async main on asyncio, AnyIO-on-asyncio or AnyIO-on-trio with a virtual clock.

Time jumps to the next deadline when nothing can run, so programs that sleep
take no time and always interleave in the same way.
"""
import asyncio, selectors


class _JumpingSelector(selectors.SelectSelector):
    now = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("deadlock: nothing will ever happen again")
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps. No threads, no sockets of others."""

    def __init__(self):
        super().__init__(_JumpingSelector())

    def time(self):
        return self._selector.now


def run(backend, func, *args, real=False):
    """`real`: a real clock, for programs with threads, sockets or children. backend: 'plain' (asyncio itself), 'asyncio' or 'trio' (through AnyIO)."""
    if backend == "plain":
        with asyncio.Runner(loop_factory=None if real else VirtualLoop) as runner:
            return runner.run(func(*args))
    import anyio

    if backend == "asyncio":
        return anyio.run(func, *args, backend_options={} if real else {"loop_factory": VirtualLoop})
    import trio.testing

    return anyio.run(func, *args, backend="trio",
                     backend_options={} if real else {"clock": trio.testing.MockClock(autojump_threshold=0)})
