"""A bounded buffer between two parts of the service, made of a condition."""

import asyncio
from collections import deque


class Closed(Exception):
    pass


class Mailbox:
    def __init__(self, room: int):
        self._room = room
        self._items = deque()
        self._changed = asyncio.Condition()
        self._closed = False

    def __len__(self):
        return len(self._items)

    async def put(self, item) -> None:
        async with self._changed:
            while len(self._items) >= self._room and not self._closed:
                await self._changed.wait()
            if self._closed:
                raise Closed
            self._items.append(item)
            self._changed.notify_all()

    async def get(self):
        async with self._changed:
            while not self._items:
                if self._closed:
                    raise Closed
                await self._changed.wait()
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    async def close(self) -> None:
        async with self._changed:
            self._closed = True
            self._changed.notify_all()
