"""Small programs over asyncio's names. Each is run with `aio` = asyncio on
asyncio, and with `aio` = the support module on asyncio and on trio; all three
must print the same. `sleep` is the backend's sleep, `out` collects the trace,
`Cancelled` is what awaiting a cancelled task raises, `own` what a task sees
when it is cancelled itself."""


async def gather_keeps_order(aio, sleep, out, **_):
    async def f(n):
        await sleep(3 - n)
        out(f"done {n}")
        return n * 10

    out(await aio.gather(f(0), f(1), f(2)))
    out(await aio.gather())


async def gather_first_error_is_bare_and_siblings_run_on(aio, sleep, out, **_):
    async def ok():
        await sleep(3)
        out("sibling finished")

    async def bad():
        await sleep(1)
        raise ValueError("bad")

    try:
        await aio.gather(ok(), bad())
    except ValueError as exc:
        out(f"caught {exc!r}")
    await sleep(5)


async def gather_return_exceptions(aio, sleep, out, Cancelled, **_):
    async def f(n):
        await sleep(n)
        if n == 2:
            raise KeyError(n)
        return n

    task = aio.create_task(f(9))
    aio.create_task(cancel_later(sleep, task))
    res = await aio.gather(f(1), f(2), task, return_exceptions=True)
    out([type(r).__name__ if isinstance(r, BaseException) and not isinstance(r, Cancelled) else ("cancelled" if isinstance(r, Cancelled) else r) for r in res])


async def cancel_later(sleep, task):
    await sleep(1)
    task.cancel()


async def gather_same_awaitable_twice(aio, sleep, out, **_):
    async def f():
        out("once")
        return 1

    c = f()
    out(await aio.gather(c, c))


async def gather_nested(aio, sleep, out, **_):
    async def f(n):
        await sleep(0)
        return n

    out(await aio.gather(aio.gather(f(1), f(2)), f(3)))


async def gather_cancelled_cancels_children(aio, sleep, out, own, Cancelled, **_):
    async def child(n):
        try:
            await sleep(100)
        except own():
            stopped.append(n)
            raise

    stopped = []

    async def parent():
        await aio.gather(child(1), child(2))

    task = aio.create_task(parent())
    await sleep(1)
    task.cancel()
    try:
        await task
    except Cancelled:
        out("parent cancelled")
    out((task.cancelled(), sorted(stopped)))


async def gather_future_can_be_stored_and_cancelled(aio, sleep, out, Cancelled, **_):
    async def f():
        await sleep(100)

    group = aio.gather(f(), f())
    await sleep(1)
    out(group.cancel())
    try:
        await group
    except Cancelled:
        out("cancelled")


async def task_result_and_error(aio, sleep, out, **_):
    async def f(fail):
        await sleep(1)
        if fail:
            raise RuntimeError("x")
        return 5

    a, b = aio.create_task(f(False)), aio.create_task(f(True), name="named")
    out((a.done(), b.get_name()))
    out(await a)
    try:
        await b
    except RuntimeError as exc:
        out(repr(exc))
    out((a.done(), a.result(), repr(b.exception()), a.cancel(), a.cancelled()))


async def task_cancel_before_start_never_starts(aio, sleep, out, Cancelled, **_):
    async def f():
        out("started")

    task = aio.create_task(f())
    out(task.cancel())
    try:
        await task
    except Cancelled:
        out("cancelled")
    out((task.done(), task.cancelled(), task.cancel()))


async def task_swallows_cancellation_and_returns(aio, sleep, out, own, **_):
    async def f():
        try:
            await sleep(100)
        except own():
            return "saved"

    task = aio.create_task(f())
    await sleep(1)
    task.cancel()
    out(await task)
    out(task.cancelled())


async def task_cleanup_runs(aio, sleep, out, own, Cancelled, **_):
    async def f():
        try:
            await sleep(100)
        finally:
            out("cleanup")

    task = aio.create_task(f())
    await sleep(1)
    task.cancel()
    await sleep(1)
    out(task.cancelled())
    try:
        task.result()
    except Cancelled:
        out("result raises")


