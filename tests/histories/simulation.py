"""Clients and a server in simulated time: histories by the thousand, whose truth is known.

It is written for plainness, and shares nothing with the checker but the form of a call.
"""

import heapq
import itertools

from tests.histories.events import Call

GRACE = 1.0
"""What everything held has left at least after a restart, seconds."""

PAUSE = 0.5
"""Seconds that a restart takes."""


class Simulation:
    """Clients that call at random, and a server that is away now and then.

    Arguments:
        chance: the random.Random.
        bug: what the server does wrong; None for nothing.
        clients: how many there are at a time.
        calls: how many calls there are.
        crashes: how likely it is that a client dies in a call.
        restarts: how often the server is killed.
    """

    def __init__(self, chance, bug=None, *, clients=4, calls=60, crashes=0.02, restarts=1):
        self.chance, self.crashes, self.left = chance, crashes, calls
        self.server = self.make_server(bug)
        self.calls, self.names = [], itertools.count(1)
        self._events, self._ties, self._dead = [], itertools.count(), set()
        for _ in range(clients):
            self._later(0, self._begin, self._new_name(), [])
        for _ in range(restarts):
            self._later(chance.uniform(0.2, 3), self._restart)

    # ---- what depends on what is simulated ----

    def make_server(self, bug):
        """Give an object with do(at, call, settle), due(), advance(at), restart(killed, ready)."""
        raise NotImplementedError

    def wanted(self, name, held):
        """Give kind and arguments of the next call of a client who believes to have something."""
        raise NotImplementedError

    def learnt(self, call, held):
        """Give what a client believes to have after an answer."""
        raise NotImplementedError

    # ---- time ----

    def run(self):
        """Give the calls, in the order in which they went out."""
        while self._events or self.server.due() < self._last_moment():
            due = self.server.due()
            if self._events and self._events[0][0] < due:
                at, _, action, arguments = heapq.heappop(self._events)
                action(at, *arguments)
            else:
                self.server.advance(due)
        return sorted(self.calls, key=lambda call: call.invoked)

    def _last_moment(self):
        """Until when somebody may still wait for an answer."""
        return max(call.invoked for call in self.calls) + 5

    def _later(self, at, action, *arguments):
        heapq.heappush(self._events, (at, next(self._ties), action, arguments))

    def _delay(self):
        return self.chance.choice([0.001, 0.001, 0.01, 0.05])

    # ---- one call ----

    def _begin(self, at, name, held):
        if self.left <= 0:
            return
        self.left -= 1
        kind, args = self.wanted(name, held)
        call = Call(name, len(self.calls), kind, args, at)
        self.calls.append(call)
        if self.chance.random() < self.crashes:
            self._dead.add(call)
            self._later(at + 0.5, self._begin, self._new_name(), [])
            if self.chance.random() < 0.5:
                return
        self._later(at + self._delay(), self._arrive, call, held)

    def _arrive(self, at, call, held):
        self.server.do(at, call, lambda at, result: self._answer(at, call, held, result))

    def _answer(self, at, call, held, result):
        if call not in self._dead:
            self._later(at + self._delay(), self._complete, call, held, result)

    def _complete(self, at, call, held, result):
        call.completed, call.result = at, result
        then = at + self.chance.choice([0, 0.01, 0.1])
        self._later(then, self._begin, call.process, self.learnt(call, held))

    def _new_name(self):
        return f"c{next(self.names)}"

    # ---- faults ----

    def _restart(self, at):
        """Kill the server, which is back after a pause; who waited asks again then."""
        asking = self.server.restart(at, at + PAUSE)
        told = {"spawned": at + PAUSE / 2, "grace": GRACE}
        self.calls.append(Call("server", len(self.calls), "restart", {}, at, at + PAUSE, told))
        self._events = [(max(when, at + PAUSE), *rest) for when, *rest in self._events]
        heapq.heapify(self._events)
        for call, settle in asking:
            if call not in self._dead:
                self._later(at + PAUSE, self.server.do, call, settle)
