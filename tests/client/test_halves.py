"""The two halves are one, and importing the blocking one is cheap."""

import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import coordinate_client

ROOT = Path(__file__).parents[2]
KINDS = ["CborRpcClient", "Grant", "LockClient", "TaskMaster", "WorkUnit"]


def public(kind):
    """Public names of a class with their signatures, without the types."""
    found = {}
    for name, member in inspect.getmembers(kind):
        if not name.startswith("_"):
            bare = callable(member) and inspect.signature(member).parameters
            found[name] = (
                [(p.name, p.default) for p in bare.values()] if bare is not False else None
            )
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_both_halves_offer_the_same(kind):
    """Names, arguments and defaults."""
    blocking = public(getattr(coordinate_client, kind))
    assert blocking == public(getattr(coordinate_client, f"Async{kind}"))
    assert len(blocking) > 1


def test_generated_half_is_up_to_date():
    """tools/unasync.py --check finds nothing to do."""
    command = [sys.executable, str(ROOT / "tools" / "unasync.py"), "--check"]
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff, which lays the generated files out, is not in this environment")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def imported(code):
    """The modules that a fresh interpreter has after some code, by their first names."""
    code += "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", code]
    # Measuring coverage imports much of the standard library into every Python that it is told of.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=plain)
    return set(done.stdout.split())


def test_import_brings_no_asyncio():
    """Nor anything that an extra brings."""
    found = imported("import coordinate_client")
    assert not found & {"asyncio", "yaml", "click", "rich", "yakonfig", "random", "socket"}
    assert "asyncio" in imported("from coordinate_client import AsyncTaskMaster")


def test_client_imports_only_what_it_depends_on():
    """The standard library, attrs, cbor2 and the protocol, also when its every module is loaded."""
    before = imported("pass")
    found = imported("import coordinate_client; from coordinate_client import AsyncTaskMaster")
    allowed = {"attr", "attrs", "cbor2", "_cbor2", "coordinate_client", "coordinate_protocol"}
    assert found - before - set(sys.stdlib_module_names) <= allowed


def test_unknown_name_is_an_attribute_error():
    """The lazy names do not hide a misspelt one."""
    with pytest.raises(AttributeError, match="Nope"):
        _ = coordinate_client.Nope


def test_names_of_0_1_5_are_there():
    """The shim re-exports; it is what yakonfig asks for, too."""
    import coordinate
    import coordinate.base_client
    import coordinate.constants
    import coordinate.exceptions
    import coordinate.job_client

    assert coordinate.TaskMaster is coordinate_client.TaskMaster
    assert coordinate.config_name == "coordinate"
    assert coordinate.constants.WORK_UNIT_STATUS_BY_NAME["FAILED"] == 5
    assert coordinate.exceptions.LostLease is coordinate_client.LostLease
    assert coordinate.job_client.WorkUnit is coordinate_client.WorkUnit
    assert coordinate.base_client.CborRpcClient is coordinate_client.CborRpcClient
