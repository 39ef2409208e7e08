import anyio

async def main(x):
    await anyio.wait_for(main(1), 1)
    try:
        q = anyio.create_memory_object_stream(0)
    except anyio.get_cancelled_exc_class:
        raise
    except anyio.get_cancelled_exc_class()():
        pass
    async with anyio.create_task_group() as tg:
        tg.start_soon(main(x))
        await tg.start_soon(main, x=1)

anyio.run(main())
