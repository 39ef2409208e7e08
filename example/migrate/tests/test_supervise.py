import os
import signal

import pytest

from mirror.retry import eventually
from mirror.supervise import Supervisor

pytestmark = pytest.mark.asyncio_only


async def test_rounds(session):
    supervisor = Supervisor(session, pause=0.01)
    async with session:
        supervisor.start()
        assert await eventually(lambda: supervisor.rounds >= 2, limit=10)
        await supervisor.stop()
        await supervisor.stop()


async def test_signal(session):
    supervisor = Supervisor(session, pause=60)
    async with session:
        supervisor.start()
        assert await eventually(lambda: supervisor.rounds == 1, limit=10)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await eventually(lambda: supervisor._task.cancelled(), limit=10)
        await supervisor.stop()
