"""What locks cost as more of them are held, and as more wait for one.

    python bench/locks.py [--few N] [--many N] [--rounds N] [--seconds S] [--waiters N] [--short]

With few and with many locks held in one tree, a free path in the midst of them is locked and
unlocked, in turns: in the model alone, and over the wire. Then one lock goes from one to the next
while many wait for it. Last, pages of the list of all locks.
"""

import argparse
import statistics

import lock_model
import lock_wire
from lock_shapes import MOST, SHAPES
from processes import allow_files
from servers import STORES
from tables import head, line, percentile

FEW_WAITERS = 10
SPARE_FILES = 200
KIB = 1024


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--few", type=int, default=100, help="locks held in the smaller case")
    parser.add_argument("--many", type=int, default=MOST, help="and in the larger, a power of ten")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds for one measurement")
    parser.add_argument("--waiters", type=int, default=1000, help="who wait for one lock")
    parser.add_argument("--pairs", type=int, default=300_000, help="pairs to find the slowest of")
    parser.add_argument("--page", type=int, default=1000, help="locks on a page of the list")
    parser.add_argument("--short", action="store_true", help="little, once")
    asked = parser.parse_args()
    if asked.short:
        asked.many, asked.pairs = min(asked.many, 10_000), min(asked.pairs, 20_000)
        asked.rounds, asked.seconds = 1, min(asked.seconds, 0.5)
    return asked


def print_model(asked: argparse.Namespace) -> None:
    """Print what lock and unlock cost in the model, and how long its lists take."""
    cases = [f"µs, {count:,} held" for count in (asked.few, asked.many)]
    head(["a path locked and unlocked among", *cases, "ratio", "ms of the slowest pair", "a page"])
    for shape in SHAPES:
        small, large = lock_model.Tree(shape, asked.few), lock_model.Tree(shape, asked.many)
        few, many = lock_model.in_turns(small, large, asked.rounds)
        slowest = large.slowest(asked.pairs)
        pages = lock_model.pages(large, shape, asked.many, asked.page, asked.rounds)
        took = ", ".join(f"{page.seconds * 1000:.1f} ({page.title})" for page in pages)
        cells = [shape.title, f"{few:.1f}", f"{many:.1f}", f"{many / few:.2f}"]
        line([*cells, f"{slowest * 1000:.1f}", took])


def print_wire(asked: argparse.Namespace) -> None:
    """Print what lock and unlock cost over the wire."""
    plan = lock_wire.Plan((1, 16), asked.rounds, asked.seconds)
    cases = [f"pairs/s, {count:,} held" for count in (asked.few, asked.many)]
    head(["among", "store", "connections", *cases, "ratio of cost", "KiB a lock"])
    for shape in SHAPES:
        for store in STORES:
            for pairs in lock_wire.pairs(store, shape, asked.few, asked.many, plan):
                cells = [shape.title, store, f"{pairs.connections}", f"{pairs.few:,.0f}"]
                cells += [f"{pairs.many:,.0f}", f"{pairs.few / pairs.many:.2f}"]
                line([*cells, f"{pairs.lock_bytes / KIB:.2f}"])


def print_waiting(asked: argparse.Namespace) -> None:
    """Print what a queue costs in the model."""
    cases = [f"µs, {count:,} wait" for count in (FEW_WAITERS, asked.waiters)]
    head(["in a queue for one lock", *cases, "ratio"])
    whose = {"": False, ", all with another lock": True}
    for title, own in whose.items():
        times = lock_model.hand_over(FEW_WAITERS, asked.waiters, asked.rounds, own=own)
        for what, (few, many) in zip(("from one to the next", "to join"), times, strict=True):
            line([what + title, f"{few:.1f}", f"{many:.1f}", f"{many / few:.2f}"])


def print_hand_overs(asked: argparse.Namespace) -> None:
    """Print how soon the next has a lock, over the wire."""
    head(["store", "wait", "answered by an unlock", "at most", "ms p50", "p99", "KiB a waiter"])
    for store in STORES:
        for waiters in (1, asked.waiters):
            found = lock_wire.hand_overs(store, waiters, asked.waiters)
            cells = [store, f"{waiters:,}", f"{statistics.mean(found.answered):.2f}"]
            cells += [f"{max(found.answered)}"]
            cells += [f"{percentile(found.latencies, p) * 1000:.2f}" for p in (50, 99)]
            line([*cells, f"{found.waiter_bytes / KIB:.1f}" if waiters > 1 else ""])


def print_lists(asked: argparse.Namespace) -> None:
    """Print how long a page of the list takes, and others wait for it."""
    head([f"{asked.page:,} of {asked.many:,} locks", "page", "ms", "ms of another call", "kB"])
    for shape in SHAPES:
        for stop in lock_wire.stops("memory", shape, asked.many, asked.page, asked.rounds):
            cells = [shape.title, stop.title, f"{stop.answered * 1000:.1f}"]
            line([*cells, f"{stop.other * 1000:.1f}", f"{stop.size / 1000:.0f}"])


def main() -> None:
    """Print all tables."""
    asked = arguments()
    allow_files(asked.waiters + SPARE_FILES)
    print(f"Medians of {asked.rounds} rounds; the model alone\n")
    print_model(asked)
    print(f"\nOver the wire, lock-step on each connection, {asked.seconds:g} s each\n")
    print_wire(asked)
    print("\nMany who wait for one lock, in the model alone\n")
    print_waiting(asked)
    print("\nThe same over the wire, each on a connection of its own\n")
    print_hand_overs(asked)
    print("\nPages of the list of locks, over the wire\n")
    print_lists(asked)


if __name__ == "__main__":
    main()
