import pytest

from mirror.transport import Transport


async def test_get(transport, replies):
    assert await transport.get("/alpha") == replies["/alpha"]
    assert transport.requests == {"/alpha": 1}


async def test_faults(replies):
    transport = Transport({**replies, "/bad": OSError("no route")})
    with pytest.raises(OSError, match="no route"):
        await transport.get("/bad")
    assert transport.open == 0


async def test_connections_are_limited(replies, together):
    transport = Transport(replies, latency=0.02, connections=2)
    busy = []

    async def one():
        await transport.get("/beta")
        busy.append(transport.busy())

    await together(*[one] * 6)
    assert transport.most_open == 2
    assert transport.open == 0
    assert len(busy) == 6 and not transport.busy()


async def test_cancelled_get_gives_its_connection_back(replies, cancelled_after):
    transport = Transport(replies, latency=10, connections=1)
    assert await cancelled_after(0.02, lambda: transport.get("/alpha"))
    assert transport.open == 0
    assert not transport.busy()


async def test_close_once(transport, together):
    await together(transport.close, transport.close)
    with pytest.raises(ConnectionError):
        await transport.get("/alpha")
