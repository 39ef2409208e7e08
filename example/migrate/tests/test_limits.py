import time

import pytest

from mirror.limits import Gate, Pace, Slots


async def test_pace(together):
    pace = Pace(rate=100)
    start = time.monotonic()
    await together(*[pace.wait] * 6)
    assert time.monotonic() - start >= 0.045


async def test_gate_lets_all_through(together, nap):
    gate, passed = Gate(), []

    async def walker():
        await gate.passed(limit=5)
        passed.append(gate.is_open())

    async def porter():
        await nap(0.02)
        assert not passed
        gate.open()

    await together(walker, walker, porter)
    assert passed == [True, True]
    await gate.passed()


async def test_closed_gate():
    with pytest.raises(TimeoutError):
        await Gate().passed(limit=0.02)


async def test_slots(together, nap):
    slots, inside, most = Slots(2), [], []

    async def work():
        async with slots:
            inside.append(1)
            most.append(len(inside))
            await nap(0.01)
            inside.pop()

    await together(*[work] * 5)
    assert max(most) == 2
    assert slots.waiting == 0


async def test_cancel_in_the_queue(cancelled_after):
    slots = Slots()
    async with slots:

        async def wait():
            async with slots:
                raise AssertionError("there was no room")

        assert await cancelled_after(0.02, wait)
        assert slots.waiting == 0
    async with slots:
        pass
