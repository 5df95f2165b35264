"""The units of one spec that may run, by what is in their data: in turns, and so many at once."""

from heapq import heapify, heappush
from typing import Any

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.constants import AVAILABLE, PENDING
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.limits import ANSWER_LIMITS
from coordinate_server.model.contents import content
from coordinate_server.model.queue import Place
from coordinate_server.model.turns import Lane, Round, Serial
from coordinate_server.model.unit import Unit
from coordinate_server.model.units import Units

__all__ = ["LaneQueue"]

_NONE = b""
"""Where there is no value; CBOR is never empty."""

_SLACK = 64


class LaneQueue:
    """Like ``ReadyQueue``, with turns and limits by values in the units' data.

    Of the units that may go the highest priority goes first; among values of ``fair_key`` at equal
    priority the one served longest ago; within a value the lowest key. A value that nothing waits
    of loses its place, and joins at the end of the round. Units without a value, or with data that
    cannot be read, have turns as if that were a value, and no limit.

    Arguments:
        units: all units of the spec by key; the caller's own dict.
        fair_key: the key whose values take turns; None for no turns.
        serial_key: the key of whose values each is limited; None for no limit.
        serial_max: how many units may be pending for one value.
    """

    def __init__(
        self,
        units: Units,
        fair_key: str | None,
        serial_key: str | None,
        serial_max: int,
    ) -> None:
        self._units = units
        self._fair_key, self._serial_key, self._serial_max = fair_key, serial_key, serial_max
        self._reset()

    def _reset(self) -> None:
        self._round = Round(self._waits, self._serial_max)
        # The lanes of the units that wait, and what those that are pending have taken.
        self._lane_of: dict[bytes, Lane] = {}
        self._taken_by: dict[Unit, Serial] = {}
        self._full: set[Serial] = set()
        # The unit that left just now, with its data and the lane that it was in.
        self._left: tuple[Unit, bytes, Lane] | None = None

    def let_go(self) -> None:
        """Have no circles, which no collector looks for; of no use any more after that."""
        self._round.let_go()
        self._round = Round(_never, self._serial_max)

    # ---- units coming and going ----

    def fill(self) -> None:
        """Begin anew with all units of the spec: those pending hold their lanes; O(n log n)."""
        self._round.let_go()
        self._reset()
        waiting = []
        for unit in self._units.here():
            if unit.status == PENDING:
                self.took(unit)
            elif unit.status == AVAILABLE:
                waiting.append(unit)
        for unit in waiting:
            self.push(unit)

    def push(self, unit: Unit) -> None:
        """Put an available unit in, or in another place if its data or priority are others now.

        The place of its value in the round stays, if it was in here until now.
        """
        fair = self._value(unit, self._fair_key)
        serial = fair if self._serial_key == self._fair_key else self._value(unit, self._serial_key)
        before = self._let_go(unit)
        served = before.turn.served if before is not None and before.turn.value == fair else None
        lane = self._round.lane(fair, serial, served)
        self._lane_of[unit.key] = lane
        lane.size += 1
        lane.serial.waiting += 1
        place = (-unit.priority, unit.key)
        heappush(lane.heap, place)
        if len(lane.heap) > 2 * lane.size + _SLACK:
            lane.heap = [p for p in set(lane.heap) if self._waits(lane, p)]
            heapify(lane.heap)
        if lane.heap[0] == place:
            self._round.offer(lane)

    def set_aside(self, unit: Unit) -> None:
        """Take a unit out, though it is available."""
        self.left(unit)

    def left(self, unit: Unit) -> None:
        """Note that a unit is not available any more."""
        lane = self._let_go(unit)
        self._left = None if lane is None else (unit, unit.data, lane)

    def took(self, unit: Unit) -> None:
        """Note that a unit has become pending; if it was available, its value has had its turn."""
        lane = self._let_go(unit)
        if lane is None:
            value = self._value(unit, self._serial_key) if unit.held is None else unit.held
            serial = self._round.serial(value)
        else:
            self._round.serve(lane.turn)
            serial = self._round.serial(lane.serial.value)
        if serial.room is None:
            self._round.drop_serial(serial)
            return
        self._taken_by[unit] = serial
        serial.holders[unit] = None
        serial.room -= 1
        if serial.full:
            self._full.add(serial)

    def returned(self, unit: Unit) -> None:
        """Note that a unit is not pending any more; what it took is free, whatever its data are."""
        serial = self._taken_by.pop(unit, None)
        if serial is None or serial.room is None:
            return
        del serial.holders[unit]
        serial.room += 1
        if not serial.full:
            self._full.discard(serial)
            self._round.freed(serial)
        self._round.drop_serial(serial)

    def holds_other(self, unit: Unit) -> bytes | None:
        """Give the value that a pending unit has taken where its data have another one by now."""
        serial = self._taken_by.get(unit)
        if serial is None or serial.value == self._value(unit, self._serial_key):
            return None
        return serial.value

    def _let_go(self, unit: Unit) -> Lane | None:
        """Take a unit out of its lane, and give that; also if it has left it just now."""
        left, self._left = self._left, None
        lane = self._lane_of.pop(unit.key, None)
        if lane is None:
            same = left is not None and left[0] is unit and left[1] is unit.data
            return left[2] if left is not None and same else None
        lane.size -= 1
        lane.serial.waiting -= 1
        if not lane.size:
            self._round.drop_lane(lane)
        return lane

    def _waits(self, lane: Lane, place: Place) -> bool:
        minus_priority, key = place
        if self._lane_of.get(key) is not lane:
            return False
        return self._units.waits(key, -minus_priority)

    def _value(self, unit: Unit, name: str | None) -> bytes:
        """Give a value in a unit's data as CBOR; what cannot be read has none."""
        if name is None:
            return _NONE
        try:
            found = content(unit.data, name)
            return _NONE if found is None else encode(found)
        except ProtocolError:
            return _NONE

    # ---- what people and the scheduler ask ----

    def first(self) -> Unit | None:
        """Give the unit that runs next, or None; it stays."""
        lane = self._round.first()
        return None if lane is None else self._units[lane.heap[0][1]]

    def ahead(self, unit: Unit, most: int) -> int:
        """Count hand-outs that go before an available unit for certain, up to ``most``.

        These are the units before it that have its value of ``fair_key`` and may go now, and one
        for each other value whose turn is before its own. So it is 0 for the unit that is next,
        for others only if they may not go.
        """
        lane = self._lane_of.get(unit.key)
        return 0 if lane is None else self._round.ahead(lane, (-unit.priority, unit.key), most)

    def holds_back(self) -> bool:
        """Whether units are available, though none can go now."""
        return bool(self._lane_of) and self.first() is None

    def held_back(self) -> int:
        """Count available units that cannot go now, since their value is taken."""
        return sum(serial.waiting for serial in self._full)

    def full_lane(self, unit: Unit) -> tuple[Any, list[Unit]] | None:
        """Give the value that keeps a waiting unit, and who has taken it; None if none does."""
        lane = self._lane_of.get(unit.key)
        if lane is None or not lane.serial.full:
            return None
        serial = lane.serial
        return decode(serial.value, ANSWER_LIMITS, integer_keys=True), list(serial.holders)


def _never(lane: Lane, place: Place) -> bool:
    """Whether a unit waits, where none does any more."""
    del lane, place
    return False
