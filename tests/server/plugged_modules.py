"""Plug-ins that tests put into the server's configuration."""

import threading
from pathlib import Path

RELEASE = threading.Event()


class Plain:
    """As 0.1.5's plug-ins were: made without arguments, public methods are operations."""

    constant = "not a method"

    def shout(self, word):
        text = word.decode() if isinstance(word, bytes) else word
        return text.upper()

    def fail(self):
        raise KeyError("what")

    def fail_on_file(self):
        with open("/no/such/file"):  # noqa: PTH123 - what an old plug-in would do
            pass

    def pair(self):
        return (1, None)

    def unsendable(self):
        return object()

    @property
    def visible(self):
        return "not a method"

    def _hidden(self):
        return "never"


class Patient:
    """Blocks until another call lets it go; only a stopped loop would keep that one out."""

    def __init__(self):
        self._released = threading.Event()

    def wait_for_release(self):
        return self._released.wait(20)

    def read_file(self, path):
        return Path(path).read_text()

    def release(self):
        self._released.set()
        return True


class Modern:
    """Asks for everything, declares its operations."""

    operations = ("remember", "recall", "recall_all", "forget", "now", "setting", "slow_echo")

    def __init__(self, *, clock, area, config):
        self.clock = clock
        self.area = area
        self.config = config

    def remember(self, key, value):
        self.area.put(key, value)
        return self.area.get(key)

    async def recall(self, key):
        return self.area.get(key)

    def recall_all(self):
        return self.area.scan()

    def forget(self, key):
        self.area.delete(key)

    async def now(self):
        return self.clock.instant().wall

    def setting(self, *path):
        value = self.config
        for key in path:
            value = value[key]
        return value

    async def slow_echo(self, value):
        return value

    def undeclared(self):
        return "never"


class Colliding:
    """Offers an operation that JobQueue has."""

    def get_work(self):
        return None


class Undeclarable:
    """Declares what it must not."""

    operations = ("_secret",)

    def _secret(self):
        return None


class Broken:
    """Cannot be made."""

    def __init__(self):
        raise RuntimeError("no")
