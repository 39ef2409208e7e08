import asyncio

class A:
  async def f(s):
    with x: await asyncio.sleep(1); return

  match = 1
  type = 2