async def awaiting_a_cancelled_task_cancels_the_awaiter_like_asyncio(aio, sleep, out, Cancelled, **_):
    async def inner():
        await sleep(100)

    task = aio.create_task(inner())

    async def outer():
        try:
            await task
        except Exception:
            out("an Exception? no")

    waiter = aio.create_task(outer())
    await sleep(1)
    task.cancel()
    await sleep(1)
    out((task.cancelled(), waiter.done(), waiter.cancelled()))


async def cancelling_the_awaiter_cancels_the_task(aio, sleep, out, own, **_):
    async def inner():
        try:
            await sleep(100)
        except own():
            out("inner cancelled")
            raise

    task = aio.create_task(inner())

    async def outer():
        await task

    waiter = aio.create_task(outer())
    await sleep(1)
    waiter.cancel()
    await sleep(1)
    out((task.cancelled(), waiter.cancelled()))


async def done_callbacks_run_in_order_and_later(aio, sleep, out, **_):
    async def f():
        return 1

    task = aio.create_task(f())
    task.add_done_callback(lambda t: out(f"first {t.result()}"))
    gone = lambda t: out("never")
    task.add_done_callback(gone)
    out(task.remove_done_callback(gone))
    task.add_done_callback(lambda t: out("second"))
    await task
    out("awaited")
    await sleep(1)
    task.add_done_callback(lambda t: out("late"))
    out("added")
    await sleep(1)


async def keep_a_reference_set(aio, sleep, out, **_):
    tasks = set()

    async def f(n):
        await sleep(n)
        out(n)

    for n in (3, 1, 2):
        t = aio.create_task(f(n))
        tasks.add(t)
        t.add_done_callback(tasks.discard)
    await sleep(1.5)
    out(len(tasks))
    await sleep(5)
    out(len(tasks))


async def wait_in_three_modes(aio, sleep, out, **_):
    async def f(n, fail=False):
        await sleep(n)
        if fail:
            raise ValueError
        return n

    tasks = [aio.create_task(f(n, n == 2)) for n in (1, 2, 3)]
    done, pending = await aio.wait(tasks, return_when=aio.FIRST_COMPLETED)
    out((len(done), len(pending)))
    done, pending = await aio.wait(tasks, return_when=aio.FIRST_EXCEPTION)
    out((len(done), len(pending)))
    done, pending = await aio.wait(tasks, timeout=0.5)
    out((len(done), len(pending)))
    done, pending = await aio.wait(tasks)
    out((len(done), len(pending)))
    out(sorted(t.result() for t in done if not t.exception()))


async def wait_for_in_all_ways(aio, sleep, out, own, **_):
    async def f(n):
        try:
            await sleep(n)
        except own():
            out("cut")
            raise
        return n

    out(await aio.wait_for(f(1), 2))
    out(await aio.wait_for(f(1), None))
    for what in (f(9), aio.create_task(f(9))):
        try:
            await aio.wait_for(what, 1)
        except TimeoutError:
            out("timeout")
    for t in (0, -1):
        try:
            await aio.wait_for(f(0), t)
        except TimeoutError:
            out("at once")
    task = aio.create_task(f(9))
    try:
        await aio.wait_for(task, 1)
    except TimeoutError:
        out(task.cancelled())


async def shield_lets_it_run_on(aio, sleep, out, Cancelled, **_):
    async def job():
        await sleep(3)
        out("committed")
        return 1

    async def caller():
        return await aio.shield(job())

    task = aio.create_task(caller())
    await sleep(1)
    task.cancel()
    try:
        await task
    except Cancelled:
        out("caller cancelled")
    await sleep(5)
    inner = aio.create_task(job())
    try:
        await aio.wait_for(aio.shield(inner), 1)
    except TimeoutError:
        out(("timeout", inner.done()))
    out(await inner)


async def as_completed_in_order_of_readiness(aio, sleep, out, **_):
    async def f(n):
        await sleep(n)
        if n == 2:
            raise LookupError(n)
        return n

    for nxt in aio.as_completed([f(3), f(1), f(2)]):
        try:
            out(await nxt)
        except LookupError as exc:
            out(repr(exc))
    try:
        for nxt in aio.as_completed([f(1), f(50)], timeout=5):
            out(await nxt)
    except TimeoutError:
        out("timeout")


