# part: waiting
# names: wait, wait_for, shield, as_completed, ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION
# needs: core, futures, tasks
# imports: import inspect; from collections import deque; from typing import Any, Deque, Iterator, Set, Tuple; import anyio
ALL_COMPLETED = "ALL_COMPLETED"
FIRST_COMPLETED = "FIRST_COMPLETED"
FIRST_EXCEPTION = "FIRST_EXCEPTION"


async def wait(fs: Any, *, timeout: Any = None, return_when: str = ALL_COMPLETED) -> Tuple[Set[Future], Set[Future]]:
    """Wait for futures and tasks; the sets (done, pending). Cancels nothing.

    The sets hold the objects that were given, whatever kind they are.
    """
    given = {ensure_future(f): f for f in fs}  # a coroutine has its task given back
    futures = set(given)
    if not futures:
        raise ValueError("Set of Tasks/Futures is empty.")
    if return_when not in (FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED):
        raise ValueError(f"Invalid return_when value: {return_when}")
    changed = anyio.Event()

    def enough() -> bool:
        done = [f for f in futures if f.done()]
        if return_when == FIRST_COMPLETED and done:
            return True
        if return_when == FIRST_EXCEPTION and any(not f.cancelled() and f._error is not None for f in done):
            return True
        return len(done) == len(futures)

    def on_done(_: Future) -> None:
        if enough():
            changed.set()

    for future in futures:
        future.add_done_callback(on_done)
    try:
        if not enough():
            with anyio.move_on_after(timeout):
                await changed.wait()
    finally:
        for future in futures:
            future.remove_done_callback(on_done)
    given = {f: f if inspect.iscoroutine(original) else original for f, original in given.items()}
    done = {given[f] for f in futures if f.done()}
    return done, {given[f] for f in futures if not f.done()}


async def wait_for(fut: Any, timeout: Any) -> Any:
    """Wait for an awaitable at most `timeout` seconds, then TimeoutError.

    As in asyncio a timeout of zero or less does not start a coroutine.
    """
    if timeout is not None and timeout <= 0:
        if inspect.iscoroutine(fut):
            fut.close()
            raise TimeoutError
        future = ensure_future(fut)
        if future.done():
            return future.result()
        future.cancel()
        await future._wait_done()
        try:
            return future.result()
        except TaskCancelled:
            raise TimeoutError from None
    with anyio.fail_after(timeout):
        return await fut


def shield(arg: Any) -> Future:
    """Await something that runs on alone when the awaiter is cancelled."""
    inner = ensure_future(arg)
    outer: Future = Future()

    def inner_done(done: Future) -> None:
        if outer.done():
            if not done.cancelled():
                done.exception()  # seen
        elif done.cancelled():
            Future.cancel(outer)
        elif done.exception() is not None:
            outer.set_exception(done.exception())
        else:
            outer.set_result(done.result())

    if inner.done():
        return inner
    inner.add_done_callback(inner_done)
    return outer


def as_completed(fs: Any, *, timeout: Any = None) -> Iterator[Any]:
    """Awaitables that give the results in the order in which they are ready."""
    left = {ensure_future(f) for f in set(fs)}
    ready: Deque[Any] = deque()
    waiters: Deque[anyio.Event] = deque()
    deadline = None if timeout is None else anyio.current_time() + timeout

    def on_done(future: Future) -> None:
        ready.append(future)
        if waiters:
            waiters.popleft().set()

    async def next_result() -> Any:
        while not ready:
            waiter = anyio.Event()
            waiters.append(waiter)
            try:
                with anyio.fail_after(None if deadline is None else max(0, deadline - anyio.current_time())):
                    await waiter.wait()
            except BaseException:
                if waiter in waiters:
                    waiters.remove(waiter)
                elif ready and waiters:
                    waiters.popleft().set()
                raise
        return ready.popleft().result()

    for future in left:
        future.add_done_callback(on_done)
    for _ in range(len(left)):
        yield next_result()
