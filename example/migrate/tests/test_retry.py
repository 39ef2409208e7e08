import functools

import pytest

from mirror.retry import GaveUp, eventually, retry


def failing(times, error=ConnectionError):
    calls = []

    async def function(value):
        calls.append(value)
        if len(calls) <= times:
            raise error("not now")
        return value * 2

    return function, calls


async def test_first_time():
    function, calls = failing(0)
    assert await retry(function, 21) == 42
    assert calls == [21]


@pytest.mark.parametrize("error", [ConnectionError, TimeoutError])
async def test_again(error):
    function, calls = failing(2, error)
    assert await retry(function, 4, backoff=0.001) == 8
    assert len(calls) == 3


async def test_gives_up():
    function, calls = failing(9)
    with pytest.raises(GaveUp) as caught:
        await retry(function, 1, attempts=2, backoff=0.001)
    assert isinstance(caught.value.__cause__, ConnectionError)
    assert len(calls) == 2


async def test_other_errors_pass():
    function, calls = failing(1, KeyError)
    with pytest.raises(KeyError):
        await retry(function, 1)
    assert len(calls) == 1


async def test_plain_functions_and_partials():
    assert await retry(abs, -3) == 3
    assert await retry(functools.partial(int, base=2), "101") == 5
    with pytest.raises(TypeError):
        await retry("no function")


async def test_eventually(together, nap):
    seen = []

    async def later():
        await nap(0.03)
        seen.append(1)

    async def wait():
        assert await eventually(lambda: seen, limit=5)

    await together(later, wait)
    assert not await eventually(lambda: False, limit=0.03)


async def test_cancel_while_waiting(cancelled_after):
    function, calls = failing(99)
    assert await cancelled_after(0.05, lambda: retry(function, 1, attempts=99, backoff=5))
    assert len(calls) == 1
