"""A session: transport, store and fetcher, opened and closed together."""

import asyncio
from contextlib import asynccontextmanager

from mirror import log
from mirror.config import Settings
from mirror.fetch import Fetcher
from mirror.store import Store
from mirror.transport import Transport


class Session:
    def __init__(self, settings: Settings, transport: Transport, store: Store | None = None):
        self.settings = settings
        self.transport = transport
        self.store = store or Store(settings.folder)
        self.fetcher = Fetcher(transport, settings)
        self.trace: list[str] = []

    async def __aenter__(self) -> "Session":
        await self.store.open()
        self.trace.append("open")
        return self

    async def __aexit__(self, kind, error, traceback) -> None:
        self.trace.append("closing")
        await self.transport.close()
        await self.store.close()
        self.trace.append("closed")


@asynccontextmanager
async def lease(store: Store, name: str):
    """Mark a station as being worked on, as long as the block runs."""
    mark = store.folder / f"{name}.lease"
    await asyncio.to_thread(mark.touch)
    try:
        yield mark
    finally:
        await asyncio.to_thread(mark.unlink, missing_ok=True)
        log.event("released", station=name)
