"""Whose turn it is: lanes of waiting units, some of which are full.

Only the best is ever asked for, so all order here is kept in heaps whose entries may be too
early, never too late: one that comes to the top is looked at again, and put where it belongs. A
lane that turns out to be full is parked with the value that is full; when that has room, its parked
lanes come back one at a time, as their turn comes. So a hand-out costs a few logarithms, whatever
the number of values. Only where many values of ``fair_key`` meet many of ``serial_key`` in all
combinations, lanes may be parked over and over.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

from coordinate_server.model.queue import Place, entries_before
from coordinate_server.model.unit import Unit

__all__ = ["Lane", "Round", "Serial", "Turn"]

_SLACK = 64
"""How many entries without meaning a heap may have, besides as many as it has with one."""

_Rank = tuple[float, int, bytes]
"""Minus priority, when the turn was served last, key."""

_Entry = tuple[float, int, bytes, int, Any]
"""A rank, a number that no other entry has, and what it is of."""


class Turn:
    """All that waits with one value of ``fair_key``.

    Arguments:
        value: the value as CBOR.
        served: when it was served last, or came to be; the lower goes first.
    """

    __slots__ = ("lanes", "open", "posted", "served", "value")

    def __init__(self, value: bytes, served: int) -> None:
        self.value, self.served = value, served
        self.lanes: dict[bytes, Lane] = {}
        # Its lanes that are not parked.
        self.open: list[_Entry] = []
        self.posted: _Entry | None = None


class Serial:
    """All that waits, and all that is pending, with one value of ``serial_key``.

    Arguments:
        value: the value as CBOR.
        room: how many more units may be pending; None for any number.
    """

    __slots__ = ("holders", "lanes", "parked", "posted", "room", "value", "waiting")

    def __init__(self, value: bytes, room: int | None) -> None:
        self.value, self.room = value, room
        self.holders: dict[Unit, None] = {}
        # How many lanes and units wait.
        self.lanes = self.waiting = 0
        # Its lanes that were found to be full, whoever's turn they are.
        self.parked: list[_Entry] = []
        self.posted: _Entry | None = None

    @property
    def full(self) -> bool:
        """Whether no more units may be pending."""
        return self.room is not None and self.room <= 0


class Lane:
    """The units that wait with one value of each key, by (minus priority, key).

    Arguments:
        turn: its value of ``fair_key``.
        serial: its value of ``serial_key``.
    """

    __slots__ = ("heap", "parked", "posted", "serial", "size", "turn")

    def __init__(self, turn: Turn, serial: Serial) -> None:
        self.turn, self.serial = turn, serial
        self.heap: list[Place] = []
        self.size = 0
        self.parked = False
        self.posted: _Entry | None = None


class Round:
    """Says which lane is next: by priority, then by turn, then by key.

    Arguments:
        waits: whether a unit waits in a lane, at a place that is in its heap.
        room: how many units may be pending for one value of ``serial_key``.
    """

    def __init__(self, waits: Callable[[Lane, Place], bool], room: int) -> None:
        self._waits, self._room = waits, room
        self._now = self._tie = 0
        self._turns: dict[bytes, Turn] = {}
        self._serials: dict[bytes, Serial] = {}
        # Turns, and those values of serial_key that have room for lanes that are parked.
        self._order: list[_Entry] = []

    def let_go(self) -> None:
        """Have no circles, which no collector looks for; of no use any more after that."""
        for turn in self._turns.values():
            for lane in turn.lanes.values():
                lane.posted = None
            turn.posted = None
            turn.lanes.clear()
            turn.open.clear()
        for serial in self._serials.values():
            serial.posted = None
            serial.parked.clear()
        self._order.clear()

    # ---- values coming and going ----

    def serial(self, value: bytes) -> Serial:
        """Give a value of ``serial_key``; that of units without one is empty, and has any room."""
        serial = self._serials.get(value)
        if serial is None:
            serial = self._serials[value] = Serial(value, self._room if value else None)
        return serial

    def lane(self, fair: bytes, serial: bytes, served: int | None) -> Lane:
        """Give the lane of two values.

        Arguments:
            fair: the value of ``fair_key``.
            serial: the value of ``serial_key``.
            served: the place in the round if nothing waits with that value; None for the last.
        """
        turn = self._turns.get(fair)
        if turn is None:
            turn = self._turns[fair] = Turn(fair, self._last() if served is None else served)
        lane = turn.lanes.get(serial)
        if lane is None:
            lane = turn.lanes[serial] = Lane(turn, self.serial(serial))
            lane.serial.lanes += 1
        return lane

    def drop_lane(self, lane: Lane) -> None:
        """Forget a lane in which nothing waits."""
        turn, serial = lane.turn, lane.serial
        lane.posted = None
        serial.lanes -= 1
        self.drop_serial(serial)
        del turn.lanes[serial.value]
        if not turn.lanes:
            turn.posted = None
            turn.open.clear()
            del self._turns[turn.value]

    def drop_serial(self, serial: Serial) -> None:
        """Forget a value of ``serial_key``, if nothing waits or is pending with it."""
        if not serial.lanes and not serial.holders:
            serial.posted = None
            serial.parked.clear()
            del self._serials[serial.value]

    # ---- what changes the order ----

    def serve(self, turn: Turn) -> None:
        """Put a turn last, for it has just been served."""
        turn.served = self._last()

    def _last(self) -> int:
        self._now += 1
        return self._now

    def offer(self, lane: Lane) -> None:
        """Take in that a lane may have a better unit than it had."""
        place = self._head(lane)
        if place is None:
            return
        turn, serial = lane.turn, lane.serial
        rank = (place[0], turn.served, place[1])
        if not lane.parked:
            self._post(turn.open, (place[0], 0, place[1]), lane, len(turn.lanes))
            self._order_post(rank, turn)
            return
        self._post(serial.parked, rank, lane, serial.lanes)
        if not serial.full:
            self._order_post(rank, serial)

    def freed(self, serial: Serial) -> None:
        """Take in that a value has room for one more."""
        entry = _top(serial.parked)
        if entry is not None:
            self._order_post(entry[:3], serial)

    # ---- what the order is ----

    def first(self) -> Lane | None:
        """Give the lane whose first unit is next; None if none may go."""
        while (entry := _top(self._order)) is not None:
            item = entry[-1]
            lane = self._best(item) if isinstance(item, Turn) else None
            if lane is not None and _rank(lane) == entry[:3]:
                return lane
            heappop(self._order)
            item.posted = None
            if lane is not None:
                self._order_post(_rank(lane), item)
            elif isinstance(item, Serial):
                self._bring_back(item)
        return None

    def ahead(self, lane: Lane, place: Place, most: int) -> int:
        """Count what goes before a place in a lane; see ``LaneQueue.ahead``."""
        turn, bound = lane.turn, (place[0], lane.turn.served, place[1])
        self._bring_back_before(bound)
        found: set[Place] = set()
        for entry in entries_before(turn.open, (place[0], 0, place[1])):
            other = entry[-1]
            if other.posted is entry and not other.serial.full:
                for earlier in entries_before(other.heap, place):
                    if self._waits(other, earlier):
                        found.add(earlier)
                    if len(found) >= most:
                        return most
        entries = list(entries_before(self._order, bound))
        turns = [e[-1] for e in entries if e[-1].posted is e and e[-1] is not turn]
        bests = (self._best(other) for other in turns if isinstance(other, Turn))
        number = sum(best is not None and _rank(best) < bound for best in bests)
        return min(most, len(found) + number)

    def _best(self, turn: Turn) -> Lane | None:
        """Give a turn's best lane that may go; parks those before it, which are full."""
        while (entry := _top(turn.open)) is not None:
            lane: Lane = entry[-1]
            if not lane.serial.full and self._head(lane) == (entry[0], entry[2]):
                return lane
            heappop(turn.open)
            lane.posted, lane.parked = None, lane.serial.full
            self.offer(lane)
        return None

    def _bring_back(self, serial: Serial) -> None:
        """Take the best lane that is parked with a value out; the next ones wait for their turn."""
        entry = None if serial.full else _top(serial.parked)
        if entry is None:
            return
        heappop(serial.parked)
        lane: Lane = entry[-1]
        lane.posted, lane.parked = None, False
        self.offer(lane)
        self.freed(serial)

    def _bring_back_before(self, bound: _Rank) -> None:
        entries: list[_Entry] | None = None
        while entries is None or entries:
            entries = [
                entry
                for entry in entries_before(self._order, bound)
                if isinstance(entry[-1], Serial) and entry[-1].posted is entry
            ]
            for entry in entries:
                entry[-1].posted = None
                self._bring_back(entry[-1])

    def _head(self, lane: Lane) -> Place | None:
        heap = lane.heap
        while heap and not self._waits(lane, heap[0]):
            heappop(heap)
        return heap[0] if heap else None

    def _order_post(self, rank: _Rank, item: Turn | Serial) -> None:
        self._post(self._order, rank, item, len(self._turns) + len(self._serials))

    def _post(
        self, heap: list[_Entry], rank: _Rank, item: Turn | Serial | Lane, members: int
    ) -> None:
        """Put something in a heap, unless it is there early enough; only its last entry counts."""
        if item.posted is not None and item.posted[:3] <= rank:
            return
        self._tie += 1
        item.posted = (*rank, self._tie, item)
        heappush(heap, item.posted)
        if len(heap) > 2 * members + _SLACK:
            heap[:] = [entry for entry in heap if entry[-1].posted is entry]
            heapify(heap)


def _rank(lane: Lane) -> _Rank:
    minus_priority, key = lane.heap[0]
    return minus_priority, lane.turn.served, key


def _top(heap: list[_Entry]) -> _Entry | None:
    """Give the first entry that counts; those before it go."""
    while heap and heap[0][-1].posted is not heap[0]:
        heappop(heap)
    return heap[0] if heap else None
