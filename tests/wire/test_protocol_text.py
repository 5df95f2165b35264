"""The normative text: complete, and its examples are the golden bytes."""

import re
from pathlib import Path

import attrs
import pytest

from coordinate_protocol import constants
from coordinate_protocol.catalogue import CATALOGUE
from coordinate_protocol.codec import decode
from coordinate_protocol.framing import Framer
from coordinate_protocol.limits import Limits
from tests.wire.notation import vectors

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
BLOCKS = [
    re.sub(r"\s", "", block)
    for block in re.findall(r"(?:^ {4}[0-9a-f]+\n)+", TEXT, flags=re.MULTILINE)
]


def section(name):
    """The part of the text about one operation."""
    found = re.search(rf"^### {name}\((.*?)(?=^### |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found.group()


@pytest.mark.parametrize("operation", CATALOGUE.values(), ids=CATALOGUE)
def test_text_has_the_operation_as_the_catalogue_has_it(operation):
    """Parameters, result, access and version are those of the catalogue."""
    text = section(operation.name)
    assert f"result: `{operation.result}`" in text
    assert f"access: {operation.access};" in text
    assert f"since {operation.since}" in text
    for parameter in operation.parameters:
        assert f"- `{parameter.name}`: {parameter.type}" in text


def test_text_has_no_operation_beyond_the_catalogue():
    """Every section under Operations is one of them."""
    assert re.findall(r"^### (\w+)\(", TEXT, re.MULTILINE) == list(CATALOGUE)


@pytest.mark.parametrize("limit", attrs.fields(Limits), ids=attrs.fields_dict(Limits))
def test_text_has_the_limit_with_its_default(limit):
    """Each limit is in the table under its setting's name."""
    assert f"| `server.limits.{limit.name}` | {limit.default} |" in TEXT


def test_text_has_the_numbers():
    """Statuses, port, leases and tags are those of the constants."""
    for number, name in constants.STATUS_NAMES.items():
        assert f"{name.upper()} {number}" in TEXT
    leases = (constants.DEFAULT_LEASE, constants.MIN_LEASE, constants.MAX_LEASE)
    assert "{} seconds by default; {} to {}".format(*leases) in TEXT
    assert f"port {constants.DEFAULT_PORT}" in TEXT
    assert f"version is {constants.PROTOCOL_VERSION}" in TEXT
    assert f"`{constants.NO_SUCH_METHOD}`" in TEXT


@pytest.mark.parametrize("row", vectors("operations", "operations"), ids=lambda row: row["name"])
def test_text_shows_the_example_of_the_vectors(row):
    """Each operation's section has its request and its answer."""
    text = re.sub(r"\s", "", section(row["name"]))
    assert row["request_hex"] in text
    assert row["answer_hex"] in text


def test_every_operation_has_an_example():
    """No operation is left out of the vectors."""
    assert [row["name"] for row in vectors("operations", "operations")] == list(CATALOGUE)


def test_blocks_of_bytes_in_the_text_are_messages():
    """Every example decodes, and all of it is one wrapped message."""
    assert len(BLOCKS) >= 2 * len(CATALOGUE)
    for block in BLOCKS:
        framer = Framer()
        framer.feed(bytes.fromhex(block))
        (frame,) = framer.frames()
        assert frame.wrapped
        assert isinstance(decode(frame.payload, integer_keys=True), (dict, list))


def test_bytes_within_the_text_mean_what_it_says():
    """The short examples in running text are right too."""
    assert "`8101` bare, and `d818428101` wrapped" in TEXT
    assert decode(bytes.fromhex("8101")) == decode(bytes.fromhex("d818428101")) == [1]
    assert "`d88083016374776f457468726565`" in TEXT
    assert decode(bytes.fromhex("d88083016374776f457468726565")) == (1, "two", b"three")
    assert decode(bytes.fromhex("466d6574686f64")) == b"method"
