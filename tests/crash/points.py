"""Which calls into the system are hit, and what is said of one at which something went wrong."""

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from coordinate_server.model.errors import ModelError
from coordinate_server.store import StoreError
from tests.crash.tracing import Injection
from tests.crash.verdict import Wrong


def chosen(seed, calls: Counter, number: int, what: str) -> list[Injection]:
    """Choose calls to hit; all of them where there are no more, each kind about equally often.

    Args:
        seed: for the choice.
        calls: how many there are of each kind.
        number: how many are wanted.
        what: what is to happen at them.
    """
    chance = random.Random(seed)
    left = {
        kind: chance.sample(range(1, many + 1), many)
        for kind, many in sorted(calls.items())
        if many
    }
    found: list[Injection] = []
    while left and len(found) < number:
        for kind in list(left):
            found.append(Injection(kind, left[kind].pop(), what))
            if not left[kind]:
                del left[kind]
    return found[:number]


@contextmanager
def told(home, point: object) -> Iterator[None]:
    """Name the point at which a check fails; its files stay, those of others are removed."""
    try:
        yield
    except (Wrong, StoreError, ModelError, AssertionError) as error:
        pytest.fail(f"{point}: {type(error).__name__}: {error}\nits files: {home}")
    shutil.rmtree(home)
