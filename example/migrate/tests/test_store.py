import threading
import time

import pytest

from mirror.model import BadReport, Report
from mirror.store import Store

REPORT = Report("alpha", 20.5, 7)


async def test_put_and_get(tmp_path):
    store = await Store(tmp_path / "a" / "b").open()
    await store.put(REPORT)
    assert await store.get("alpha") == REPORT
    assert await store.get("omega") is None
    assert await store.names() == ["alpha"]
    assert await store.checked_get("alpha", limit=5) == REPORT


async def test_a_failed_write_leaves_nothing(tmp_path):
    def write(path, data):
        path.write_bytes(data[:3])
        raise OSError("disk full")

    store = await Store(tmp_path, write=write).open()
    with pytest.raises(OSError, match="disk full"):
        await store.put(REPORT)
    assert list(tmp_path.iterdir()) == []


async def test_a_cancelled_put_leaves_nothing(tmp_path, cancelled_after):
    store = await Store(tmp_path, delay=10).open()
    assert await cancelled_after(0.1, lambda: store.put(REPORT))
    assert list(tmp_path.iterdir()) == []


async def test_the_lock_is_free_after_a_cancelled_put(tmp_path, cancelled_after):
    store = await Store(tmp_path, delay=10).open()
    await cancelled_after(0.1, lambda: store.put(REPORT))
    store._delay = 0
    await store.put(REPORT)
    assert await store.get("alpha") == REPORT


async def test_writes_happen_in_another_thread(tmp_path):
    threads = []

    def write(path, data):
        threads.append(threading.current_thread())
        path.write_bytes(data)

    store = await Store(tmp_path, write=write).open()
    await store.put(REPORT)
    assert threads[0] is not threading.current_thread()


async def test_bad_reports(tmp_path):
    store = await Store(tmp_path).open()
    (tmp_path / "alpha.json").write_text("{}")
    with pytest.raises(BadReport):
        await store.get("alpha")


async def test_a_hanging_disk(tmp_path):
    store = Store(tmp_path)
    release = threading.Event()
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        await store.slow_read(lambda: release.wait(5), limit=0.05)
    assert time.monotonic() - start < 2
    release.set()
    assert await store.slow_read(lambda: "read", limit=5) == "read"


async def test_close_writes_the_index(tmp_path):
    store = await Store(tmp_path).open()
    await store.put(REPORT)
    await store.close()
    assert (tmp_path / "index").read_text() == "alpha\n"
