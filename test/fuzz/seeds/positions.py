import asyncio

async def f(g, t, q):
    if await asyncio.wait_for(g(), t): return 1
    while (n := await asyncio.wait_for(q.get(), timeout=t)) is not None: print(n)
    x = [await asyncio.wait_for(g(i), 1) for i in range(3)]
    a, *b = await asyncio.wait_for(g(), t)
    y = lambda: asyncio.wait_for(g(), t)
    z = f"{await asyncio.wait_for(g(), t)!r:>{10}}"
    await asyncio.wait_for(
        g(
            1,
            # inside
            2,
        ),
        t,
    ); await asyncio.sleep(0)
    async with asyncio.timeout(t) as cm, g() as h:
        cm.reschedule(asyncio.get_running_loop().time() + 1)
    return await asyncio.wait_for(asyncio.shield(g()), None)
