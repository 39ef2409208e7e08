# part: tasks
# names: Task, create_task, ensure_future
# needs: core, futures
# imports: import contextvars; import inspect; import sys; from typing import Any, Set; import anyio
_running: Set["Task"] = set()  # detached tasks, kept alive while they run


class Task(Future[T]):
    """A coroutine that runs on its own: what `asyncio.Task` is to asyncio."""

    _count = 0

    def __init__(self, coro: Any, *, name: Any = None, context: Any = None) -> None:
        super().__init__()
        Task._count += 1
        self._coro = coro
        self._name = f"Task-{Task._count}" if name is None else str(name)
        self._native: Any = None
        self._trio_task: Any = None
        self._scope: Any = None
        self._cancel_asked = False
        self._cancel_count = 0
        self._context = contextvars.copy_context() if context is None else context
        self._start(self._context)

    def _start(self, context: Any) -> None:
        trio = _trio()
        if trio is not None:
            self._scope = anyio.CancelScope()
            self._trio_task = trio.lowlevel.spawn_system_task(self._run_in_scope, name=self._name, context=context)
        else:
            import asyncio

            loop = asyncio.get_running_loop()
            runner = self._run()
            if sys.version_info >= (3, 11):
                self._native = loop.create_task(runner, context=context)
            else:
                self._native = context.run(loop.create_task, runner)
            self._native.set_name(self._name)
            self._native.add_done_callback(self._native_ended)
        _running.add(self)

    async def _run_in_scope(self) -> None:
        if self._cancel_asked:  # as in asyncio, it then never starts
            self._coro.close()
            self._end_cancelled()
            return
        with self._scope:
            await self._run()
        if not self.done():
            self._end_cancelled()

    async def _run(self) -> None:
        try:
            value = await self._coro
        except (anyio.get_cancelled_exc_class(), TaskCancelled) as exc:
            self._end_cancelled()
            if not isinstance(exc, TaskCancelled):
                raise
        except Exception as exc:
            self._error, self._error_seen = exc, False
            self._end("finished")
        except BaseException as exc:  # KeyboardInterrupt, SystemExit
            self._error = exc
            self._end("finished")
            raise
        else:
            self._value = value
            self._end("finished")

    def _native_ended(self, native: Any) -> None:
        if not self.done():  # cancelled before its first step
            self._coro.close()
            self._end_cancelled()
        if not native.cancelled():
            native.exception()

    def _end_cancelled(self) -> None:
        self._end("cancelled")

    def _end(self, state: str) -> None:
        _running.discard(self)
        self._finish(state)

    def cancel(self, msg: Any = None) -> bool:
        """Ask the task to stop; returns at once. False when it has ended."""
        if self.done():
            return False
        self._cancel_message = msg
        self._cancel_asked = True
        self._cancel_count += 1
        if self._native is not None:
            self._native.cancel()
        else:
            self._scope.cancel()
        return True

    def cancelling(self) -> int:
        """How often `cancel` was called, `uncancel` taken off."""
        return self._cancel_count

    def uncancel(self) -> int:
        self._cancel_count = max(0, self._cancel_count - 1)
        if self._native is not None and sys.version_info >= (3, 11):
            self._native.uncancel()
        return self._cancel_count

    def get_context(self) -> Any:
        return self._context

    def set_result(self, result: Any) -> None:
        raise RuntimeError("Task does not support set_result operation")

    def set_exception(self, exception: Any) -> None:
        raise RuntimeError("Task does not support set_exception operation")

    def get_name(self) -> str:
        return self._name

    def set_name(self, value: Any) -> None:
        self._name = str(value)

    def get_coro(self) -> Any:
        return self._coro

    def __repr__(self) -> str:
        return f"<Task {self._state} name={self._name!r} coro={self._coro!r}>"


def create_task(coro: Any, *, name: Any = None, context: Any = None) -> Task:
    """Run a coroutine on its own, as `asyncio.create_task`; returns at once."""
    return Task(coro, name=name, context=context)


def ensure_future(coro_or_future: Any, *, loop: Any = None) -> Future:
    """A future for any awaitable; futures of this module come back as they are."""
    if isinstance(coro_or_future, Future):
        return coro_or_future
    if inspect.iscoroutine(coro_or_future):
        return create_task(coro_or_future)
    if inspect.isawaitable(coro_or_future):

        async def wrapper() -> Any:
            return await coro_or_future

        return create_task(wrapper())
    raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")