async def future_basics(aio, sleep, out, Cancelled, **_):
    fut = aio.Future()
    fut.add_done_callback(lambda f: out("callback"))
    out(fut.done())
    for ask in (fut.result, fut.exception):
        try:
            ask()
        except aio.InvalidStateError:
            out("not yet")

    async def setter():
        await sleep(1)
        fut.set_result(42)
        out("set")

    aio.create_task(setter())
    out(await fut)
    try:
        fut.set_result(1)
    except aio.InvalidStateError:
        out("twice")
    bad = aio.Future()
    bad.set_exception(ValueError("v"))
    try:
        await bad
    except ValueError as exc:
        out(repr(exc))
    gone = aio.Future()
    out((gone.cancel(), gone.cancelled(), gone.cancel()))
    try:
        await gone
    except Cancelled:
        out("cancelled")
    out(aio.isfuture(gone))


async def future_cancelled_with_its_awaiter(aio, sleep, out, **_):
    fut = aio.Future()

    async def waiter():
        await fut

    task = aio.create_task(waiter())
    await sleep(1)
    task.cancel()
    await sleep(1)
    out((fut.cancelled(), task.cancelled()))


async def queue_bounded_and_join(aio, sleep, out, **_):
    q = aio.Queue(maxsize=2)

    async def producer():
        for n in range(5):
            await q.put(n)
            out(f"put {n}")

    async def consumer():
        while True:
            item = await q.get()
            await sleep(1)
            out(f"got {item}")
            q.task_done()

    p, c = aio.create_task(producer()), aio.create_task(consumer())
    await p
    await q.join()
    out((q.qsize(), q.empty(), q.full(), q.maxsize))
    c.cancel()


async def queue_nowait(aio, sleep, out, **_):
    q = aio.Queue(1)
    q.put_nowait("a")
    try:
        q.put_nowait("b")
    except aio.QueueFull:
        out("full")
    out(q.get_nowait())
    try:
        q.get_nowait()
    except aio.QueueEmpty:
        out("empty")
    q.task_done()
    try:
        q.task_done()
    except ValueError:
        out("too many")


async def queue_getter_cancelled_loses_nothing(aio, sleep, out, **_):
    q = aio.Queue()

    async def get(n):
        out(await q.get())

    a, b = aio.create_task(get("a")), None
    await sleep(1)
    b = aio.create_task(get("b"))
    await sleep(1)
    q.put_nowait(1)
    a.cancel()  # asyncio then hands the item to b, trio lets a have it
    await sleep(1)
    out(q.qsize())
    b.cancel()


async def queue_timeout_loses_nothing(aio, sleep, out, **_):
    q = aio.Queue()
    try:
        await aio.wait_for(q.get(), 1)
    except TimeoutError:
        out("timeout")
    q.put_nowait(7)
    out(await aio.wait_for(q.get(), 1))


async def queue_kinds(aio, sleep, out, **_):
    for kind in (aio.LifoQueue, aio.PriorityQueue, aio.Queue):
        q = kind()
        for n in (2, 3, 1):
            await q.put(n)
        out([await q.get() for _ in range(3)])


async def event_can_be_cleared(aio, sleep, out, **_):
    e, woken = aio.Event(), []

    async def waiter(n):
        woken.append((n, await e.wait()))

    for n in range(2):
        aio.create_task(waiter(n))
        await sleep(1)
    e.set()
    e.clear()
    out(e.is_set())
    await sleep(1)
    aio.create_task(waiter(2))
    await sleep(1)
    out(sorted(woken))
    e.set()
    await sleep(1)
    out(sorted(woken))


async def lock_is_fair_and_free(aio, sleep, out, **_):
    lock = aio.Lock()

    async def user(n):
        async with lock:
            out(f"in {n}")
            await sleep(2)
        out(f"out {n}")

    out(await lock.acquire())
    tasks = []
    for n in range(3):
        tasks.append(aio.create_task(user(n)))
        await sleep(0.1)

    async def release_elsewhere():
        lock.release()

    out(lock.locked())
    await aio.create_task(release_elsewhere())
    await sleep(1)
    tasks[1].cancel()
    await sleep(10)
    out(lock.locked())
    try:
        lock.release()
    except RuntimeError:
        out("not held")


