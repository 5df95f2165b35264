"""Coordinate's server, ``coordinated``; see ``docs/server.md`` for running it."""

from coordinate_server._version import __version__

__all__ = ["__version__"]
