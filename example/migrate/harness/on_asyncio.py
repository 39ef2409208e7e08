"""pytest -p harness.on_asyncio: the tests under pytest-asyncio."""

import asyncio

import pytest

from harness import common


def pytest_configure(config):
    config.option.asyncio_mode = "auto"


def pytest_collection_modifyitems(items):
    for item in items:
        if common.is_async_test(item):
            item.obj = common.checked(item.obj, lambda kwargs: "asyncio")


def pytest_sessionfinish():
    common.write_count()


@pytest.fixture
def together():
    """Run async functions at the same time, until all have ended."""

    async def run(*functions):
        async with asyncio.TaskGroup() as group:
            for function in functions:
                group.create_task(function())

    return run


@pytest.fixture
def cancelled_after():
    """Run an async function, cancel it after some seconds, wait for its end."""

    async def run(seconds, function):
        task = asyncio.create_task(function())
        await asyncio.sleep(seconds)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return True
        return False

    return run


@pytest.fixture
def nap():
    return asyncio.sleep


@pytest.fixture
def on_each_backend():
    """For tests of entry points: they start their own loop."""
    return "asyncio"
