import asyncio
type Alias[T] = list[T]

class Box[T: int]:
    async def get[K](self, k: K) -> T:
        match k:
            case [asyncio.sleep as s, *rest] if await asyncio.sleep(0): pass
            case {"a": 1, **kw} | asyncio.TimeoutError(): return s
        try:
            ...
        except* asyncio.TimeoutError as eg:
            raise
        return (yield)
