"""A transport with latency and scripted faults.

It stands where an HTTP client would stand, with the same manners: a bounded
number of connections, errors that may be worth another try, and a close()
that says goodbye to the other side.
"""

import asyncio
from collections import Counter
from typing import Callable, Mapping

Reply = bytes | BaseException | Callable[[], bytes]


class Transport:
    def __init__(self, replies: Mapping[str, Reply], latency: float = 0.0, connections: int = 4):
        self._replies = replies
        self._latency = latency
        self._slots = asyncio.BoundedSemaphore(connections)
        self._closing = asyncio.Lock()
        self.requests: Counter[str] = Counter()
        self.open = 0
        self.most_open = 0
        self.closed = False

    async def get(self, path: str) -> bytes:
        async with self._slots:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            try:
                return await self._answer(path)
            finally:
                self.open -= 1

    async def _answer(self, path: str) -> bytes:
        if self.closed:
            raise ConnectionError("the transport is closed")
        self.requests[path] += 1
        await asyncio.sleep(self._latency)
        reply = self._replies[path]
        if callable(reply):
            reply = reply()
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def busy(self) -> bool:
        """Are all connections taken?"""
        return self._slots.locked()

    async def close(self) -> None:
        async with self._closing:
            if not self.closed:
                await asyncio.sleep(0)  # goodbye
                self.closed = True
