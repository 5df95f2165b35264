"""A disk whose power is cut: what is synced stays, of the rest each sector is there or is not.

The names in a directory are as durable as the last sync of the directory; those of later changes to
them that are kept are the first ones, as in the journal of a file system.
"""

from attrs import define, field

SECTOR = 512


@define
class _File:
    """A file: what is durable of it, and what was written since, in order."""

    durable: bytearray = field(factory=bytearray)
    pending: list = field(factory=list)
    size: int = 0

    def write(self, at, content):
        """Write; each sector of it is kept or lost by itself."""
        end = at + len(content)
        begin = at
        while begin < end:
            cut = min(end, (begin // SECTOR + 1) * SECTOR)
            self.pending.append(("write", begin, bytes(content[begin - at : cut - at])))
            begin = cut
        self.size = max(self.size, end)

    def resize(self, size):
        """Cut it off, or have it end with zeros."""
        self.pending.append(("size", size, b""))
        self.size = size

    def sync(self):
        """Make all of it durable."""
        _apply(self.durable, self.pending)
        self.pending = []

    def after_cut(self, chance, share):
        """Give what is left of it when about such a share of what is pending is kept."""
        content = bytearray(self.durable)
        _apply(content, [one for one in self.pending if chance.random() < share])
        return bytes(content)


def _apply(content, changes):
    for kind, at, new in changes:
        if kind == "size":
            del content[at:]
            content.extend(bytes(at - len(content)))
        else:
            content.extend(bytes(max(0, at + len(new) - len(content))))
            content[at : at + len(new)] = new


@define
class Disk:
    """One directory with its files, as its events go on.

    Attributes:
        home: its path.
        appended: all that was appended to each file; these are read as if nothing were ever lost.
    """

    home: str
    appended: dict[str, bytes] = field(factory=dict)
    _names: dict[str, _File] = field(factory=dict)
    _durable: dict[str, _File] = field(factory=dict)
    _later: list = field(factory=list)

    def take(self, event):
        """Let one event happen."""
        getattr(self, f"_{event.kind}")(event)

    def after_cut(self, chance):
        """Give names and contents of the files after a cut at this moment.

        Args:
            chance: decides what was written in time.
        """
        names = dict(self._durable)
        for change in self._later[: chance.randint(0, len(self._later))]:
            _rename(names, change)
        share = chance.choice([0, 0.1, 0.5, 0.9, 1])
        return {name: file.after_cut(chance, share) for name, file in sorted(names.items())}

    def _create(self, event):
        if event.path not in self._names:
            self._change(("create", event.path, _File()))

    def _unlink(self, event):
        self._change(("unlink", event.path, None))

    def _rename(self, event):
        self._change(("rename", event.path, event.target))

    def _change(self, change):
        _rename(self._names, change)
        self._later.append(change)

    def _write(self, event):
        self._names[event.path].write(event.at, event.content)

    def _append(self, event):
        self.appended[event.path] = self.appended.get(event.path, b"") + event.content

    def _truncate(self, event):
        self._names[event.path].resize(event.at)

    def _allocate(self, event):
        file = self._names[event.path]
        if event.at > file.size:
            file.resize(event.at)

    def _sync(self, event):
        if event.path == self.home:
            self._durable, self._later = dict(self._names), []
        else:
            self._names[event.path].sync()


def _rename(names, change):
    kind, path, more = change
    if kind == "create":
        names[path] = more
    elif kind == "unlink":
        names.pop(path, None)
    elif path in names:
        names[more] = names.pop(path)
