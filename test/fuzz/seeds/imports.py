"""Doc."""
from __future__ import annotations

import asyncio as aio, os
import asyncio.subprocess
from asyncio import (
    sleep as nap,  # why not
    Lock,
    TimeoutError,
)
from asyncio.exceptions import CancelledError
try:
    import anyio
    HAS_ANYIO = True
except ImportError:
    HAS_ANYIO = False

lock: "aio.Lock" = Lock()
__all__ = ["nap", "asyncio"]


async def f(asyncio=None):
    if HAS_ANYIO:
        await anyio.sleep(1)
    else:
        await nap(1)
