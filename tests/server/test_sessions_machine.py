"""A client that loses answers and connections, of a server that dies: each call is done once."""

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coordinate_protocol.messages import Failure, Response
from tests.server.house import House, result_of


class SessionMachine(RuleBasedStateMachine):
    """Each call adds one to a unit's priority, which shows whether it was done twice, or never.

    The client has some calls on their way at a time, as one with several threads has.
    """

    def __init__(self):
        super().__init__()
        self.house = House()
        self.client = self.house.client(session=True)
        self.session = self.client.greeting["session"]
        self.client.call("set_work_spec", {"name": "s", "min_gb": 1})
        self.client.call("add_work_units", "s", [("a", {}, {"priority": 0})])
        self.seq = 0
        self.unanswered: list[int] = []
        # Calls that the server was sent, durably or not: an unanswered one may have been done.
        self.sent: set[int] = set()
        self.done = self.widest = 0

    @rule()
    def begin(self):
        """The client makes up its mind to call."""
        if len(self.unanswered) < 5:
            self.seq += 1
            self.unanswered.append(self.seq)
            self.widest = max(self.widest, self.seq - self.unanswered[0] + 1)

    @precondition(lambda self: self.unanswered)
    @rule(pick=st.integers(0, 4), arrives=st.booleans(), committed=st.booleans())
    def send(self, pick, arrives, committed):
        """It sends a call, for the first time or again; the answer arrives or is lost."""
        seq = self.unanswered[pick % len(self.unanswered)]
        options = {"work_unit_keys": ["a"], "adjustment": 1}
        answer = self.client.answer(
            "prioritize_work_units", "s", options, seq=seq, low=self.unanswered[0]
        )
        assert isinstance(answer, Response), answer
        assert result_of(answer) == (True, None)
        self.sent.add(seq)
        # An answer leaves when what it tells of is durable, so one that arrives was committed.
        if arrives or committed:
            self.house.committer.request_flush()
            self.house.loop.settle()
        if arrives:
            self.unanswered.remove(seq)
            self.done += 1

    @rule()
    def reconnect(self):
        """The connection breaks; the next one goes on with the session."""
        self.client.peer.closed()
        self.client = self.house.client(session=self.session)
        assert self.client.greeting["session"] == self.session

    @rule(committed=st.booleans())
    def crash(self, committed):
        """The server dies, with or without what it did last, and another goes on from its file."""
        if committed:
            self.house.committer.request_flush()
            self.house.loop.settle()
        house = House(self.house.clock, self.house.store, self.house.settings)
        self.house, self.client = house, house.client(session=self.session)
        assert self.client.greeting["session"] == self.session

    @rule(seconds=st.floats(0, 10))
    def wait(self, seconds):
        """Time goes by, less than answers are kept for."""
        self.house.move(seconds)
        self.client = self.house.client(session=self.session)

    @invariant()
    def each_is_done_once(self):
        """What was answered was done, what was not may have been, and nothing twice."""
        (key,) = self.house.model.namespace("default").list_units(
            self.house.clock.instant(), "s", None, 1
        )
        (unit,) = self.house.model.namespace("default").unit_status(
            self.house.clock.instant(), "s", [key[0]]
        )
        most = self.done + len(self.sent & set(self.unanswered))
        assert unit is not None
        assert self.done <= unit.priority <= most

    @invariant()
    def rows_are_few(self):
        """As many answers are kept as there were calls from the lowest unanswered one on."""
        rows = [key for table, key, _ in self.house.store.load() if table == 7]
        assert len(rows) <= 1 + self.widest


TestSessionMachine = SessionMachine.TestCase
TestSessionMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("run", range(20))
def test_hand_outs_are_never_doubled(seed, run):
    """Workers whose answers get lost ask again: each unit is handed out once, none is lost."""
    chance = random.Random(f"{seed} {run}")
    house = House()
    house.client().call("set_work_spec", {"name": "s", "min_gb": 1})
    house.client().call("add_work_units", "s", [(f"{number:03}", {}) for number in range(100)])
    sessions = [house.client(session=True).greeting["session"] for _ in range(5)]
    seqs, got = [1] * 5, list[str]()
    while len(got) < 100:
        worker = chance.randrange(5)
        if chance.random() < 0.03:
            house = house.restarted()
        client = house.client(session=sessions[worker])
        answer = client.answer(
            "get_work", f"w{worker}", {"attempts": True}, seq=seqs[worker], low=seqs[worker]
        )
        assert not isinstance(answer, Failure), answer
        if chance.random() < 0.3:
            # Gone before the answer was written, or, half of the times, just after.
            if hasattr(answer, "undelivered") and chance.random() < 0.5:
                answer.undelivered()
            continue
        house.committer.request_flush()
        house.loop.settle()
        seqs[worker] += 1
        # None: the last ones are those of workers who have not asked for their answers again yet.
        if result_of(answer)[0][1] is not None:
            got.append(result_of(answer)[0][1])
    assert sorted(got) == [f"{number:03}" for number in range(100)]
