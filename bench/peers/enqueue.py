"""Gives a peer its tasks: ``python -m peers.enqueue MODULE COUNT``, in a process of its own."""

import importlib
import sys

__all__: list[str] = []


def main() -> None:
    """Import the peer's module and have it enqueue so many tasks."""
    module, count = sys.argv[1:]
    importlib.import_module(f"peers.{module}").enqueue(int(count))


if __name__ == "__main__":
    main()
