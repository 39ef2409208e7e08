import pytest

from mirror.jobs import Job, Run, State
from mirror.model import Report, Station
from mirror.session import Session
from mirror.transport import Transport
from mirror.workers import Pool, mirror_at_once


@pytest.fixture
def many(settings):
    settings.stations = [Station(f"s{i}", f"/s{i}") for i in range(12)]
    return {s.path: Report(s.name, 1.0, i).to_bytes() for i, s in enumerate(settings.stations)}


async def test_all_jobs(settings, many):
    run = Run([Job(s) for s in settings.stations])
    async with Session(settings, Transport(many, latency=0.01)) as session:
        await mirror_at_once(session, run, count=4)
        assert len(await session.store.names()) == 12
    assert run.count(State.DONE) == 12
    assert 2 <= session.transport.most_open <= 4


async def test_the_work_is_shared(settings, many):
    async with Session(settings, Transport(many, latency=0.01)) as session:
        async with Pool(session, count=3) as pool:
            for station in settings.stations:
                await pool.submit(Job(station))
            await pool.finish()
            assert sum(pool.done_by.values()) == 12
            assert len(pool.done_by) == 3


async def test_a_full_queue(settings, many, nap):
    async with Session(settings, Transport(many, latency=10)) as session:
        async with Pool(session, count=1, room=2) as pool:
            taken = [pool.submit_nowait(Job(s)) for s in settings.stations[:2]]
            assert taken == [True, True]
            assert not pool.submit_nowait(Job(settings.stations[2]))
            await nap(0.05)  # the worker takes one
            assert pool.submit_nowait(Job(settings.stations[2]))


async def test_leaving_stops_the_workers(settings, many, nap):
    job = Job(settings.stations[0])
    async with Session(settings, Transport(many, latency=10)) as session:
        async with Pool(session) as pool:
            await pool.submit(job)
            await nap(0.1)
        assert job.state is State.CANCELLED
        assert session.transport.open == 0


async def test_cancel_while_jobs_run(settings, many, cancelled_after):
    run = Run([Job(s) for s in settings.stations])
    session = Session(settings, Transport(many, latency=10))

    async def work():
        async with session:
            await mirror_at_once(session, run, count=2)

    assert await cancelled_after(0.1, work)
    assert run.count(State.CANCELLED) == 2
    assert session.transport.closed and session.transport.open == 0
