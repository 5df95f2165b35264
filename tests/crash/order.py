"""Whether every reply of a server left after its changes were synced, as strace saw it."""

import re

from attrs import define, field

CALLS = ("pwrite64", "fdatasync", "fsync", "sendto", "sendmsg", "write", "writev")
OPTIONS = ["-yy", "-s", "0", "-e", f"trace={','.join(CALLS)}"]
"""What strace is told."""

_LINE = re.compile(r"^(\d+) +(\w+)\((\d+)<((?:[^<>]|->|<[^<>]*>)*)>.*?(?: = (-?\d+).*)?$")


@define
class Order:
    """What was seen.

    Attributes:
        replies: how many replies left.
        syncs: how often the log was synced.
        early: the lines of replies that left between a write to the log and its sync.
    """

    replies: int = 0
    syncs: int = 0
    early: list[str] = field(factory=list)


def order_of(text, data):
    """Give in which order a server replied and synced.

    Args:
        text: strace's output under `OPTIONS`, of all threads.
        data: the path of the data file.
    """
    order, unsynced = Order(), False
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        _, call, _, target, _ = match.groups()
        if target == f"{data}-wal":
            unsynced = call not in {"fdatasync", "fsync"}
            order.syncs += not unsynced
        elif target.startswith("TCP"):
            order.replies += 1
            if unsynced:
                order.early.append(line)
    return order