async def semaphores(aio, sleep, out, **_):
    s = aio.Semaphore(2)
    active = 0

    async def job(n):
        nonlocal active
        async with s:
            active += 1
            out((n, active, s.locked()))
            await sleep(1)
            active -= 1

    tasks = []
    for n in range(5):
        tasks.append(aio.create_task(job(n)))
        await sleep(0.1)
    for t in tasks:
        await t
    b = aio.BoundedSemaphore(1)
    try:
        b.release()
    except ValueError:
        out("bounded")


async def condition_with_shared_lock(aio, sleep, out, **_):
    lock = aio.Lock()
    cond = aio.Condition(lock)
    items = []

    async def consumer(n):
        async with cond:
            await cond.wait_for(lambda: items)
            out((n, items.pop()))

    for n in range(2):
        aio.create_task(consumer(n))
        await sleep(0.1)
    await sleep(1)
    async with lock:
        items.append("x")
        cond.notify(1)
    await sleep(1)
    async with cond:
        items.append("y")
        cond.notify_all()
    await sleep(1)
    try:
        cond.notify()
    except RuntimeError:
        out("not held")


async def barrier_meets(aio, sleep, out, **_):
    barrier, seen = aio.Barrier(3), []

    async def party(n):
        await sleep(n)
        seen.append(await barrier.wait())

    tasks = [aio.create_task(party(n)) for n in range(3)]
    await sleep(1.5)
    out((barrier.n_waiting, barrier.parties, barrier.broken))
    for t in tasks:
        await t
    out((barrier.n_waiting, sorted(seen)))

    async def broken():
        try:
            await barrier.wait()
        except aio.BrokenBarrierError:
            out("broken")

    t = aio.create_task(broken())
    await sleep(1)
    await barrier.abort()
    await t
    out(barrier.broken)


async def ensure_future_of_many_things(aio, sleep, out, **_):
    class Later:
        def __await__(self):
            return sleep(1).__await__()

    async def f():
        return 1

    t = aio.create_task(f())
    out(aio.ensure_future(t) is t)
    out(await aio.ensure_future(f()))
    out(await aio.ensure_future(Later()))
    try:
        aio.ensure_future(3)
    except TypeError:
        out("no awaitable")


async def leftover_tasks_are_cancelled_at_the_end(aio, sleep, out, own, **_):
    async def forever():
        try:
            while True:
                await sleep(1)
        finally:
            out("stopped")

    aio.create_task(forever())
    await sleep(2.5)
    out("main ends")


async def context_of_the_spawner(aio, sleep, out, **_):
    import contextvars

    var = contextvars.ContextVar("var", default="none")
    var.set("spawner")

    async def child():
        out(var.get())
        var.set("child")

    t = aio.create_task(child())
    var.set("later")
    await t
    out(var.get())
    ctx = contextvars.copy_context()
    ctx.run(var.set, "given")
    await aio.create_task(child(), context=ctx)
    out(ctx[var])


async def loop_callbacks_and_timers(aio, sleep, out, **_):
    loop = aio.get_running_loop()
    out((loop is aio.get_running_loop(), loop.is_running()))
    start = loop.time()
    loop.call_soon(out, "soon 1")
    loop.call_soon(out, "soon 2").cancel()
    handle = loop.call_later(2, out, "never")
    loop.call_later(1, out, "later")
    loop.call_at(loop.time() + 3, out, "at")
    out("now")
    await sleep(1.5)
    handle.cancel()
    out((handle.cancelled(), round(loop.time() - start, 1)))
    await sleep(3)
    fut = loop.create_future()
    loop.call_later(1, fut.set_result, 7)
    out(await fut)

    async def f():
        return 8

    out(await loop.create_task(f()))


async def callbacks_that_fail_are_logged(aio, sleep, out, **_):
    import logging

    logging.disable(logging.CRITICAL)
    loop = aio.get_running_loop()
    loop.call_soon(lambda: 1 / 0)
    loop.call_later(1, lambda: 1 / 0)
    await sleep(2)
    out("alive")


async def real_executors(aio, sleep, out, **_):
    import concurrent.futures, functools, threading

    loop = aio.get_running_loop()
    main = threading.get_ident()
    out(await loop.run_in_executor(None, lambda: threading.get_ident() != main))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        futures = [loop.run_in_executor(pool, pow, 2, n) for n in range(3)]
        out([await f for f in futures])
        try:
            await loop.run_in_executor(pool, int, "x")
        except ValueError as exc:
            out(repr(exc))
        out(await aio.wrap_future(pool.submit(pow, 3, 2)))
    out(await aio.to_thread(functools.partial(pow, 2), 5))


