"""What the server in memory refuses.

Refusal
├── NoSuchSpec
├── NoSuchUnit
├── NotOwner
├── NotAdded
└── Unknown
"""

from coordinate_protocol.constants import NO_SUCH_METHOD
from coordinate_protocol.values import key_value

__all__ = ["NoSuchSpec", "NoSuchUnit", "NotAdded", "NotOwner", "Refusal", "Unknown"]


class Refusal(Exception):
    """A call that asks for what cannot be; it has changed nothing.

    Attributes:
        code: what the wire calls it.
    """

    code = "refused"


class NoSuchSpec(Refusal):
    """There is no spec of that name."""

    code = "no_such_work_spec"

    def __init__(self, name: str) -> None:
        """Say so.

        Args:
            name: what was asked for.
        """
        super().__init__(f"no such work_spec {name!r}")


class NoSuchUnit(Refusal):
    """There is no unit of that key."""

    code = "no_such_work_unit"

    def __init__(self, key: bytes) -> None:
        """Say so.

        Args:
            key: what was asked for.
        """
        super().__init__(f"no such work unit key={key_value(key)!r}")


class NotOwner(Refusal):
    """The caller says who it is, and the unit is not its own any more."""

    code = "lost_lease"

    def __init__(self, key: bytes, owner: str | None) -> None:
        """Say so.

        Args:
            key: the unit's.
            owner: who has it; None for nobody.
        """
        whose = "nobody's" if owner is None else f"that of {owner!r}"
        super().__init__(f"work unit {key!r} is not leased to the caller any more, it is {whose}")


class NotAdded(Refusal):
    """Units that cannot be added: something needed is nowhere, or would need itself."""


class Unknown(Refusal):
    """What a real server does and the one in memory does not; clients raise `Unsupported`."""

    def __init__(self, what: str) -> None:
        """Say so.

        Args:
            what: is not there.
        """
        super().__init__(
            f"{NO_SUCH_METHOD}: the server in memory has no {what}, test it with a real one"
        )
