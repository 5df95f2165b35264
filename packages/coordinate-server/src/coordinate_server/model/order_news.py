"""Which workers may be asked something else than before, for those of them that wait for it."""

__all__ = ["OrderNews"]

_MOST = 1000


class OrderNews:
    """Names of workers; beyond a thousand of them it is everybody."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: set[str] | None = set()

    def __bool__(self) -> bool:
        """Whether there is any news."""
        return self._names is None or bool(self._names)

    def note(self, worker_id: str) -> None:
        """Note that something else may be asked of a worker."""
        if self._names is not None:
            self._names.add(worker_id)
            if len(self._names) > _MOST:
                self._names = None

    def note_all(self) -> None:
        """Note that something else may be asked of everybody."""
        self._names = None

    def take(self) -> frozenset[str] | None:
        """Give the names, None for everybody; what follows is news."""
        names, self._names = self._names, set()
        return None if names is None else frozenset(names)
