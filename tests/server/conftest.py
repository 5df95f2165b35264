"""Servers and clients for the tests of the server's edges."""

import contextlib

import pytest

from tests.server.independent_client import Client
from tests.server.running import RunningServer


@pytest.fixture
def start(tmp_path):
    """Start coordinated with arguments; everything it keeps is under the test's own directory."""
    with contextlib.ExitStack() as stack:

        def start(*arguments, **options):
            server = RunningServer(tmp_path, *arguments, **options)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def server(start):
    """A server that keeps its data in memory."""
    return start("--memory")


@pytest.fixture
def connect():
    """Connect a client to a running server; closed when the test is over."""
    with contextlib.ExitStack() as stack:

        def connect(server, **options):
            return stack.enter_context(contextlib.closing(Client(server.connect(), **options)))

        yield connect


@pytest.fixture
def client(server, connect):
    """A client of ``server``."""
    return connect(server)
