"""Code of units, as users write it."""

import asyncio
import sys
import threading
from functools import partial
from os import system  # noqa: F401 - a function that is only handed on

from coordinate_client import LeaseLost, RunTimeExceeded

HOOKS: dict = {}
"""What a test has a function do meanwhile, by name."""


def hook(name, *args):
    """Do what the test says, if it says anything."""
    return HOOKS.get(name, lambda *_: None)(*args)


def nothing(unit):
    """Do nothing."""


def double(unit):
    """Change the data."""
    unit.data["doubled"] = unit.data["n"] * 2


def given(unit, *args, **kwargs):
    """Return what was given."""
    return [list(args), kwargs]


def returned(unit):
    """Return what the data says."""
    return unit.data["value"]


def unsendable(unit):
    """Leave data that cannot be sent."""
    unit.data["socket"] = object()


def unsendable_and_fails(unit):
    """Leave data that cannot be sent, and fail."""
    unsendable(unit)
    raise ValueError("bad")


def fails(unit):
    """Fail."""
    raise ValueError("bad value")


def fails_in_bytes(unit):
    """Fail with a text that has no UTF-8."""
    raise ValueError("no such file: \udcff")


def exits(unit):
    """End the process, as it seems."""
    sys.exit(3)


def is_interrupted(unit):
    """Do as if somebody pressed Ctrl-C."""
    raise KeyboardInterrupt


def ends_itself(unit):
    """Say itself what became of it."""
    unit.fail("by itself")


def gives_itself_back(unit):
    """Say itself that others may have it, then fail."""
    unit.retry()
    raise ValueError("too late")


def steps(unit):
    """Say how far it is."""
    yield 0.5
    yield "half"
    yield None
    yield {"rows": 3}
    yield 7
    return "over"


def steps_until_told(unit):
    """Say how far it is, until it is told."""
    try:
        while True:
            hook("step", unit)
            yield 0.5
    finally:
        hook("cleaned")


async def later(unit, *args):
    """Wait, and change the data."""
    await asyncio.sleep(0)
    unit.data["kind"] = type(unit).__name__
    await unit.update()
    return list(args)


async def later_fails(unit):
    """Wait, and fail."""
    await asyncio.sleep(0)
    raise ValueError("later")


async def later_exits(unit):
    """Wait, and end the process, as it seems."""
    await asyncio.sleep(0)
    sys.exit(3)


async def later_steps(unit):
    """Say how far it is."""
    yield 0.25
    await asyncio.sleep(0)
    yield 0.75


async def later_waits(unit):
    """Wait until it is told."""
    try:
        hook("began", unit)
        await asyncio.Event().wait()
    finally:
        hook("cleaned")


async def later_swallows(unit):
    """Return when it is told."""
    try:
        hook("began", unit)
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        hook("cleaned")


def wrapped(unit):
    """Give a coroutine, without being a coroutine function."""
    return later_result()


async def later_result():
    """Give something."""
    await asyncio.sleep(0)
    return "later"


def waits(unit):
    """Wait until it is told."""
    try:
        hook("began", unit)
        threading.Event().wait(600)
    finally:
        hook("cleaned")


def spins(unit):
    """Do something until it is told."""
    hook("began", unit)
    while True:
        pass


def swallows(unit):
    """Return when it is told."""
    try:
        waits(unit)
    except BaseException:  # noqa: BLE001 - it is code that does so
        return


def swallows_errors(unit):
    """Go on after all errors."""
    while True:
        try:
            waits(unit)
        except Exception:  # noqa: BLE001 - it is code that does so
            continue


def swallows_twice(unit):
    """Go on when it is told, the first time."""
    try:
        waits(unit)
    except BaseException:  # noqa: BLE001 - it is code that does so
        hook("told")
        threading.Event().wait(600)


def notes_kind(unit):
    """Say what it was told with."""
    try:
        waits(unit)
    except (LeaseLost, RunTimeExceeded) as error:
        unit.data["told"] = type(error).__name__
        raise


def told_meanwhile(unit):
    """Let something happen, and return at once."""
    hook("meanwhile", unit)


def threads_name(unit):
    """Return the kind of unit, and whether this is the main thread."""
    main = threading.current_thread() is threading.main_thread()
    return [type(unit).__name__, main]


class Callable:
    """Something that can be called."""

    def __call__(self, unit):
        return "called"


an_object = Callable()
a_partial = partial(given, more=1)
a_foreign_partial = partial(print)
not_callable = 7
