import asyncio
from concurrent.futures import ThreadPoolExecutor


class Service:
    limit = asyncio.Semaphore(3)

    def __init__(self, *, loop=None):
        self._ready = asyncio.Event()
        self._lock = asyncio.Lock()
        self._pool = ThreadPoolExecutor(2)
        self._cond = asyncio.Condition(self._lock)

    async def __aenter__(self):
        await self._ready.wait()
        return self

    async def __aexit__(self, *exc):
        await self.close()

    async def close(self):
        try:
            async with self._lock, self.limit:
                await asyncio.to_thread(print, "x", end="")
        except (asyncio.CancelledError, KeyError) as e:
            await self.rollback()
            raise
        except asyncio.TimeoutError:
            pass
        finally:
            self._ready.clear()
            await asyncio.get_event_loop().run_in_executor(self._pool, self.flush, 1)

    def flush(self, n): return n if n else None
