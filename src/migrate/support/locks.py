# part: locks
# names: Event, Lock, Semaphore, BoundedSemaphore, Condition, Barrier, BrokenBarrierError
# needs: core
# imports: from collections import deque; from typing import Any, Callable, Deque; import anyio
class _Waiters:
    """A first-come, first-served line of tasks."""

    def __init__(self) -> None:
        self._line: Deque[anyio.Event] = deque()

    def __len__(self) -> int:
        return len(self._line)

    def wake(self, count: int = 1) -> None:
        while self._line and count > 0:
            self._line.popleft().set()
            count -= 1

    async def wait(self, hand_on: Callable[[], Any]) -> None:
        """Wait for a turn; one cancelled just as its turn comes hands it on."""
        turn = anyio.Event()
        self._line.append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                hand_on()
            else:
                self._line.remove(turn)
            raise


class Event:
    """An event that can be cleared; not bound to a loop or backend."""

    def __init__(self, *, loop: Any = None) -> None:
        self._value = False
        self._waiters = _Waiters()

    def is_set(self) -> bool:
        return self._value

    def set(self) -> None:
        self._value = True
        self._waiters.wake(len(self._waiters))

    def clear(self) -> None:
        self._value = False

    async def wait(self) -> bool:
        if not self._value:
            await self._waiters.wait(lambda: None)
        return True


class Semaphore:
    """A counter that any task may release; FIFO, not bound to a backend."""

    def __init__(self, value: int = 1, *, loop: Any = None) -> None:
        if value < 0:
            raise ValueError("Semaphore initial value must be >= 0")
        self._value = value
        self._waiters = _Waiters()

    def locked(self) -> bool:
        return self._value == 0

    async def acquire(self) -> bool:
        if self._value > 0 and not self._waiters:
            self._value -= 1
        else:
            await self._waiters.wait(self._hand_on)  # a release passes its permit on
        return True

    def _hand_on(self) -> None:
        if self._waiters:
            self._waiters.wake()
        else:
            self._value += 1

    def release(self) -> None:
        self._hand_on()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *exc_info: Any) -> None:
        self.release()


class BoundedSemaphore(Semaphore):
    """A semaphore that may not be released more often than acquired."""

    def __init__(self, value: int = 1, *, loop: Any = None) -> None:
        super().__init__(value)
        self._bound = value

    def release(self) -> None:
        if self._value >= self._bound:
            raise ValueError("BoundedSemaphore released too many times")
        super().release()


class Lock:
    """A lock that any task may release; FIFO, not bound to a backend."""

    def __init__(self, *, loop: Any = None) -> None:
        self._semaphore = Semaphore(1)

    def locked(self) -> bool:
        return self._semaphore.locked()

    async def acquire(self) -> bool:
        return await self._semaphore.acquire()

    def release(self) -> None:
        if not self.locked():
            raise RuntimeError("Lock is not acquired.")
        self._semaphore.release()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *exc_info: Any) -> None:
        self.release()


class Condition:
    """A condition over a lock that may also be used by itself."""

    def __init__(self, lock: Any = None, *, loop: Any = None) -> None:
        self._lock = Lock() if lock is None else lock
        self._waiters = _Waiters()
        self.locked = self._lock.locked
        self.acquire = self._lock.acquire
        self.release = self._lock.release

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *exc_info: Any) -> None:
        self.release()

    async def wait(self) -> bool:
        if not self.locked():
            raise RuntimeError("cannot wait on un-acquired lock")
        self.release()
        try:
            await self._waiters.wait(self._waiters.wake)
        finally:
            with anyio.CancelScope(shield=True):
                await self.acquire()
        return True

    async def wait_for(self, predicate: Callable[[], Any]) -> Any:
        result = predicate()
        while not result:
            await self.wait()
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        if not self.locked():
            raise RuntimeError("cannot notify on un-acquired lock")
        self._waiters.wake(n)

    def notify_all(self) -> None:
        self.notify(len(self._waiters))


class BrokenBarrierError(RuntimeError):
    """The barrier was aborted, or reset while tasks waited."""


class Barrier:
    """Tasks wait until `parties` of them have come, then all go on."""

    def __init__(self, parties: int) -> None:
        if parties < 1:
            raise ValueError("parties must be > 0")
        self._parties = parties
        self._condition = Condition()
        self._count = 0
        self._state = "filling"

    parties = property(lambda self: self._parties)
    n_waiting = property(lambda self: self._count if self._state == "filling" else 0)
    broken = property(lambda self: self._state == "broken")

    async def __aenter__(self) -> int:
        return await self.wait()

    async def __aexit__(self, *exc_info: Any) -> None:
        pass

    async def wait(self) -> int:
        async with self._condition:
            await self._condition.wait_for(lambda: self._state not in ("draining", "resetting"))
            if self._state == "broken":
                raise BrokenBarrierError("Barrier aborted")
            index = self._count
            self._count += 1
            try:
                if index + 1 == self._parties:
                    self._state = "draining"
                    self._condition.notify_all()
                else:
                    await self._condition.wait_for(lambda: self._state != "filling")
                    if self._state in ("broken", "resetting"):
                        raise BrokenBarrierError("Abort or reset of barrier")
                return index
            finally:
                self._count -= 1
                if self._count == 0 and self._state in ("draining", "resetting"):
                    self._state = "filling"
                self._condition.notify_all()

    async def reset(self) -> None:
        async with self._condition:
            if self._count > 0:
                if self._state != "resetting":
                    self._state = "resetting"
            else:
                self._state = "filling"
            self._condition.notify_all()

    async def abort(self) -> None:
        async with self._condition:
            self._state = "broken"
            self._condition.notify_all()
