"""Mirror stations one after the other, under one deadline."""

import asyncio
import enum
from dataclasses import dataclass, field

from mirror import log
from mirror.model import BadReport, Station
from mirror.retry import GaveUp
from mirror.session import Session, lease


class State(enum.Enum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass
class Job:
    station: Station
    state: State = State.WAITING
    error: str = ""


@dataclass
class Run:
    jobs: list[Job] = field(default_factory=list)
    out_of_time: bool = False

    def count(self, state: State) -> int:
        return sum(job.state is state for job in self.jobs)


async def mirror_one(session: Session, job: Job) -> None:
    with log.fields(station=job.station.name):
        try:
            async with lease(session.store, job.station.name):
                report = await session.fetcher.report(job.station)
                async with asyncio.timeout(session.settings.store_timeout):
                    await session.store.put(report)
            job.state = State.DONE
        except (GaveUp, BadReport, TimeoutError) as error:
            job.state, job.error = State.FAILED, type(error).__name__
            log.event("failed", error=job.error)
        except asyncio.CancelledError:
            job.state = State.CANCELLED
            raise


async def mirror_all(session: Session, run: Run, limit: float | None = None) -> Run:
    """Every job in turn; those that the deadline cut off stay as they are."""
    try:
        async with asyncio.timeout(limit):
            for job in run.jobs:
                await mirror_one(session, job)
    except asyncio.TimeoutError:
        run.out_of_time = True
    return run
