"""Fetch the reports of stations, within limits."""

import asyncio

from mirror import log
from mirror.config import Settings
from mirror.limits import Pace, Slots
from mirror.model import BadReport, Report, Station
from mirror.retry import retry
from mirror.transport import Transport


class Fetcher:
    def __init__(self, transport: Transport, settings: Settings):
        self._transport = transport
        self._settings = settings
        self._slots = Slots(settings.connections)
        self._pace = Pace(settings.requests_per_second)
        self.timeouts = 0
        self.cancelled = 0

    async def report(self, station: Station) -> Report:
        """The station's newest report, with retries."""
        return await retry(self._once, station, attempts=self._settings.attempts, backoff=self._settings.backoff)

    async def _once(self, station: Station) -> Report:
        async with self._slots:
            await self._pace.wait()
            try:
                data = await asyncio.wait_for(
                    self._transport.get(station.path),  # the slow part
                    timeout=self._settings.fetch_timeout,
                )
            except asyncio.TimeoutError:
                self.timeouts += 1
                raise
            except asyncio.CancelledError:
                self.cancelled += 1
                log.event("cancelled", station=station.name)
                raise
        return Report.from_bytes(data)

    async def sequence(self, station: Station) -> int:
        """Only the number of the newest report; -1 when it is bad."""
        try:
            return Report.from_bytes(await asyncio.wait_for(self._transport.get(station.path), 1)).sequence
        except BadReport:
            return -1

    async def is_alive(self, station: Station, limit: float = 0.5) -> bool:
        try:
            if await asyncio.wait_for(self._transport.get(station.path), limit):
                return True
        except (ConnectionError, asyncio.TimeoutError):
            pass
        return False
