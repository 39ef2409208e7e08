import sys
import time
import zlib

import pytest

from mirror.export import COMPRESS, ExportFailed, through


async def test_compress():
    data = b"a report\n" * 20000
    assert zlib.decompress(await through(COMPRESS, data)) == data


async def test_failure():
    with pytest.raises(ExportFailed, match="out of luck"):
        await through([sys.executable, "-c", "raise SystemExit('out of luck')"], b"")


async def test_too_slow():
    start = time.monotonic()
    with pytest.raises(ExportFailed, match="too long"):
        await through([sys.executable, "-c", "import time; time.sleep(60)"], b"", limit=0.3)
    assert time.monotonic() - start < 20


async def test_no_such_program():
    with pytest.raises(FileNotFoundError):
        await through(["/no/such/program"], b"")
