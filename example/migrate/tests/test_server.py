import json

import pytest

from mirror.model import Report
from mirror.server import Server, ask
from mirror.store import Store


@pytest.fixture
def store(tmp_path):
    for i, name in enumerate(["alpha", "beta"]):
        (tmp_path / f"{name}.json").write_bytes(Report(name, 20.0, i).to_bytes())
    return Store(tmp_path)


async def test_questions_and_answers(store):
    server = Server(store)
    await server.start()
    answers = await ask("127.0.0.1", server.port, "LIST", "GET beta", "GET omega", "HELLO")
    assert answers[0] == "alpha beta"
    assert json.loads(answers[1])["sequence"] == 1
    assert answers[2:] == ["none", "what?"]
    await server.stop()
    assert server.served == 1


async def test_many_clients(store, together):
    server = Server(store)
    await server.start()
    got = []

    async def client():
        got.extend(await ask("127.0.0.1", server.port, "LIST"))

    await together(*[client] * 5)
    assert got == ["alpha beta"] * 5
    await server.stop()


async def test_quit_closes(store):
    server = Server(store)
    await server.start()
    assert await ask("127.0.0.1", server.port, "QUIT") == [""]
    await server.stop()


async def test_no_server(store):
    server = Server(store)
    await server.start()
    await server.stop()
    with pytest.raises(OSError):
        await ask("127.0.0.1", server.port, "LIST")
