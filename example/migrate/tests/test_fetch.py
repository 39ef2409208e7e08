import pytest

from mirror.config import Settings
from mirror.fetch import Fetcher
from mirror.model import BadReport, Report
from mirror.retry import GaveUp
from mirror.transport import Transport


@pytest.fixture
def fetcher(transport, settings):
    return Fetcher(transport, settings)


async def test_report(fetcher, stations):
    assert await fetcher.report(stations[1]) == Report("beta", 21.0, 1)
    assert await fetcher.sequence(stations[2]) == 2


async def test_unreliable_station(replies, settings, stations):
    outcomes = iter([ConnectionError(), ConnectionError(), replies["/alpha"]])

    def reply():
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    transport = Transport({"/alpha": reply})
    report = await Fetcher(transport, settings).report(stations[0])
    assert report.station == "alpha"
    assert transport.requests["/alpha"] == 3


async def test_slow_station(replies, stations):
    transport = Transport(replies, latency=10)
    fetcher = Fetcher(transport, Settings("", stations, fetch_timeout=0.02, attempts=2, backoff=0.001))
    with pytest.raises(GaveUp) as caught:
        await fetcher.report(stations[0])
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert fetcher.timeouts == 2
    assert transport.open == 0


async def test_no_limit(replies, stations):
    fetcher = Fetcher(Transport(replies, latency=0.05), Settings("", stations, fetch_timeout=None))
    assert (await fetcher.report(stations[0])).sequence == 0
    assert fetcher.timeouts == 0


async def test_bad_report(settings, stations):
    fetcher = Fetcher(Transport({"/alpha": b"hello"}), settings)
    with pytest.raises(BadReport):
        await fetcher.report(stations[0])
    assert await fetcher.sequence(stations[0]) == -1


async def test_alive(replies, settings, stations):
    transport = Transport({**replies, "/beta": ConnectionError()}, latency=0.01)
    fetcher = Fetcher(transport, settings)
    assert await fetcher.is_alive(stations[0])
    assert not await fetcher.is_alive(stations[1])
    assert not await fetcher.is_alive(stations[0], limit=0.001)


async def test_together(replies, settings, stations, together):
    settings.connections = 2
    transport = Transport(replies, latency=0.01)
    fetcher = Fetcher(transport, settings)
    got = []

    def fetch(station):
        async def run():
            got.append((await fetcher.report(station)).station)

        return run

    await together(*[fetch(s) for s in stations])
    assert sorted(got) == ["alpha", "beta", "gamma"]
    assert transport.most_open <= 2


async def test_cancel(replies, settings, stations, cancelled_after):
    fetcher = Fetcher(Transport(replies, latency=10), settings)
    assert await cancelled_after(0.05, lambda: fetcher.report(stations[0]))
    assert fetcher.cancelled == 1
    assert fetcher.timeouts == 0
