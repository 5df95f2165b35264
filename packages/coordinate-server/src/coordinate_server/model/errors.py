"""Refusals of the model; each has changed nothing.

ModelError
├── NoSuchSpec
├── NoSuchUnit
├── NotOwner
├── Refused
│   └── NotAdded
└── DamagedRow
"""

__all__ = [
    "DamagedRow",
    "ModelError",
    "NoSuchSpec",
    "NoSuchUnit",
    "NotAdded",
    "NotOwner",
    "Refused",
]


class ModelError(Exception):
    """Anything that the model refuses; its text is for people."""


class NoSuchSpec(ModelError):
    """There is no spec of that name.

    Arguments:
        name: the name asked for.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"no such work spec {name!r}")
        self.name = name


class NoSuchUnit(ModelError):
    """There is no unit of that key in the spec.

    Arguments:
        key: the key asked for.
    """

    def __init__(self, key: bytes) -> None:
        super().__init__(f"no such work unit {key!r}")
        self.key = key


class NotOwner(ModelError):
    """The caller says who it is, and the unit is not its own any more.

    Arguments:
        key: the unit's key.
        worker_id: who called, or None for a caller that only named an attempt.
        attempt: the attempt that it named, or None.
        owner: who has the unit now; None for nobody.
    """

    def __init__(
        self, key: bytes, worker_id: str | None, attempt: int | None, owner: str | None
    ) -> None:
        whose = "nobody's" if owner is None else f"that of {owner!r}"
        named = [] if worker_id is None else [repr(worker_id)]
        named += [] if attempt is None else [f"attempt {attempt}"]
        super().__init__(
            f"work unit {key!r} is not leased to {', '.join(named)} any more, it is {whose}"
        )
        self.key, self.worker_id, self.attempt, self.owner = key, worker_id, attempt, owner


class Refused(ModelError):
    """A call that asks for something that cannot be; the message says what would be right."""


class NotAdded(Refused):
    """Units or edges that cannot be: something needed is nowhere, or would need itself."""


class DamagedRow(ModelError):
    """A row of the store does not hold what the model wrote.

    Arguments:
        table: the name of its table.
        key: its key.
    """

    def __init__(self, table: str, key: bytes) -> None:
        super().__init__(f"row {key!r} of table {table!r} does not hold what was written to it")
        self.table, self.key = table, key