async def real_calls_from_threads(aio, sleep, out, **_):
    import threading

    loop = aio.get_running_loop()
    event = aio.Event()

    async def f(n):
        await sleep(0)
        if n < 0:
            raise ValueError(n)
        return n * 2

    def worker():
        results = [aio.run_coroutine_threadsafe(f(4), loop).result(5)]
        try:
            aio.run_coroutine_threadsafe(f(-1), loop).result(5)
        except ValueError as exc:
            results.append(repr(exc))
        loop.call_soon_threadsafe(out, results)
        loop.call_soon_threadsafe(event.set)

    thread = threading.Thread(target=worker)
    thread.start()
    await event.wait()
    thread.join()


async def real_echo_server(aio, sleep, out, **_):
    async def handle(reader, writer):
        async for line in reader:
            writer.write(line.upper())
            await writer.drain()
        writer.write(b"bye")
        writer.close()
        await writer.wait_closed()

    server = await aio.start_server(handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    out((host, server.is_serving()))
    reader, writer = await aio.open_connection(host, port)
    out(writer.get_extra_info("peername") == (host, port))
    writer.writelines([b"one\n", b"two\nthr"])
    await writer.drain()
    out((await reader.readline(), await reader.readuntil(b"\n")))
    writer.write(b"ee\nrest")
    writer.write_eof()
    out(await reader.readexactly(6))
    out(await reader.read(2) in (b"RE", b"R"))
    rest = await reader.read()
    out(rest.endswith(b"bye"))
    out((reader.at_eof(), await reader.readline()))
    try:
        await reader.readexactly(1)
    except aio.IncompleteReadError as exc:
        out((exc.partial, exc.expected))
    writer.close()
    await writer.wait_closed()
    out(writer.is_closing())
    server.close()
    await server.wait_closed()
    try:
        await aio.open_connection(host, port)
    except ConnectionRefusedError:
        out("refused")


async def real_server_survives_a_bad_handler(aio, sleep, out, **_):
    import logging

    logging.disable(logging.CRITICAL)
    calls = []

    async def handle(reader, writer):
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("bad client")
        writer.write(await reader.read(100))
        writer.close()

    async with await aio.start_server(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        r, w = await aio.open_connection("127.0.0.1", port)
        w.close()
        await sleep(0.05)
        r, w = await aio.open_connection("127.0.0.1", port)
        w.write(b"x" * 50)
        out(await r.read(-1))
        w.close()
    out(server.is_serving())


async def real_long_lines(aio, sleep, out, **_):
    async def handle(reader, writer):
        writer.write(b"a" * 100 + b"\nshort\n")
        writer.close()

    server = await aio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    r, w = await aio.open_connection("127.0.0.1", port, limit=10)
    await sleep(0.05)
    try:
        await r.readuntil(b"\n")
    except aio.LimitOverrunError as exc:
        out("limit")
    try:
        await r.readline()
    except ValueError:
        out("too long")
    w.close()
    server.close()


async def real_processes(aio, sleep, out, **_):
    import subprocess, sys

    run = aio.create_subprocess_exec
    code = "import sys; d = sys.stdin.read(); print(d.upper()); print('err', file=sys.stderr); sys.exit(3)"
    p = await run(sys.executable, "-c", code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out((await p.communicate(b"hello"), p.returncode))
    p = await run(sys.executable, "-c", "print('a\\nb')", stdout=subprocess.PIPE)
    out([line async for line in p.stdout])
    out((await p.wait(), p.stderr, p.stdin))
    p = await aio.create_subprocess_shell("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(b"x\n")
    await p.stdin.drain()
    out(await p.stdout.readline())
    p.stdin.close()
    out(await p.wait())
    p = await run("sleep", "60")
    try:
        await aio.wait_for(p.wait(), 0.05)
    except TimeoutError:
        p.kill()
    out(await p.wait())
    try:
        p.terminate()
    except ProcessLookupError:
        out("gone")
    try:
        await run("/no/such/program")
    except FileNotFoundError:
        out("not found")
