# canyon: file-ignore[CN101]
import asyncio

async def f():
    await asyncio.sleep(1)  # canyon: ignore[sleep]
    # canyon: ignore[CN301, CN302] -- later
    await asyncio.wait_for(f(), 1)  # noqa: E501
