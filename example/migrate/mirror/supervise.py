"""Keep mirroring until a signal comes.

Tasks on the loose, signal handlers on the loop: this part of the service is
tied to asyncio's own model. Canyon reports it and leaves it alone.
"""

import asyncio
import signal

from mirror.jobs import Job, Run, mirror_all
from mirror.session import Session


class Supervisor:
    def __init__(self, session: Session, pause: float = 60.0):
        self._session = session
        self._pause = pause
        self._task: asyncio.Task | None = None
        self.rounds = 0

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._forever())
        loop.add_signal_handler(signal.SIGTERM, self._task.cancel)

    async def _forever(self) -> None:
        while True:
            run = Run([Job(s) for s in self._session.settings.stations])
            await mirror_all(self._session, run)
            self.rounds += 1
            await asyncio.sleep(self._pause)

    async def stop(self) -> None:
        if self._task is None:
            return
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
        self._task.cancel()
        await asyncio.wait([self._task])
        self._task = None
