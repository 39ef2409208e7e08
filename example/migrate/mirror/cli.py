"""mirror [--limit SECONDS] FOLDER STATION...: mirror the stations once."""

import argparse
import asyncio
import logging
import sys

from mirror.config import Settings
from mirror.jobs import Job, Run, State, mirror_all
from mirror.log import Clock
from mirror.model import Report, Station
from mirror.session import Session
from mirror.transport import Transport


def pretend_network(stations):
    """There is no network in the sample: stations answer at once, but
    `broken` never does."""
    replies = {s.path: Report(s.name, 21.5, 1).to_bytes() for s in stations}
    return Transport({**replies, "/broken": ConnectionError("no answer")})


async def mirror(settings: Settings, limit: float | None = None) -> Run:
    clock = Clock()
    run = Run([Job(station) for station in settings.stations])
    async with Session(settings, pretend_network(settings.stations)) as session:
        await mirror_all(session, run, limit)
    logging.getLogger("mirror").debug("took %.3f s", clock.elapsed())
    return run


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="mirror", description=__doc__)
    parser.add_argument("--limit", type=float)
    parser.add_argument("folder")
    parser.add_argument("station", nargs="+")
    args = parser.parse_args(argv)
    settings = Settings(args.folder, [Station(name, f"/{name}") for name in args.station])
    try:
        run = asyncio.run(mirror(settings, limit=args.limit))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    for job in run.jobs:
        print(f"{job.station.name}: {job.state.value}{' ' + job.error if job.error else ''}")
    return 0 if run.count(State.DONE) == len(run.jobs) else 1
