"""What the server says besides its answers: the client logs it, and a refusal is told by it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["said"]

LOGGER = logging.getLogger("coordinate_client")


class _Listener(logging.Handler):
    """Keeps the messages for people that come with answers."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take what the server said, and nothing that the client itself notes."""
        message = getattr(record, "server_message", None)
        if message is not None:
            self.messages.append(str(message))


@contextmanager
def said() -> Iterator[list[str]]:
    """Listen while calls are made.

    Yields:
        A list that gets the server's messages, the latest at its end.
    """
    listener = _Listener()
    level = LOGGER.level
    LOGGER.addHandler(listener)
    LOGGER.setLevel(logging.DEBUG)
    try:
        yield listener.messages
    finally:
        LOGGER.setLevel(level)
        LOGGER.removeHandler(listener)
