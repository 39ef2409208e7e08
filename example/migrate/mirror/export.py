"""Reports through another program: to compress, to convert, to check."""

import asyncio
import sys

# Stands for gzip and its like, and is there wherever Python is.
COMPRESS = [sys.executable, "-c", "import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))"]


class ExportFailed(Exception):
    pass


async def through(command: list[str], data: bytes, limit: float = 30.0) -> bytes:
    """What the command makes of the data."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(data), limit)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()
        raise ExportFailed("took too long") from None
    if process.returncode != 0:
        raise ExportFailed(err.decode(errors="replace").strip() or f"exit status {process.returncode}")
    return out
