"""What the model is told by the server's configuration."""

from collections.abc import Mapping

from attrs import field, frozen

from coordinate_protocol.limits import DEFAULT_LIMITS

__all__ = ["ModelSettings"]


@frozen
class ModelSettings:
    """Bounds and periods.

    Arguments:
        key_bytes: the longest unit key, and the longest path of a lock, encoded, in bytes.
        unit_data_bytes: the largest data of one unit, in bytes of CBOR.
        restart_grace: seconds that everything leased has at least, after a load.
        limit_completed_count: how many finished, and how many failed, units of a spec stay;
            None for all.
        limit_completed_age: seconds after its end until a unit is forgotten; None for never.
        session_replies: how many answers of a session may wait to be acknowledged.
        session_bytes: how large these may be together before the next call is refused.
        require_token: whether a unit in somebody's hands is changed only by who names its attempt.
        ended_kept: how many ended units stay in memory, where there is a store to read others from.
        limits: by name, how many units may be pending at once of all specs that use it.
    """

    key_bytes: int = DEFAULT_LIMITS.key_bytes
    unit_data_bytes: int = DEFAULT_LIMITS.unit_data_bytes
    restart_grace: float = 60.0
    limit_completed_count: int | None = None
    limit_completed_age: float | None = None
    session_replies: int = DEFAULT_LIMITS.requests_in_flight
    session_bytes: int = DEFAULT_LIMITS.message_bytes
    require_token: bool = False
    ended_kept: int = 65_536
    limits: Mapping[str, int] = field(factory=dict)
