"""The commands on locks that others have: ``locks`` and ``unlock``."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from coordinate_client.cli.lock_lines import (
    TITLES,
    holder_text,
    lock_lines,
    lock_rows,
    mode_text,
    substance,
)
from coordinate_client.cli.lock_paths import LockPath
from coordinate_client.cli.options import json_option, pass_session, watch_option
from coordinate_client.cli.output import done, table
from coordinate_client.cli.session import Session
from coordinate_client.cli.watching import LOOK_AGAIN, Sight, follow
from coordinate_client.paths import Path
from coordinate_client.written_paths import path_text

__all__ = ["COMMANDS", "locks", "unlock"]

Told = dict[str, Any]


@click.command("locks")
@click.argument("path", required=False, default="/", type=LockPath(may_be_everything=True))
@click.option("--waiting", "wants_waiting", is_flag=True, help="Show who waits for each, too.")
@watch_option
@json_option
@pass_session
def locks(
    session: Session, path: Path, *, wants_waiting: bool, wants_watch: bool, wants_json: bool
) -> None:
    """List the locks at PATH and below it; all locks without PATH.

    For each: its path, mode, locker (or work unit, and its worker), token, for how long it has been
    locked, when it expires unless it is renewed, and how many wait for it.

    A path is written as /index/shard/3: parts by slash. A part that is a whole number is a number,
    and text if it is in quotes: /index/shard/"3". A JSON array will do as well: '["index", 3]'.
    """

    def look() -> Sight:
        return _sight(session, path, wants_waiting=wants_waiting)

    if wants_watch:
        follow(session, session.locks(), look, wants_json=wants_json)
    else:
        look().show(session, wants_json=wants_json)


def _sight(session: Session, path: Path, *, wants_waiting: bool) -> Sight:
    found = list(session.locks().list_locks(path))
    now = session.clock()
    return Sight(
        found,
        substance(found),
        [{"path": path}],
        lambda: lock_lines(found, now, wants_waiting=wants_waiting),
        (lambda: table(TITLES, lock_rows(found, now, wants_waiting=wants_waiting)))
        if found
        else None,
        # Nobody tells who begins to wait, or that a lock was renewed.
        stale_after=LOOK_AGAIN,
    )


@click.command("unlock")
@click.argument("path", nargs=-1, required=True, type=LockPath())
@click.option("--force", is_flag=True, help="Needed: they are somebody else's.")
@click.option("-y", "--yes", "assume_yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def unlock(
    session: Session, path: tuple[Path, ...], *, force: bool, assume_yes: bool, wants_json: bool
) -> None:
    """Take locks away from whoever has them.

    Those of exactly these PATHs, and not what is below them. It shows them and asks first. What is
    taken away is what was shown: not what somebody else may have locked meanwhile. The holders are
    told at once. The locks of work units stay; they end with their attempts.

    A path is written as for 'coordinate locks'.
    """
    if not force:
        raise click.UsageError(
            "a lock is given back by the one who has it; say --force to take it away"
        )
    found = {one: _locks_of(session, one) for one in dict.fromkeys(path)}
    free = [lock for locks in found.values() for lock in locks if lock.get("work_unit_key") is None]
    if free and not assume_yes and not _agreed(free):
        done("not unlocking anything", {"unlocked": []}, wants_json=wants_json)
        return
    taken = [lock for lock in free if _taken(session, lock)]
    lines = "\n".join(f"unlocked {_described(lock)}" for lock in taken)
    if taken or wants_json:
        done(lines, {"unlocked": [_named(lock) for lock in taken]}, wants_json=wants_json)
    if faults := "; ".join(_faults(found, free, taken)):
        raise click.ClickException(faults)


def _locks_of(session: Session, path: Path) -> list[Told]:
    """The locks of one path, without those below it, which come later."""
    found: list[Told] = []
    for lock in session.locks().list_locks(path):
        if len(lock["path"]) > len(path):
            break
        found.append(lock)
    return found


def _agreed(found: Sequence[Told]) -> bool:
    for lock in found:
        click.echo(_described(lock), err=True)
    return click.confirm(
        f"Take {'this lock' if len(found) == 1 else 'these locks'} away?", err=True
    )


def _taken(session: Session, lock: Told) -> bool:
    """Take a lock away; False where it is gone already."""
    return bool(session.locks().force_unlock(lock["path"], lock["token"]))


def _described(lock: Told) -> str:
    whose = f"{mode_text(lock)}, token {lock['token']}"
    return f"{path_text(lock['path'])} of {holder_text(lock)} ({whose})"


def _named(lock: Told) -> Told:
    return {name: lock[name] for name in ("path", "mode", "locker_id", "token")}


def _faults(found: dict[Path, list[Told]], free: list[Told], taken: list[Told]) -> Iterator[str]:
    """What was not done, and why."""
    for path, there in found.items():
        if not there:
            yield f"{path_text(path)} is not locked"
        for lock in there:
            if lock not in free:
                yield f"{_described(lock)} ends with the attempt, and in no other way"
            elif lock not in taken:
                yield f"{_described(lock)} was gone already"


COMMANDS = (locks, unlock)
