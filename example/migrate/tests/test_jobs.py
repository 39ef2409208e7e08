import json
import logging
from pathlib import Path

import pytest

from mirror.jobs import Job, Run, State, mirror_all
from mirror.session import Session, lease
from mirror.store import Store
from mirror.transport import Transport


@pytest.fixture
def run(stations):
    return Run([Job(s) for s in stations])


def files(settings):
    return sorted(p.name for p in Path(settings.folder).iterdir())


async def test_all(session, settings, run):
    async with session:
        await mirror_all(session, run)
    assert run.count(State.DONE) == 3
    assert files(settings) == ["alpha.json", "beta.json", "gamma.json", "index"]
    assert session.trace == ["open", "closing", "closed"]


async def test_one_fails_the_others_go_on(settings, replies, run):
    transport = Transport({**replies, "/beta": ConnectionError(), "/gamma": b"nonsense"})
    async with Session(settings, transport) as session:
        await mirror_all(session, run, limit=30)
    assert [job.state for job in run.jobs] == [State.DONE, State.FAILED, State.FAILED]
    assert [job.error for job in run.jobs] == ["", "GaveUp", "BadReport"]
    assert not run.out_of_time


async def test_deadline(settings, replies, run):
    async with Session(settings, Transport(replies, latency=0.4)) as session:
        await mirror_all(session, run, limit=0.6)
    assert run.out_of_time
    assert [job.state for job in run.jobs] == [State.DONE, State.CANCELLED, State.WAITING]
    assert files(settings) == ["alpha.json", "index"]  # no lease, nothing temporary


async def test_slow_disk(settings, transport, run):
    settings.store_timeout = 0.05
    async with Session(settings, transport, Store(settings.folder, delay=10)) as session:
        await mirror_all(session, run)
    assert run.count(State.FAILED) == 3
    assert {job.error for job in run.jobs} == {"TimeoutError"}
    assert files(settings) == ["index"]


async def test_cancel_closes_everything(settings, replies, run, cancelled_after):
    session = Session(settings, Transport(replies, latency=10))

    async def work():
        async with session:
            await mirror_all(session, run)

    assert await cancelled_after(0.1, work)
    assert run.jobs[0].state is State.CANCELLED
    assert session.trace == ["open", "closing", "closed"]
    assert session.transport.closed
    assert files(settings) == ["index"]


async def test_lease(session):
    async with session:
        with pytest.raises(KeyError):
            async with lease(session.store, "alpha") as mark:
                assert mark.exists()
                raise KeyError
        assert not mark.exists()


async def test_log(session, run, caplog):
    caplog.set_level(logging.INFO, logger="mirror")
    async with session:
        await mirror_all(session, run)
    events = [json.loads(r.getMessage()) for r in caplog.records]
    assert {"event": "stored", "path": "beta.json", "station": "beta"} in events
    assert [e["station"] for e in events if e["event"] == "released"] == ["alpha", "beta", "gamma"]
