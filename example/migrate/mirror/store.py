"""Reports on disk: whole or not at all.

Disk work goes to worker threads. A report is written under a temporary name
and moved; whatever happens in between, nothing temporary stays behind.
"""

import asyncio
import os
from pathlib import Path

from mirror import log
from mirror.model import Report


class Store:
    def __init__(self, folder, delay=0.0, write=None):
        self.folder = Path(folder)
        self._delay = delay  # a slow disk, for tests
        self._write = write or Path.write_bytes
        self._lock = asyncio.Lock()

    async def open(self) -> "Store":
        await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        return self

    async def put(self, report: Report) -> Path:
        path = self.folder / f"{report.station}.json"
        temporary = path.with_suffix(".tmp")
        async with self._lock:
            try:
                await asyncio.to_thread(self._write, temporary, report.to_bytes())
                if self._delay:
                    await asyncio.sleep(self._delay)
                await asyncio.to_thread(os.replace, temporary, path)
            finally:
                # The temporary file must go, cancelled or not.
                await asyncio.to_thread(temporary.unlink, missing_ok=True)
        log.event("stored", path=path.name)
        return path

    async def get(self, station: str) -> Report | None:
        loop = asyncio.get_running_loop()
        path = self.folder / f"{station}.json"
        try:
            data = await loop.run_in_executor(None, path.read_bytes)
        except FileNotFoundError:
            return None
        return Report.from_bytes(data)

    async def names(self) -> list[str]:
        loop = asyncio.get_running_loop()
        paths = await loop.run_in_executor(None, sorted, self.folder.glob("*.json"))
        return [p.stem for p in paths]

    async def checked_get(self, station: str, limit: float) -> Report | None:
        """get(), but not longer than `limit` seconds: disks hang, too."""
        return await asyncio.wait_for(self.get(station), limit)

    async def slow_read(self, read, limit: float):
        """A blocking read with a limit; the thread may go on by itself."""
        return await asyncio.wait_for(asyncio.to_thread(read), timeout=limit)

    def _write_index(self) -> None:
        names = sorted(p.stem for p in self.folder.glob("*.json"))
        (self.folder / "index").write_text("".join(name + "\n" for name in names))

    async def close(self) -> None:
        await asyncio.to_thread(self._write_index)
