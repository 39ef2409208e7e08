import asyncio
async def f():
    try:
        await asyncio.sleep(1)
    finally:
        await g()  # ä
