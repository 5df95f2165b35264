"""The catalogue, and how parameters are bound to an operation."""

import pytest
from attrs.exceptions import FrozenInstanceError

from coordinate_protocol.catalogue import CATALOGUE
from coordinate_protocol.errors import ParameterError, ProtocolError


def test_parameters_bind_by_position():
    """Values go to the names in their order."""
    bound = CATALOGUE["get_work"].bind(["w", {"max_jobs": 2}])
    assert bound == {"worker_id": "w", "options": {"max_jobs": 2}}


def test_parameters_bind_by_keyword():
    """Names go as they are, in any order."""
    params = {"options": {}, "worker_id": b"w"}
    assert CATALOGUE["get_work"].bind(params) == params


def test_optional_parameter_may_be_left_out():
    """What was not given is absent, so that the service's default holds."""
    assert CATALOGUE["hello"].bind([]) == {}
    assert CATALOGUE["hello"].bind({}) == {}
    assert CATALOGUE["list_work_specs"].bind([{"limit": 1}]) == {"options": {"limit": 1}}


@pytest.mark.parametrize(
    "params, says",
    [
        ([], "get_work: missing parameter 'worker_id'"),
        (["w"], "get_work: missing parameter 'options'"),
        ({"options": {}}, "get_work: missing parameter 'worker_id'"),
        ({"worker": 1}, "get_work: unknown parameter 'worker'"),
        ({"worker_id": 1, "options": {}, "more": 2}, "get_work: unknown parameter 'more'"),
        (["w", {}, 3], "get_work: 3 parameters given but at most 2 taken"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(params, says):
    """The error names the operation and the parameter, and is a TypeError too."""
    with pytest.raises(ParameterError) as caught:
        CATALOGUE["get_work"].bind(params)
    assert str(caught.value) == says
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ProtocolError)


@pytest.mark.parametrize("operation", CATALOGUE.values(), ids=CATALOGUE)
def test_operation_is_complete(operation):
    """Required parameters come first, names are unique, and everything is described."""
    required = [parameter.required for parameter in operation.parameters]
    assert required == sorted(required, reverse=True)
    names = [parameter.name for parameter in operation.parameters]
    assert len(set(names)) == len(names)
    assert all(parameter.type and parameter.doc for parameter in operation.parameters)
    assert operation.doc.endswith(".")
    assert operation.result
    assert operation.changes is (operation.access != "read")
    assert CATALOGUE[operation.name] is operation


def test_operations_of_the_recorded_version_are_all_there():
    """What 0.1.5's clients call, and what came with 1.0."""
    new = [name for name, operation in CATALOGUE.items() if operation.since != "0.1.5"]
    assert new == [
        "add_dependent_work_units",
        "add_dependencies",
        "get_work_unit_attempts",
        "update_work_units",
        "list_workers",
        "set_mode",
        "list_asked_modes",
        "request_packages",
        "cancel_work_units",
        "explain_work_unit",
        "explain_work_spec",
        "explain_worker",
        "watch",
        "list_locks",
        "force_unlock",
        "hello",
    ]
    assert len(CATALOGUE) - len(new) == 30


def test_catalogue_cannot_be_changed():
    """Dispatch is driven by it, so nobody adds to it in passing."""
    with pytest.raises(TypeError):
        CATALOGUE["more"] = CATALOGUE["hello"]  # type: ignore[index]  # that it cannot is the test
    with pytest.raises(FrozenInstanceError):
        CATALOGUE["hello"].name = "other"  # type: ignore[misc]  # that it cannot is the test
