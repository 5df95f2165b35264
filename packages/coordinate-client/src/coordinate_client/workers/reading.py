"""Taking values out of a block of settings."""

from collections.abc import Mapping
from typing import Any

from coordinate_client.exceptions import ProgrammerError

__all__ = ["SettingsReader"]


class SettingsReader:
    """Takes values out of a block, and says which one cannot be used.

    Each method raises ProgrammerError for a value that is not of its kind, and gives the default,
    or what stands for nothing, where there is none.
    """

    def __init__(self, block: Mapping[str, Any], prefix: str = "") -> None:
        """Begin.

        Args:
            block: the settings.
            prefix: what goes before their names in errors, such as "fork_worker.".
        """
        self._block = block
        self._prefix = prefix

    def _get(self, name: str) -> Any:
        return self._block.get(name)

    def _refuse(self, name: str, wanted: str) -> ProgrammerError:
        value = self._get(name)
        return ProgrammerError(f"{self._prefix}{name} {value!r} is not usable: it must be {wanted}")

    def block(self, name: str) -> Mapping[str, Any]:
        """A map of further settings."""
        value = self._get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._refuse(name, "a map of settings")
        return value

    def number(self, name: str, default: float | None, above: float | None = None) -> Any:
        """A number: 0 or more, or above 0 where `above` is 0."""
        value = self._get(name)
        if value is None:
            return default
        least = 0.0 if above is None else above
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= least
        if not good or value == above:
            raise self._refuse(name, f"a number, {'0 or more' if above is None else 'above 0'}")
        return float(value)

    def count(self, name: str, default: int | None) -> Any:
        """A whole number, 1 or more."""
        value = self._get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self._refuse(name, "a whole number, 1 or more")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._get(name)
        if value is not None and not isinstance(value, bool):
            raise self._refuse(name, "true or false")
        return bool(value)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """A list of texts."""
        value = self._get(name)
        if value is None:
            return None
        if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
            raise self._refuse(name, "a list of texts")
        return tuple(value)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of the choices, the first by default."""
        value = self._get(name)
        if value is None:
            return choices[0]
        if value not in choices:
            raise self._refuse(name, " or ".join(choices))
        return str(value)
