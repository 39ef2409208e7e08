# part: futures
# names: Future, isfuture, InvalidStateError, TaskCancelled
# needs: core
# imports: import asyncio; from typing import Any, Callable, Generator, Generic, List, Optional, TypeVar; import anyio
T = TypeVar("T")


class TaskCancelled(asyncio.CancelledError):
    """Raised by awaiting a task or future that was cancelled.

    On asyncio a handler of `CancelledError` sees it, as it always did. On trio
    it is told apart from the cancellation of the task that awaits.
    """


class InvalidStateError(Exception):
    """The result was asked for too early, or set twice."""


class Future(Generic[T]):
    """A value that will be there later: what `asyncio.Future` is to asyncio.

    Use it from the loop's own thread only. Cancelling a task that awaits a
    future cancels the future.
    """

    def __init__(self, *, loop: Any = None) -> None:
        self._callbacks: List[Callable[[Any], Any]] = []
        self._state = "pending"
        self._value: Any = None
        self._error: Optional[BaseException] = None
        self._cancel_message: Any = None
        self._error_seen = True

    def done(self) -> bool:
        return self._state != "pending"

    def cancelled(self) -> bool:
        return self._state == "cancelled"

    def result(self) -> T:
        if self._state == "cancelled":
            raise self._cancelled_error()
        if self._state == "pending":
            raise InvalidStateError("Result is not set.")
        self._error_seen = True
        if self._error is not None:
            raise self._error
        return self._value

    def exception(self) -> Optional[BaseException]:
        if self._state == "cancelled":
            raise self._cancelled_error()
        if self._state == "pending":
            raise InvalidStateError("Exception is not set.")
        self._error_seen = True
        return self._error

    def _cancelled_error(self) -> TaskCancelled:
        if self._cancel_message is None:
            return TaskCancelled()
        return TaskCancelled(self._cancel_message)

    def set_result(self, result: T) -> None:
        if self.done():
            raise InvalidStateError(f"{self!r} is done already")
        self._value = result
        self._finish("finished")

    def set_exception(self, exception: Any) -> None:
        if self.done():
            raise InvalidStateError(f"{self!r} is done already")
        if isinstance(exception, type):
            exception = exception()
        self._error = exception
        self._error_seen = False
        self._finish("finished")

    def cancel(self, msg: Any = None) -> bool:
        if self.done():
            return False
        self._cancel_message = msg
        self._finish("cancelled")
        return True

    def _finish(self, state: str) -> None:
        self._state = state
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            call_soon(callback, self)

    def add_done_callback(self, fn: Callable[[Any], Any], *, context: Any = None) -> None:
        if context is not None:
            plain = fn

            def fn(done: Any) -> Any:
                return context.run(plain, done)

        if self.done():
            call_soon(fn, self)
        else:
            self._callbacks.append(fn)

    def remove_done_callback(self, fn: Callable[[Any], Any]) -> int:
        kept = [callback for callback in self._callbacks if callback != fn]
        removed = len(self._callbacks) - len(kept)
        self._callbacks = kept
        return removed

    async def _wait_done(self) -> None:
        """Wait for the end without raising; cancelling the wait is harmless."""
        if self.done():
            return
        waiter = anyio.Event()

        def wake(_: Any) -> None:
            waiter.set()

        self.add_done_callback(wake)
        try:
            await waiter.wait()
        finally:
            self.remove_done_callback(wake)

    async def wait(self) -> None:
        """Wait for the end, whatever it is. Does not cancel, does not raise."""
        await self._wait_done()

    async def _join(self) -> T:
        if not self.done():
            try:
                await self._wait_done()
            except anyio.get_cancelled_exc_class():
                if self.cancel() and not self.done():
                    with anyio.CancelScope(shield=True):
                        await self._wait_done()
                raise
        return self.result()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._join().__await__()

    __iter__ = __await__

    def __del__(self) -> None:
        if not getattr(self, "_error_seen", True):
            _log.error("%s exception was never retrieved: %r", type(self).__name__, self, exc_info=self._error)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._state}>"


def isfuture(obj: Any) -> bool:
    """Is this a future or task of this module?"""
    return isinstance(obj, Future)
