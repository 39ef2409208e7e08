# part: loop
# names: Loop, get_running_loop, get_event_loop, run_coroutine_threadsafe, wrap_future, to_thread, Handle, TimerHandle, current_task
# needs: core, futures, tasks
# imports: import concurrent.futures; import contextvars; import functools; import sys; from typing import Any, Callable; import anyio; from anyio import to_thread as _to_thread; from anyio.lowlevel import RunVar
_loop_of_run: RunVar = RunVar("_anyio_support_loop")


class Handle:
    """A callback that has been asked for; `cancel()` takes it back."""

    def __init__(self, callback: Callable[..., Any], args: Any) -> None:
        self._callback, self._args = callback, args
        self._cancelled = False

    def _call(self) -> None:
        if not self._cancelled:
            self._callback(*self._args)

    def cancel(self) -> None:
        self._cancelled = True

    def cancelled(self) -> bool:
        return self._cancelled


class TimerHandle(Handle):
    """A callback at a time of the loop's clock."""

    def __init__(self, when: float, callback: Callable[..., Any], args: Any) -> None:
        super().__init__(callback, args)
        self._when = when

        async def sleeper() -> None:
            await anyio.sleep_until(when)
            _guarded(self._call)

        self._task = Task(sleeper())

    def when(self) -> float:
        return self._when

    def cancel(self) -> None:
        super().cancel()
        self._task.cancel()


class Loop:
    """The running event loop, as far as both backends have one.

    Get it with `get_running_loop()`; the same object for the whole run. Only
    `call_soon_threadsafe` may be called from other threads.
    """

    def __init__(self) -> None:
        self._trio_token = None
        self._native = None
        trio = _trio()
        if trio is not None:
            self._trio_token = trio.lowlevel.current_trio_token()
        else:
            import asyncio

            self._native = asyncio.get_running_loop()

    def time(self) -> float:
        return anyio.current_time()

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None) -> Task:
        return create_task(coro, name=name, context=context)

    def create_future(self) -> Future:
        return Future()

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> Handle:
        handle = Handle(callback, args)
        call_soon((context or contextvars.copy_context()).run, handle._call)
        return handle

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> Handle:
        handle = Handle(callback, args)
        run = (context or contextvars.copy_context()).run
        try:
            if self._native is not None:
                self._native.call_soon_threadsafe(_guarded, run, handle._call)
            else:
                self._trio_token.run_sync_soon(_guarded, run, handle._call)
        except Exception as exc:
            raise RuntimeError("Event loop is closed") from exc
        return handle

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, context: Any = None) -> TimerHandle:
        return self.call_at(self.time() + max(0, delay), callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None) -> TimerHandle:
        if context is not None:
            return TimerHandle(when, context.run, (callback, *args))
        return TimerHandle(when, callback, args)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Future:
        """Run in a worker thread (None) or in the executor; a future."""
        if executor is None:
            return create_task(_to_thread.run_sync(functools.partial(func, *args), **_ABANDON))
        return wrap_future(executor.submit(func, *args))

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    async def getaddrinfo(self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        return await anyio.getaddrinfo(host, port, family=family, type=type, proto=proto, flags=flags)


# The keyword that leaves a thread behind on cancellation, as asyncio does.
_ABANDON = {"abandon_on_cancel": True}


def get_running_loop() -> Loop:
    """The loop of this run; RuntimeError where none runs."""
    try:
        return _loop_of_run.get()
    except LookupError:
        loop = Loop()
        _loop_of_run.set(loop)
        return loop
    except Exception:
        raise RuntimeError("no running event loop") from None


def get_event_loop() -> Loop:
    """As `get_running_loop`: no loop is made where none runs."""
    return get_running_loop()


def wrap_future(future: Any, *, loop: Any = None) -> Future:
    """An awaitable for a `concurrent.futures.Future`."""
    if isinstance(future, Future):
        return future
    running = get_running_loop()
    outer: Future = Future()

    def copy() -> None:
        if outer.done():
            return
        if future.cancelled():
            Future.cancel(outer)
        elif future.exception() is not None:
            outer.set_exception(future.exception())
        else:
            outer.set_result(future.result())

    def inner_done(_: Any) -> None:
        try:
            running.call_soon_threadsafe(copy)
        except RuntimeError:
            pass  # the run has ended

    outer.add_done_callback(lambda done: done.cancelled() and future.cancel())
    future.add_done_callback(inner_done)
    return outer


def run_coroutine_threadsafe(coro: Any, loop: Loop) -> "concurrent.futures.Future[Any]":
    """From another thread: run a coroutine on the loop."""
    outer: "concurrent.futures.Future[Any]" = concurrent.futures.Future()

    def done(task: Future) -> None:
        if task.cancelled():
            outer.cancel()
            outer.set_running_or_notify_cancel()
        elif outer.set_running_or_notify_cancel():
            if task.exception() is not None:
                outer.set_exception(task.exception())
            else:
                outer.set_result(task.result())

    def start() -> None:
        try:
            task = ensure_future(coro)
        except BaseException as exc:
            if outer.set_running_or_notify_cancel():
                outer.set_exception(exc)
            raise
        task.add_done_callback(done)
        outer.add_done_callback(lambda out: out.cancelled() and loop.call_soon_threadsafe(task.cancel))

    loop.call_soon_threadsafe(start)
    return outer


async def to_thread(func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Run a function in a worker thread; cancelling leaves it running there."""
    context = contextvars.copy_context()
    call = functools.partial(context.run, func, *args, **kwargs)
    return await _to_thread.run_sync(call, **_ABANDON)


def current_task(loop: Any = None) -> Any:
    """The task of this module that is running, or None."""
    trio = _trio()
    if trio is None:
        import asyncio

        native = asyncio.current_task()
        return next((task for task in _running if task._native is native), None)
    native = trio.lowlevel.current_task()
    return next((task for task in _running if task._trio_task is native), None)
