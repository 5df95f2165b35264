"""Each contract test runs against both parties."""

import pytest

from tests.testing.parties import Fake, Real


@pytest.fixture(params=[Fake, Real], ids=["memory", "server"])
def party(request):
    """One of the two, without anything in it."""
    return request.param()


@pytest.fixture
def master(party):
    """A client of it."""
    return party.client()
