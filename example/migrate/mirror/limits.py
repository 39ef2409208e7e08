"""How much at once, and how fast."""

import asyncio as aio


class Pace:
    """At most `rate` passes per second, evenly, in the order of arrival."""

    def __init__(self, rate: float):
        self._gap = 1 / rate
        self._turn = aio.Lock()
        self._next = 0.0

    async def wait(self) -> None:
        async with self._turn:
            now = aio.get_running_loop().time()
            pause = self._next - now
            if pause > 0:
                await aio.sleep(max(0, pause))
            self._next = max(now, self._next) + self._gap


class Gate:
    """Closed until it is opened, once and for all."""

    def __init__(self):
        self._open = aio.Event()

    def open(self):
        self._open.set()

    def is_open(self):
        return self._open.is_set()

    async def passed(self, limit=None):
        await aio.wait_for(self._open.wait(), timeout=limit)


class Slots:
    """A few may work at once; knows who waits."""

    def __init__(self, count: int = 1):
        self._free = aio.Semaphore(value=count)
        self.waiting = 0

    async def __aenter__(self):
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        return self

    async def __aexit__(self, *exc_info):
        self._free.release()
