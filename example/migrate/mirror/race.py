"""Several sources for the same report."""

import asyncio

from mirror.fetch import Fetcher
from mirror.model import Report, Station


async def newest(fetcher: Fetcher, stations: list[Station]) -> Report:
    """The report with the highest sequence number of all stations."""
    reports = await asyncio.gather(*(fetcher.report(s) for s in stations))
    return max(reports, key=lambda r: r.sequence)


async def outcomes(fetcher: Fetcher, stations: list[Station]) -> dict[str, Report | Exception]:
    results = await asyncio.gather(*[fetcher.report(s) for s in stations], return_exceptions=True)
    return dict(zip([s.name for s in stations], results))


async def fastest(fetchers: list[Fetcher], station: Station) -> Report:
    """What the first of several fetchers delivers; the others are stopped."""
    tasks = [asyncio.create_task(f.report(station)) for f in fetchers]
    try:
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def in_order_of_arrival(fetcher: Fetcher, stations: list[Station]) -> list[str]:
    names = []
    for report in asyncio.as_completed([fetcher.report(s) for s in stations]):
        names.append((await report).station)
    return names
