import pytest

from mirror.mailbox import Closed, Mailbox


async def test_all_arrive_in_order(together):
    box, got = Mailbox(room=2), []

    async def sender():
        for i in range(10):
            await box.put(i)
            assert len(box) <= 2
        await box.close()

    async def receiver():
        try:
            while True:
                got.append(await box.get())
        except Closed:
            pass

    await together(sender, receiver)
    assert got == list(range(10))


async def test_close_wakes_everybody(together, nap):
    box, closed = Mailbox(room=1), []

    async def wait():
        try:
            await box.get()
        except Closed:
            closed.append(1)

    async def closer():
        await nap(0.01)
        await box.close()

    await together(wait, wait, closer)
    assert closed == [1, 1]
    with pytest.raises(Closed):
        await box.put(1)


async def test_cancelled_receiver_takes_nothing(cancelled_after):
    box = Mailbox(room=1)
    assert await cancelled_after(0.02, box.get)
    await box.put("kept")
    assert await box.get() == "kept"
