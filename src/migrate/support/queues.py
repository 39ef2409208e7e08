# part: queues
# names: Queue, LifoQueue, PriorityQueue, QueueEmpty, QueueFull, QueueShutDown
# needs: core, locks
# imports: import heapq; from collections import deque; from typing import Any, Generic, TypeVar
Item = TypeVar("Item")


class QueueEmpty(Exception):
    """`get_nowait` found nothing."""


class QueueFull(Exception):
    """`put_nowait` found no room."""


class QueueShutDown(Exception):
    """The queue was shut down."""


class Queue(Generic[Item]):
    """A queue between tasks: what `asyncio.Queue` is to asyncio.

    `maxsize` of zero or less means no limit. Like asyncio's it gives way to
    other tasks only when it has to wait, and is not bound to a backend.
    """

    def __init__(self, maxsize: int = 0, *, loop: Any = None) -> None:
        self._maxsize = maxsize
        self._getters, self._putters = _Waiters(), _Waiters()
        self._unfinished_tasks = 0
        self._finished = Event()
        self._finished.set()
        self._is_shutdown = False
        self._init(maxsize)

    def _init(self, maxsize: int) -> None:
        self._queue: Any = deque()

    def _get(self) -> Any:
        return self._queue.popleft()

    def _put(self, item: Any) -> None:
        self._queue.append(item)

    @property
    def maxsize(self) -> int:
        return self._maxsize

    def qsize(self) -> int:
        return len(self._queue)

    def empty(self) -> bool:
        return not self._queue

    def full(self) -> bool:
        return 0 < self._maxsize <= self.qsize()

    async def put(self, item: Item) -> None:
        while self.full():
            if self._is_shutdown:
                raise QueueShutDown
            await self._putters.wait(lambda: self.full() or self._putters.wake())
        self.put_nowait(item)

    def put_nowait(self, item: Item) -> None:
        if self._is_shutdown:
            raise QueueShutDown
        if self.full():
            raise QueueFull
        self._put(item)
        self._unfinished_tasks += 1
        self._finished.clear()
        self._getters.wake()

    async def get(self) -> Item:
        while self.empty():
            if self._is_shutdown:
                raise QueueShutDown
            await self._getters.wait(lambda: self.empty() or self._getters.wake())
        return self.get_nowait()

    def get_nowait(self) -> Item:
        if self.empty():
            if self._is_shutdown:
                raise QueueShutDown
            raise QueueEmpty
        item = self._get()
        self._putters.wake()
        return item

    def task_done(self) -> None:
        if self._unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self._unfinished_tasks -= 1
        if self._unfinished_tasks == 0:
            self._finished.set()

    async def join(self) -> None:
        if self._unfinished_tasks > 0:
            await self._finished.wait()

    def shutdown(self, immediate: bool = False) -> None:
        self._is_shutdown = True
        if immediate:
            while not self.empty():
                self._get()
                if self._unfinished_tasks > 0:
                    self._unfinished_tasks -= 1
            if self._unfinished_tasks == 0:
                self._finished.set()
        self._getters.wake(len(self._getters))
        self._putters.wake(len(self._putters))


class LifoQueue(Queue[Item]):
    """The newest item comes out first."""

    def _init(self, maxsize: int) -> None:
        self._queue = []

    def _get(self) -> Any:
        return self._queue.pop()


class PriorityQueue(Queue[Item]):
    """The smallest item comes out first."""

    def _init(self, maxsize: int) -> None:
        self._queue = []

    def _put(self, item: Any) -> None:
        heapq.heappush(self._queue, item)

    def _get(self) -> Any:
        return heapq.heappop(self._queue)
