"""A few workers on one queue: many stations, bounded work."""

import asyncio

from mirror import log
from mirror.jobs import Job, Run, mirror_one
from mirror.session import Session


class Pool:
    def __init__(self, session: Session, count: int = 3, room: int = 8):
        self._session = session
        self._count = count
        self._queue: asyncio.Queue[Job] = asyncio.Queue(maxsize=room)
        self._workers: list[asyncio.Task] = []
        self.done_by: dict[int, int] = {}

    async def __aenter__(self) -> "Pool":
        for number in range(self._count):
            self._workers.append(asyncio.create_task(self._work(number), name=f"worker-{number}"))
        return self

    async def __aexit__(self, *exc_info) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers.clear()

    async def _work(self, number: int) -> None:
        while True:
            job = await self._queue.get()
            try:
                await mirror_one(self._session, job)
                self.done_by[number] = self.done_by.get(number, 0) + 1
            finally:
                self._queue.task_done()

    async def submit(self, job: Job) -> None:
        await self._queue.put(job)

    def submit_nowait(self, job: Job) -> bool:
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            log.event("full", waiting=self._queue.qsize())
            return False
        return True

    async def finish(self) -> None:
        """Wait until everything that was submitted is done."""
        await self._queue.join()


async def mirror_at_once(session: Session, run: Run, count: int = 3) -> Run:
    async with Pool(session, count) as pool:
        for job in run.jobs:
            await pool.submit(job)
        await pool.finish()
    return run
