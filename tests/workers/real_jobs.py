"""Units' code for real workers: it meets the test at named pipes, so that nobody has to guess."""

import asyncio
import os
import time
from pathlib import Path


def notes(unit, directory):
    """Leave a line."""
    _note(directory, f"{unit.key} {os.getpid()}")


def meets(unit, directory):
    """Say that it began, and go on when it is told."""
    try:
        _began(unit, directory)
        Path(directory, "go").read_text()
    finally:
        _note(directory, f"{unit.key} {os.getpid()}")


async def waits(unit, directory):
    """Note that it began, and go on when it is told, with others in the same loop."""
    _note(directory, f"{unit.key} {os.getpid()}")
    all_began = asyncio.Event()
    asyncio.get_running_loop().add_reader(_opened(directory, "go"), all_began.set)
    await all_began.wait()


def spins(unit, directory):
    """Say that it began, and go on in small steps until it is told."""
    try:
        _began(unit, directory)
        while True:
            time.sleep(0.01)
    finally:
        _note(directory, f"{unit.key} {os.getpid()}")


def grows(unit, directory):
    """Take 300 MiB, and wait with them."""
    taken = bytearray(300 * 2**20)
    taken[::4096] = b"x" * len(taken[::4096])
    Path(directory, "go").read_text()


def swallows(unit, directory):
    """Go on whatever it is told."""
    _began(unit, directory)
    while True:
        try:
            time.sleep(60)
        except BaseException:  # noqa: BLE001 - it is code that does so
            continue


def _began(unit, directory):
    Path(directory, "began").write_text(f"{unit.key} {os.getpid()}")


def _opened(directory, name):
    return os.open(f"{directory}/{name}", os.O_RDONLY | os.O_NONBLOCK)


def _note(directory, line):
    notes = os.open(f"{directory}/notes", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(notes, f"{line}\n".encode())
    os.close(notes)
