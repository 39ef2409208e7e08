"""pytest -p no:asyncio -p harness.on_anyio: each async test on asyncio and on
trio, under AnyIO's own pytest plugin."""

import anyio
import pytest

from harness import common

BACKENDS = ("asyncio", "trio")


def pytest_addoption(parser):
    parser.addini("asyncio_default_fixture_loop_scope", "pytest-asyncio's; it is not here")


@pytest.fixture(params=BACKENDS)
def anyio_backend(request):
    return request.param


def pytest_pycollect_makeitem(collector, name, obj):
    if collector.istestfunction(obj, name) and common.inspect.iscoroutinefunction(obj):
        pytest.mark.usefixtures("anyio_backend")(pytest.mark.anyio(obj))


def pytest_collection_modifyitems(items):
    for item in items:
        if not common.is_async_test(item):
            continue
        backend = item.callspec.params["anyio_backend"]
        if backend == "trio" and item.get_closest_marker("asyncio_only"):
            item.add_marker(pytest.mark.skip(reason="the code under test still needs asyncio"))
        # Bound per item: both backends share one function.
        item.obj = common.checked(item.obj, lambda kwargs, backend=backend: backend)


def pytest_sessionfinish():
    common.write_count()


@pytest.fixture
def together():
    async def run(*functions):
        async with anyio.create_task_group() as group:
            for function in functions:
                group.start_soon(function)

    return run


@pytest.fixture
def cancelled_after():
    async def run(seconds, function):
        ended = False

        async def target():
            nonlocal ended
            await function()
            ended = True

        async with anyio.create_task_group() as group:
            group.start_soon(target)
            await anyio.sleep(seconds)
            group.cancel_scope.cancel()
        return not ended

    return run


@pytest.fixture
def nap():
    return anyio.sleep


@pytest.fixture(params=BACKENDS)
def on_each_backend(request, monkeypatch):
    """Make anyio.run start the backend, and see that it did."""
    started = []
    real = anyio.run

    def run(function, *args, **kwargs):
        async def watched():
            started.append(common.running())
            return await function(*args)

        return real(watched, backend=request.param, **kwargs)

    monkeypatch.setattr(anyio, "run", run)
    yield request.param
    assert started == [request.param]
    common.ran[request.param] += 1
