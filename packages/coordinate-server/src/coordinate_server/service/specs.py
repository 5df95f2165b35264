"""The operations on work specs."""

from collections.abc import Mapping
from typing import Any

from coordinate_protocol.codec import encode
from coordinate_protocol.errors import BadName, shown
from coordinate_protocol.values import Encoded, as_text, text_keys
from coordinate_server.model.errors import NoSuchSpec, Refused
from coordinate_server.service.arguments import Options, text
from coordinate_server.service.call import Call

__all__ = ["SpecCalls", "read_definition"]

# A 0.1.5 worker imports what these name, and its __import__ wants its native string type.
_TEXTS = ("name", "then", "module", "run_function", "runtime")
_CONTROL = frozenset({"status", "continuous", "interval", "max_running", "weight"})
_LIST = frozenset({"limit", "start"})
_DELETE = frozenset({"cascade"})
_ARCHIVE = frozenset({"work_spec_names"})
_MAXIMUM = 2**63 - 1


class SpecCalls:
    """Work specs: what is to be done, and how it is scheduled."""

    def set_work_spec(self, call: Call, work_spec: object) -> tuple[bool, None]:
        """Create or replace a spec; gives (true, null)."""
        if not isinstance(work_spec, Mapping):
            raise ValueError(f"work_spec should be a map, not {shown(work_spec)}")
        call.namespace.set_spec(call.at, read_definition(work_spec))
        return True, None

    def get_work_spec(self, call: Call, work_spec_name: object) -> dict[str, Any] | None:
        """Give the spec's map as it was set, or null."""
        spec = call.namespace.spec(text(work_spec_name, "work_spec_name"))
        return None if spec is None else _shown(spec.definition)

    def get_work_spec_meta(
        self, call: Call, work_spec_name: object
    ) -> tuple[dict[str, Any] | None, str | None]:
        """Give (the control fields, null), or (null, why not)."""
        name = text(work_spec_name, "work_spec_name")
        try:
            return dict(call.namespace.spec_meta(name)), None
        except NoSuchSpec:
            return None, f"no such work spec {name}"

    def control_work_spec(
        self, call: Call, work_spec_name: object, options: object
    ) -> tuple[bool, str | None]:
        """Change control fields; gives (true, null) or (false, why not)."""
        name = text(work_spec_name, "work_spec_name")
        read = Options.read(options, call, _CONTROL)
        # Here None is a value: "no limit" for max_running, "at once" for interval.
        given = _nulls(options) | {key: read.given[key] for key in read.given if key in _CONTROL}
        try:
            call.namespace.control_spec(call.at, name, given)
        except NoSuchSpec:
            return False, f"no such work spec {name}"
        except Refused as error:
            spec = call.namespace.spec(name)
            if given.get("continuous") and spec and not spec.definition.get("continuous"):
                return False, f"cannot make non-continuous work spec {name} continuous"
            return False, str(error)
        return True, None

    def list_work_specs(
        self, call: Call, options: object = None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Give (the maps of the specs by name, where the next page starts or null)."""
        read = Options.read(options, call, _LIST)
        limit = read.integer("limit", _MAXIMUM, 1, _MAXIMUM)
        start = read.name("start")
        specs, after = call.namespace.list_specs(start, None if limit == _MAXIMUM else limit)
        return [_shown(spec.definition) for spec in specs], after

    def del_work_spec(
        self, call: Call, work_spec_name: object, options: object = None
    ) -> tuple[bool, str | None]:
        """Delete a spec and its units; gives (true, null) or (false, why not)."""
        name = text(work_spec_name, "work_spec_name")
        cascade = Options.read(options, call, _DELETE).flag("cascade")
        try:
            call.namespace.delete_spec(call.at, name, cascade=cascade)
        except NoSuchSpec:
            return False, f"no such work_spec {name!r}"
        except Refused as error:
            return False, str(error)
        return True, None

    def clear(self, call: Call) -> int:
        """Delete every spec of the namespace; gives how many."""
        return call.namespace.clear(call.at)

    def archive(self, call: Call, options: object = None) -> None:
        """Forget ended units beyond the configured limits; the counts still count them."""
        names = Options.read(options, call, _ARCHIVE).names("work_spec_names")
        call.namespace.archive(call.at, names)


def read_definition(work_spec: Mapping[Any, Any]) -> dict[str, Any]:
    """Give a definition as it is kept: its keys text, and the texts of 0.1.5 that are bytes, too.

    Raises:
        ValueError: one of these is bytes that are no text.
    """
    definition: dict[str, Any] = dict(text_keys(work_spec))
    for name in _TEXTS:
        value = definition.get(name)
        if isinstance(value, bytes):
            definition[name] = _readable(name, value)
    return definition


def _readable(name: str, value: bytes) -> str:
    try:
        return as_text(value)
    except BadName as error:
        raise ValueError(f"{name} should be text, not {shown(value)}") from error


def _shown(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the five texts to the peer's style of string; the rest is as its owner sent it."""
    return {
        key: value if key in _TEXTS and isinstance(value, str) else Encoded(encode(value))
        for key, value in definition.items()
    }


def _nulls(options: object) -> dict[str, Any]:
    nullable = ("interval", "max_running")
    given = options.items() if isinstance(options, Mapping) else ()
    names = [text(name, "the name of an option") for name, value in given if value is None]
    return {name: None for name in names if name in nullable}
