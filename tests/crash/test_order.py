"""No reply leaves before the sync of what it rests on."""

import pytest

from tests.crash.order import OPTIONS, order_of
from tests.crash.servers import TracedServer
from tests.crash.verdict import check_file

pytestmark = [pytest.mark.crash, pytest.mark.timeout(3600)]

WRITE = "7 pwrite64(5</d/data-wal>, ..., 24, 32) = 24"
SYNC = "7 fdatasync(5</d/data-wal>) = 0"
REPLY = "7 sendto(9<TCP:[127.0.0.1:5932->127.0.0.1:1234]>, ..., 40, 0, NULL, 0) = 40"


def lines(*calls):
    """What strace would have written."""
    return "\n".join(calls)


def test_a_reply_after_the_sync_is_in_order():
    order = order_of(lines(WRITE, WRITE, SYNC, REPLY, REPLY), "/d/data")
    assert (order.replies, order.syncs, order.early) == (2, 1, [])


def test_a_reply_before_the_sync_is_found():
    order = order_of(lines(WRITE, SYNC, REPLY, WRITE, REPLY, SYNC), "/d/data")
    assert order.early == [REPLY]


def test_a_sync_of_another_file_is_none():
    order = order_of(lines(WRITE, SYNC.replace("-wal", ""), REPLY), "/d/data")
    assert order.early == [REPLY]


def test_every_reply_of_a_server_leaves_after_its_sync(strace, tmp_path, how_many, run_seed):
    """The server as it is, over TCP, with groups of several calls."""
    server = TracedServer(tmp_path, run_seed, options=OPTIONS)
    server.drive(how_many(60, 1000))
    server.stop()
    order = order_of(server.trace.read_text(), server.data)
    assert order.early == []
    assert order.syncs > 30
    assert order.replies >= server.answers
    check_file(server.data, server.known(), wall_stands=False)
