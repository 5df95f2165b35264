"""The same calls for locks to the server in memory and to the real one, at random."""

from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coordinate_client import LockClient
from coordinate_client.exceptions import CoordinateException
from tests.testing.parties import Fake, Real

LOCKERS = ("ann", "bob")
PATHS = (("a",), ("a", "b"), ("a", "b", 1), ("a", "c"), ("d",))
lockers = st.sampled_from(LOCKERS)
paths = st.lists(st.sampled_from(PATHS), min_size=1, max_size=3)
modes = st.sampled_from(["exclusive", "shared"])
ttls = st.sampled_from([5, 20, 100])


class LocksAlike(RuleBasedStateMachine):
    """Both grant the same."""

    def __init__(self):
        super().__init__()
        self.parties = (Fake(), Real())
        self.clients = {
            name: [party.client(partial(LockClient, locker=name)) for party in self.parties]
            for name in LOCKERS
        }
        # Both halves of each grant.
        self.grants: list = []

    def both(self, name, call):
        """Make a call to both, and give what they say."""
        said = [answer(call, client) for client in self.clients[name]]
        assert said[0] == said[1]
        return said[0]

    def granted(self, name, call):
        """Make a call to both that may grant something."""
        said = [answer(call, client) for client in self.clients[name]]
        shown = [getattr(one, "paths", one) for one in said]
        assert shown[0] == shown[1]
        if hasattr(said[0], "paths"):
            self.grants.append(said)

    @rule(name=lockers, paths=paths, ttl=ttls, mode=modes, reentrant=st.booleans())
    def lock(self, name, paths, ttl, mode, reentrant):
        self.granted(name, lambda client: client.lock(paths, ttl, mode, reentrant=reentrant))

    @rule(name=lockers, paths=paths, ttl=ttls, mode=modes, reentrant=st.booleans())
    def lock_some(self, name, paths, ttl, mode, reentrant):
        self.granted(name, lambda client: client.locksome(paths, ttl, mode, reentrant))

    @rule(name=lockers, paths=paths, wait=st.sampled_from([3, 50]))
    def wait(self, name, paths, wait):
        self.granted(name, lambda client: client.lock(paths, 100, wait=wait))

    @rule(name=lockers, paths=paths, ttl=ttls)
    def renew(self, name, paths, ttl):
        self.both(name, lambda client: client.renew(paths, ttl))

    @rule(name=lockers, paths=paths)
    def unlock(self, name, paths):
        self.both(name, lambda client: client.unlock(paths))

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), name=lockers, gives_back=st.booleans())
    def keep_or_give_back(self, data, name, gives_back):
        grants = data.draw(st.sampled_from(self.grants))
        said = []
        for client, grant in zip(self.clients[name], grants, strict=True):
            call = client.unlock if gives_back else partial(client.renew, ttl=30)
            said.append(call(list(grant.paths), token=grant.token))
        assert said[0] == said[1]

    @rule(paths=paths)
    def force(self, paths):
        self.both("bob", lambda client: client.force_unlock(paths))

    @rule(part=st.sampled_from(["a", "d", "z"]))
    def clear(self, part):
        self.both("bob", lambda client: client.delete_namespace(part))

    @rule(seconds=st.sampled_from([1, 5, 30]))
    def advance(self, seconds):
        for party in self.parties:
            party.advance(seconds)

    @rule(under=st.sampled_from([(), *PATHS]), limit=st.sampled_from([None, 1, 2]))
    def look(self, under, limit):
        self.both("ann", lambda client: listed(client, under, limit))

    @invariant()
    def all_is_alike(self):
        self.both("ann", listed)
        self.both("ann", lambda client: client.readlock(list(PATHS)))


def answer(call, client):
    """Give what a call gives, or the kind of error."""
    try:
        return call(client)
    except CoordinateException as error:
        return type(error)


def listed(client, under=(), limit=None):
    """Give the locks, with the order of their tokens in place of these."""
    found = list(client.list_locks(under, limit))
    tokens = sorted({one["token"] for one in found})
    return [one | {"token": tokens.index(one["token"])} for one in found]


TestLocksAlike = LocksAlike.TestCase
TestLocksAlike.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
