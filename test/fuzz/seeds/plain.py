import asyncio


async def main(n):
    for i in range(n):
        await asyncio.sleep(0.1)  # a comment
        x = await asyncio.wait_for(work(i), timeout=2)
    return x


if __name__ == "__main__":
    asyncio.run(main(3))
