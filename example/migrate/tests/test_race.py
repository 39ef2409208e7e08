import pytest

from mirror.fetch import Fetcher
from mirror.model import BadReport, Report
from mirror.race import fastest, in_order_of_arrival, newest, outcomes
from mirror.transport import Transport


async def test_newest(transport, settings, stations):
    assert (await newest(Fetcher(transport, settings), stations)).station == "gamma"
    assert sum(transport.requests.values()) == 3


async def test_one_bad_station_fails_all(replies, settings, stations):
    fetcher = Fetcher(Transport({**replies, "/beta": b"?"}), settings)
    with pytest.raises(BadReport):
        await newest(fetcher, stations)


async def test_outcomes_keep_errors(replies, settings, stations):
    fetcher = Fetcher(Transport({**replies, "/beta": b"?"}), settings)
    result = await outcomes(fetcher, stations)
    assert list(result) == ["alpha", "beta", "gamma"]
    assert isinstance(result["beta"], BadReport)
    assert result["gamma"].sequence == 2


async def test_fastest(replies, settings, stations):
    slow, fast = Transport(replies, latency=10), Transport(replies, latency=0.01)
    report = await fastest([Fetcher(slow, settings), Fetcher(fast, settings)], stations[0])
    assert report == Report("alpha", 20.0, 0)
    assert slow.open == fast.open == 0


async def test_cancelled_race_stops_everybody(replies, settings, stations, cancelled_after):
    transports = [Transport(replies, latency=10) for _ in range(3)]
    fetchers = [Fetcher(t, settings) for t in transports]
    assert await cancelled_after(0.1, lambda: fastest(fetchers, stations[0]))
    assert [t.open for t in transports] == [0, 0, 0]
    assert [f.cancelled for f in fetchers] == [1, 1, 1]


async def test_arrival(replies, settings, stations):
    names = await in_order_of_arrival(Fetcher(Transport(replies, latency=0.01), settings), stations)
    assert sorted(names) == ["alpha", "beta", "gamma"]
