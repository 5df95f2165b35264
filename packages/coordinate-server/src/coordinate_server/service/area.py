"""What plug-ins keep: bytes by key, durable with the replies that rest on them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from attrs import define, field

from coordinate_server.model.changes import AREA, DELETE, PUT, Change
from coordinate_server.service.committer import Committer
from coordinate_server.store.interface import Store

__all__ = ["Area"]

_PAGE = 1000


@define
class Area:
    """A plug-in's own rows in the server's store.

    May be used from the loop and from the threads that plain methods run in; each call is handed
    over to the loop. A change holds for every later call at once, and is durable before the reply
    to the operation that made it leaves.

    Arguments:
        prefix: begins every row's key; nobody else's does.
        store: what is committed.
        committer: what takes changes.
        loop: where both live.
    """

    prefix: bytes
    store: Store
    committer: Committer
    loop: asyncio.AbstractEventLoop
    _waiting: dict[bytes, Change] = field(factory=dict, init=False)
    _thread: int = field(factory=threading.get_ident, init=False)

    def get(self, key: bytes) -> bytes | None:
        """Give what is kept under a key, or None."""
        result: bytes | None = self._on_loop(partial(self._get, self.prefix + key))
        return result

    def put(self, key: bytes, value: bytes) -> None:
        """Keep bytes under a key, in place of what was there."""
        self._on_loop(partial(self._change, (PUT, AREA, self.prefix + key, bytes(value))))

    def delete(self, key: bytes) -> None:
        """Forget a key; one that is not there is no error."""
        self._on_loop(partial(self._change, (DELETE, AREA, self.prefix + key, b"")))

    def scan(self, prefix: bytes = b"") -> list[tuple[bytes, bytes]]:
        """Give (key, value) of all whose key begins with ``prefix``, in the order of keys."""
        found: list[tuple[bytes, bytes]] = self._on_loop(partial(self._scan, self.prefix + prefix))
        return found

    def _on_loop(self, action: Callable[[], Any]) -> Any:
        if threading.get_ident() == self._thread:
            return action()
        return asyncio.run_coroutine_threadsafe(_awaitable(action), self.loop).result()

    def _get(self, key: bytes) -> bytes | None:
        if key in self._waiting:
            op, _, _, value = self._waiting[key]
            return value if op == PUT else None
        return self.store.get(AREA, key)

    def _change(self, change: Change) -> None:
        self._waiting[change[2]] = change
        self.committer.add(change, partial(self._committed, change))

    def _committed(self, change: Change) -> None:
        if self._waiting.get(change[2]) is change:
            del self._waiting[change[2]]

    def _scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        rows = dict(self._rows(prefix))
        for op, _, key, value in self._waiting.values():
            if key.startswith(prefix):
                rows.pop(key, None)
                if op == PUT:
                    rows[key] = value
        cut = len(self.prefix)
        return [(key[cut:], rows[key]) for key in sorted(rows)]

    def _rows(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        after: bytes | None = None
        while True:
            page = list(self.store.scan(AREA, prefix, after, _PAGE))
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1][0]


async def _awaitable(action: Callable[[], Any]) -> Any:
    return action()
