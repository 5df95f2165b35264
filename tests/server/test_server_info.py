"""What the first call tells."""

import pytest

from tests.server.house import House


@pytest.fixture
def house():
    return House()


def test_hello_tells_of_the_backlog_who_asks_for_it(house, monkeypatch):
    monkeypatch.setattr(type(house.store), "backlog", 7)
    assert house.client().call("hello", {"backlog": True})["backlog"] == 7


def test_hello_tells_nobody_else(house):
    assert "backlog" not in house.client().call("hello", {})
    assert "backlog" not in house.client().call("hello", {"backlog": False})
