"""Try again, a little later each time."""

import asyncio
import inspect
from asyncio import TimeoutError as AsyncTimeout

from mirror import log

WORTH_IT = (ConnectionError, AsyncTimeout)


class GaveUp(Exception):
    """All attempts failed; the last error is the cause."""


async def retry(function, *args, attempts: int = 3, backoff: float = 0.01):
    """Call a function, plain or async, until it does not fail."""
    if not asyncio.iscoroutinefunction(function) and not callable(function):
        raise TypeError(f"cannot call {function!r}")
    for attempt in range(1, attempts + 1):
        try:
            result = function(*args)
            if inspect.isawaitable(result):
                result = await result
            return result
        except WORTH_IT as error:
            log.event("retry", attempt=attempt, error=type(error).__name__)
            if attempt == attempts:
                raise GaveUp(f"{attempts} attempts failed") from error
        await asyncio.sleep(backoff * 2**attempt)


async def eventually(condition, limit: float = 1.0, pause: float = 0.005) -> bool:
    """Wait until a condition holds; False when the time is up."""
    try:
        async with asyncio.timeout(limit):
            while not condition():
                await asyncio.sleep(pause)
    except asyncio.TimeoutError:
        return False
    return True
