import pytest

from mirror.config import Settings
from mirror.model import Report, Station
from mirror.session import Session
from mirror.transport import Transport


@pytest.fixture
def stations():
    return [Station("alpha", "/alpha"), Station("beta", "/beta"), Station("gamma", "/gamma")]


@pytest.fixture
def settings(tmp_path, stations):
    return Settings(str(tmp_path / "mirror"), stations)


@pytest.fixture
def replies(stations):
    return {s.path: Report(s.name, 20.0 + i, i).to_bytes() for i, s in enumerate(stations)}


@pytest.fixture
def transport(replies):
    return Transport(replies)


@pytest.fixture
def session(settings, transport):
    return Session(settings, transport)
