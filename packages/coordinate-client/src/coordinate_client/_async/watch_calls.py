"""The calls that tell what has changed."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from coordinate_client._async.rpc import AsyncCborRpcClient
from coordinate_client.changes import Changes, wire_topics
from coordinate_client.server import Server
from coordinate_client.waits import Wait, check_wait

__all__ = ["AsyncWatchCalls"]

Topics = Mapping[str, Any] | Iterable[Mapping[str, Any]]
_FOR_EVER = float("inf")


class AsyncWatchCalls(AsyncCborRpcClient):
    """What can be asked about changes."""

    async def watch(
        self,
        topics: Topics,
        after: int | None = None,
        wait: float | None = None,
        limit: int | None = None,
    ) -> Changes:
        """What changed after a position.

        Args:
            topics: one map or several: {"specs": True} for all work specs, {"work_spec_name": name}
                for the units of a spec, {"path": path} for the locks at or under a path, () being
                all paths.
            after: the position of an earlier answer; None to learn the present one.
            wait: seconds to wait for a change where there is none; infinity for as long as it
                takes. Other calls of this client go on meanwhile.
            limit: how many changes at most; a server gives 1,000 unasked, and never more than
                10,000.

        Returns:
            The changes, and the position to go on from.

        Raises:
            ProgrammerError: for a topic in another form.
            Unsupported: where the server does not have it.
            ClientClosed: where the client was closed meanwhile.
        """
        asked = {"after": after, "limit": limit}
        options = {name: value for name, value in asked.items() if value is not None}
        wanted = wire_topics(topics)
        seconds = check_wait(wait)
        if not seconds or after is None:
            return Changes.of(await self._rpc("watch", [wanted, options]))
        waited = Wait(seconds, self.clock)

        async def ask(waits: bool) -> Changes:
            def params(_: Server | None) -> list[Any]:
                return [wanted, options | ({"wait": waited.part} if waits else {})]

            found = Changes.of(await self._call("watch", params, waited if waits else None))
            # What was said about the past is not asked for again: a server forgets it some day.
            options["after"] = found.position
            return found

        found: Changes = await self._waited("watch", "watch", waited, ask, bool)
        return found

    async def iter_changes(
        self, topics: Topics, after: int | None = None, limit: int | None = None
    ) -> AsyncIterator[Changes]:
        """All changes from now on, as they come; it never ends by itself.

        One way to follow them serves for everything: read anew what you know of the topics when
        `reset` is True, as it is at first, and otherwise take in the `changes`.

        Args:
            topics: as for `watch`.
            after: the position of an earlier answer to go on from; then there is no reset at first,
                unless the server does not remember back to it.
            limit: how many changes at once, at most.

        Yields:
            What changed, never nothing at all.
        """
        wanted = wire_topics(topics)
        position = after
        if position is None:
            found = await self.watch(wanted)
            position = found.position
            yield Changes(position, reset=True, changes=())
        while True:
            found = await self.watch(wanted, position, _FOR_EVER, limit)
            position = found.position
            yield found
